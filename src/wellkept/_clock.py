"""The time, as an argument: what the rest of the house reads instead of `time`."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day, and a time that never jumps."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def seconds(self) -> float:
        """Seconds on a clock that only goes forward."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()


SYSTEM_CLOCK = SystemClock()
