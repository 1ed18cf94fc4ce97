"""Forks children in the middle of a journey: the version is known by then, and its value not yet fetched.

python -m tests.refresh.programs.midway COUNT
"""

import os
import sys
import threading
from collections.abc import Sequence
from typing import Final

from tests.refresh.programs.telling import WORD, App, tell, wait_number
from wellkept import load
from wellkept.model import Reading, Reference

NEXT: Final = 2


class Slow:
    """Holds one number; in the process that made it, fetching waits.

    Attributes:
        held: the number.
        is_asked: whether the next fetch has begun.
        may_answer: whether it may end.
    """

    is_local = False

    def __init__(self) -> None:
        """Answer the first fetch at once."""
        self.held: int = 1
        self.is_asked: threading.Event = threading.Event()
        self.may_answer: threading.Event = threading.Event()
        self._home = os.getpid()

    def fetch(self, _reference: Reference) -> Reading:
        """The number."""
        if self.held != 1 and os.getpid() == self._home:
            self.is_asked.set()
            self.may_answer.wait()
        return Reading(f"{WORD}{self.held}", "slow", version=str(self.held))

    def versions(self, references: Sequence[Reference]) -> Sequence[str]:
        """The same number as a version; see `ports.Watches`."""
        return [str(self.held)] * len(references)


def be_child(config: App) -> None:
    """Say whether the value comes, by itself, and by how many threads."""
    is_there = wait_number(config.db_password, NEXT)
    tell(is_there=is_there, threads=[one.name for one in threading.enumerate()].count("wellkept-refresh"))


def main(count: int) -> None:
    """Fork while the engine waits for an answer."""
    source = Slow()
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${slow:db?ttl=1s}"}
    config = load(App, files=[], environ=environ, providers={"slow": source}, redact=False)
    source.held = NEXT
    source.is_asked.wait()
    children: list[int] = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            be_child(config)
            os._exit(0)
        children.append(child)
    source.may_answer.set()
    tell(is_there=wait_number(config.db_password, NEXT))
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    tell(codes=codes)


if __name__ == "__main__":
    main(int(sys.argv[1]))
