"""`LiveContext`: the one `ssl.SSLContext` that a server or client is given, for its whole life.

It makes no connection itself: each one is made by the context of the bundle of that moment (inner.py). It is
sealed: what reads it sees what holds; what would make it verify less, or trust more, raises `TLSWeakened`; and
setting what already holds is accepted, because some clients do so each time (urllib3).
"""

import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, Self

from wellkept.errors import TLSWeakened
from wellkept.tls.connection import Inner, LiveSocket
from wellkept.tls.policy import Policy

# What can be read and, with the same value, set.
_SEALED = (
    "check_hostname",
    "hostname_checks_common_name",
    "keylog_filename",
    "maximum_version",
    "minimum_version",
    "num_tickets",
    "options",
    "post_handshake_auth",
    "sni_callback",
    "verify_flags",
    "verify_mode",
)
_READ = ("cert_store_stats", "get_ca_certs", "get_ciphers", "session_stats")
_CLOSED = (
    "load_cert_chain",
    "load_dh_params",
    "load_verify_locations",
    "set_ciphers",
    "set_ciphersuites",  # this and the next three: of Python 3.15
    "set_client_sigalgs",
    "set_groups",
    "set_server_sigalgs",
    "set_ecdh_curve",
    "set_npn_protocols",
    "set_psk_client_callback",
    "set_psk_server_callback",
    "set_servername_callback",
)
_OWN = ("_alpn", "_current", "_remake", "_server_name")
_HINT = "change the settings of TLS instead: they are read again while the service runs"


class LiveContext(ssl.SSLContext):
    """A context that follows its bundle."""

    _current: Callable[[], Inner]  # no method: each instance has its own

    sslsocket_class: type[ssl.SSLSocket] = LiveSocket

    def __new__(cls, current: Callable[[], Inner], policy: Policy, remake: Callable[[], object]) -> Self:
        """Make it over the callable that answers the context of now."""
        del remake
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER if policy.is_server else ssl.PROTOCOL_TLS_CLIENT)
        made._current = current
        return made

    def __init__(self, current: Callable[[], Inner], policy: Policy, remake: Callable[[], object]) -> None:
        """Keep what each new connection asks."""
        del current
        self._server_name = policy.server_name
        self._remake = remake
        self._alpn: tuple[str, ...] = ()

    def wrap_socket(  # noqa: PLR0917 as in ssl
        self,
        sock: Any,  # noqa: ANN401 as in ssl: whatever is like a socket
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Make a connection of a socket; one that listens makes its connections by this context, each by its time."""
        if server_side and _listens(sock):
            return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs)
        inner = self._current()
        return inner.wrap_socket(
            sock,
            server_side,
            do_handshake_on_connect,
            suppress_ragged_eofs,
            self._name(server_hostname, is_server=server_side),
            _fitting(inner, session),
        )

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Make a connection of an event loop."""
        inner = self._current()
        name = self._name(server_hostname, is_server=server_side)
        return inner.wrap_bio(incoming, outgoing, server_side, name, _fitting(inner, session))

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:  # noqa: ANN401 as in ssl: any iterable of text
        """Offer these protocols above TLS, now and after each reload."""
        wanted = tuple(alpn_protocols)
        if wanted != self._alpn:
            self._current().set_alpn_protocols(list(wanted))
            self._alpn = wanted  # only what OpenSSL took: it is offered after each reload, too

    def load_default_certs(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        """Accepted where the system's CAs are trusted already; else it would add trust.

        Raises:
            TLSWeakened: they are not.
        """
        del purpose
        self.set_default_verify_paths()

    def set_default_verify_paths(self) -> None:
        """Accepted where the system's CAs are trusted already; else it would add trust.

        Raises:
            TLSWeakened: they are not.
        """
        if self._current().guard.bundle.policy.system is None:
            _refuse("load_default_certs")

    def prepare(self, inner: Inner) -> None:
        """Give a new inner context what servers and clients have set here."""
        if self._alpn:
            inner.set_alpn_protocols(list(self._alpn))

    def __setattr__(self, name: str, value: object) -> None:
        """Set what is sealed to what holds, and nothing else of a context: a method of one's own would break the seal.

        Raises:
            TLSWeakened: it is something else of a context.
        """
        if name not in _SEALED and name not in _OWN and hasattr(type(self), name):
            _refuse(name)
        super().__setattr__(name, value)

    def _name(self, given: str | bytes | None, *, is_server: bool) -> str | bytes | None:
        if is_server:
            return given
        name = self._server_name or given
        if not name:
            # ssl would verify the chain, and no name; asyncio asks for that with server_hostname="".
            raise TLSWeakened(
                "server_hostname: is missing, and so nobody would look whose certificate it is",
                hint="give the host's name: server_hostname=…, or serverName in the settings of TLS",
            )
        return name

    @property
    def protocol(self) -> Any:  # type: ignore[override]  # noqa: ANN401 as in ssl, where it is read-only, too
        """Which protocol; see `ssl.SSLContext.protocol`."""
        return self._current().protocol

    @property
    def security_level(self) -> int:  # type: ignore[override]  # read-only in ssl, too
        """OpenSSL's security level."""
        return self._current().security_level

    def __reduce__(self) -> Any:  # noqa: ANN401 as in object
        """Cross to another process as its settings, which read the files there."""
        return self._remake, ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._current().guard.bundle}>"


def _forwarded(name: str) -> property:
    def read(self: LiveContext) -> object:
        return getattr(self._current(), name)  # pyright: ignore[reportPrivateUsage]  one file

    def write(self: LiveContext, value: object) -> None:
        if value != getattr(self._current(), name):  # pyright: ignore[reportPrivateUsage]  one file
            _refuse(name)

    return property(read, write, doc=f"As `ssl.SSLContext.{name}`; only what holds already can be set.")


def _read(name: str) -> Callable[..., object]:
    def read(self: LiveContext, *values: object, **named: object) -> object:
        return getattr(self._current(), name)(*values, **named)  # pyright: ignore[reportPrivateUsage]  one file

    read.__name__, read.__doc__ = name, f"As `ssl.SSLContext.{name}`."
    return read


def _closed(name: str) -> Callable[..., NoReturn]:
    def refuse(self: LiveContext, *_values: object, **_named: object) -> NoReturn:
        del self
        _refuse(name)

    refuse.__name__, refuse.__doc__ = name, f"Raise: `ssl.SSLContext.{name}` would change what was checked."
    return refuse


for _one in _SEALED:
    setattr(LiveContext, _one, _forwarded(_one))
for _one in _READ:
    setattr(LiveContext, _one, _read(_one))
for _one in filter(partial(hasattr, ssl.SSLContext), _CLOSED):
    setattr(LiveContext, _one, _closed(_one))


def _refuse(name: str) -> NoReturn:
    raise TLSWeakened(f"{name}: this TLS context is sealed", hint=_HINT)


def _listens(sock: Any) -> bool:  # noqa: ANN401 as in ssl: whatever is like a socket
    """Whether it takes connections; one whose client has gone already does not, and is no listener for that."""
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _fitting(inner: Inner, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """A session that can be resumed here; one of an older bundle cannot, and ssl would raise for it."""
    if session is None or not inner.guard.bundle.policy.has_tickets:
        return None
    trial = ssl.SSLContext.wrap_bio(inner, ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="session.invalid")
    try:
        trial.session = session
    except ValueError:
        return None
    return session
