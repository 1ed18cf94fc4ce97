"""What the programs of this folder share: one line of JSON a fact on stdout, and a setting that follows a file."""

import json
import os
import time
from pathlib import Path

from wellkept import Secret, Settings, load
from wellkept.runtime.alive import runner

WORD = "CANARY-"  # every value is this and a number; only the number is told
# The first of fifty processes waits until the last one has said that it is there, which takes 60 s at the most (see
# `run`), and all of them wait for their turn on a machine that is shared.
PATIENCE_S = 90.0


class App(Settings):
    """One secret."""

    db_password: Secret[str]


def tell(**facts: object) -> None:
    """Say something on stdout: in one write, so that lines of many processes do not mix."""
    os.write(1, (json.dumps({"pid": os.getpid(), **facts}) + "\n").encode())


def load_file(path: str | Path, ttl: str = "1s") -> App:
    """Load the setting from a file that is looked at once in `ttl`."""
    return load(App, files=[], environ={"BAL_CONFIG_VAR_DB_PASSWORD": f"${{file:{path}?ttl={ttl}}}"}, redact=False)


def number(secret: Secret[str]) -> int:
    """Which value it holds."""
    return int(secret.reveal().removeprefix(WORD))


def wait_number(secret: Secret[str], wanted: int) -> bool:
    """Wait until it holds that value; whether it does."""
    end_at = time.monotonic() + PATIENCE_S
    while number(secret) != wanted and time.monotonic() < end_at:
        secret.wait_newer(secret.version, 0.5)
    return number(secret) == wanted


def wait_look() -> None:
    """Wait until the first look is over: while it stays the same, no later one opens a file or imports a module."""
    end_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_at:
        tickets = [one for backend in runner().engine._backends for one in list(backend.tickets.values())]
        if all(one.mark is not None and one.flight is None for one in tickets):
            return
        time.sleep(0.01)


def age_s(path: str | Path) -> float:
    """How many seconds ago a file was written."""
    return time.time() - Path(path).stat().st_mtime
