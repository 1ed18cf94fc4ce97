"""TLS towards a server: verified always, told apart when it fails, and its files followed."""

import os
import ssl
import subprocess
from pathlib import Path

import pytest

from tests._http.scripted import answer, scripted
from tests.servers.certificates import Authority
from wellkept._http.address import parse_address
from wellkept._http.client import Client
from wellkept._http.context import ContextKeeper
from wellkept._http.message import Failure, Request, Response
from wellkept._http.tls import Trust
from wellkept.errors import TLSFailed

READ = Request("GET", ("v1",))


def ask(port: int, trust: Trust, host: str = "127.0.0.1") -> Response | Failure:
    made = Client(parse_address(f"https://{host}:{port}", what="test"), trust, timeout_s=5.0)
    try:
        return made.send(READ)
    finally:
        made.close()


def broken(port: int, trust: Trust, host: str = "127.0.0.1") -> Failure:
    found = ask(port, trust, host)
    assert isinstance(found, Failure)
    assert found.error is TLSFailed
    assert found.fact.startswith("unreachable: TLS ")
    return found


def test_a_server_of_the_given_ca_is_trusted_and_any_other_is_not(ca: Authority) -> None:
    with scripted(answer(), tls=ca.server().server_context()) as server:
        assert isinstance(ask(server.port, Trust(str(ca.ca_file))), Response)
        assert "its CA is not trusted" in broken(server.port, Trust()).fact
    with scripted(answer(), tls=ca.of_unknown_ca().server_context()) as server:
        assert "its CA is not trusted" in broken(server.port, Trust(str(ca.ca_file))).fact
        assert not server.heads


def test_a_name_that_stands_in_the_certificate_may_be_given(ca: Authority) -> None:
    with scripted(answer(), tls=ca.wrong_name().server_context()) as server:
        trust = Trust(str(ca.ca_file))
        assert "for another address" in broken(server.port, trust).fact
        assert "for another name" in broken(server.port, trust, host="localhost").fact
        assert isinstance(ask(server.port, Trust(str(ca.ca_file), server_name="elsewhere.test")), Response)


def test_old_tls_is_not_spoken(ca: Authority) -> None:
    context = ca.server().server_context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with scripted(answer(), tls=context) as server:
        broken(server.port, Trust(str(ca.ca_file)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_gets_it_or_is_told_apart(ca: Authority, version: ssl.TLSVersion) -> None:
    context = ca.server().server_context()
    context.load_verify_locations(ca.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    mine, theirs = ca.client(), ca.of_unknown_ca()
    with scripted(answer(), tls=context) as server:
        trusted = str(ca.ca_file)
        assert isinstance(ask(server.port, Trust(trusted, None, str(mine.cert_file), str(mine.key_file))), Response)
        assert broken(server.port, Trust(trusted)).hint in {
            "give client_cert and client_key",
            "look at the TLS settings of the server",
        }
        other = broken(server.port, Trust(trusted, None, str(theirs.cert_file), str(theirs.key_file)))
        assert "it does not accept our certificate" in other.fact


def test_a_key_of_another_certificate_is_named(ca: Authority) -> None:
    one, other = ca.client(), ca.client()
    found = ContextKeeper(Trust(str(ca.ca_file), None, str(one.cert_file), str(other.key_file))).current()
    assert isinstance(found, Failure)
    assert f"the key does not belong to {one.cert_file}" in found.fact


def test_a_key_with_a_passphrase_asks_nobody(ca: Authority, tmp_path: Path) -> None:
    mine, locked = ca.client(), tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-in", mine.key_file, "-aes256", "-passout", "pass:secret", "-out", locked], check=True
    )
    found = ContextKeeper(Trust(str(ca.ca_file), None, str(mine.cert_file), str(locked))).current()
    assert isinstance(found, Failure)
    assert "cannot be used" in found.fact
    assert "without a passphrase" in found.hint


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named(ca: Authority, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(ca.pem)
    file.chmod(0)
    found = ContextKeeper(Trust(str(file))).current()
    assert isinstance(found, Failure)
    assert "cannot be read" in found.fact


def test_a_ca_file_that_changes_is_followed_and_a_broken_one_changes_nothing(ca: Authority, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(ca.pem)
    keeper = ContextKeeper(Trust(str(file)))
    first = keeper.current()
    assert isinstance(first, ssl.SSLContext)
    assert keeper.current() is first
    file.write_text("broken")
    assert keeper.current() is first
    file.unlink()
    assert keeper.current() is first
    file.write_text(ca.pem + ca.pem)
    assert keeper.current() is not first


def test_the_system_is_trusted_where_no_ca_is_given() -> None:
    context = ContextKeeper(Trust()).current()
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
