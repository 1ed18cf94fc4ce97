"""A connected socket on which every step keeps to a deadline, in the shape that `http.client` wants."""

import io
import select
import socket

from wellkept._http.deadline import Deadline

Readable = bytes | bytearray | memoryview


class Wire(io.RawIOBase):
    """One connection; the deadline is that of the request that uses it now."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        """Take over a connected socket."""
        super().__init__()
        self._socket = connected
        self._reader = _Reader(self)
        self._may_wait = True
        self.deadline = deadline

    def readable(self) -> bool:
        """Say that it can be read, for the buffer above it."""
        return True

    def readinto(self, buffer: memoryview, /) -> int | None:  # type: ignore[override]  # io's stub names a private type
        """Read what comes, within the deadline; None where nothing may be waited for."""
        if not self._may_wait:
            return None
        self._socket.settimeout(self.deadline.wait())
        return self._socket.recv_into(buffer)

    def sendall(self, data: Readable) -> None:
        """Send all, within the deadline."""
        rest = memoryview(data)
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

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give the one buffer of this connection: a second one would lose what the first has read."""
        return self._reader

    def is_quiet(self) -> bool:
        """Whether nothing stands in the buffer or the socket: neither an end, nor an answer nobody asked for."""
        self._may_wait = False
        try:
            if self._reader.peek(1):
                return False
        finally:
            self._may_wait = True
        pending = getattr(self._socket, "pending", None)  # of TLS: what is decrypted already
        if pending is not None and pending():
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Let go of the socket, without a goodbye: a forked child must not speak for its parent."""
        super().close()
        self._socket.close()


class _Reader(io.BufferedReader):
    """The buffer of a connection; `http.client` closes it behind each answer, and it stays open."""

    def close(self) -> None:
        """Do nothing: it ends with its connection."""
