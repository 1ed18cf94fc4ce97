"""Forks children while something is held or under way; each says when it sees a change that is made afterwards.

python -m tests.refresh.programs.forking PATH HELD COUNT
"""

import os
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from tests.refresh.programs.telling import PATIENCE_S, App, age_s, load_file, tell, wait_number
from wellkept import secret
from wellkept.refresh.thread import Runner
from wellkept.runtime import alive

NEXT: Final = 2
_LOCKS: Final[Mapping[str, Callable[[Runner], AbstractContextManager[object]]]] = {
    "engine": lambda runner: runner.engine._lock,
    "runner": lambda runner: runner._lock,
    "callbacks": lambda runner: runner.calls._lock,
    "process": lambda _runner: alive._lock,
    "waiters": lambda _runner: secret._changed,
}


@contextmanager
def held(what: str) -> Generator[None]:
    """Let another thread hold a lock meanwhile: it is not there in the children, and never lets go."""
    lock = _LOCKS[what](alive.runner())
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_go.wait()

    threading.Thread(target=hold, daemon=True).start()
    is_held.wait()
    try:
        yield
    finally:
        may_go.set()


def be_child(config: App, path: Path) -> None:
    """Say when the next value is there; then do all else that a child may want."""
    called = threading.Event()
    config.db_password.on_change(lambda _secret: called.set())
    tell(listens=True)
    is_there = wait_number(config.db_password, NEXT)
    took_s = age_s(path)
    tell(
        is_there=is_there,
        took_s=took_s,
        is_called=called.wait(PATIENCE_S),
        refreshes=config.db_password.refresh(),
        loads=wait_number(load_file(path).db_password, NEXT),
    )


def main(path: Path, held_lock: str, count: int) -> None:
    """Fork, wait for all, and say how they ended."""
    config = load_file(path)
    children: list[int] = []
    with held(held_lock):
        for _ in range(count):
            child = os.fork()
            if child == 0:
                be_child(config, path)
                os._exit(0)
            children.append(child)
    tell(forked=len(children))
    tell(is_there=wait_number(config.db_password, NEXT), took_s=age_s(path))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    tell(codes=codes)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
