"""A longer way to a server of this machine: a TCP proxy that adds a round-trip time.

The whole delay lies on the way to the server, which a client cannot tell from two halves. The first bytes of a
connection wait twice as long: the handshake of TCP would have cost a round trip, too. The order of bytes stays,
connections do not wait for each other, and what waits is held in memory.

In a test `with DelayProxy(port, 0.005) as proxy:`, in a thread; beside a measurement, where it must not share the
interpreter, `python -m tests.servers.delay_proxy --listen 0 --target PORT --delay-ms 5`, which prints its port.
"""

import argparse
import asyncio
import selectors
import sys
from collections import deque
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final, Self

HOST: Final = "127.0.0.1"


class DelayProxy:
    """The proxy, in a thread of its own.

    Attributes:
        port: where it begins.
    """

    def __init__(self, target_port: int, delay_s: float) -> None:
        """Listen to nothing yet.

        Args:
            target_port: of the loopback, where it leads to.
            delay_s: the round-trip time.
        """
        self.port = 0
        self._target_port = target_port
        self._delay_s = delay_s
        self._loop = _new_loop()
        self._thread = Thread(target=self._run, name="delay-proxy")
        self._listens = Event()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._listens.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all connections, and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        lines: set[_Line] = set()
        server = self._loop.run_until_complete(_listen(0, self._target_port, self._delay_s, lines))
        self.port = server.sockets[0].getsockname()[1]
        self._listens.set()
        self._loop.run_forever()
        server.close()
        for line in list(lines):
            line.cut()
        self._loop.run_until_complete(_settled())
        self._loop.close()


class _Line(asyncio.Protocol):
    """One connection: the client's side of it, and what is on its way to the server."""

    def __init__(self, target_port: int, delay_s: float, lines: "set[_Line]") -> None:
        self._target_port = target_port
        self._delay_s = delay_s
        self._lines = lines
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[tuple[float, bytes]] = deque()  # when it arrives; nothing is the end
        self._first_at = self._loop.time() + 2 * delay_s
        self._timer: asyncio.TimerHandle | None = None
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._joining: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._lines.add(self)
        self._joining = self._loop.create_task(self._join())

    async def _join(self) -> None:
        try:
            await self._loop.create_connection(lambda: _FarEnd(self), HOST, self._target_port)
        except OSError:
            self.cut()

    def joined(self, server: asyncio.Transport) -> None:
        """The server has taken the connection."""
        self._server = server
        self._deliver()

    def data_received(self, data: bytes) -> None:
        self._under_way.append((max(self._loop.time() + self._delay_s, self._first_at), data))
        if len(self._under_way) == 1:
            self._timer = self._loop.call_at(self._under_way[0][0], self._deliver)

    def eof_received(self) -> bool:
        self.data_received(b"")
        return True  # the answer may still come

    def answered(self, data: bytes) -> None:
        """The server has said something."""
        if self._client is not None:
            self._client.write(data)

    def _deliver(self) -> None:
        """Hand over what has arrived, and look again when the next has."""
        if self._server is None or self._server.is_closing():
            return
        now = self._loop.time()
        while self._under_way and self._under_way[0][0] <= now:
            data = self._under_way.popleft()[1]
            if data:
                self._server.write(data)
            else:
                self._server.write_eof()
        if self._under_way:
            self._timer = self._loop.call_at(self._under_way[0][0], self._deliver)

    def hung_up(self) -> None:
        """The server has hung up; what it said goes out first."""
        if self._client is not None:
            self._client.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.cut()

    def cut(self) -> None:
        """End both sides now."""
        self._lines.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._joining is not None:
            self._joining.cancel()
        for side in (self._client, self._server):
            if side is not None:
                side.abort()


class _FarEnd(asyncio.Protocol):
    """The server's side of a connection."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._line.joined(transport)

    def data_received(self, data: bytes) -> None:
        self._line.answered(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._line.hung_up()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the port, and carry on until the process is ended."""
    parser = argparse.ArgumentParser(description="A TCP proxy that adds a round-trip time.")
    parser.add_argument("--listen", type=int, default=0, help="port to listen to; 0 takes a free one")
    parser.add_argument("--target", type=int, required=True, help="port that it leads to")
    parser.add_argument("--delay-ms", type=float, required=True, help="round-trip time")
    given = parser.parse_args(arguments)
    loop = _new_loop()
    server = loop.run_until_complete(_listen(given.listen, given.target, given.delay_ms / 1000, set()))
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    loop.run_forever()


async def _settled() -> None:
    """Wait for what was cancelled, and for transports, which close in the next round."""
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
    await asyncio.sleep(0)


def _new_loop() -> asyncio.SelectorEventLoop:
    # epoll rounds every wait up to a millisecond; select knows microseconds.
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _listen(port: int, target_port: int, delay_s: float, lines: set[_Line]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Line(target_port, delay_s, lines), HOST, port, backlog=256)


if __name__ == "__main__":
    main()
