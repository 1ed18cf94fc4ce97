"""The two kinds of connection that a context makes, with the checks that come before every byte.

- `LiveObject` is what event loops use. A refused handshake sends its alert: asyncio and uvloop drop what OpenSSL
  wants to say behind an error (cpython#98078), so the error waits until the loop has flushed it.
- `LiveSocket` is what blocking servers use. Where a server defers the handshake, OpenSSL does it inside the first
  read, behind our back: so reading and writing do it first.
"""

import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

from wellkept.errors import TLSWeakened
from wellkept.events import BUS, Event, Topic
from wellkept.tls.bundle import Bundle
from wellkept.tls.guard import Guard, anchors_of, publish_refused, tell_refused
from wellkept.tls.peers import CURRENT
from wellkept.tls.policy import OnTrustChange
from wellkept.tls.reasons import Reason

_AGAIN = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Inner(ssl.SSLContext):
    """The context of one bundle, with what its connections need.

    Attributes:
        guard: its checks.
        current: the bundle of now, asked by connections that outlive their own.
        outer: the context that a server was given.
    """

    guard: Guard
    current: Callable[[], Bundle]
    outer: ssl.SSLContext

    def attach(self, guard: Guard, current: Callable[[], Bundle], outer: ssl.SSLContext) -> None:
        """Finish it: from now on connections can be made."""
        self.guard, self.current, self.outer = guard, current, outer
        self.sslobject_class: type[ssl.SSLObject] = LiveObject
        self.sslsocket_class: type[ssl.SSLSocket] = LiveSocket


class _Checks:
    """What both kinds of connection do; it is mixed into them."""

    if TYPE_CHECKING:
        _sslobj: Any

    @property
    def _is_server(self) -> bool:
        return bool(cast("ssl.SSLSocket", self).server_side)

    _is_judged = False
    _is_ended = False

    @property
    def _inner(self) -> Inner:
        return cast("Inner", self._sslobj.context)

    @property
    def _verifies(self) -> bool:
        return self._inner.guard.bundle.policy.verifies_peer

    @property
    def is_judged(self) -> bool:
        """Whether its handshake is over, and the other side may stay."""
        return self._is_judged and not self._is_ended

    @property
    def is_withdrawn(self) -> bool:
        """Whether the CA that vouched for the other side is trusted no longer."""
        inner = self._inner
        if not self._is_judged or not self._verifies:
            return False
        return inner.guard.is_withdrawn(lambda: anchors_of(self._verified_chain()), inner.current())

    @property
    def is_draining(self) -> bool:
        """Whether HTTP should close it behind the next answer."""
        return self._inner.guard.bundle.policy.on_trust_change is not OnTrustChange.KEEP and self.is_withdrawn

    def _verified_chain(self) -> Sequence[bytes]:
        """What OpenSSL verified, DER, theirs first; private before Python 3.13; nothing of a resumed session."""
        return [one.public_bytes(_DER) for one in self._sslobj.get_verified_chain() or ()]

    def _judge(self) -> Reason | None:
        """Judge the other side; the handshake is over."""
        if not self._verifies:
            self._is_judged = True
            return None
        is_blocking = isinstance(self, ssl.SSLSocket)
        reason = self._inner.guard.judge(cast("Any", self), self._verified_chain, is_blocking=is_blocking)
        if reason is None:
            self._is_judged = True
        else:
            publish_refused(reason, is_server=self._is_server)
        return reason

    def verify_client_post_handshake(self) -> NoReturn:
        """Raise: a certificate that comes behind the handshake would pass by the checks of it (RFC 8446 §4.6.2).

        Raises:
            TLSWeakened: always.
        """
        raise TLSWeakened(
            "verify_client_post_handshake: this TLS context is sealed", hint="ask in the handshake: verifyClient"
        )

    def _must_end(self) -> bool:
        """Whether an open connection has to end, because its anchor has left the trust."""
        if self._is_ended:
            return True
        if self._inner.guard.bundle.policy.on_trust_change is not OnTrustChange.CLOSE or not self.is_withdrawn:
            return False
        self._is_ended = True
        BUS.publish(Event(Topic.TRUST_WITHDRAWN, "server" if self._is_server else "client", "a connection is ended"))
        return True


class LiveObject(_Checks, ssl.SSLObject):
    """A connection of an event loop."""

    _fault: ssl.SSLError | None = None

    @property
    def context(self) -> ssl.SSLContext:  # type: ignore[override]  # in ssl it can be set: a sealed one cannot
        """The context that the server or client was given."""
        return self._inner.outer

    def do_handshake(self) -> None:
        """Shake hands, and judge the other side."""
        fault = self._fault
        if fault is not None:
            raise fault.with_traceback(None)
        try:
            super().do_handshake()
        except _AGAIN:
            raise
        except ssl.SSLError as error:
            fault = error
        if fault is not None:
            self._refuse(fault)
        elif not self._is_judged:
            reason = self._judge()
            if reason is not None:
                self._fault = refusal(reason)
                raise self._fault
            if self.server_side:
                CURRENT.set(self)
            if not self._verifies:
                # Nothing is left to look at: every read and write to come goes straight to OpenSSL. Methods of
                # this object would hold it, and each connection would wait for the collector.
                vars(self).update(read=_reader(self._sslobj), write=self._sslobj.write)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002, ANN401 as in ssl: a buffer; bytes or a count
        """Read, when it is clear that the other side may be heard."""
        if not self._is_judged:
            self.do_handshake()
        if self.server_side:
            CURRENT.set(self)
        if self._must_end():
            return self._drained(buffer)
        return super().read(len, buffer)

    def write(self, data: Any) -> int:  # noqa: ANN401 as in ssl: whatever has a buffer
        """Write, when it is clear that the other side may be spoken to."""
        if not self._is_judged:
            self.do_handshake()
        if self._must_end():
            raise ended()
        return super().write(data)

    def _refuse(self, fault: ssl.SSLError) -> None:
        """Tell of a failed handshake; a server raises it at the next call, so that the alert goes out first."""
        told = tell_refused(fault, is_server=self.server_side)
        self._fault = fault
        if self.server_side and told is not None:
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "the alert goes out first")
        raise fault

    def _drained(self, buffer: object) -> bytes | int:
        """Nothing more: what has arrived is dropped, and the loop takes it for the end."""
        try:
            while super().read(1 << 14):
                pass
        except ssl.SSLError:
            pass
        return b"" if buffer is None else 0


class LiveSocket(_Checks, ssl.SSLSocket):
    """A connection of a blocking server or client, or a socket that listens for such."""

    _refused: Reason | None = None
    _is_connecting = False
    _is_unwrapped = False

    @property
    def context(self) -> ssl.SSLContext:  # type: ignore[override]  # in ssl it can be set: a sealed one cannot
        """The context that the server or client was given: a listening socket takes each connection by it."""
        made: ssl.SSLContext = vars(self)["_context"]
        return made.outer if isinstance(made, Inner) and not self._is_connecting else made

    def connect(self, addr: Any) -> None:  # noqa: ANN401 as in ssl: the address of any family
        """Connect a socket that was wrapped before, and shake hands."""
        self._is_connecting = True
        try:
            super().connect(addr)
        finally:
            self._is_connecting = False

    def connect_ex(self, addr: Any) -> int:  # noqa: ANN401 as in ssl: the address of any family
        """Connect a socket that was wrapped before, and shake hands; return the number of an error."""
        self._is_connecting = True
        try:
            return super().connect_ex(addr)
        finally:
            self._is_connecting = False

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, and judge the other side."""
        if self._is_judged:
            return
        if self._refused is not None:
            raise refusal(self._refused)
        waits = self.gettimeout()
        if waits is None:
            self.settimeout(self._inner.guard.bundle.policy.handshake_timeout_s)
        fault: ssl.SSLError | None = None
        try:
            super().do_handshake(block)
        except _AGAIN:
            raise
        except ssl.SSLError as error:
            fault = error
        finally:
            if waits is None:
                self.settimeout(None)
        if fault is not None:
            tell_refused(fault, is_server=bool(self.server_side))
            raise fault
        reason = self._judge()
        if reason is not None:
            # Not close(): the number of the file is the server's to give back (Tornado still polls it).
            self._refused = reason
            raise refusal(reason)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002, ANN401 as in ssl: a buffer; bytes or a count
        """Read, when it is clear that the other side may be heard."""
        self._ensure()
        if self._must_end():
            return b"" if buffer is None else 0
        got = super().read(len, buffer)  # pyright: ignore[reportDeprecated]  recv() comes here
        # The trust may have changed while this waited.
        return (b"" if buffer is None else 0) if self._must_end() else got

    def write(self, data: Any) -> int:  # noqa: ANN401 as in ssl: whatever has a buffer
        """Write, when it is clear that the other side may be spoken to."""
        self._ensure(speaks=True)
        return super().write(data)  # pyright: ignore[reportDeprecated]  some servers still call it

    def send(self, data: Any, flags: int = 0) -> int:  # noqa: ANN401 as in ssl: whatever has a buffer
        """Send, when it is clear that the other side may be spoken to."""
        self._ensure(speaks=True)
        return super().send(data, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:  # noqa: ANN401 as in ssl: whatever has a buffer
        """Send all of it; ssl does so by `send`."""
        self._refuse_plain()
        super().sendall(data, flags)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive; ssl does so by `read`."""
        self._refuse_plain()
        return super().recv(buflen, flags)

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:  # noqa: ANN401 as in ssl
        """Receive into a buffer; ssl does so by `read`."""
        self._refuse_plain()
        return super().recv_into(buffer, nbytes, flags)

    def unwrap(self) -> Any:  # noqa: ANN401 as in ssl
        """Say goodbye, and go on in plain: for protocols that end TLS by a word of theirs."""
        made = super().unwrap()
        self._is_unwrapped = True
        return made

    def _ensure(self, *, speaks: bool = False) -> None:
        """Shake hands, if that is still to be done; never go on in plain where TLS was begun."""
        self._refuse_plain()
        if self._sslobj is None:
            return
        if not self._is_judged:
            self.do_handshake()
        if speaks and self._must_end():
            raise ended()

    def _refuse_plain(self) -> None:
        """Raise where TLS was begun and is over: shutdown() lets go of it, and ssl would send the rest as it is."""
        if self._sslobj is not None:
            return
        if self._refused is not None:
            raise refusal(self._refused)
        own = vars(self)
        if own.get("_connected") and isinstance(own["_context"], Inner) and not self._is_unwrapped:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "TLS has ended on this connection, or has not begun")


def refusal(reason: Reason) -> ssl.SSLError:
    """The error of a side that is verified, and yet may not stay."""
    return ssl.SSLError(ssl.SSL_ERROR_SSL, f"refused: {reason.code}: {reason.fact}")


def ended() -> ssl.SSLError:
    """The error of a connection whose trust was withdrawn while it was open."""
    return ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the CA that vouched for the other side is trusted no longer")


def _reader(connection: Any) -> Callable[..., Any]:  # noqa: ANN401 ssl's own object, which has no public type
    """`SSLObject.read` of OpenSSL's own object."""

    def read(len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002, ANN401 as in ssl: a buffer; bytes or a count
        return connection.read(len) if buffer is None else connection.read(len, buffer)

    return read


_DER = 2  # ENCODING_DER of _ssl
