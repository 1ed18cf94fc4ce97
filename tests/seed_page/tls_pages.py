"""What the pages on TLS need: certificates in a folder, a configuration beside them, a server and a client."""

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from tests.tls.pki import CA, Leaf
from wellkept import Settings, load
from wellkept.tls import PeerIdentity, ServerTLS, peer

S = TypeVar("S", bound=Settings)
TIMEOUT_S = 10


@dataclass(frozen=True)
class Page:
    """A folder with the files that a sample of the page names."""

    folder: Path
    ca: CA = field(default_factory=CA)

    def __post_init__(self) -> None:
        (self.folder / "ca.crt").write_bytes(self.ca.pem)

    def server(self) -> Leaf:
        """A new certificate for `server.crt` and `server.key`."""
        return self.write(self.ca.issue("localhost"))

    def client(self, name: str = "orders.test", ca: CA | None = None) -> Leaf:
        """A new certificate for `client.crt` and `client.key`."""
        return self.write((ca or self.ca).issue(name), "client")

    def write(self, leaf: Leaf, name: str = "server") -> Leaf:
        """Write a certificate and its key."""
        leaf.write(self.folder, name)
        return leaf

    def load(self, cls: type[S], text: str) -> S:
        """Load a configuration in which `{folder}` stands for the folder of the files."""
        file = self.folder / "Config.toml"
        file.touch(0o600)
        file.write_text(text.replace("{folder}", str(self.folder)), "utf-8")
        return load(cls, files=[file], environ={}, redact=False)

    def client_context(self, *, shows: bool = False, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """A client of the standard library that trusts the CA, and shows `client.crt` where it is asked to."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        if shows:
            context.load_cert_chain(self.folder / "client.crt", self.folder / "client.key")
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context


@dataclass(frozen=True)
class Fetched:
    """An answer: the server says who it thinks the client is.

    Attributes:
        said: what it says.
        serial: of the server's certificate.
        connection: an open connection.
    """

    said: bytes
    serial: int
    connection: ssl.SSLSocket

    def again(self) -> bytes:
        """Say something more on the open connection; the server says it again."""
        self.connection.sendall(b"again")
        answer = self.connection.recv(100)
        self.connection.close()
        return answer


def fetch(port: int, context: ssl.SSLContext, name: str = "localhost", *, keeps: bool = False) -> Fetched:
    """Connect, and hear who the server thinks we are."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
    connection = context.wrap_socket(raw, server_hostname=name)
    try:
        said = connection.recv(1000)
        der = connection.getpeercert(binary_form=True)
        assert der is not None
        return Fetched(said, x509.load_der_x509_certificate(der).serial_number, connection)
    finally:
        if not keeps:
            connection.close()


@contextmanager
def serving(tls: ServerTLS) -> Generator[int]:
    """A server in threads on a free port: it says `anonymous` or the client's name, then echoes."""
    context = tls.context()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, context), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            raw, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(raw, context), daemon=True).start()


def _serve(raw: socket.socket, context: ssl.SSLContext) -> None:
    raw.settimeout(TIMEOUT_S)
    with suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
        connection.sendall(_name(connection).encode())
        while data := connection.recv(1000):
            connection.sendall(data)
    raw.close()


def _name(connection: ssl.SSLSocket) -> str:
    if connection.context.verify_mode == ssl.CERT_NONE:
        return "unasked"
    found: PeerIdentity | None = peer(connection)
    return "anonymous" if found is None else f"{found.status} {found.dns[0]}"
