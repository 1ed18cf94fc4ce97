"""Forks two hundred children and counts descriptors; then runs programs, and says what those have inherited.

python -m tests.refresh.programs.counting PATH
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.refresh.programs.telling import load_file, tell, wait_look
from wellkept.refresh.thread import Runner
from wellkept.runtime.alive import runner

COUNT: Final = 200
_COUNT_THEM: Final = "import os; print(len(os.listdir('/proc/self/fd')))"

_forks: list[int] = []
os.register_at_fork(after_in_parent=lambda: _forks.append(1))


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 names, not paths


def pipe(running: Runner) -> tuple[int, int]:
    """Which pipe wakes the thread; both ends of one pipe are the same inode."""
    read, write = running._bell._ends if running._bell is not None else (-1, -1)
    return os.fstat(read).st_ino, os.fstat(write).st_ino


def inherited(preexec: Callable[[], object] | None = None) -> int:
    """How many a program has open that is run without closing any."""
    command = [sys.executable, "-I", "-c", _COUNT_THEM]
    done = subprocess.run(command, check=True, capture_output=True, close_fds=False, preexec_fn=preexec)
    return int(done.stdout)


def main(path: Path) -> None:
    """Count."""
    first = inherited()
    load_file(path)
    wait_look()  # it has the file open for a moment, and a child that is forked in that moment has it, too
    before, mine = descriptors(), pipe(runner())
    children: list[int] = []
    for _ in range(COUNT):
        child = os.fork()
        if child == 0:
            tell(has=descriptors(), own_pipe=len({*pipe(runner()), *mine}) == 2)
            os._exit(0)
        children.append(child)
    codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
    tell(before=before, after=descriptors(), codes=list(codes), same_pipe=pipe(runner()) == mine)
    forks = len(_forks)
    tell(leaks=inherited() - first, hooks=len(_forks) - forks)
    tell(leaks_with_preexec=inherited(os.getpid) - first, hooks=len(_forks) - forks, after=descriptors())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
