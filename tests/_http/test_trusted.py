"""The list of addresses that a person has accepted."""

from pathlib import Path

import pytest

from wellkept._files import FileFault
from wellkept._http.trusted import TrustedAddresses
from wellkept.errors import UsageError


def of(folder: Path) -> TrustedAddresses:
    return TrustedAddresses.of({"HOME": str(folder)})


def test_nobody_is_trusted_at_first(tmp_path: Path) -> None:
    assert of(tmp_path).addresses() == ()
    assert not of(tmp_path).has("https://vault.example.com")


def test_a_trusted_address_is_trusted_in_every_spelling_of_its_origin(tmp_path: Path) -> None:
    assert of(tmp_path).add("https://Vault.example.com:443/v1/") == "https://vault.example.com"
    assert of(tmp_path).has("https://vault.example.com")
    assert not of(tmp_path).has("https://vault.example.com:8200")
    assert not of(tmp_path).has("http://vault.example.com")


def test_the_list_is_for_its_owner_only(tmp_path: Path) -> None:
    of(tmp_path).add("https://vault.example.com")
    file = tmp_path / ".config/wellkept/trusted"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_adding_twice_and_removing_change_what_they_should(tmp_path: Path) -> None:
    trusted = of(tmp_path)
    trusted.add("https://b.example.com")
    trusted.add("https://a.example.com")
    trusted.add("https://a.example.com/")
    assert trusted.addresses() == ("https://a.example.com", "https://b.example.com")
    assert trusted.remove("https://a.example.com")
    assert not trusted.remove("https://a.example.com")
    assert trusted.addresses() == ("https://b.example.com",)


def test_a_list_that_others_may_write_trusts_nobody(tmp_path: Path) -> None:
    trusted = of(tmp_path)
    trusted.add("https://vault.example.com")
    Path(trusted.path).chmod(0o666)
    assert not trusted.has("https://vault.example.com")
    with pytest.raises(FileFault, match="may be written by others"):
        trusted.addresses()


def test_xdg_config_home_is_where_the_list_is_kept(tmp_path: Path) -> None:
    trusted = TrustedAddresses.of({"HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)})
    assert trusted.path == f"{tmp_path}/wellkept/trusted"


def test_without_a_home_folder_nobody_is_trusted_and_nothing_is_kept() -> None:
    assert not TrustedAddresses.of({}).has("https://vault.example.com")
    with pytest.raises(UsageError, match="no home folder"):
        TrustedAddresses.of({}).add("https://vault.example.com")


@pytest.mark.parametrize("url", ["vault.example.com", "https://u:CANARY@vault.example.com", "file:///etc/passwd"])
def test_what_is_no_address_cannot_be_trusted(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        of(tmp_path).add(url)
    assert "CANARY" not in str(caught.value)
