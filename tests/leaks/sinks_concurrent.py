"""Sinks of the leak matrix: asyncio, threads and pools of processes."""

import asyncio
import contextlib
import gc
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler

from tests.leaks.child import in_child
from tests.leaks.logs import written
from tests.leaks.sinks import Held, Means, object_sink, use_site
from tests.leaks.sinks_log import fail_with

GROUP = "concurrency"


@object_sink(GROUP, "asyncio: a task whose error holds x is never awaited")
def _task(x: Held) -> str:
    async def fail() -> None:
        fail_with(x)

    async def forget() -> str:
        task = asyncio.get_running_loop().create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return repr(task)

    with written("asyncio") as (_logger, stream):
        shown = asyncio.run(forget())
        gc.collect(1)
    return shown + stream.getvalue()


@object_sink(GROUP, "asyncio in debug mode: the arguments of a slow callback")
def _slow_callback(x: Held) -> str:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0
        loop.call_soon(id, x)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with written("asyncio") as (_logger, stream):
        asyncio.run(call(), debug=True)
    return stream.getvalue()


@object_sink(GROUP, "a `Future` whose error holds x")
def _future(x: Held) -> str:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(fail_with, x)
    return repr([future, future.exception()])


@object_sink(GROUP, "`threading.excepthook`: the error holds x")
def _thread(x: Held) -> str:
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        try:
            fail_with(x)
        except LookupError as error:
            threading.__excepthook__(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
    return stderr.getvalue()


@object_sink(GROUP, "multiprocessing `spawn`: the arguments are pickled")
def _spawn(x: Held) -> bytes:
    return bytes(ForkingPickler.dumps({"args": (x,)}))


@use_site(
    GROUP,
    "`ProcessPoolExecutor`: revealed text goes to a worker, whose error quotes it",
    is_slow=True,
    closed_by=Means.PICKLE,
)
def _pool(text: str) -> bytes:
    return in_child(
        text,
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing import get_context\n"
        "with ProcessPoolExecutor(1, mp_context=get_context('fork')) as pool:\n"
        "    pool.submit(int, x).result()\n",
    )
