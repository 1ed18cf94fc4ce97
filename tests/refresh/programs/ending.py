"""Ends in one of many ways, with a lease that is its own; says when it began to end.

    python -m tests.refresh.programs.ending LEDGER WAY [HANGS]

WAY is a function below. HANGS is what the source does not come back from: `revoke`, `log_out`, `renew`, `fetch`, or
`local`, a fetch from a source that is asked by the thread of the engine itself. `login` is one with a login, and
nothing hangs.
"""

import atexit
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final, NoReturn

from tests.refresh.programs.leasing import HANGS_S, LONG_S, Ledger, LoginLedger, load_from
from tests.refresh.programs.telling import App, number, tell

_SHORT_S: Final = 2.0  # it is renewed, or replaced, within that


class Local(Ledger):
    """Asked by the thread of the engine itself."""

    is_local = True


def falling_off(_config: App) -> None:
    """Come to the end of the program."""


def exiting(_config: App) -> NoReturn:
    """Exit with a code."""
    sys.exit(3)


def raising(_config: App) -> NoReturn:
    """Do not catch an error."""
    raise LookupError("of the program")


def leaving_at_once(_config: App) -> NoReturn:
    """Leave without any tidying up."""
    os._exit(4)


def being_terminated(_config: App) -> NoReturn:
    """Be ended by a signal that nobody handles."""
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("it is still there")


def handling_terminate(_config: App) -> None:
    """Be ended by a signal that exits, as servers do."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
    os.kill(os.getpid(), signal.SIGTERM)


def interrupted(_config: App) -> NoReturn:
    """Be ended by Ctrl+C; what starts this in the background has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(HANGS_S)
    raise AssertionError("it is still there")


def with_a_hanging_thread(_config: App) -> None:
    """Leave a daemon thread of the program behind, which reveals and does not come back."""

    def hang() -> None:
        while True:
            _config.db_password.reveal()

    threading.Thread(target=hang, daemon=True).start()


def with_a_hanging_callback(config: App) -> None:
    """Leave a callback behind that does not come back."""
    is_called = threading.Event()

    def hang(_secret: object) -> None:
        is_called.set()
        time.sleep(HANGS_S)

    config.db_password.on_change(hang)
    config.db_password.refresh()
    is_called.wait()


def while_somebody_refreshes(config: App) -> None:
    """Leave a thread of the program behind that waits for an answer."""
    threading.Thread(target=config.db_password.refresh, daemon=True).start()


def late(config: App) -> None:
    """Go on using it after the engine has ended."""
    _late.append(config)


_late: list[App] = []


@atexit.register  # before anything of ours is started: so it is called after all of ours
def _be_late() -> None:
    for config in _late:
        tell(reveals=number(config.db_password) == 1, refreshes=config.db_password.refresh())
        tell(loads=number(load_from(Ledger(Path(os.devnull))).db_password) == 1)


def main(ledger: Path, way: str, hangs: str | None) -> None:
    """Load, let it hang, and end."""
    source = _source(ledger, hangs)
    source.hangs = {"local": "fetch", "login": None}.get(hangs or "", hangs)
    config = load_from(source)
    if hangs in {"renew", "fetch", "local"}:
        source.is_hanging.wait()
    tell(ending_at=time.monotonic())
    globals()[way](config)


def _source(ledger: Path, hangs: str | None) -> Ledger:
    if hangs in {"log_out", "login"}:
        return LoginLedger(ledger)
    kind = Local if hangs == "local" else Ledger
    is_renewable = hangs not in {"fetch", "local"}
    return kind(
        ledger, duration_s=_SHORT_S if hangs in {"renew", "fetch", "local"} else LONG_S, is_renewable=is_renewable
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
