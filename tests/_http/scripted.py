"""A server on loopback that plays one script for each request: what it is sent and what it answers are plain bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

Script = Callable[[socket.socket], None]


def answer(status: int = 200, body: bytes = b'{"data": {}}', *headers: str) -> Script:
    """A whole answer, after which the connection stays."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return lambda peer: peer.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def hang_up(_peer: socket.socket) -> None:
    """No answer, and an end."""
    raise ConnectionError


def silence(peer: socket.socket) -> None:
    """No answer, until the other side gives up."""
    peer.recv(1)
    raise ConnectionError


@dataclass
class Scripted:
    """What a server was sent.

    Attributes:
        port: where it listens.
        heads: the head of each request, in order.
        connections: how many were made.
    """

    port: int
    heads: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def scripted(*scripts: Script, tls: SSLContext | None = None) -> Iterator[Scripted]:
    """Listen; the last script is played for all further requests."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = Scripted(listener.getsockname()[1])
    waiting, lock = list(scripts), threading.Lock()

    def serve(peer: socket.socket) -> None:
        try:
            talk(peer if tls is None else tls.wrap_socket(peer, server_side=True))
        except OSError:
            pass  # the client hung up, or the script did
        finally:
            peer.close()

    def talk(peer: socket.socket) -> None:
        peer.settimeout(10)
        with peer:
            while (head := _head(peer)) is not None:
                with lock:
                    seen.heads.append(head)
                    script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                script(peer)

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            seen.connections += 1
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(timeout=5)


def _head(peer: socket.socket) -> str | None:
    """The head of a request, its body read and dropped."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while lengths and len(body) < int(lengths[0]):
        body += peer.recv(65536)
    return head.decode()
