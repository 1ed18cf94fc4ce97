"""What the programs of this folder share: one line of JSON a fact on stdout, and a setting that follows a file."""

import json
import os
import time
from pathlib import Path

from wellkept import Secret, Settings, load

WORD = "CANARY-"  # every value is this and a number; only the number is told
PATIENCE_S = 30.0  # the machine is shared: fifty processes may wait for their turn


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


def age_s(path: str | Path) -> float:
    """How many seconds ago a file was written."""
    return time.time() - Path(path).stat().st_mtime
