"""Forks a child in the midst of something of its parent's, and lets the child say what it makes of it.

python -m tests.refresh.programs.inheriting PATH HOW
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.run import rotate
from tests.refresh.programs.telling import WORD, App, load_file, tell, wait_number
from tests.refresh.sources import Leasing
from wellkept import Secret, Settings, close, load, watch
from wellkept._forks import after_fork

_A_WHILE_S: Final = 0.5


class Plain(Settings):
    """A leased value in a plain setting."""

    user: str


def fork(child: Callable[[], None]) -> None:
    """Let a child do something, and wait for its end."""
    pid = os.fork()
    if pid == 0:
        child()
        os._exit(0)
    tell(code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def late(path: Path) -> None:
    """A provider that is imported after the thread has been made has a lock to make anew in a child."""
    load_file(path)
    after_fork(lambda: tell(threads=threading.active_count()))
    fork(lambda: None)


def watching(path: Path) -> None:
    """Another thread holds the lock of a watch."""
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": f"${{file:{path}?ttl=1s}}"}
    live = watch(App, files=[], environ=environ, redact=False)
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with live._changed:
            is_held.set()
            may_go.wait()

    def child() -> None:
        rotate(path, NEXT)
        change = live.next(60)
        tell(names=[] if change is None else change.settings)

    threading.Thread(target=hold, daemon=True).start()
    is_held.wait()
    fork(child)


def deriving(path: Path) -> None:
    """A value that was derived is made anew just now."""
    config, parent, is_under_way = load_file(path), os.getpid(), threading.Event()

    def slow(value: str) -> str:
        if value != f"{WORD}1" and os.getpid() == parent:
            is_under_way.set()
            time.sleep(_A_WHILE_S)
        return value

    derived = config.db_password.map(slow)
    rotate(path, NEXT)
    is_under_way.wait()
    fork(lambda: tell(is_there=wait_number(config.db_password, NEXT) and wait_number(derived, NEXT)))


def closing(_path: Path) -> None:
    """The child closes what the parent uses on."""

    class Source(Leasing):
        is_secret_store = False

        def revoke(self, lease: object) -> None:
            tell(revoked=str(lease))

    environ = {"BAL_CONFIG_VAR_USER": "${src:db#username}"}
    config = load(Plain, files=[], environ=environ, providers={"src": Source(3600.0)}, redact=False)
    fork(lambda: close(config))
    tell(revokes=True)
    close(config)


def calling(path: Path) -> None:
    """A callback is running just now."""
    config, parent, is_under_way = load_file(path), os.getpid(), threading.Event()

    def hear(secret: Secret[str]) -> None:
        if os.getpid() == parent:
            is_under_way.set()
            time.sleep(_A_WHILE_S)
        else:
            tell(heard=secret.reveal() == f"{WORD}{NEXT}")

    config.db_password.on_change(hear)
    rotate(path, NEXT)
    is_under_way.wait()
    fork(lambda: time.sleep(4 * _A_WHILE_S))


HOW: Final[Mapping[str, Callable[[Path], None]]] = {
    "late": late,
    "watching": watching,
    "deriving": deriving,
    "closing": closing,
    "calling": calling,
}

if __name__ == "__main__":
    HOW[sys.argv[2]](Path(sys.argv[1]))
