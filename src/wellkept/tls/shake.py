"""One handshake with a server, seen from the inside: what was agreed, what was sent, what went wrong.

It is bounded: one deadline for all of it, and a most of bytes that a server may send. The bytes go through memory
(`ssl.MemoryBIO`), so each wait ends at the deadline, however slowly a server drips.

It never sends application data: there is no call of `write` in this file.
"""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass, field
from wellkept.tls.faults import Fault, fault_of

_MAX_BYTES: Final = 1 << 20  # OpenSSL takes chains of 100 KiB; the rest of a handshake has a few
_PART: Final = 16_384  # of a record (RFC 8446 §5.1)
_HEAD: Final = 64  # bytes kept of the first answer, which tell what speaks there
_PATIENCE_S: Final = 1.0  # how long a server may think about a certificate before its silence counts as a yes
# Handshake messages (RFC 8446 §4, RFC 5246 §7.4).
_SERVER_HELLO, _TICKET, _KEY_EXCHANGE, _CERTIFICATE_REQUEST = 2, 4, 12, 13
_HANDSHAKE: Final = 22


_NONE: Final[Mapping[int, bytes]] = {}


class Until:
    """The moment by which everything is over."""

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start now."""
        self.seconds = seconds
        self._clock = clock
        self._end = clock.seconds() + seconds

    def left(self) -> float:
        """How many seconds are left.

        Raises:
            TimeoutError: none.
        """
        left = self._end - self._clock.seconds()
        if left <= 0:
            raise TimeoutError
        return left

    def sooner(self, seconds: float) -> "Until":
        """A moment within this one."""
        return Until(min(seconds, max(self._end - self._clock.seconds(), 0.0)), self._clock)


@dataclass(frozen=True, slots=True)
class Shaken:
    """What a handshake showed.

    Attributes:
        fault: what went wrong, or None.
        version: the version that was agreed, or None.
        cipher: OpenSSL's name of the suite, or None.
        group: OpenSSL's name of the group, from Python 3.15 on; see `group_of`.
        alpn: the application protocol, or None.
        chain: what the server sent, DER, its own first.
        asks: whether the server asked for a client certificate.
        messages: the handshake messages that tell more, by their types.
        head: the first bytes that came.
        was_verified: whether its certificate was looked at, and found good.
    """

    fault: Fault | None
    version: str | None = None
    cipher: str | None = None
    group: str | None = None
    alpn: str | None = None
    chain: tuple[bytes, ...] = ()
    asks: bool = False
    messages: Mapping[int, bytes] = field(default_factory=lambda: _NONE, repr=False)
    head: bytes = field(default=b"", repr=False)
    was_verified: bool = False


def connect(host: str, port: int, until: Until) -> socket.socket:
    """Connect to a server, the first of its addresses that answers.

    Raises:
        OSError: none does; `socket.gaierror` where the name is not known.
        TimeoutError: not in time.
    """
    targets = _look_up(host, port, until)
    fault: OSError = ConnectionRefusedError()
    for number, (family, target) in enumerate(targets, 1):
        left = until.left()
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(left if number == len(targets) else left / 2)  # one that is silent leaves time for the next
        try:
            made.connect(target)
        except OSError as error:
            made.close()
            fault = error.with_traceback(None)
            continue
        return made
    raise fault


def _look_up(host: str, port: int, until: Until) -> list[tuple[socket.AddressFamily, Any]]:
    """The addresses of a name; in a thread of its own, since a resolver may take a minute and cannot be stopped."""
    answers: queue.SimpleQueue[list[tuple[socket.AddressFamily, Any]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(one[0], one[4]) for one in found])
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, ""))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=until.left())
    except queue.Empty:
        answer = TimeoutError()
    if isinstance(answer, OSError):
        raise answer
    return answer


def shake(connected: socket.socket, context: ssl.SSLContext, name: str, until: Until) -> Shaken:
    """Shake hands over a connection, and say goodbye.

    Args:
        connected: it is left open; the caller closes it.
        context: whom to trust; with one that verifies nobody, nothing must be believed of what is shown.
        name: the server's name or address: to be sent, and to be verified.
        until: when to give up.
    """
    return _Handshake(connected, context, name, until).run()


class _Handshake:
    """The two ends of one handshake."""

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, name: str, until: Until) -> None:
        self._socket = connected
        self._until = until
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._messages: dict[int, bytes] = {}
        self._head, self._received = b"", 0
        # Tells of each handshake message, decrypted. Not documented: without it the group and the question for a
        # client certificate stay unknown, and nothing else.
        cast("Any", context)._msg_callback = self._hear  # noqa: SLF001 there is no public name
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=name)

    def run(self) -> Shaken:
        fault = self._attempt(self._tls.do_handshake, self._until)
        chain = self._chain()
        is_verified = fault is None or (bool(chain) and fault not in _OF_CERTIFICATES)
        cipher, alpn, version = self._tls.cipher(), self._tls.selected_alpn_protocol(), self._tls.version()
        group: str | None = getattr(self._tls, "group", lambda: None)()
        asks = _CERTIFICATE_REQUEST in self._messages
        if fault is None:
            fault = self._verdict() if asks else None
            with suppress(OSError):
                self._tls.unwrap()  # it would wait for the server's goodbye, too
            self._flush()
        return Shaken(
            fault,
            version,
            None if cipher is None else cipher[0],
            group,
            alpn,
            chain,
            asks,
            self._messages,
            self._head,
            is_verified,
        )

    def _verdict(self) -> Fault | None:
        """What becomes of our certificate, or of none: under TLS 1.3 a server refuses it behind the handshake.

        A ticket is a yes, and so is silence.
        """
        until = self._until.sooner(_PATIENCE_S)
        fault = self._attempt(lambda: self._tls.read(1), until, ends=lambda: _TICKET in self._messages)
        return None if fault is Fault.TIMED_OUT else fault

    def _attempt(
        self, step: Callable[[], object], until: Until, ends: Callable[[], bool] = lambda: False
    ) -> Fault | None:
        """Repeat a step of OpenSSL until it needs no more bytes, or is not waited for any more."""
        fault: Fault | None = None
        try:
            while not self._is_done(step):
                if ends():
                    return None
                self._exchange(until)
        except OSError as error:
            fault = fault_of(error)
        if fault is None:
            return None
        self._flush()
        return fault

    def _is_done(self, step: Callable[[], object]) -> bool:
        """Do a step as far as it goes with the bytes that are there."""
        try:
            is_end = step() == b""  # of a read: the server said goodbye
        except ssl.SSLWantReadError:
            return False
        if is_end:
            raise ssl.SSLZeroReturnError
        return True

    def _exchange(self, until: Until) -> None:
        """Send what OpenSSL has to say, and give it what comes."""
        self._socket.settimeout(until.left())
        if self._goes.pending:
            self._socket.sendall(self._goes.read())
        self._socket.settimeout(until.left())
        part = self._socket.recv(_PART)
        self._received += len(part)
        self._head = self._head or part[:_HEAD]
        if self._received > _MAX_BYTES:
            raise ssl.SSLError  # says no more than that nobody understands it
        if part:
            self._came.write(part)
        else:
            self._came.write_eof()

    def _flush(self) -> None:
        """Send the alert that says why; nobody may be there any more."""
        with suppress(OSError):
            self._socket.settimeout(self._until.sooner(_PATIENCE_S).left())
            self._socket.sendall(self._goes.read())

    def _hear(self, _tls: object, direction: str, _version: int, kind: int, message: int, data: bytes) -> None:
        """Keep the messages of the server that tell more; called by OpenSSL, so it must not raise."""
        wanted = {_SERVER_HELLO, _TICKET, _KEY_EXCHANGE, _CERTIFICATE_REQUEST}
        if direction == "read" and kind == _HANDSHAKE and message in wanted:
            self._messages[int(message)] = bytes(data[:_PART])

    def _chain(self) -> tuple[bytes, ...]:
        """What the server sent. 3.13 has a public name for it, and bytes; before there are objects of `_ssl`."""
        tls: Any = self._tls
        holder = tls if hasattr(tls, "get_unverified_chain") else tls._sslobj  # noqa: SLF001 no other way before 3.13
        try:
            found: list[Any] = holder.get_unverified_chain() or []
        except (AttributeError, OSError, ValueError):
            return ()
        return tuple(one if isinstance(one, bytes) else one.public_bytes(_DER) for one in found)


_DER: Final = 2  # ENCODING_DER of _ssl


def _of_certificates() -> Iterator[Fault]:
    """The faults that stand before `OURS_` in the list: those of the other side's certificate."""
    for one in Fault:
        if one is Fault.OURS_UNTRUSTED:
            return
        if one is not Fault.NO_CERTIFICATE:
            yield one


_OF_CERTIFICATES: Final = frozenset(_of_certificates())


def group_of(shaken: Shaken) -> str | None:
    """The name of the group that the key was agreed with; None where it cannot be seen."""
    number = _group_number(shaken.messages)
    return shaken.group or (None if number is None else _GROUPS.get(number, f"group {number}"))


def version_of(shaken: Shaken) -> str | None:
    """The version that was agreed, also where the handshake then failed."""
    hello = shaken.messages.get(_SERVER_HELLO, b"")
    newer = next((data for kind, data in _extensions(hello) if kind == _VERSIONS), None)
    return shaken.version or _VERSION_NAMES.get(newer or hello[4:6])


def _group_number(messages: Mapping[int, bytes]) -> int | None:
    """Its number (RFC 8446 §4.2.7), out of what the server said; the public way begins with Python 3.15."""
    exchange = messages.get(_KEY_EXCHANGE)
    if exchange is not None:  # TLS 1.2: a curve type, 3 for a named one, then its number (RFC 8422 §5.4)
        return int.from_bytes(exchange[5:7], "big") if exchange[4:5] == b"\x03" else None
    found = (data for kind, data in _extensions(messages.get(_SERVER_HELLO, b"")) if kind == _KEY_SHARE)
    return next((int.from_bytes(data[:2], "big") for data in found), None)


# The IANA registry of TLS Supported Groups.
_GROUPS: Final = {
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    29: "x25519",
    30: "x448",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
}
# Extensions of a ServerHello (RFC 8446 §4.2), and what stands there for a version.
_VERSIONS, _KEY_SHARE = 43, 51
_VERSION_NAMES: Final = {
    b"\x03\x00": "SSLv3",
    b"\x03\x01": "TLSv1",
    b"\x03\x02": "TLSv1.1",
    b"\x03\x03": "TLSv1.2",
    b"\x03\x04": "TLSv1.3",
}


def _extensions(hello: bytes) -> Iterator[tuple[int, bytes]]:
    """Those of a ServerHello (RFC 8446 §4.1.3): header 4, version 2, random 32, session, suite 2, compression 1."""
    at = 4 + 2 + 32
    at += 1 + int.from_bytes(hello[at : at + 1], "big") + 2 + 1 + 2
    while at + 4 <= len(hello):
        size = int.from_bytes(hello[at + 2 : at + 4], "big")
        yield int.from_bytes(hello[at : at + 2], "big"), hello[at + 4 : at + 4 + size]
        at += 4 + size
