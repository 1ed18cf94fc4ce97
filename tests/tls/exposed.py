"""A server in threads that shakes hands with whoever comes, and remembers what it was sent; and two ends in memory."""

import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from tests.tls.pki import Leaf

Speak = Callable[[socket.socket], None]
PATIENCE_S = 50.0  # a client that forgets to hang up ends its thread


@dataclass
class Exposed:
    """A server that runs.

    Attributes:
        port: where it listens, on the loopback.
        received: all application data that it was sent.
        connections: how many came.
    """

    port: int
    received: bytearray = field(default_factory=bytearray)
    connections: int = 0


@contextmanager
def exposed(speak: Speak | ssl.SSLContext, *, before: Speak = lambda _: None) -> Generator[Exposed]:
    """Run a server.

    Args:
        speak: what it does with a connection; or a context, to shake hands with and then to listen.
        before: what it does in plain text before that.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    server = Exposed(listening.getsockname()[1])
    open_connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            before(connection)
            if not isinstance(speak, ssl.SSLContext):
                speak(connection)
                return
            with speak.wrap_socket(connection, server_side=True) as wrapped:
                while part := wrapped.recv(1000):
                    server.received.extend(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                server.connections += 1
                connection.settimeout(PATIENCE_S)
                open_connections.append(connection)
                Thread(target=serve, args=(connection,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listening.close()
        for one in open_connections:
            one.close()


def serving(leaf: Leaf, folder: Path) -> ssl.SSLContext:
    """The context of a server that shows a leaf with what it sends along, however weak it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(*leaf.write(folder, "shown").pair)
    return context


def wants_client(context: ssl.SSLContext, trust: bytes, mode: ssl.VerifyMode = ssl.CERT_REQUIRED) -> ssl.SSLContext:
    """The same context, which asks for a client certificate."""
    context.load_verify_locations(cadata=trust.decode())
    context.verify_mode = mode
    return context


def in_memory(
    client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost"
) -> tuple[OSError | None, OSError | None]:
    """Let two contexts shake hands and read once; what went wrong at the client and at the server."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    errors: list[OSError | None] = [None, None]
    steps: tuple[Callable[[ssl.SSLObject], object], ...] = (ssl.SSLObject.do_handshake, lambda end: end.read(1))
    for step in steps:
        for _ in range(6):  # flights; TLS 1.2 has four
            for number, end in enumerate(ends):
                if errors[number] is None:
                    try:
                        step(end)
                    except ssl.SSLWantReadError:
                        continue
                    except OSError as error:
                        errors[number] = error
    return errors[0], errors[1]
