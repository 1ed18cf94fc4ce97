"""Clients of plain `ssl`: one call at a time, and many that go on until they are told to stop."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509

from tests.tls.pki import CA, Leaf

_PATIENCE_S: Final = 40.0
_PAUSE_S: Final = 0.02  # between two requests of one connection


class Refused(Exception):
    """The server gave no answer: it shook no hand, or hung up. The text is what `ssl` says."""


@dataclass(frozen=True)
class Answer:
    """What a call brought.

    Attributes:
        status: the HTTP status.
        text: the body.
        serial: that of the server's certificate.
        session: to be resumed.
        is_resumed: whether the handshake was one of a resumed session.
    """

    status: int
    text: str
    serial: int
    session: ssl.SSLSession | None
    is_resumed: bool


def client_context(trust: CA, leaf: Leaf | None, folder: Path, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """The context of a client; its key goes through a file in the folder for a moment."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=trust.pem.decode())
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if leaf is not None:
        files = leaf.write(folder / "secrets-of-clients", "client")
        context.load_cert_chain(*files.pair)
    return context


def call(port: int, context: ssl.SSLContext, path: str = "/", session: ssl.SSLSession | None = None) -> Answer:
    """Make one request on a connection of its own.

    Raises:
        Refused: there was no answer.
    """
    fault = ""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
        ):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            received = b""
            serial, session = serial_of(connection), None
            with contextlib.suppress(ssl.SSLEOFError):  # some servers end without a goodbye of TLS
                while piece := connection.recv(1 << 16):
                    received += piece
                    session = connection.session  # in TLS 1.3 it comes with the first answer
            if received:
                status, text = _parsed(received)
                return Answer(status, text, serial, session, bool(connection.session_reused))
            fault = "the end of the connection"
    except OSError as error:
        fault = f"{type(error).__name__}: {error}"
    raise Refused(fault)


def call_plainly(port: int) -> bytes:
    """Speak HTTP without TLS, and answer what comes back."""
    received = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=2) as plain,
    ):
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while piece := plain.recv(1 << 16):
            received += piece
    return received


def _parsed(received: bytes) -> tuple[int, str]:
    head, _, body = received.partition(b"\r\n\r\n")
    is_chunked = b"transfer-encoding: chunked" in head.lower()
    return int(head.split(b" ", 2)[1]), (body.split(b"\r\n")[1] if is_chunked else body).decode()


def serial_of(connection: ssl.SSLSocket | ssl.SSLObject) -> int:
    """The serial number of the certificate at the other end."""
    der = connection.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


@dataclass
class Tally:
    """What many clients lived through.

    Attributes:
        connections: how many were made.
        requests: how many were answered.
        failed: connections that could not be made, or gave no answer to their first request.
        broken: kept connections that ended, or gave a wrong answer.
        serials: those of the certificates that were shown, in the order in which they were first seen.
    """

    connections: int = 0
    requests: int = 0
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)

    def saw(self, serial: int) -> None:
        """Count a connection."""
        self.connections += 1
        if serial not in self.serials:
            self.serials.append(serial)


class Streams:
    """One connection of asyncio, and HTTP/1.1 on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> "Streams":
        """Connect."""
        async with asyncio.timeout(_PATIENCE_S):
            return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost"))

    @property
    def serial(self) -> int:
        """That of the server's certificate."""
        return serial_of(self._writer.get_extra_info("ssl_object"))

    async def get(self, path: str = "/") -> tuple[int, str, bool]:
        """Make a request; the status, the text, and whether the connection is kept.

        Raises:
            OSError: it ended instead.
        """
        async with asyncio.timeout(_PATIENCE_S):
            self._writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            try:
                head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
                body = await self._reader.readexactly(_length_of(head))
            except asyncio.IncompleteReadError:
                raise ConnectionResetError from None
        return int(head.split(b" ", 2)[1]), body.decode(), b"connection: close" not in head

    async def is_ended(self) -> bool:
        """Whether the server ends it now."""
        async with asyncio.timeout(_PATIENCE_S):
            with contextlib.suppress(OSError):
                return not await self._reader.read(1)
        return True

    async def close(self) -> None:
        """Hang up; a server that does not hear of it is not waited for."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
                return
        self._writer.transport.abort()


def _length_of(head: bytes) -> int:
    _, _, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


@contextlib.asynccontextmanager
async def many_clients(port: int, context: ssl.SSLContext, *, coming: int, staying: int) -> AsyncGenerator[Tally, None]:
    """Clients that connect again and again, and clients that stay, while the block runs."""
    tally, stop = Tally(), asyncio.Event()
    tasks = [
        *(asyncio.create_task(_come_and_go(port, context, tally, stop)) for _ in range(coming)),
        *(asyncio.create_task(_stay(port, context, tally, stop)) for _ in range(staying)),
    ]
    try:
        yield tally
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _come_and_go(port: int, context: ssl.SSLContext, tally: Tally, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            streams = await Streams.open(port, context)
            serial = streams.serial
            answer = await streams.get()
            await streams.close()
            assert answer[:2] == (200, "ok")
            tally.saw(serial)
            tally.requests += 1
        except (OSError, TimeoutError) as error:
            tally.failed.append(f"{type(error).__name__}: {error}")


async def _stay(port: int, context: ssl.SSLContext, tally: Tally, stop: asyncio.Event) -> None:
    try:
        streams = await Streams.open(port, context)
        tally.saw(streams.serial)
    except (OSError, TimeoutError) as error:
        tally.failed.append(f"{type(error).__name__}: {error}")
        return
    try:
        while not stop.is_set():
            status, text, is_kept = await streams.get()
            tally.requests += 1
            if (status, text, is_kept) != (200, "ok", True):
                tally.broken.append(f"{status} {text} {is_kept}")
                return
            await asyncio.sleep(_PAUSE_S)
    except (OSError, TimeoutError) as error:
        tally.broken.append(f"{type(error).__name__}: {error}")
    finally:
        await streams.close()
