"""Ends while many journeys begin and end, and each event is written to stdout; ended by a signal, or after a while.

python -m tests.refresh.programs.travelling SECONDS
"""

import sys
import time
from typing import Final

from tests.refresh.programs.telling import WORD, App, tell
from wellkept import load
from wellkept.events import BUS
from wellkept.model import Reading, Reference

_SOURCES: Final = 30


class Restless:
    """Has another number at each fetch, which takes a moment."""

    def __init__(self, takes_s: float) -> None:
        """Begin at one."""
        self._takes_s = takes_s
        self._count = 0

    def fetch(self, _reference: Reference) -> Reading:
        """The next number."""
        time.sleep(self._takes_s)
        self._count += 1
        return Reading(f"{WORD}{self._count}", "restless", ttl_s=1.0)


def main(seconds: float) -> None:
    """Exit with a code in the midst of it."""
    BUS.subscribe(lambda event: tell(topic=str(event.topic)))
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": "${restless:db?ttl=1s}"}
    configs = []
    for number in range(_SOURCES):
        source = Restless(0.002 * number)
        config = load(App, files=[], environ=environ, providers={"restless": source}, redact=False)
        config.db_password.on_change(lambda secret: tell(changed=bool(secret)))
        configs.append(config)
    time.sleep(seconds)
    tell(ending_at=time.monotonic())
    sys.exit(9)


if __name__ == "__main__":
    main(float(sys.argv[1]))
