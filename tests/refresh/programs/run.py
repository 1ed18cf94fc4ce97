"""Runs a program of this folder, and hears what it and its children tell."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.servers.process import wait_until

ROOT: Final = Path(__file__).parents[3]
INTERVAL_S: Final = 1.0  # of `telling.load_file`
# Two intervals are what is promised; the rest is for the machine, which is shared: fifty processes wake at once. What
# nobody follows is never seen, and what is gone is asked for again after 24 s at the earliest.
SEEN_S: Final = 2 * INTERVAL_S + 20.0

Fact = dict[str, Any]


class Running:
    """A program that runs.

    Attributes:
        process: the program.
        facts: what was told so far, by it and by its children.
        ended_at: when it ended, on the monotonic clock of all processes, or None.
    """

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        """Hear what it tells."""
        self.process: subprocess.Popen[str] = process
        self.facts: list[Fact] = []
        self.ended_at: float | None = None
        self._errors = errors
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def told(self, key: str) -> list[Fact]:
        """What was told about something."""
        return [fact for fact in self.facts.copy() if key in fact]

    def wait_told(self, key: str, count: int = 1, *, timeout_s: float = 60.0) -> list[Fact]:
        """Wait until it was told so many times."""
        wait_until(lambda: len(self.told(key)) >= count, f"{key} is told {count} times", timeout_s=timeout_s)
        return self.told(key)

    def end_stdin(self) -> None:
        """Let its stdin end."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self, timeout_s: float = 120.0) -> int:
        """Wait until it has ended, and its children; its exit code."""
        code = self.process.wait(timeout_s)
        self.ended_at = time.monotonic()
        self._hearing.join(timeout_s)
        return code

    @property
    def errors(self) -> str:
        """What stands on its stderr."""
        return self._errors.read_text(encoding="utf-8")

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.facts.append(json.loads(line))


@contextmanager
def running(
    name: str,
    *arguments: object,
    errors: Path,
    environ: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
) -> Generator[Running]:
    """Run a program; at the end all of its process group is ended.

    Args:
        name: of the module in this folder.
        arguments: of its command line.
        errors: where its stderr goes.
        environ: more than the usual environment.
        by: a command that runs it.
    """
    command = [*by, sys.executable, "-m", f"tests.refresh.programs.{name}", *map(str, arguments)]
    with grouped(command, errors=errors, environ=environ) as process:
        yield Running(process, errors)


@contextmanager
def grouped(
    command: list[str], *, errors: Path, environ: Mapping[str, str] | None = None, descriptors: Sequence[int] = ()
) -> Generator["subprocess.Popen[str]"]:
    """Start a program that leads a process group, and inherits these; at the end all of that group is ended."""
    usual = {**os.environ, "PYTHONPATH": os.pathsep.join([*_own_path(), str(ROOT)]), **(environ or {})}
    with errors.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=usual,
            cwd=errors.parent,
            start_new_session=True,
            pass_fds=descriptors,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def _own_path() -> list[str]:
    return [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]


def rotate(file: Path, value: int) -> None:
    """Let a file hold the value of that number, by one rename."""
    made = file.with_name(f"{file.stem}-{value}.secret")
    made.touch(mode=0o600)
    made.write_text(f"CANARY-{value}", encoding="utf-8")
    made.rename(file)
