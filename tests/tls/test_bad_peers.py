"""Certificates that are shown in a handshake: the bad ones are refused, with the reason in words, on both sides.

Facts §5, "server cert → client" and "client cert → server": in TLS 1.2 and 1.3, on a loop and on blocking sockets.
The other side is always one of the standard library, which shows whatever it is given.
"""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.process import wait_until
from tests.tls.bad import (
    CLIENTS,
    SERVERS,
    TIMEOUT_S,
    SetClock,
    live,
    odd_names,
    serving_blocking,
    shake,
    stock_client,
    stock_server,
    told,
)
from tests.tls.pki import CA, CASES, CLIENT_CASES, DAY, Case, Leaf, signed_with_sha1
from wellkept.errors import BundleError
from wellkept.events import Topic
from wellkept.tls import CertKey, ClientTLS, MutualTLS, ServerTLS
from wellkept.tls.faults import Fault
from wellkept.tls.policy import CrlMode
from wellkept.tls.reasons import reason_of
from wellkept.tls.settings import CertValidation

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
ORDERS = "spiffe://prod/ns/pay/sa/orders"

# What our client says of each certificate of a server; None gets in.
SERVER_FAULTS: dict[str, Fault | None] = {
    "good": None,
    "expired": Fault.EXPIRED,
    "not-yet-valid": Fault.NOT_YET_VALID,
    "wrong-host": Fault.NAME,
    "ip-san-missing": Fault.ADDRESS,
    "cn-only": Fault.NAME,
    "self-signed": Fault.SELF_SIGNED,
    "untrusted-root": Fault.UNTRUSTED,
    "same-name-root": Fault.UNTRUSTED,
    "incomplete-chain": Fault.UNTRUSTED,
    "misordered-chain": None,
    "root-first-chain": None,
    "extra-chain-cert": None,
    "trust-is-intermediate": None,
    "wrong-eku": Fault.PURPOSE,
    "no-eku": None,
    "name-constraint": Fault.CONSTRAINT,
    "pathlen": Fault.PATH_LENGTH,
    "issuer-not-ca": Fault.NO_CA,
    "issuer-is-leaf": Fault.NO_CA,
    "leaf-is-ca": None,
    "no-aki": Fault.NO_AUTHORITY_KEY_ID,
    "no-ski": Fault.NO_SUBJECT_KEY_ID,
    "bc-not-critical": Fault.NOT_CRITICAL,
    "openssl-recipe": Fault.NO_KEY_USAGE,
    "rsa1024": Fault.WEAK,
    "revoked-crl": Fault.REVOKED,
}
# Those that a client does not even start with are judged below.
AT_START = {"expired-root", "crl-expired", "crl-wrong-issuer", "crl-missing"}


def test_every_case_of_the_matrix_is_here() -> None:
    assert SERVER_FAULTS.keys() | AT_START == CASES.keys()


def client_of(case: Case, folder: Path, mode: CrlMode = CrlMode.REQUIRE) -> ClientTLS:
    """Our client that trusts what a case says."""
    (folder / "trust.crt").write_bytes(case.trust)
    if case.crl is None:
        return ClientTLS(trust=folder / "trust.crt")
    (folder / "ca.crl").write_bytes(case.crl)
    return ClientTLS(trust=folder / "trust.crt", cert_validation=CertValidation(crl=(folder / "ca.crl",), mode=mode))


@VERSIONS
@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("name", SERVER_FAULTS)
def test_our_client_refuses_a_bad_server_with_the_reason(
    tmp_path: Path, name: str, kind: str, version: ssl.TLSVersion
) -> None:
    case = CASES[name]()
    context = client_of(case, tmp_path).context()
    fault = SERVER_FAULTS[name]
    with serving_blocking(stock_server(case.leaf.write(tmp_path), version)) as port, told() as heard:
        if fault is None:
            assert CLIENTS[kind](port, context, case.host) == b"hello"
            assert heard.refused == []
            return
        with pytest.raises(ssl.SSLError) as caught:
            CLIENTS[kind](port, context, case.host)
    reason = reason_of(caught.value)
    assert reason.fault is fault
    assert heard.refused == [reason.code]
    assert "server" in reason.fact


@VERSIONS
@pytest.mark.parametrize("kind", CLIENTS)
def test_our_client_refuses_a_signature_by_sha_1(
    tmp_path: Path, kind: str, version: ssl.TLSVersion, missing: Callable[[str], NoReturn]
) -> None:
    ca = CA()
    try:
        leaf = signed_with_sha1(ca, tmp_path)
    except (OSError, subprocess.CalledProcessError):
        missing("the openssl program makes no signature with SHA-1")
    with (
        serving_blocking(stock_server(leaf.write(tmp_path), version)) as port,
        pytest.raises(ssl.SSLError) as caught,
    ):
        CLIENTS[kind](port, client_of(Case.of(ca, leaf), tmp_path).context(), "localhost")
    assert reason_of(caught.value).fault is Fault.WEAK


@pytest.mark.parametrize("name", sorted(AT_START))
def test_our_client_does_not_start_with_a_trust_that_would_refuse_everybody(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError) as caught:
        client_of(CASES[name](), tmp_path).context()
    words = {
        "expired-root": "has expired",
        "crl-expired": "has expired",
        "crl-wrong-issuer": "not signed by its key",
        "crl-missing": "no revocation list of the CA",
    }
    assert words[name] in caught.value.message or "no revocation list" in caught.value.message
    assert caught.value.message.startswith(str(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize("name", ["crl-expired", "crl-wrong-issuer", "crl-missing"])
def test_with_warn_a_useless_revocation_list_is_told_of_and_others_get_in(tmp_path: Path, name: str) -> None:
    case = CASES[name]()
    with told() as heard:
        keeper = live(client_of(case, tmp_path, CrlMode.WARN))
        shake(stock_server(case.leaf.write(tmp_path), V13), keeper.context)
    assert [one for one in heard.of(Topic.WARNING) if one.startswith("TLS030")]


def test_with_warn_a_revoked_server_is_refused_all_the_same(tmp_path: Path) -> None:
    case = CASES["revoked-crl"]()
    keeper = live(client_of(case, tmp_path, CrlMode.WARN))
    with told() as heard, pytest.raises(ssl.SSLError, match="revoked"):
        shake(stock_server(case.leaf.write(tmp_path), V13), keeper.context)
    assert heard.refused == ["revoked"]


# What our server says of each certificate of a client; None gets in.
CLIENT_CODES: dict[str, str | None] = {
    "good": None,
    "client-wrong-ca": "unverified",
    "client-expired": "expired",
    "client-not-yet-valid": "not-yet-valid",
    "client-serverAuth-only": "unverified",
    "client-no-eku": None,
    "client-incomplete-chain": "unverified",
    "client-self-signed": "unverified",
    "client-revoked": "revoked",
}
MORE_CLIENTS: dict[str, tuple[Callable[[], Case], str]] = {
    "no-aki": (CASES["no-aki"], "unverified"),
    "issuer-not-ca": (CASES["issuer-not-ca"], "unverified"),
    "pathlen": (CASES["pathlen"], "unverified"),
    "name-constraint": (CASES["name-constraint"], "unverified"),
    "rsa1024": (CASES["rsa1024"], "unverified"),
    "openssl-recipe": (CASES["openssl-recipe"], "unverified"),
}
ALL_CLIENTS = {name: (CLIENT_CASES[name], code) for name, code in CLIENT_CODES.items()} | MORE_CLIENTS


def test_every_client_of_the_matrix_is_here() -> None:
    assert CLIENT_CODES.keys() == CLIENT_CASES.keys()


class Service:
    """Our server that asks for certificates of a case, and the CA of its own certificate."""

    def __init__(self, folder: Path, case: Case, *, allow: tuple[str, ...] = (), shares: bool | None = None) -> None:
        self.folder = folder
        self.ca = CA("Service CA")
        own = self.ca.issue("localhost", not_after=100 * DAY).write(folder / "own")
        (folder / "clients.crt").write_bytes(case.trust)
        validation = None
        if case.crl is not None:
            (folder / "clients.crl").write_bytes(case.crl)
            validation = CertValidation(crl=(folder / "clients.crl",))
        self.trust = self.ca.write(folder / "own")
        self.tls = ServerTLS(
            key=CertKey(own.cert_file, own.key_file),
            mutual=MutualTLS(trust=folder / "clients.crt"),
            allow=allow,
            share_session=shares,
            cert_validation=validation,
        )

    def client(self, leaf: Leaf | None, version: ssl.TLSVersion) -> ssl.SSLContext:
        """A stock client that shows a certificate."""
        files = None if leaf is None else leaf.write(self.folder / "client", "client")
        return stock_client(self.trust, files, version)


@VERSIONS
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("name", ALL_CLIENTS)
def test_our_server_refuses_a_bad_client_with_an_event_and_an_alert(
    tmp_path: Path, name: str, kind: str, version: ssl.TLSVersion
) -> None:
    make, code = ALL_CLIENTS[name]
    case = make()
    service = Service(tmp_path, case)
    client = service.client(case.leaf, version)
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        if code is None:
            assert CLIENTS["blocking"](port, client, "localhost") == b"hello"
            assert heard.refused == []
            return
        assert_alerted(port, client, kind)
        assert heard.wait_refused() == [code]


def assert_alerted(port: int, client: ssl.SSLContext, kind: str) -> None:
    """The client hears why; from a blocking server a reset may come first (facts §9)."""
    with pytest.raises(OSError) as caught:  # noqa: PT011 an alert or a reset: told apart below
        assert CLIENTS["blocking"](port, client, "localhost") == b""
    is_alert = isinstance(caught.value, ssl.SSLError) and "ALERT" in (caught.value.reason or "")
    is_reset = isinstance(caught.value, (ConnectionError, ssl.SSLEOFError))
    assert is_alert or (kind == "blocking" and is_reset), repr(caught.value)


@VERSIONS
@pytest.mark.parametrize("kind", SERVERS)
def test_our_server_refuses_a_client_without_certificate(tmp_path: Path, kind: str, version: ssl.TLSVersion) -> None:
    service = Service(tmp_path, CLIENT_CASES["good"]())
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        assert_alerted(port, service.client(None, version), kind)
        assert heard.wait_refused() == ["no-certificate"]


@VERSIONS
@pytest.mark.parametrize("kind", SERVERS)
def test_our_server_hears_nothing_of_a_client_that_is_not_allowed(
    tmp_path: Path, kind: str, version: ssl.TLSVersion
) -> None:
    case = CLIENT_CASES["good"]()
    service = Service(tmp_path, case, allow=("spiffe://prod/ns/*/sa/billing",))
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        said = b""
        with suppress(OSError):  # TLS 1.3 knows no alert behind the handshake: the client sees the end only
            said = CLIENTS["blocking"](port, service.client(case.leaf, version), "localhost")
        assert said == b""
        assert heard.wait_refused() == ["not-allowed"]


ODD = {
    "a name that is no text": bytes([0x30, 4, 0x82, 2, 0xFF, 0xFE]),
    "an address of five bytes": bytes([0x30, 7, 0x87, 5, 1, 2, 3, 4, 5]),
    "a URI that is no text": bytes([0x30, 4, 0x86, 2, 0xFF, 0x41]),
    "a name of X.400": bytes([0x30, 4, 0xA3, 2, 5, 0]),
}


@pytest.mark.parametrize("allow", [(), ("dns:odd",)], ids=["all", "allow"])
@pytest.mark.parametrize("name", ODD)
def test_names_that_cannot_be_read_are_refused_as_any_other_fault(
    tmp_path: Path, name: str, allow: tuple[str, ...]
) -> None:
    ca = CA()
    leaf = odd_names(ca, ODD[name])
    service = Service(tmp_path, Case.of(ca, leaf), allow=allow)
    client = service.client(leaf, V13)
    with told() as heard:
        try:
            shake(service.tls.context(), client)
        except ssl.SSLError:
            assert len(heard.refused) == 1
        else:  # without a list nobody has to know the names
            assert allow == ()
            assert heard.refused == []


class Resuming:
    """A server that shares sessions, a client of which it is to forget one, and a clock."""

    def __init__(self, folder: Path, version: ssl.TLSVersion, *, allow: tuple[str, ...] = ()) -> None:
        self.ca = CA("Clients")
        self.leaf = self.ca.issue("orders.test", uris=[ORDERS], not_after=2 * DAY)
        case = Case.of(self.ca, self.leaf, crl=None)
        self.service = Service(folder, case, allow=allow, shares=True)
        self.clock = SetClock()
        self.keeper = live(self.service.tls, self.clock)
        self.client = self.service.client(self.leaf, version)

    def session(self) -> ssl.SSLSession:
        return shake(self.keeper.context, self.client).session()


@VERSIONS
@pytest.mark.parametrize("allow", [(), (ORDERS,)], ids=["all", "allow"])
def test_a_client_whose_certificate_has_expired_does_not_resume(
    tmp_path: Path, allow: tuple[str, ...], version: ssl.TLSVersion
) -> None:
    resuming = Resuming(tmp_path, version, allow=allow)
    session = resuming.session()
    assert shake(resuming.keeper.context, resuming.client, session).client.session_reused
    resuming.clock.advance(timedelta(days=3))
    with told() as heard, pytest.raises(ssl.SSLError, match="expired"):
        shake(resuming.keeper.context, resuming.client, session)
    assert heard.refused == ["expired"]


@VERSIONS
def test_a_client_that_is_withdrawn_does_not_resume(tmp_path: Path, version: ssl.TLSVersion) -> None:
    resuming = Resuming(tmp_path, version)
    session = resuming.session()
    (tmp_path / "clients.crt").write_bytes(CA("Others").pem)
    with told() as heard, pytest.raises(ssl.SSLError):
        shake(resuming.keeper.context, resuming.client, session)
    assert heard.refused == ["unverified"]


def test_without_shared_sessions_nobody_gets_a_ticket(tmp_path: Path) -> None:
    case = CLIENT_CASES["good"]()
    service = Service(tmp_path, case)
    hands = shake(live(service.tls).context, service.client(case.leaf, V13))
    hands.server.write(b"x")
    hands.client.read(1)
    assert hands.client.session is None or not hands.client.session.has_ticket


@pytest.mark.parametrize("kind", SERVERS)
@VERSIONS
def test_a_certificate_of_seconds_resumes_for_as_long(tmp_path: Path, kind: str, version: ssl.TLSVersion) -> None:
    ca = CA()
    leaf = ca.issue("orders.test", not_after=timedelta(seconds=10))
    service = Service(tmp_path, Case.of(ca, leaf), shares=True)
    client = service.client(leaf, version)
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        session = resumable(port, client)
        wait_until(lambda: datetime.now(UTC) > leaf.certificate.not_valid_after_utc + timedelta(seconds=1), "its end")
        said = b""
        with suppress(OSError):
            said = greet_again(port, client, session)
        assert said == b""
        assert heard.wait_refused() == ["expired"]


def resumable(port: int, client: ssl.SSLContext) -> ssl.SSLSession:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as raw,
        client.wrap_socket(raw, server_hostname="localhost") as connection,
    ):
        assert connection.recv(100) == b"hello"
        session = connection.session
        assert session is not None
        return session


def greet_again(port: int, client: ssl.SSLContext, session: ssl.SSLSession) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as raw,
        client.wrap_socket(raw, server_hostname="localhost", session=session) as connection,
    ):
        said = connection.recv(100)
        assert connection.session_reused
        return said


@VERSIONS
def test_a_session_of_before_the_revocation_does_not_help(tmp_path: Path, version: ssl.TLSVersion) -> None:
    ca = CA()
    leaf = ca.issue("orders.test")
    service = Service(tmp_path, Case.of(ca, leaf, crl=ca.crl()), shares=True)
    keeper, client = live(service.tls), service.client(leaf, version)
    session = shake(keeper.context, client).session()
    (tmp_path / "clients.crl").write_bytes(ca.crl(leaf, number=2))
    with told() as heard, pytest.raises(ssl.SSLError, match=r"revoked|REVOKED"):
        shake(keeper.context, client, session)
    assert heard.refused == ["revoked"]


@VERSIONS
def test_a_folder_of_revocation_lists_is_read_anew(tmp_path: Path, version: ssl.TLSVersion) -> None:
    ca = CA()
    leaf = ca.issue("orders.test")
    service = Service(tmp_path, Case.of(ca, leaf))
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "one.crl").write_bytes(ca.crl())
    tls = ServerTLS(key=service.tls.key, mutual=service.tls.mutual, cert_validation=CertValidation(crl=(folder,)))
    keeper, client = live(tls), service.client(leaf, version)
    shake(keeper.context, client)
    (folder / "two.crl").write_bytes(ca.crl(leaf, number=2, last_update=-timedelta(minutes=1)))
    (folder / "one.crl").unlink()
    with pytest.raises(ssl.SSLError):
        shake(keeper.context, client)
    (folder / "three.crl").write_bytes(ca.crl(number=3))
    (folder / "two.crl").unlink()
    shake(keeper.context, client)


def test_a_list_of_a_folder_that_is_replaced_in_place_is_seen(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("orders.test")
    service = Service(tmp_path, Case.of(ca, leaf))
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "one.crl").write_bytes(ca.crl())
    tls = ServerTLS(key=service.tls.key, mutual=service.tls.mutual, cert_validation=CertValidation(crl=(folder,)))
    keeper, client = live(tls), service.client(leaf, V13)
    shake(keeper.context, client)
    with (folder / "one.crl").open("wb") as file:  # no entry of the folder changes: its dates stay what they were
        file.write(ca.crl(leaf, number=2))
    with pytest.raises(ssl.SSLError):
        shake(keeper.context, client)


def test_a_list_that_will_expire_is_told_of_before_it_refuses_everybody(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("orders.test")
    clock = SetClock()
    service = Service(tmp_path, Case.of(ca, leaf, crl=ca.crl(next_update=DAY)))
    with told() as heard:
        keeper = live(service.tls, clock)
        shake(keeper.context, service.client(leaf, V13))
        assert heard.events == []
        clock.advance(timedelta(hours=20))
        shake(keeper.context, service.client(leaf, V13))
        (soon,) = heard.of(Topic.EXPIRES_SOON)
        assert "revocation list" in soon
        assert "ends soon" in soon
        clock.advance(timedelta(hours=20))
        shake(keeper.context, service.client(leaf, V13))
        assert "revocation list" in " ".join(heard.of(Topic.EXPIRED))
        shake(keeper.context, service.client(leaf, V13))
        assert len(heard.of(Topic.EXPIRES_SOON)) == 1


@pytest.mark.parametrize("kind", SERVERS)
def test_a_client_of_an_old_version_is_refused(tmp_path: Path, kind: str) -> None:
    case = CLIENT_CASES["good"]()
    service = Service(tmp_path, case)
    client = stock_client(service.trust, case.leaf.write(tmp_path / "client", "client"))
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        with pytest.raises(OSError):  # noqa: PT011 an alert or a reset
            CLIENTS["blocking"](port, client, "localhost")
        assert heard.wait_refused() == ["protocol"]


@pytest.mark.parametrize("kind", SERVERS)
def test_a_client_that_only_has_cbc_is_refused(tmp_path: Path, kind: str) -> None:
    case = CLIENT_CASES["good"]()
    service = Service(tmp_path, case)
    client = service.client(case.leaf, V12)
    client.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:@SECLEVEL=0")
    with told() as heard, SERVERS[kind](service.tls.context()) as port:
        with pytest.raises(OSError):  # noqa: PT011 an alert or a reset
            CLIENTS["blocking"](port, client, "localhost")
        assert heard.wait_refused() == ["protocol"]


def test_a_client_that_says_nothing_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    case = CLIENT_CASES["good"]()
    service = Service(tmp_path, case)

    async def main(port: int) -> bytes:
        _, idle = await asyncio.open_connection("127.0.0.1", port)
        try:
            client = service.client(case.leaf, V13)
            return await asyncio.to_thread(CLIENTS["blocking"], port, client, "localhost")
        finally:
            idle.close()

    for kind in SERVERS:
        with SERVERS[kind](service.tls.context()) as port:
            assert asyncio.run(main(port)) == b"hello"
