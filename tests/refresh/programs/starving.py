"""Follows a file and a slow source while no thread can be started, as where a container has used up its processes.

    python -m tests.refresh.programs.starving PATH WHEN

WHEN is from when on there is none: `load`, `hearing` (the same, and who hears of it loads), `fork` (before it), or
`later`; in the end there are threads again.
"""

import os
import resource
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import PATIENCE_S, App, tell, wait_number
from wellkept import load
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading, Reference
from wellkept.refresh import engine, served  # all is imported while there is memory  # noqa: F401
from wellkept.runtime import alive, followed  # noqa: F401  as above

_STACK: Final = 512 << 20  # of one thread; a program has far less than that to spare below


class Remote:
    """Answers with what a file holds, and is asked in a thread of its own."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path

    def fetch(self, _reference: Reference) -> Reading:
        """What it holds."""
        return Reading(self._path.read_text(encoding="utf-8"), "remote")


@contextmanager
def no_threads() -> Generator[None]:
    """Let no thread start: there is no room for its stack."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    threading.stack_size(_STACK)
    usual = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _STACK // 2, usual[1]))
    try:
        yield
    finally:
        threading.stack_size(0)
        resource.setrlimit(resource.RLIMIT_AS, usual)


def load_remote(path: Path) -> App:
    """Load from the source."""
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${remote:db?ttl=1s}"}
    return load(App, files=[], environ=environ, providers={"remote": Remote(path)}, redact=False)


def later(path: Path) -> None:
    """Change without a thread to ask in, or to call back in."""
    config, called = load_remote(path), threading.Event()
    config.db_password.on_change(lambda _secret: called.set())
    with no_threads():
        tell(ready=True)
        tell(is_there=wait_number(config.db_password, NEXT))
    tell(ready=True)
    tell(is_there=wait_number(config.db_password, NEXT + 1), is_called=called.wait(PATIENCE_S))


def at_load(path: Path) -> None:
    """Load without a thread to follow."""
    with no_threads():
        config = load_remote(path)
    tell(ready=True)
    again = load_remote(path)  # it tries once more
    tell(is_there=wait_number(config.db_password, NEXT), again=wait_number(again.db_password, NEXT))


def hearing(path: Path) -> None:
    """Load where one hears that there is no thread."""
    heard: list[Event] = []

    def hear(event: Event) -> None:
        if event.topic is Topic.WARNING and not heard:
            heard.append(event)
            load_remote(path)

    BUS.subscribe(hear)
    at_load(path)
    tell(heard=len(heard))


def at_fork(path: Path) -> None:
    """Fork without a thread to follow in the child."""
    config = load_remote(path)
    with no_threads():
        child = os.fork()
    if child == 0:
        tell(ready=True)
        load_remote(path)  # it tries once more
        tell(is_there=wait_number(config.db_password, NEXT))
        os._exit(0)
    tell(code=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    {"later": later, "load": at_load, "hearing": hearing, "fork": at_fork}[sys.argv[2]](Path(sys.argv[1]))
