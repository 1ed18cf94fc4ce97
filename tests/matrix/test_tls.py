"""TLS towards the backend that stops being right: another CA, expired, another name; and a CA file that changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.matrix.conftest import Follows
from tests.matrix.faults import FaultProxy
from tests.matrix.following import Events, told, wait_for, wait_for_value
from tests.servers.certificates import Authority, Certificate
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import ConfigError, Secret
from wellkept.events import Topic
from wellkept.secret import State

BAD: dict[str, tuple[Callable[[Authority], Certificate], str]] = {
    "unknown-ca": (Authority.of_unknown_ca, "its CA is not trusted"),
    "expired": (Authority.expired, "its certificate has expired"),
    "not-yet-valid": (Authority.not_yet_valid, "its certificate is not valid yet"),
    "wrong-name": (Authority.wrong_name, "its certificate is for another"),
}


# A server that does not speak TLS any more says nothing to a client of TLS: that one waits for all of this.
PATIENT: Final[Mapping[str, str]] = {"VAULT_CLIENT_TIMEOUT": "8"}


@dataclass(frozen=True)
class Followed:
    """A secret of a space that is asked for by way of the proxy."""

    space: Space
    proxy: FaultProxy
    follow: Follows

    def __call__(self, ca_file: Path) -> Secret[str]:
        """Begin to follow it, and trust the CAs of a file."""
        self.space.put("secret/tls", password="one-CANARY")
        environ = {**self.space.environ(), "VAULT_ADDR": self.proxy.address, "VAULT_CACERT": str(ca_file)}
        return self.follow({**environ, **PATIENT}, "${vault:secret/tls?ttl=300ms#password}")

    def change(self) -> None:
        """Write another value, `two-CANARY`, behind the proxy."""
        self.space.put("secret/tls", password="two-CANARY")


@pytest.fixture
def followed(space: Space, proxy: FaultProxy, follow: Follows) -> Followed:
    return Followed(space, proxy, follow)


def wait_stale(secret: Secret[str], proxy: FaultProxy) -> None:
    """Wait until no connection is left that was made before: one may just have been made, and not used yet."""

    def is_stale() -> bool:
        proxy.part()
        return secret.state is State.STALE

    wait_until(is_stale, "it is stale")


def never_plain(proxy: FaultProxy) -> bool:
    return {one.scheme for one in proxy.seen} == {"https"}


@pytest.mark.parametrize("name", BAD)
def test_a_certificate_that_is_not_right_any_more_is_stale_with_its_reason(
    proxy: FaultProxy, ca: Authority, followed: Followed, events: Events, name: str
) -> None:
    secret = followed(ca.ca_file)
    make, words = BAD[name]
    proxy.show(make(ca).server_context())
    wait_stale(secret, proxy)
    assert secret == "one-CANARY"
    assert told(secret).failure == "unreachable"
    assert words in events.wait(Topic.STALE)
    asked = len(proxy.seen)
    assert secret.refresh() is False
    assert len(proxy.seen) == asked  # not a byte of HTTP goes over such a connection
    followed.change()
    proxy.show(ca.server().server_context())
    wait_for_value(secret, "two-CANARY")
    assert events.wait(Topic.RECOVERED)
    assert never_plain(proxy)


@pytest.mark.parametrize("name", BAD)
def test_such_a_certificate_at_the_start_is_unreachable(
    proxy: FaultProxy, ca: Authority, followed: Followed, name: str
) -> None:
    make, words = BAD[name]
    proxy.show(make(ca).server_context())
    with pytest.raises(ConfigError, match=words) as caught:
        followed(ca.ca_file)
    assert caught.value.exit_code == 69
    assert proxy.seen == []


def test_a_server_that_speaks_no_tls_any_more_gets_no_token(
    proxy: FaultProxy, ca: Authority, followed: Followed, events: Events
) -> None:
    secret = followed(ca.ca_file)
    proxy.show(None)
    wait_stale(secret, proxy)
    assert secret == "one-CANARY"
    assert "unreachable" in events.wait(Topic.STALE)
    proxy.show(ca.server().server_context())
    wait_for(secret, State.FRESH)
    assert never_plain(proxy)


def test_a_ca_file_that_names_another_ca_is_stale_until_it_is_mended(
    proxy: FaultProxy, ca: Authority, followed: Followed, events: Events, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    file = tmp_path / "trusted.pem"
    file.write_text(ca.pem, "ascii")
    secret = followed(file)
    file.write_text(other.pem, "ascii")
    wait_stale(secret, proxy)  # a connection that is open stays what it was
    assert secret == "one-CANARY"
    assert "its CA is not trusted" in events.wait(Topic.STALE)
    file.write_text(other.pem + ca.pem, "ascii")
    followed.change()
    wait_for_value(secret, "two-CANARY")
    assert never_plain(proxy)


def test_a_ca_that_is_rotated_costs_nothing_where_its_file_is_written_first(
    proxy: FaultProxy, ca: Authority, followed: Followed, events: Events, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    file = tmp_path / "trusted.pem"
    file.write_text(ca.pem, "ascii")
    secret = followed(file)
    file.write_text(ca.pem + other.pem, "ascii")
    proxy.show(other.server().server_context())
    followed.change()
    wait_for_value(secret, "two-CANARY")
    assert not events.of(Topic.GONE)
    assert never_plain(proxy)


def test_a_ca_file_that_is_half_written_changes_nothing(
    proxy: FaultProxy, ca: Authority, followed: Followed, events: Events, tmp_path: Path
) -> None:
    file = tmp_path / "trusted.pem"
    file.write_text(ca.pem, "ascii")
    secret = followed(file)
    file.write_text(ca.pem[:100], "ascii")
    proxy.part()
    followed.change()
    wait_for_value(secret, "two-CANARY")
    assert not events.of(Topic.GONE)
