"""The context that is handed out is sealed: it can be read, and used, and not be made to verify less or trust more."""

import asyncio
import copy
import pickle  # noqa: TID251 some servers hand a context to their workers so
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.tls.pki import CA, Files
from wellkept.errors import TLSWeakened, UsageError
from wellkept.tls.client import ClientTLS
from wellkept.tls.live import Live
from wellkept.tls.material import CertKey
from wellkept.tls.server import MutualTLS, ServerTLS
from wellkept.tls.source import CallableSource, read_parts

_STEPS: Final = 20


@dataclass
class Place:
    """A CA, a certificate of it, and another CA that nobody trusts."""

    folder: Path
    ca: CA
    own: Files
    stranger: CA

    def client(self, **settings: Any) -> ClientTLS:  # noqa: ANN401 as ClientTLS
        key = CertKey(self.own.cert_file, self.own.key_file)
        return ClientTLS(**{"trust": self.folder / "ca.crt", "key": key, **settings})

    def server(self) -> ServerTLS:
        key = CertKey(self.own.cert_file, self.own.key_file)
        return ServerTLS(key=key, mutual=MutualTLS(trust=self.folder / "ca.crt"))

    def stranger_server(self, *names: str) -> ssl.SSLContext:
        """A server that shows the certificate of the stranger."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.stranger.issue(*(names or ("localhost",))).write(self.folder, "stranger").pair)
        return context

    def stranger_client(self) -> ssl.SSLContext:
        """A client that shows the certificate of the stranger, and believes everything."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*self.stranger.issue("orders.test").write(self.folder, "stranger").pair)
        return context


@pytest.fixture
def place(tmp_path: Path) -> Place:
    ca = CA()
    ca.write(tmp_path)
    return Place(tmp_path, ca, ca.issue("localhost").write(tmp_path, "own"), CA("Stranger"))


@pytest.fixture(params=["client", "server"])
def context(place: Place, request: pytest.FixtureRequest) -> ssl.SSLContext:
    """The context of a client, and that of a server that wants a client certificate."""
    return place.client().context() if request.param == "client" else place.server().context()


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None = "localhost") -> str:
    """Why a handshake in memory fails; an empty text where it does not."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=name)
    sides = [near, server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(_STEPS):
        for side in sides.copy():
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as fault:
                return str(fault)
            sides.remove(side)
    return "" if not sides else "it does not end"


WEAKER: Final[dict[str, Callable[[ssl.SSLContext], object]]] = {
    "check_hostname": lambda one: not one.check_hostname,
    "verify_mode": lambda _: ssl.CERT_NONE,
    "verify_flags": lambda _: 0,
    "minimum_version": lambda _: ssl.TLSVersion.MINIMUM_SUPPORTED,
    "maximum_version": lambda _: ssl.TLSVersion.TLSv1_2,
    "options": lambda one: one.options & ~ssl.OP_NO_COMPRESSION,
    "hostname_checks_common_name": lambda one: not one.hostname_checks_common_name,
    "keylog_filename": lambda _: "keys.log",
    "sni_callback": lambda _: lambda *_: None,
    "post_handshake_auth": lambda one: not one.post_handshake_auth,
    "num_tickets": lambda _: 7,
    "sslobject_class": lambda _: ssl.SSLObject,
    "sslsocket_class": lambda _: ssl.SSLSocket,
    "wrap_bio": lambda _: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio,
    "wrap_socket": lambda _: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket,
    "load_verify_locations": lambda _: print,
    "__class__": lambda _: ssl.SSLContext,
}


@pytest.mark.parametrize("name", WEAKER)
def test_a_weaker_value_cannot_be_set(context: ssl.SSLContext, name: str) -> None:
    weaker = WEAKER[name](context)
    with pytest.raises(TLSWeakened, match=f"^{name}: this TLS context is sealed"):
        setattr(context, name, weaker)


EXTRA: Final = sorted(
    name for name in WEAKER if name in dir(ssl.SSLContext) and not callable(getattr(ssl.SSLContext, name))
)


@pytest.mark.parametrize("name", EXTRA)
def test_the_value_that_holds_can_be_set(context: ssl.SSLContext, name: str) -> None:
    setattr(context, name, getattr(context, name))


METHODS: Final[dict[str, Callable[[ssl.SSLContext, Place], object]]] = {
    "load_verify_locations": lambda one, at: one.load_verify_locations(cadata=at.stranger.pem.decode()),
    "load_cert_chain": lambda one, at: one.load_cert_chain(*at.own.pair),
    "load_default_certs": lambda one, _: one.load_default_certs(),
    "set_default_verify_paths": lambda one, _: one.set_default_verify_paths(),
    "set_ciphers": lambda one, _: one.set_ciphers("ALL:@SECLEVEL=0"),
    "set_servername_callback": lambda one, _: one.set_servername_callback(lambda *_: None),
    "set_ecdh_curve": lambda one, _: one.set_ecdh_curve("prime256v1"),
    "load_dh_params": lambda one, at: one.load_dh_params(str(at.own.cert_file)),
    "set_npn_protocols": lambda one, _: one.set_npn_protocols(["http/1.1"]),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_call_that_would_change_it_is_refused(context: ssl.SSLContext, place: Place, name: str) -> None:
    with pytest.raises(TLSWeakened, match="this TLS context is sealed"):
        METHODS[name](context, place)


# What goes round the class meets a context that makes no connection.
AROUND: Final[dict[str, Callable[[ssl.SSLContext, Place], object]]] = {
    "check_hostname": lambda one, _: vars(ssl.SSLContext.__base__)["check_hostname"].__set__(one, False),
    "trust": lambda one, at: ssl.SSLContext.__base__.load_verify_locations(one, cadata=at.stranger.pem.decode()),  # type: ignore[union-attr]  # `_ssl._SSLContext`
    "verify_flags": lambda one, _: ssl.SSLContext.verify_flags.__set__(one, 0),  # type: ignore[attr-defined]  # a property
}


@pytest.mark.parametrize("trick", AROUND)
def test_what_goes_round_the_seal_changes_no_connection(place: Place, trick: str) -> None:
    client, server = place.client().context(), place.server().context()
    AROUND[trick](client, place)
    AROUND[trick](server, place)
    assert "CERTIFICATE_VERIFY_FAILED" in shaken(client, place.stranger_server())
    assert "Hostname mismatch" in shaken(client, place.server().context(), "other.test")
    assert "CERTIFICATE_VERIFY_FAILED" in shaken(place.stranger_client(), server)


def test_nothing_public_leads_to_what_makes_the_connections(context: ssl.SSLContext) -> None:
    own = {name for name in dir(context) if not name.startswith("_")} - set(dir(ssl.SSLContext))
    assert not {name for name in own if isinstance(_called(getattr(context, name)), ssl.SSLContext)}


def _called(one: Any) -> object:  # noqa: ANN401 whatever it is
    try:
        return one()
    except (TypeError, TLSWeakened):
        return None


def test_a_connection_cannot_be_given_another_context(place: Place) -> None:
    client = place.client().context()
    connection = client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert connection.context is client
    with pytest.raises(AttributeError):
        connection.context = ssl.create_default_context()


# asyncio's `server_hostname=""` is its way to verify no name, and `start_tls` has no name unless it is given one.
@pytest.mark.parametrize("name", [None, ""])
def test_no_connection_begins_without_a_name_to_verify(place: Place, name: str | None) -> None:
    with pytest.raises(ValueError, match="server_hostname"):
        place.client().context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)


def test_server_name_is_the_name_where_none_is_given(place: Place) -> None:
    assert shaken(place.client(server_name="localhost").context(), place.server().context(), None) == ""


def test_asyncio_cannot_leave_the_name_out(place: Place) -> None:
    async def call() -> None:
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=place.server().context()
        )
        async with server:
            where = server.sockets[0].getsockname()
            with socket.create_connection(where) as sock, pytest.raises(ValueError, match="server_hostname"):
                await asyncio.open_connection(sock=sock, ssl=place.client().context(), server_hostname="")

    asyncio.run(call())


def test_the_systems_cas_can_be_loaded_where_they_are_trusted_already(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(place.folder / "ca.crt"))
    context = place.client(system=True).context()
    context.load_default_certs()
    context.set_default_verify_paths()


def test_what_is_read_is_what_holds(place: Place) -> None:
    client = place.client().context()
    assert isinstance(client, ssl.SSLContext)
    assert (client.verify_mode, client.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert client.minimum_version is ssl.TLSVersion.TLSv1_2
    assert client.cert_store_stats()["x509_ca"] == len(client.get_ca_certs()) == 1
    assert all("GCM" in one["name"] or "CHACHA20" in one["name"] for one in client.get_ciphers())
    assert "localhost until" in repr(client)


def test_a_server_reads_that_it_wants_a_certificate(place: Place) -> None:
    assert place.server().context().verify_mode is ssl.CERT_REQUIRED


def test_protocols_above_tls_are_kept_over_a_reload(place: Place) -> None:
    tls, server = place.client(), place.server()
    tls.context().set_alpn_protocols(["h2"])
    server.context().set_alpn_protocols(["http/1.1", "h2"])
    assert _alpn(tls.context(), server.context()) == "h2"
    place.ca.issue("localhost").write(place.folder, "own")
    assert tls.live.reload()
    assert server.live.reload()
    assert _alpn(tls.context(), server.context()) == "h2"


def _alpn(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    far = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (near, far, near, far):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return near.selected_alpn_protocol()


def test_a_copy_is_the_same(context: ssl.SSLContext) -> None:
    assert copy.copy(context) is context
    assert copy.deepcopy(context) is context


def test_it_crosses_to_another_process_as_its_settings(context: ssl.SSLContext) -> None:
    text = pickle.dumps(context)
    assert b"PRIVATE KEY" not in text
    other = pickle.loads(text)  # noqa: S301 our own
    assert type(other) is type(context)
    assert other is not context


def test_one_made_by_a_callable_says_that_it_cannot_cross(place: Place) -> None:
    parts = read_parts(trust=place.ca.pem)
    context = Live(CallableSource(lambda: parts), place.client().policy()).context
    with pytest.raises(UsageError, match="cannot go to another process"):
        pickle.loads(pickle.dumps(context))  # noqa: S301 our own


@pytest.mark.parametrize("kind", ["client", "server"])
def test_settings_that_were_used_can_be_copied_and_pickled(place: Place, kind: str) -> None:
    tls = place.client() if kind == "client" else place.server()
    tls.context()
    assert copy.deepcopy(tls) == tls
    assert pickle.loads(pickle.dumps(tls)) == tls  # noqa: S301 our own
