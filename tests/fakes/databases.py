"""Redis and MySQL as far as a client needs them to connect: the TLS is real, and what is behind it says yes to all.

The official clients accept them. They show that a client uses the context it was given; they do not show what a
real server makes of it.
"""

import socket
import socketserver
import ssl
import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Final

from cryptography import x509

_CAN_SSL: Final = 0x0800
_CAPABILITIES: Final = 0x000F_FFFF & ~0x20 | _CAN_SSL  # all of 4.1's, but no compression
_OK: Final = b"\x00\x00\x00\x02\x00\x00\x00"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True

    def __init__(self, context: ssl.SSLContext, handler: type["_Connection"]) -> None:
        self.context = context
        self.serials: list[str] = []
        super().__init__(("127.0.0.1", 0), handler)


class _Connection(socketserver.BaseRequestHandler):
    """One connection, which may end whenever its client likes."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        with suppress(OSError, EOFError):
            self.greet()
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
            der = self.request.getpeercert(binary_form=True)
            self.server.serials.append(str(x509.load_der_x509_certificate(der).serial_number))
            self.file = self.request.makefile("rb")
            self.talk()

    def finish(self) -> None:
        self.request.close()

    def greet(self) -> None:
        """Say what is said before TLS."""

    def talk(self) -> None:
        raise NotImplementedError

    def exactly(self, size: int) -> bytes:
        data: bytes = self.file.read(size)
        if len(data) < size:
            raise EOFError
        return data


class _Redis(_Connection):
    def talk(self) -> None:
        while True:
            count = int(self._line()[1:])
            words = [self.exactly(int(self._line()[1:]) + 2)[:-2] for _ in range(count)]
            self.request.sendall(self._answer(words[0].upper()))

    def _line(self) -> bytes:
        line: bytes = self.file.readline()
        if not line:
            raise EOFError
        return line.strip()

    def _answer(self, command: bytes) -> bytes:
        if command == b"HELLO":
            return b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"
        return b"+PONG\r\n" if command == b"PING" else b"+OK\r\n"


class _MySQL(_Connection):
    def greet(self) -> None:
        low, high = _CAPABILITIES & 0xFFFF, _CAPABILITIES >> 16
        head = b"\x0a8.0.0\0" + struct.pack("<I", 7) + b"a" * 8 + b"\0"
        rest = struct.pack("<HBHHB", low, 45, 2, high, 21) + bytes(10) + b"b" * 12 + b"\0mysql_native_password\0"
        self._send(self.request, 0, head + rest)
        _exactly(self.request, 36)  # SSLRequest: its head, and 32 bytes

    def talk(self) -> None:
        while True:
            size = int.from_bytes(self.exactly(3), "little")
            number = self.exactly(1)[0]
            self.exactly(size)
            self._send(self.request, number + 1, _OK)

    def _send(self, connection: socket.socket, number: int, payload: bytes) -> None:
        connection.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@contextmanager
def run_redis(context: ssl.SSLContext) -> Generator[tuple[int, list[str]]]:
    """Run a Redis; its port, and the serials of the certificates that its clients have shown."""
    with _run(_Server(context, _Redis)) as found:
        yield found


@contextmanager
def run_mysql(context: ssl.SSLContext) -> Generator[tuple[int, list[str]]]:
    """Run a MySQL, in the same way."""
    with _run(_Server(context, _MySQL)) as found:
        yield found


@contextmanager
def _run(server: _Server) -> Generator[tuple[int, list[str]]]:
    thread = Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield server.server_address[1], server.serials
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
