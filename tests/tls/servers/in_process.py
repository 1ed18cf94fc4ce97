"""Servers inside the process of a test, which sees their events: asyncio's own, and stock uvicorn."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final, TypeVar

import uvicorn
import uvloop

from tests.servers.process import free_port
from tests.tls.servers.answers import asgi
from tests.tls.servers.asyncio_streams import answer

IN_PROCESS: Final = ("asyncio", "uvicorn-h11", "uvicorn-httptools", "uvicorn-httptools-uvloop")
T = TypeVar("T")


def run(name: str, work: Coroutine[Any, Any, T]) -> T:
    """Run something on the event loop that the name asks for."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if name.endswith("uvloop") else None) as runner:
        return runner.run(work)


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 as in uvicorn; pytest keeps its own
        yield


@contextlib.asynccontextmanager
async def serving(name: str, context: ssl.SSLContext | None, app: object = asgi, **options: Any) -> AsyncGenerator[int]:  # noqa: ANN401 uvicorn's own options
    """Serve while the block runs, without TLS where there is no context; its port."""
    if name == "asyncio":
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]
        return
    port = free_port()
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own types of ASGI are narrower
        host="127.0.0.1",
        port=port,
        http="h11" if name.endswith("h11") else "httptools",
        loop="asyncio",
        log_level="warning",
        timeout_graceful_shutdown=1,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
        **options,
    )
    made = _Uvicorn(config)
    task = asyncio.create_task(made.serve())
    while not made.started and not task.done():  # noqa: ASYNC110 uvicorn has no event of it
        await asyncio.sleep(0.005)
    try:
        yield port
    finally:
        made.should_exit = True
        await task


async def knock(port: int, context: ssl.SSLContext) -> str:
    """What `ssl` tells a client of its refusal; empty where it was let in."""
    return await asyncio.to_thread(_knock, port, context)


def _knock(port: int, context: ssl.SSLContext) -> str:
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=40) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return "" if connection.recv(1 << 16) else "the end"
    except ssl.SSLError as error:
        return str(error.reason or error)
    except OSError as error:
        return type(error).__name__
