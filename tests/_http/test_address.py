"""Addresses that a person writes: what they mean, and which are refused."""

import pytest

from wellkept._http.address import find_address, parse_address
from wellkept.errors import UsageError


@pytest.mark.parametrize(
    ("text", "origin", "prefix"),
    [
        ("https://vault.example.com", "https://vault.example.com", ""),
        ("https://Vault.Example.com:8200/", "https://vault.example.com:8200", ""),
        ("https://vault.example.com:443/behind/a/proxy/", "https://vault.example.com", "/behind/a/proxy"),
        ("http://127.0.0.1:8200", "http://127.0.0.1:8200", ""),
        ("https://[::1]:8200", "https://[::1]:8200", ""),
        ("unix:///run/agent.sock", "unix:///run/agent.sock", ""),
    ],
)
def test_an_address_has_one_origin_however_it_is_spelt(text: str, origin: str, prefix: str) -> None:
    address = parse_address(text, what="VAULT_ADDR")
    assert (address.origin, address.prefix) == (origin, prefix)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vault.example.com:8200",
        "ftp://vault.example.com",
        "https://",
        "https://user:CANARY@vault.example.com",
        "https://vault.example.com?token=CANARY",
        "https://vault.example.com#CANARY",
        "https://vault.example.com/a/../b",
        "https://vault.example.com/a%2fb",
        "https://vault.example.com:99999",
        "https://vault.example.com:0x50",
        "https://va ult",
        "https://vault.example.com\n",
        "https://vault\u2024example.com",
        "https://[::1",
        "https://[nothing]",
        "unix://run/agent.sock",
        "unix:///run/agent.sock?a=b",
        "https://" + "a" * 2000,
    ],
)
def test_what_is_no_address_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UsageError, match=r"^VAULT_ADDR: ") as caught:
        parse_address(text, what="VAULT_ADDR")
    assert "CANARY" not in str(caught.value)
    assert caught.value.hint


def test_plain_http_stays_on_this_machine_unless_a_person_asks() -> None:
    with pytest.raises(UsageError, match="plain HTTP, and not on this machine") as caught:
        parse_address("http://vault.example.com:8200", what="VAULT_ADDR")
    assert "https://vault.example.com:8200" in str(caught.value)
    assert parse_address("http://vault.example.com:8200", what="address", may_be_plain=True).scheme == "http"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST"])
def test_a_loopback_address_may_be_plain(host: str) -> None:
    assert parse_address(f"http://{host}:8200", what="VAULT_ADDR").is_loopback


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com", "128.0.0.1", "[::2]"])
def test_what_only_looks_like_loopback_may_not(host: str) -> None:
    address = find_address(f"http://{host}:8200")
    assert not isinstance(address, str)
    assert not address.is_loopback
