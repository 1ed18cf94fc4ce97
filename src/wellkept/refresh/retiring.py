"""What was replaced, and is ended when everybody has had the time to take the new one."""

from collections.abc import Callable

from wellkept._dataclasses import dataclass, replace
from wellkept.errors import SourceError, Unreachable
from wellkept.events import BUS, Event, Topic
from wellkept.refresh.asking import Asking, safely

_MOST_TRIES = 30  # five minutes: what is left then ends by itself
_AGAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Old:
    """One thing to end: when, how, and what it is called."""

    at: float
    end: Callable[[], None]
    what: str
    may: Callable[[], bool]
    tries: int = 1


class Retiring:
    """The leases and logins of one source that are not used any more."""

    def __init__(self, asking: Asking) -> None:
        """Hold nothing."""
        self._asking = asking
        self._old: list[_Old] = []

    @property
    def due_at(self) -> float:
        """When the next one is to be ended."""
        return min((one.at for one in self._old), default=float("inf"))

    def add(self, at: float, end: Callable[[], None], what: str, may: Callable[[], bool] = lambda: True) -> None:
        """End something at a time, or as soon after it as it may be ended."""
        self._old.append(_Old(at, end, what, may))

    def put_off(self, at: float) -> None:
        """Wait until the source may be asked again."""
        self._old[:] = [replace(one, at=max(one.at, at)) for one in self._old]

    def end_due(self, now: float) -> None:
        """End what is due; what cannot be ended now is tried again, and in the end left to its own end."""
        for one in [one for one in self._old if one.at <= now]:
            try:
                self._old.remove(one)
            except ValueError:  # the exit is at it
                continue
            if not one.may():
                self._old.append(replace(one, at=now + _AGAIN_S))
                continue
            made = self._asking.call(one.end)
            if not isinstance(made, SourceError):
                BUS.publish(Event(Topic.REVOKED, one.what, "what was replaced is revoked"))
            elif isinstance(made, Unreachable) and one.tries < _MOST_TRIES:
                self._old.append(replace(one, at=now + _AGAIN_S, tries=one.tries + 1))
            else:
                BUS.publish(Event(Topic.WARNING, one.what, f"is not revoked, and ends by itself: {made.message}"))

    def end_all(self, is_late: Callable[[], bool]) -> None:
        """End all, until it is late."""
        while self._old and not is_late():
            safely(self._asking.name, self._old.pop().end)

    def forget(self) -> None:
        """Leave all of them to their own end."""
        self._old.clear()
