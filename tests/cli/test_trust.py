"""`wellkept trust`: what is accepted, where it is kept, and who may read it."""

import os
import stat

import pytest

from tests.cli.shelf import CommandLine

URL = "https://vault.example.com:8200"


def test_an_address_is_accepted_and_listed(wellkept: CommandLine) -> None:
    path = wellkept.folder / ".config" / "wellkept" / "trusted"
    done = wellkept("trust", URL)
    assert (done.out, done.code) == ("", 0)
    assert done.err == f"{URL}: is trusted: credentials of this user may go there (written to {path})\n"
    assert wellkept("trust", "--list").out == f"{URL}\n"
    assert wellkept("trust", "--list", "--json").document == {"addresses": [URL], "path": str(path)}


def test_only_the_user_may_read_the_list_whatever_the_umask(wellkept: CommandLine) -> None:
    before = os.umask(0)
    try:
        wellkept("trust", URL)
    finally:
        os.umask(before)
    folder = wellkept.folder / ".config" / "wellkept"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "trusted").stat().st_mode) == 0o600


def test_the_list_stands_where_the_environment_says(wellkept: CommandLine) -> None:
    wellkept("trust", URL, environ={"XDG_CONFIG_HOME": str(wellkept.folder / "elsewhere")})
    assert (wellkept.folder / "elsewhere" / "wellkept" / "trusted").is_file()
    assert wellkept("trust", "--list").err == "no address is trusted\n"


def test_an_address_is_removed_in_any_of_its_spellings(wellkept: CommandLine) -> None:
    wellkept("trust", f"{URL}/v1/secret")
    assert wellkept("trust", "--list").out == f"{URL}\n"
    done = wellkept("trust", "HTTPS://VAULT.example.com:8200/", "--remove")
    assert done.err.startswith(f"{URL}: is trusted no longer")
    assert wellkept("trust", "--list").out == ""
    done = wellkept("trust", URL, "--remove")
    assert done.err == "error: URL: is not trusted\nhint: wellkept trust --list names those that are\n"
    assert done.code == 1


def test_a_change_is_one_json_document(wellkept: CommandLine) -> None:
    path = str(wellkept.folder / ".config" / "wellkept" / "trusted")
    assert wellkept("trust", URL, "--json").document == {"address": URL, "trusted": True, "path": path}
    assert wellkept("trust", URL, "--remove", "--json").document == {"address": URL, "trusted": False, "path": path}


@pytest.mark.parametrize("url", ["ftp://CANARY", "CANARY", "https://user:CANARY@vault.example.com", "https://"])
def test_what_is_no_address_is_refused_and_not_repeated(wellkept: CommandLine, url: str) -> None:
    for words in (["trust", url], ["trust", url, "--remove"]):
        done = wellkept(*words)
        assert "CANARY" not in done.err
        assert done.code == 2
    assert wellkept("trust", "--list").out == ""


def test_no_address_and_too_many_are_told(wellkept: CommandLine) -> None:
    assert wellkept("trust").err.startswith("error: trust: names no address\n")
    assert wellkept("trust", "--remove").code == 2
    assert wellkept("trust", URL, "--list").err.startswith("error: trust: --list stands alone\n")
    assert wellkept("trust", "--list", "--remove").code == 2


def test_the_help_says_what_it_is_for(wellkept: CommandLine) -> None:
    assert "collect the token" in " ".join(wellkept("trust", "--help").out.split())
