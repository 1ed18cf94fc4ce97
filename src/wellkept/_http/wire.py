"""A connected socket on which every step keeps to a deadline, with the one buffer that reads from it."""

import select
import socket

from wellkept._http.deadline import Deadline

_PIECE_BYTES = 1 << 16


class TooLong(Exception):
    """A line that does not end where it must."""


class Wire:
    """One connection; the deadline is that of the request that uses it now."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        """Take over a connected socket."""
        self._socket = connected
        self._buffer = bytearray()
        self._outgoing = memoryview(b"")
        self.deadline = deadline

    def load(self, data: bytes) -> None:
        """Take what is to be sent: no frame that waits holds it where a traceback would show it."""
        self._outgoing = memoryview(data)

    def send_all(self) -> None:
        """Send what was loaded, within the deadline."""
        rest, self._outgoing = self._outgoing, memoryview(b"")
        while rest:
            self._socket.settimeout(self.deadline.wait())
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                raise
            except OSError:
                # TLS 1.3 tells of a refused certificate behind the handshake: the reason may wait to be read.
                self._socket.recv(1)
                raise

    def read_line(self, most_bytes: int) -> bytes:
        """Read up to the next line feed, which is not part of what is returned.

        Raises:
            TooLong: it does not come within `most_bytes`.
            EOFError: the other side ended before it.
        """
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen > most_bytes:
                raise TooLong
            self._fill()
        if end > most_bytes:
            raise TooLong
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def read_bytes(self, count: int) -> bytes:
        """Read so many bytes.

        Raises:
            EOFError: the other side ended before them.
        """
        while len(self._buffer) < count:
            self._fill()
        found = bytes(self._buffer[:count])
        del self._buffer[:count]
        return found

    def read_rest(self, most_bytes: int) -> bytes:
        """Read to the end, or one byte more than `most_bytes`."""
        try:
            return self.read_bytes(most_bytes + 1)
        except EOFError:
            return bytes(self._buffer)

    def is_quiet(self) -> bool:
        """Whether nothing stands in the buffer or the socket: neither an end, nor an answer nobody asked for."""
        pending = getattr(self._socket, "pending", None)  # of TLS: what is decrypted already
        if self._buffer or (pending is not None and pending()):
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Let go of the socket, without a goodbye: a forked child must not speak for its parent."""
        self._socket.close()

    def _fill(self) -> None:
        self._socket.settimeout(self.deadline.wait())
        piece = self._socket.recv(_PIECE_BYTES)
        if not piece:
            raise EOFError
        self._buffer += piece
