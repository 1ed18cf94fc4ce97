"""Ways round the checks that somebody has tried: each is closed, and stays so."""

import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.tls.bad import serving_blocking
from tests.tls.pki import CA, Leaf
from wellkept import Settings, load
from wellkept.errors import BundleError, TLSWeakened, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.testing import ManualClock
from wellkept.tls import (
    CallableSource,
    CertKey,
    CertValidation,
    ClientTLS,
    KeyStore,
    Live,
    MutualTLS,
    OnTrustChange,
    Parts,
    Policy,
    Profile,
    ServerTLS,
    VerifyClient,
    peer,
    read_parts,
)
from wellkept.tls.connection import LiveObject, LiveSocket
from wellkept.tls.crl import read_crls
from wellkept.tls.ocsp import OcspChecker
from wellkept.tls.peers import CURRENT
from wellkept.tls.source import FilesSource


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA()


def untyped(cls: Any) -> Any:  # noqa: ANN401 what is tried with it, type checkers refuse
    return cls


class Site:
    """A server's files in a folder, and the CA of its clients."""

    def __init__(self, folder: Path, ca: CA) -> None:
        self.folder = folder
        self.ca = ca
        self.files = ca.issue("localhost").write(folder, "server")
        self.ca_file = folder / "ca.crt"
        self.ca_file.write_bytes(ca.pem)

    @property
    def key(self) -> CertKey:
        return CertKey(self.files.cert_file, self.files.key_file)

    def client(self, leaf: Leaf | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        context.maximum_version = version
        if leaf is not None:
            files = leaf.write(self.folder, "client")
            context.load_cert_chain(files.cert_file, files.key_file)
        return context


@pytest.fixture
def site(tmp_path: Path, ca: CA) -> Site:
    return Site(tmp_path, ca)


def joined(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None, name: str = "localhost"
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends of a connection in memory, after their handshake: the client's, and the server's."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name, session=session)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (ours, theirs):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return ours, theirs


def shake(
    server: ssl.SSLContext, client: ssl.SSLContext, session: ssl.SSLSession | None = None, name: str = "localhost"
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends after an answer and a goodbye, so that TLS 1.2 can resume it."""
    ours, theirs = joined(server, client, session, name)
    theirs.write(b"answer")
    assert ours.read(6) == b"answer"
    for side in (ours, theirs, ours):
        with contextlib.suppress(ssl.SSLError):
            side.unwrap()
    return ours, theirs


def test_a_revoked_client_does_not_resume_though_its_issuer_is_no_anchor(site: Site) -> None:
    root = CA("root")
    inter = CA("inter", parent=root)
    leaf = inter.issue("client", ocsp_url="http://responder.test/ocsp")
    is_revoked = False
    clock = ManualClock(datetime.now(UTC))
    checker = OcspChecker(
        lambda _url, _request: inter.ocsp(leaf, revoked=is_revoked), hard_fail=False, cache_validity_s=1, clock=clock
    )
    (site.folder / "root.crt").write_bytes(root.pem)
    source = FilesSource(site.key, (site.folder / "root.crt",))
    policy = Policy(is_server=True, verify_client=VerifyClient.REQUIRE, has_tickets=False)
    server = Live(source, policy, ocsp=checker).context
    client = site.client(leaf, ssl.TLSVersion.TLSv1_2)
    session = shake(server, client)[0].session
    assert session is not None
    assert shake(server, client, session)[0].session_reused
    is_revoked = True
    clock.advance(60)
    with pytest.raises(ssl.SSLError, match="revoked"):
        shake(server, client, session)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda key: untyped(ServerTLS)(key=key, profile="nonsense"), "profile"),
        (lambda key: untyped(ServerTLS)(key=key, on_trust_change=None), "on_trust_change"),
        (lambda _key: untyped(MutualTLS)(trust="ca.crt", verify_client=None), "verify_client"),
        (lambda _key: untyped(ClientTLS)(profile="old"), "profile"),
        (lambda _key: untyped(CertValidation)(crl=("a.crl",), mode="maybe"), "mode"),
        (lambda _key: untyped(ServerTLS)(key=("a.crt", "a.key")), "key"),
    ],
    ids=["profile", "trust change", "verify client", "profile of a client", "mode", "key"],
)
def test_a_value_that_nobody_knows_is_refused_in_code_too(make: object, name: str) -> None:
    assert callable(make)
    with pytest.raises(UsageError, match=name):
        make(CertKey("a.crt", "a.key"))


def test_text_in_code_means_what_it_means_in_a_file(site: Site) -> None:
    tls = untyped(ServerTLS)(
        key=site.key,
        mutual=untyped(MutualTLS)(trust=[str(site.ca_file)], verify_client="REQUIRE"),
        profile="modern",
        on_trust_change="close",
        allow=["dns:a.test"],
    )
    assert (tls.profile, tls.on_trust_change, tls.allow) == (Profile.MODERN, OnTrustChange.CLOSE, ("dns:a.test",))
    assert tls.context().minimum_version == ssl.TLSVersion.TLSv1_3
    assert tls.context().verify_mode == ssl.CERT_REQUIRED


KEY_TEXT = "-----BEGIN PRIVATE KEY-----\nMIICANARYCANARYCANARY\n-----END PRIVATE KEY-----\n"
BODY = "MIIHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCANARY" + "A" * 60


class App(Settings):
    """A server."""

    tls: ServerTLS


@pytest.mark.parametrize(
    "table",
    [
        f"key = {{ path = '''{KEY_TEXT}''', password = 'x' }}",
        f"key = {{ certFile = 'a.crt', keyFile = '{BODY}' }}",
        f"key = {{ path = 'a.p12', password = 'x', alias = '''{KEY_TEXT}''' }}",
        f"key = {{ certFile = 'a.crt' }}\nciphers = ['''{KEY_TEXT}''']",
        f"key = {{ certFile = 'a.crt' }}\nmutualSsl = {{ cert = ['b.crt', '{BODY}'] }}",
    ],
    ids=["keystore", "key file", "alias", "cipher", "trust"],
)
def test_a_key_in_the_place_of_a_path_is_not_shown(tmp_path: Path, table: str) -> None:
    file = tmp_path / "Config.toml"
    file.touch(0o600)
    file.write_text(f"[tls]\n{table}\n", "utf-8")
    told = ""
    try:
        load(App, files=[file], environ={}, redact=False)
    except Exception as error:  # noqa: BLE001 whatever it is, it must not show the key
        told = f"{error!r} {error}"
    assert told
    assert "CANARY" not in told


def test_a_list_of_pem_is_trusted_and_not_shown(site: Site) -> None:
    other = CA("other")
    tls = ClientTLS(trust=(site.ca.pem.decode(), other.pem.decode()))
    assert "BEGIN" not in repr(tls)
    assert len(tls.live.bundle.parts.trust) == 2
    assert "path" not in repr(KeyStore.__dataclass_fields__["password"])


def test_a_task_that_serves_several_clients_gets_no_wrong_name(site: Site) -> None:
    server = ServerTLS(key=site.key, mutual=MutualTLS(trust=site.ca_file)).context()
    alice = shake(server, site.client(site.ca.issue("alice.test")))[1]
    assert isinstance(alice, LiveObject)
    token = CURRENT.set(alice)
    try:
        scope = {"type": "http", "asgi": {}, "scheme": "https", "client": ("127.0.0.1", 1)}
        assert peer(scope) is not None
        with pytest.raises(UsageError, match="tells nothing"):
            peer(scope | {"client": ("127.0.0.1", 2)})
        with pytest.raises(UsageError, match="tells nothing"):
            peer(scope | {"scheme": "http"})
    finally:
        CURRENT.reset(token)


@pytest.mark.parametrize("kind", [LiveObject, LiveSocket])
def test_nobody_asks_for_a_certificate_behind_the_handshake(kind: type) -> None:
    with pytest.raises(TLSWeakened, match="verify_client_post_handshake"):
        untyped(kind).verify_client_post_handshake(None)


def test_a_refused_client_has_no_name(site: Site) -> None:
    server = ServerTLS(key=site.key, mutual=MutualTLS(trust=site.ca_file), allow=("dns:good.test",)).context()
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = site.client(site.ca.issue("evil.test")).wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(6):
        for side in (ours, theirs):
            with contextlib.suppress(ssl.SSLError):
                side.do_handshake()
    with pytest.raises(UsageError):
        peer(theirs)


@pytest.mark.parametrize("is_quiet", [False, True])
def test_a_socket_may_be_wrapped_before_it_connects(site: Site, is_quiet: bool) -> None:
    with serving_blocking(ServerTLS(key=site.key).context()) as port:
        context = ClientTLS(trust=site.ca_file).context()
        with context.wrap_socket(socket.socket(), server_hostname="localhost") as connection:
            connection.settimeout(40)
            if is_quiet:
                assert connection.connect_ex(("127.0.0.1", port)) == 0
            else:
                connection.connect(("127.0.0.1", port))
            assert connection.recv(5) == b"hello"
            assert connection.context is context


def test_nothing_goes_out_in_plain_when_tls_has_ended(site: Site) -> None:
    ours, theirs = socket.socketpair()
    server = ServerTLS(key=site.key).context()
    wrapped = server.wrap_socket(theirs, server_side=True, do_handshake_on_connect=False)
    wrapped.shutdown(socket.SHUT_RD)
    for speak in (wrapped.sendall, wrapped.send, wrapped.write):
        with pytest.raises((OSError, ValueError)):
            speak(b"plain answer")
    wrapped.close()
    ours.settimeout(40)
    assert ours.recv(100) == b""
    ours.close()


def test_a_session_of_another_server_is_refused_by_its_name(site: Site) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(site.files.cert_file, site.files.key_file)
    client = ClientTLS(trust=site.ca_file).context()
    session = shake(server, client)[0].session
    assert shake(server, client, session)[0].session_reused
    with pytest.raises(ssl.SSLError, match="session"):
        shake(server, client, session, name="other.test")


def test_close_ends_a_connection_that_only_writes(site: Site) -> None:
    other = CA("other")
    tls = ServerTLS(key=site.key, mutual=MutualTLS(trust=site.ca_file), on_trust_change=OnTrustChange.CLOSE)
    live = Live(FilesSource(tls.key, (site.ca_file,)), tls.policy(), check_interval_s=0)
    theirs = joined(live.context, site.client(site.ca.issue("client.test")))[1]
    theirs.write(b"x")
    site.ca_file.write_bytes(other.pem)
    with pytest.raises(ssl.SSLError, match="trusted no longer"):
        theirs.write(b"x")


def test_who_hears_of_a_swap_may_reload_at_once(site: Site) -> None:
    live = Live(FilesSource(site.key, ()), Policy(is_server=True), check_interval_s=0)
    heard: list[bool] = []

    def hear(event: Event) -> None:
        if event.topic is Topic.BUNDLE_SWAPPED:
            heard.append(live.reload())

    unsubscribe = BUS.subscribe(hear)
    try:
        site.ca.issue("localhost").write(site.folder, "server")
        thread = threading.Thread(target=live.reload, daemon=True)
        thread.start()
        thread.join(40)
        assert not thread.is_alive()
    finally:
        unsubscribe()
    assert heard == [False]


def test_a_callable_that_builds_its_answer_anew_is_followed_each_time(ca: CA) -> None:
    texts = [ca.issue("a.test") for _ in range(6)]
    number = 0

    def answer() -> Parts:
        return read_parts(certificate=texts[number].cert_pem, key=texts[number].key_pem)

    live = Live(CallableSource(answer), Policy(is_server=True), check_interval_s=0)
    for number in range(1, 6):
        assert live.bundle.generation == number + 1


def test_an_offer_that_openssl_refuses_does_not_stop_later_reloads(site: Site) -> None:
    live = Live(FilesSource(site.key, ()), Policy(is_server=True))
    with pytest.raises((ssl.SSLError, OverflowError, ValueError)):
        live.context.set_alpn_protocols(["h2", "x" * 300])
    site.ca.issue("localhost").write(site.folder, "server")
    assert live.reload()


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, timedelta(days=1_000_000)])
def test_a_timeout_without_end_is_refused(value: float | timedelta) -> None:
    with pytest.raises(UsageError, match="handshake_timeout"):
        ClientTLS(handshake_timeout=value).context()
    with pytest.raises(UsageError, match="session_timeout"):
        ClientTLS(session_timeout=value).context()


def test_files_that_are_known_to_be_broken_are_not_read_again_at_each_look(site: Site) -> None:
    clock = ManualClock(datetime.now(UTC))
    reads: list[int] = []

    class Counted(FilesSource):
        """Files, and how often they are read."""

        def read(self) -> Parts:
            reads.append(1)
            return super().read()

    live = Live(Counted(site.key, ()), Policy(is_server=True), clock=clock)
    Path(site.files.cert_file).write_bytes(b"")
    for _ in range(9):
        clock.advance(1)
        assert live.bundle.generation == 1
    assert len(reads) == 2
    clock.advance(10)
    assert live.bundle.generation == 1
    assert len(reads) == 3


def test_a_large_list_costs_no_judgement_at_each_look(site: Site) -> None:
    (crl,) = read_crls(site.ca.crl(next_update=timedelta(hours=1)), place="ca.crl")
    now = datetime.now(UTC)
    assert not crl.ends_soon(now)
    assert crl.ends_soon(now + timedelta(minutes=59))


def test_nothing_of_a_bad_text_stays_in_a_frame() -> None:
    with pytest.raises(BundleError) as caught:
        read_parts(trust=KEY_TEXT)
    trace: TracebackType | None = caught.tb
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith("source.py"):
            assert "CANARY" not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
