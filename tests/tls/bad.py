"""What the tests of bad certificates share: files with one mistake in them, a clock that is set, events, handshakes."""

import asyncio
import socket
import ssl
import threading
import time
from base64 import encodebytes
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from tests.tls.pki import CA, DAY, HOUR, Files, Leaf, new_key
from wellkept.events import BUS, Event, Topic
from wellkept.tls import CertKey, ClientTLS, ServerTLS
from wellkept.tls.live import Live
from wellkept.tls.material import trust_files
from wellkept.tls.source import FilesSource

TIMEOUT_S = 40


class SetClock:
    """A clock that is as late as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self.passed_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self.passed_s

    def advance(self, by: timedelta) -> None:
        """Let time pass, on both of its hands."""
        self.ahead += by
        self.passed_s += by.total_seconds()


@dataclass
class Told:
    """Events, in the order in which they came."""

    events: list[Event] = field(default_factory=list)

    def of(self, topic: Topic) -> list[str]:
        """What was told of a topic."""
        return [one.detail for one in self.events if one.topic is topic]

    @property
    def refused(self) -> list[str]:
        """The codes of refused handshakes."""
        return [one.partition(":")[0] for one in self.of(Topic.HANDSHAKE_REFUSED)]

    def wait_refused(self) -> list[str]:
        """As `refused`, when there is one: the thread of a server may be a moment later than its client."""
        end = time.monotonic() + TIMEOUT_S
        while not self.refused and time.monotonic() < end:
            time.sleep(0.01)
        return self.refused


@contextmanager
def told() -> Generator[Told]:
    """Hear all events."""
    heard = Told()
    unsubscribe = BUS.subscribe(heard.events.append)
    try:
        yield heard
    finally:
        unsubscribe()


def live(tls: ServerTLS | ClientTLS, clock: SetClock | None = None) -> Live:
    """The keeper of a context that looks at its files at each use."""
    given = tls.trust if isinstance(tls, ClientTLS) else None if tls.mutual is None else tls.mutual.trust
    source = FilesSource(tls.key, trust_files(given), tls.cert_validation)
    return Live(source, tls.policy(), check_interval_s=0.0, clock=clock or SetClock())


def server(files: Files) -> ServerTLS:
    """A server of a pair of files."""
    return ServerTLS(key=CertKey(files.cert_file, files.key_file))


@dataclass
class Hands:
    """Both ends of a handshake in memory."""

    client: ssl.SSLObject
    server: ssl.SSLObject

    @property
    def served(self) -> x509.Certificate:
        """The certificate that the client saw."""
        der = self.client.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)

    def session(self) -> ssl.SSLSession:
        """What the client can resume: in TLS 1.3 a ticket comes with the first byte."""
        self.server.write(b"x")
        assert self.client.read(1) == b"x"
        session = self.client.session
        assert session is not None
        return session


def shake(
    server_side: ssl.SSLContext,
    client_side: ssl.SSLContext,
    session: ssl.SSLSession | None = None,
    host: str = "localhost",
) -> Hands:
    """One handshake in memory; it raises what either side says."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    hands = Hands(
        client_side.wrap_bio(to_client, to_server, server_hostname=host, session=session),
        server_side.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = [hands.client, hands.server]
    for _ in range(6):  # a handshake takes two flights each, and an alert one more
        for side in waiting.copy():
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    assert waiting == []
    return hands


def stock_client(trust: Path, files: Files | None = None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client of the standard library."""
    context = ssl.create_default_context(cafile=trust)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if files is not None:
        context.load_cert_chain(*files.pair)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def stock_server(files: Files, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server of the standard library, which takes any certificate for its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(*files.pair)
    context.minimum_version = context.maximum_version = version
    return context


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """A block of PEM around anything."""
    return f"-----BEGIN {label}-----\n".encode() + encodebytes(der) + f"-----END {label}-----\n".encode()


def der_of(leaf: Leaf) -> bytes:
    """A certificate in DER."""
    return leaf.certificate.public_bytes(Encoding.DER)


def odd_names(ca: CA, names: bytes) -> Leaf:
    """A certificate whose alternative names are these bytes, which may be none."""
    own, now = new_key(), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=ca.certificate.subject,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")]),
        public_key=own.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - HOUR,
        not_valid_after=now + DAY,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, names), False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
    issuer = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    by_issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
    return Leaf(builder.add_extension(by_issuer, False).sign(ca.key, hashes.SHA256()), own)


@contextmanager
def serving_blocking(context: ssl.SSLContext) -> Generator[int]:
    """A server in threads on a free port that says hello; each connection is taken as `http.server` does it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()

    def serve(raw: socket.socket) -> None:
        raw.settimeout(TIMEOUT_S)
        with raw, suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
            connection.sendall(b"hello")
            connection.recv(1)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    with listening:
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextmanager
def serving_asyncio(context: ssl.SSLContext) -> Generator[int]:
    """A server of asyncio on a free port, in a thread of its own."""
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []
    is_up = threading.Event()

    async def main() -> None:
        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                writer.write(b"hello")
                await writer.drain()
            writer.close()

        made = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        stop = asyncio.Event()
        started.append((asyncio.get_running_loop(), stop, made.sockets[0].getsockname()[1]))
        is_up.set()
        async with made:
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert is_up.wait(TIMEOUT_S)
    loop, stop, port = started[0]
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(TIMEOUT_S)


def greet_blocking(port: int, context: ssl.SSLContext, host: str = "localhost") -> bytes:
    """Connect by a socket, and hear what the server says."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        return connection.recv(100)


def greet_asyncio(port: int, context: ssl.SSLContext, host: str = "localhost") -> bytes:
    """Connect by a loop, and hear what the server says."""

    async def main() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host)
        try:
            return await reader.read(100)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    return asyncio.run(asyncio.wait_for(main(), TIMEOUT_S))


SERVERS = {"asyncio": serving_asyncio, "blocking": serving_blocking}
CLIENTS: dict[str, Callable[[int, ssl.SSLContext, str], bytes]] = {
    "asyncio": greet_asyncio,
    "blocking": greet_blocking,
}
