"""The time, as an argument: what the rest of the house reads instead of `time`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day, and a time that never jumps."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def seconds(self) -> float:
        """Seconds on a clock that only goes forward."""
        ...


# Seconds of CLOCK_BOOTTIME, where there is one: it goes on while the machine sleeps, as leases do.
_seconds: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    # Not wrapped in a method: each `reveal()` of a leased value asks, and a call more costs it 20 ns.
    seconds = staticmethod(_seconds)


SYSTEM_CLOCK = SystemClock()
