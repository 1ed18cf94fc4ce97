"""The server programs of this folder by their names, and how one is started."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.process import NotStarted, end, wait_until

ROOT: Final = Path(__file__).parents[3]


@dataclass(frozen=True)
class Program:
    """How a server is started.

    Attributes:
        module: its module in this folder.
        kind: its `--kind`.
        keeps_alive: whether it answers more than one request on a connection.
        processes: how many of them answer.
    """

    module: str
    kind: str = ""
    keeps_alive: bool = True
    processes: int = 1


PROGRAMS: Final = {
    "asyncio": Program("asyncio_streams"),
    "uvicorn-h11": Program("uvicorn_run", "h11"),
    "uvicorn-httptools-uvloop": Program("uvicorn_run", "httptools"),
    "uvicorn-workers": Program("uvicorn_run", "workers", processes=2),
    "hypercorn": Program("hypercorn_run", "asyncio"),
    "hypercorn-workers": Program("hypercorn_run", "workers", processes=2),
    "gunicorn-sync": Program("gunicorn_run", "sync", keeps_alive=False),
    "gunicorn-gthread": Program("gunicorn_run", "gthread"),
    "gunicorn-asgi": Program("gunicorn_run", "asgi"),
    "gunicorn-uvicorn": Program("gunicorn_run", "uvicorn"),
    "aiohttp": Program("aiohttp_web"),
    "http.server": Program("http_server"),
}


@contextmanager
def started(name: str, folder: Path, *options: str, interval_s: float = 0.01) -> Generator[int]:
    """Run a program of `PROGRAMS`, and answer its port; at the end it is ended.

    Args:
        name: which one.
        folder: with `server.crt`, `server.key` and `trust.crt`.
        options: more of its command line, see given.py.
        interval_s: how long it does not look at its files again.
    """
    program = PROGRAMS[name]
    kind = ["--kind", program.kind] if program.kind else []
    command = ["-m", f"tests.tls.servers.{program.module}", "--folder", str(folder), *kind]
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    with run(folder, *command, "--interval", str(interval_s), *options) as process:
        wait_until(lambda: _is_told(port_file) or process.poll() is not None, f"{name} tells its port")
        port = int(port_file.read_text())
        wait_until(lambda: is_listening(port) or process.poll() is not None, f"{name} listens")
        if process.poll() is not None:
            raise NotStarted(f"{name} has ended: {(folder / 'log').read_text()[-500:]}")
        yield port


def _is_told(port_file: Path) -> bool:
    return port_file.is_file() and port_file.read_text().endswith("\n")


@contextmanager
def run(folder: Path, *arguments: str, **environ: str) -> Generator["subprocess.Popen[bytes]"]:
    """Run Python in a folder; what it prints goes to the file `log` there."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths(ROOT), **environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        end(process)


def paths(*more: Path) -> str:
    """Where Python looks: here first, and then wherever this process does."""
    return os.pathsep.join(filter(None, [*map(str, more), os.environ.get("PYTHONPATH", "")]))


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
