"""A server that reads a request and lets a function answer it, over a bare socket.

It ends all its threads when it is closed, wherever they are, and a thread ends when its client hangs up.
"""

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, NoReturn, Self

from tests.servers.certificates import HOST

_TLS_HELLO: Final = b"\x16"  # the first byte of every TLS client
_HEAD_BYTES: Final = 1 << 16
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all


class HungUp(Exception):
    """The connection is over; the server catches it."""


class Visit:
    """One connection, seen by the answer to a request on it. It has what an answer wants of a socket, and more.

    Attributes:
        connection: the socket, with TLS where the client speaks it.
        request: the raw request, head and body.
        elsewhere: a port of this machine that belongs to another server.
    """

    def __init__(self, connection: socket.socket, elsewhere: int) -> None:
        """Show a connection on which nothing was read."""
        self.connection = connection
        self.request = b""
        self.elsewhere = elsewhere
        self._waiting = b""

    @property
    def target(self) -> str:
        """The path that was asked for."""
        return self.request.split(b" ", 2)[1].decode("latin-1")

    @property
    def scheme(self) -> str:
        """`https` where the client speaks TLS."""
        return "https" if isinstance(self.connection, ssl.SSLSocket) else "http"

    @property
    def port(self) -> int:
        """The server's own port."""
        port: int = self.connection.getsockname()[1]
        return port

    def read_request(self) -> bytes:
        """The next request, head and body.

        Raises:
            HungUp: the client did.
        """
        while b"\r\n\r\n" not in self._waiting:
            self._waiting += self.recv()
        head, _, rest = self._waiting.partition(b"\r\n\r\n")
        length = _content_length(head)
        while len(rest) < length:
            rest += self.recv()
        self.request, self._waiting = head + b"\r\n\r\n" + rest[:length], rest[length:]
        return self.request

    def recv(self, size: int = _HEAD_BYTES) -> bytes:
        """What the client sends.

        Raises:
            HungUp: it hung up instead.
        """
        received = self.connection.recv(size)
        if not received:
            raise HungUp
        return received

    def sendall(self, data: bytes) -> None:
        """Send bytes."""
        self.connection.sendall(data)

    def stay(self) -> NoReturn:
        """Say nothing more, until the client hangs up."""
        while True:
            self.recv()

    def pause(self, seconds: float) -> None:
        """Wait, and see if the client hangs up; what it sends meanwhile belongs to its next request.

        Raises:
            HungUp: it did.
        """
        end_at = time.monotonic() + seconds
        while (left := end_at - time.monotonic()) > 0:
            if select.select([self.connection], [], [], left)[0]:
                self._waiting += self.recv()

    def hang_up(self) -> NoReturn:
        """Close the connection."""
        raise HungUp

    def reset(self) -> NoReturn:
        """Close the connection so that the client sees it reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raise HungUp


Answer = Callable[[Visit], None]


class Listener:
    """Answers every request on every connection with one function.

    Attributes:
        port: where it listens.
        requests: the raw requests, head and body, in the order in which they came.
        connections: how many were taken.
        elsewhere: the port of another server, for the answer.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        """Listen to nothing yet.

        Args:
            answer: answers one request; a connection lasts until it hangs up, or the client does.
            context: to speak TLS with clients that begin with it; the others are answered in plain.
        """
        self.port = 0
        self.elsewhere = 0
        self.requests: list[bytes] = []
        self.connections = 0
        self._answer = answer
        self._context = context
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._is_closed = False

    def __enter__(self) -> Self:
        """Listen."""
        self._socket = socket.create_server((HOST, 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        self._threads = [Thread(target=self._accept, name="listener")]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all connections, and wait for all threads."""
        with self._lock:
            self._is_closed = True
            for connection in self._open:
                _cut(connection)
        with suppress(OSError):  # it wakes the thread that accepts
            socket.create_connection((HOST, self.port), timeout=1).close()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            connection = self._socket.accept()[0]
            with self._lock:
                if self._is_closed:
                    connection.close()
                    return
                self.connections += 1
                self._open.add(connection)
                self._threads.append(Thread(target=self._serve, args=[connection], name="listener connection"))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._dressed(connection)
            visit = Visit(connection, self.elsewhere)
            while True:
                self.requests.append(visit.read_request())
                self._answer(visit)
        except (OSError, HungUp):
            pass  # that is how every connection ends
        finally:
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
            connection.close()

    def _dressed(self, connection: socket.socket) -> socket.socket:
        """The connection, with TLS where both want it."""
        if self._context is None or connection.recv(1, socket.MSG_PEEK) != _TLS_HELLO:
            return connection
        with self._lock:
            self._open.discard(connection)
            dressed = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._open.add(dressed)
            if self._is_closed:
                _cut(dressed)
        try:
            dressed.do_handshake()
        except OSError:
            self._close(dressed)
            raise
        return dressed


def _cut(connection: socket.socket) -> None:
    """Wake whoever waits for a connection, without a goodbye of TLS."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, text = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(text)
    return 0
