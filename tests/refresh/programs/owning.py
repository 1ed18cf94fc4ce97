"""Obtains in the parent and in a child, and ends both: the ledger says who revoked what.

    python -m tests.refresh.programs.owning LEDGER HOW

HOW is how the child comes about and ends: `exit`, `_exit`, `process` (multiprocessing), `preexec` (subprocess).
"""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.refresh.programs.leasing import LoginLedger, load_beating
from tests.refresh.programs.telling import App, tell


def obtain(config: App, source: LoginLedger) -> None:
    """Obtain two leases and a login: the source has logged in by itself, and the engine finds that out.

    Its first look says what login it came with; only what is another one afterwards is its own.
    """
    config.db_password.refresh()
    wait_look(source)
    source.log_in_beside()
    wait_look(source)
    config.db_password.refresh()


def be_child(config: App, source: LoginLedger) -> None:
    """Obtain as a child, and come back."""
    tell(child=True)
    obtain(config, source)


def wait_look(source: LoginLedger) -> None:
    """Wait until the engine has looked at the login once more, and has taken note of it."""
    looks = source.asked.count("login")
    while source.asked.count("login") < looks + 2:
        time.sleep(0.05)


def main(ledger: Path, how: str) -> None:
    """Fork at once, as a server does that loads before it forks."""
    source = LoginLedger(ledger)
    config = load_beating(source)
    tell(parent=True)
    if how == "process":
        process = multiprocessing.get_context("fork").Process(target=be_child, args=(config, source))
        process.start()
        process.join()
    elif how == "preexec":
        subprocess.run(["true"], check=True, preexec_fn=lambda: None)
    else:
        child = os.fork()
        if child == 0:
            be_child(config, source)
            _end(how)
        os.waitpid(child, 0)
    threads = [one.name for one in threading.enumerate()]
    tell(runs="wellkept-refresh" in threads)
    obtain(config, source)
    sys.exit(3)


def _end(how: str) -> None:
    if how == "_exit":
        os._exit(0)
    sys.exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
