"""A clock that tests move."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        """Stand at a time of day, aware."""
        self._start = start
        self._seconds = 0.0

    def now(self) -> datetime:
        """The time of day that it stands at."""
        return self._start + timedelta(seconds=self._seconds)

    def seconds(self) -> float:
        """Seconds that it was moved so far."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self._seconds += seconds
