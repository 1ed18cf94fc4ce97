"""A client that speaks just enough HTTP/1.1 over TLS, and the load that such clients make.

It is imported by programs that are started as `-m bench.programs.…` in the root of the repository.
"""

import asyncio
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 10.0
GONE: Final = (OSError, EOFError, TimeoutError, ValueError)  # ssl.SSLError is an OSError


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take what asyncio opened."""
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> Self:
        """Connect, and shake hands."""
        async with asyncio.timeout(PATIENCE_S):  # wait_for of 3.11 may swallow that it is cancelled
            return cls(*await asyncio.open_connection(HOST, port, ssl=context, server_hostname="localhost"))

    async def ask(self, path: str = "/", *, is_last: bool = False) -> bytes:
        """Send one request, and return the body of its answer.

        Args:
            path: of the request.
            is_last: whether the server is told that it is the last one.

        Raises:
            OSError: the connection is gone; or another one of `GONE`.
        """
        last = "connection: close\r\n" if is_last else ""
        self._writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{last}\r\n".encode())
        async with asyncio.timeout(PATIENCE_S):
            return await self._answer()

    async def _answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.lower().split(b"\r\n")
        if b" 200 " not in status:
            raise ValueError("another status than 200")
        length = next(line for line in lines if line.startswith(b"content-length:"))
        return await self._reader.readexactly(int(length.partition(b":")[2]))

    @property
    def certificate(self) -> bytes:
        """What the server showed, DER."""
        found: bytes = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found

    async def close(self) -> None:
        """End it, as a client that is done does."""
        self._writer.close()
        with suppress(*GONE):
            async with asyncio.timeout(PATIENCE_S):
                await self._writer.wait_closed()


@dataclass
class Load:
    """Clients that connect over and over, and others that stay.

    Attributes:
        port: of the server.
        context: of the clients.
        opened: how many connections were made and answered.
        failures: what became of those that were not.
        broken: what became of those that should have stayed.
        shown: the certificates that the server showed, DER.
    """

    port: int
    context: ssl.SSLContext
    opened: int = 0
    failures: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    shown: set[bytes] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def reconnect(self) -> None:
        """Connect, ask and close, until it is cancelled."""
        while True:
            try:
                line = await Line.open(self.port, self.context)
                await line.ask(is_last=True)
            except GONE as fault:
                self.failures.append(type(fault).__name__)
                continue
            self.opened += 1
            self.shown.add(line.certificate)
            self._news.set()
            await line.close()

    async def stay(self, every_s: float) -> None:
        """Ask now and then on one connection, until it is cancelled."""
        line = await Line.open(self.port, self.context)
        try:
            while True:
                await line.ask()
                await asyncio.sleep(every_s)
        except GONE as fault:
            self.broken.append(type(fault).__name__)
        finally:
            await line.close()

    async def wait_opened(self, count: int) -> None:
        """Wait until that many connections were made and answered.

        Raises:
            TimeoutError: for a while there is not one more.
        """
        while self.opened < count:
            self._news.clear()
            async with asyncio.timeout(PATIENCE_S):
                await self._news.wait()

    async def wait_for(self, certificate: bytes) -> None:
        """Wait until a client is shown a certificate.

        Raises:
            TimeoutError: none is in time.
        """
        async with asyncio.timeout(PATIENCE_S):
            while certificate not in self.shown:
                self._news.clear()
                await self._news.wait()


def replace(file: Path, data: bytes) -> None:
    """Put data into the place of a file, which is whole at every moment; only its owner can read it."""
    new = file.with_name(f".{file.name}.new")
    new.touch(0o600)
    new.write_bytes(data)
    new.replace(file)


def rss_kib(process_id: int) -> int:
    """The memory of a process that is in RAM, in KiB."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
