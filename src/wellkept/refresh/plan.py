"""When a value is asked for again, and what is done then: a pure state machine for each.

    FRESH → DUE → STALE → EXPIRED | GONE

The rules of this file:

- No I/O, no clock, no randomness of its own: whoever calls says what time it is (`now`, in seconds of a clock
  that never jumps) and gives a `chance` between 0 and 1. So days are simulated in milliseconds.
- A plan only says what is to be done next, and when. The engine does it, and tells the plan what came of it.
- Whatever the numbers are, two instances that start at one moment soon do nothing at one moment.

Where a number has no reason beside it, it comes from the table of renewal rules of Vault's agent, consul-template,
the Vault Secrets Operator and Spring: see "From one process to a fleet" in the documentation.
"""

import math
from enum import StrEnum
from typing import Final, Protocol

from wellkept._dataclasses import dataclass
from wellkept.errors import Kind
from wellkept.secret import State

LONGEST_S: Final = 300.0  # however slow a backend is, it is asked once in five minutes
_SLOW_S = 1.0  # an answer that takes longer comes from a backend that has enough to do
_FIRST_WAIT_S = 0.5
_LONGEST_PAUSE_S = 60.0  # of what a Retry-After asks for
_GONE_S = 30.0
_SHORTEST_S = 0.25  # what lasts no longer is over before anybody has it
_OVER_S = 10.0  # what is over is missed: its source is found again within two of these
_SPREAD = 0.2


class Task(StrEnum):
    """What is to be done when a plan is due."""

    LOOK = "look"  # whether there is another version, and fetch it if so
    RENEW = "renew"  # ask for more time
    ISSUE = "issue"  # ask for another one, beside the old one


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a value that stays good is looked at.

    Attributes:
        every_s: seconds between two looks.
        is_exact: whether a look may come earlier only, never later: somebody wrote `ttl=`.
        max_stale_s: for how long it is served without an answer of its source; None is without end.
    """

    every_s: float
    is_exact: bool = False
    max_stale_s: float | None = None


class Plan(Protocol):
    """What both kinds of plan have in common.

    Attributes:
        state: how fresh the value is.
        due_at: when the task is due.
        checked_at: when the source last said that the value is good.
        ends_at: from when on it is not served any more, or None.
        failure: why there was no answer the last time, or None.
    """

    state: State
    due_at: float
    checked_at: float
    ends_at: float | None
    failure: Kind | None

    @property
    def task(self) -> Task:
        """What is to be done when it is due."""
        ...

    def failed(self, now: float, chance: float, kind: Kind, retry_after_s: float | None = None) -> None:
        """Take note that there was no answer."""
        ...

    def tick(self, now: float) -> None:
        """Take note of the time."""
        ...


class StaticPlan:
    """The plan of a value that stays good: it is looked at, and served on when its source says nothing."""

    __slots__ = ("_every_s", "_pace", "checked_at", "due_at", "ends_at", "failure", "state")

    task: Final = Task.LOOK

    def __init__(self, pace: Pace, now: float, chance: float) -> None:
        """Look for the first time after one interval, or sooner: all that started together must part."""
        self._pace = pace
        self._every_s = pace.every_s
        self.state: State = State.FRESH
        self.checked_at: float = now
        self.due_at: float = now + pace.every_s * (0.2 + 0.8 * chance)
        self.ends_at: float | None = None
        self.failure: Kind | None = None

    @property
    def pace(self) -> Pace:
        """How often it is looked at when all is well."""
        return self._pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        if pace != self._pace:
            self._pace, self._every_s = pace, pace.every_s

    def answered(self, now: float, chance: float, *, is_new: bool = False, took_s: float = 0.0) -> None:
        """Take note of an answer.

        Args:
            now: the time.
            chance: between 0 and 1.
            is_new: whether the value is another one.
            took_s: for how many seconds the answer kept us waiting.
        """
        base_s = self._pace.every_s
        if took_s > _SLOW_S and not self._pace.is_exact:
            self._widen()
        elif self._every_s > base_s:
            self._every_s = max(base_s, self._every_s / 2)
        elif is_new and not self._pace.is_exact:  # a rotation is often several writes
            self._every_s = base_s / 2
        else:
            self._every_s = min(base_s, self._every_s * 1.25)
        self.state, self.checked_at, self.ends_at = State.FRESH, now, None
        self.failure = None
        self.due_at = now + self._spread(self._every_s, chance)

    def failed(self, now: float, chance: float, kind: Kind, retry_after_s: float | None = None) -> None:
        """Take note that there was no answer.

        What is gone, or denied, is asked for again every 30 s; what cannot be reached after most of an interval, so
        that it is found again within two.
        """
        self.failure = kind
        if self._pace.max_stale_s is not None:
            self.ends_at = self.checked_at + self._pace.max_stale_s
        if kind in {Kind.ABSENT, Kind.DENIED}:
            self.state = State.GONE
            self.due_at = now + _around(_GONE_S, chance)
        else:
            self.state = State.STALE
            if retry_after_s is not None:
                self._widen()
                pause_s = max(_FIRST_WAIT_S, min(retry_after_s, _LONGEST_PAUSE_S))
                pause_s += self._every_s * _SPREAD * chance
                self.due_at = now + (pause_s if retry_after_s > 0 else _around(self._every_s, chance))
            else:
                # No growing waits: a fleet that has just begun to fail would come back within a second or two.
                self.due_at = now + max(_FIRST_WAIT_S, min(self._pace.every_s, LONGEST_S) * (0.6 + 0.4 * chance))
        self.tick(now)

    def tick(self, now: float) -> None:
        """Take note of the time: a look that is due is late, and one that is very late was slept through."""
        if self.ends_at is not None and now >= self.ends_at:
            self.state = State.EXPIRED
        elif self.state is State.FRESH and now >= self.due_at:
            self.state = State.DUE

    def woke(self, now: float, chance: float) -> None:
        """Take note that the machine slept: a thousand that wake together must not ask together."""
        soon = now + min(self._every_s, LONGEST_S) * chance
        self.due_at = soon if self.due_at <= now else min(self.due_at, soon)

    def _widen(self) -> None:
        self._every_s = max(self._every_s, min(LONGEST_S, self._every_s * 2))  # a pace of hours is wide enough

    def _spread(self, seconds: float, chance: float) -> float:
        return seconds * (1 - _SPREAD * chance) if self._pace.is_exact else _around(seconds, chance)


class LeasedPlan:
    """The plan of what is leased: it is renewed, replaced in time, and never served past its end.

    The plan of a login is one, too: it is renewed, and another login is made beside it.
    """

    __slots__ = (
        "_granted_s",
        "_is_renewable",
        "_wait_s",
        "checked_at",
        "due_at",
        "ends_at",
        "failure",
        "state",
        "task",
    )

    def __init__(self, now: float, chance: float, duration_s: float, *, is_renewable: bool) -> None:
        """Begin with what was granted."""
        self.task: Task = Task.ISSUE
        self.state: State = State.FRESH
        self.checked_at: float = now
        self.due_at: float = now
        self.ends_at: float | None = now
        self.failure: Kind | None = None
        self._granted_s = duration_s
        self._is_renewable = is_renewable
        self._wait_s = 0.0
        self.issued(now, chance, duration_s, is_renewable=is_renewable)

    def issued(self, now: float, chance: float, duration_s: float, *, is_renewable: bool) -> None:
        """Take note of a new one."""
        self._granted_s, self._is_renewable = duration_s, is_renewable
        self._good(now, duration_s)
        self._plan_next(now, chance, duration_s)

    def renewed(self, now: float, chance: float, duration_s: float) -> None:
        """Take note of more time. Less than was granted at first is the tail of its life: replace it at once."""
        self._good(now, duration_s)
        if duration_s < 0.9 * self._granted_s:
            self.replace(now, chance)
        else:
            self._plan_next(now, chance, duration_s)

    def replace(self, now: float, chance: float) -> None:
        """Ask for another one at once, or very soon where there is time."""
        left_s = max(0.0, (self.ends_at or now) - now)
        self.task = Task.ISSUE
        self.due_at = now + chance * min(left_s / 10, 1.0)

    def failed(self, now: float, chance: float, kind: Kind, retry_after_s: float | None = None) -> None:
        """Take note that there was no answer.

        Waits are at most a quarter of the time that is left, so that four attempts always fit in. A renewal that is
        refused, or that fails until a tenth of the time is left, is given up for another one.
        """
        self.failure = kind
        left_s = max(0.0, (self.ends_at or now) - now)
        is_refused = kind in {Kind.ABSENT, Kind.DENIED}
        if self.task is Task.RENEW and (is_refused or left_s < 0.1 * self._granted_s):
            self.state = State.STALE
            self.replace(now, chance)
            self.tick(now)
            return
        self.state = State.GONE if is_refused else State.STALE
        most_s = left_s / 4 * (1 - _SPREAD * chance) if left_s > 0 else math.inf
        if is_refused:
            wait_s = _around(_GONE_S, chance)
        else:
            self._wait_s = next_wait(self._wait_s, chance, most_s=_GONE_S if left_s > 0 else _OVER_S)
            wait_s = self._wait_s + min(retry_after_s or 0.0, _LONGEST_PAUSE_S) * (1 + _SPREAD * chance)
        least_s = max(0.05, min(1.0, self._granted_s / 40))  # four of these fit into the last tenth
        self.due_at = now + max(least_s, min(wait_s, most_s))
        self.tick(now)

    def tick(self, now: float) -> None:
        """Take note of the time."""
        if self.ends_at is not None and now >= self.ends_at:
            self.state, self.task = State.EXPIRED, Task.ISSUE
        elif self.state is State.FRESH and now >= self.due_at:
            self.state = State.DUE

    def woke(self, now: float, chance: float) -> None:
        """Take note that the machine slept; what is leased runs on meanwhile, so its own times stand."""
        if self.due_at <= now and self.ends_at is not None and now < self.ends_at:
            self.due_at = now + chance * min((self.ends_at - now) / 4, 10.0)

    def _good(self, now: float, duration_s: float) -> None:
        self.state, self.checked_at, self.ends_at = State.FRESH, now, now + duration_s
        self.failure, self._wait_s = None, 0.0

    def _plan_next(self, now: float, chance: float, duration_s: float) -> None:
        low, high = (0.60, 0.75) if self._is_renewable else (0.70, 0.85)
        self.task = Task.RENEW if self._is_renewable else Task.ISSUE
        wait_s = duration_s * (low + (high - low) * chance)
        self.due_at = now + (wait_s if duration_s >= _SHORTEST_S else 1.0)


class Breaker:
    """Leaves a source alone for a moment that has failed several times in a row.

    Without it a hundred values of one dead backend are a hundred time-outs.
    """

    __slots__ = ("_failed_at", "_opened_at", "pause_s")

    _MOST = 5
    _WITHIN_S = 30.0

    def __init__(self) -> None:
        """Be closed."""
        self._failed_at: list[float] = []
        self._opened_at: float | None = None
        self.pause_s: float = 0.0

    def is_open(self, now: float) -> bool:
        """Whether it is left alone; when the pause is over one request may try."""
        return self._opened_at is not None and now < self._opened_at + self.pause_s

    @property
    def is_closed(self) -> bool:
        """Whether all is well."""
        return self._opened_at is None

    @property
    def opens_again_at(self) -> float:
        """When the next request may try."""
        return 0.0 if self._opened_at is None else self._opened_at + self.pause_s

    def answered(self) -> None:
        """Take note of an answer, whatever it says: there is somebody."""
        self._failed_at.clear()
        self._opened_at, self.pause_s = None, 0.0

    def failed(self, now: float, chance: float) -> None:
        """Take note that there was no answer."""
        self._failed_at = [one for one in self._failed_at[-self._MOST :] if now - one < self._WITHIN_S] + [now]
        if self._opened_at is not None or len(self._failed_at) >= self._MOST:
            self._opened_at = now
            self.pause_s = next_wait(self.pause_s, chance, most_s=8.0)


def put_off(plan: StaticPlan | LeasedPlan, now: float, at: float) -> float:
    """When to ask a source again that is left alone until `at`: a lease cannot wait for most of its time."""
    is_leased = isinstance(plan, LeasedPlan) and plan.ends_at is not None and plan.ends_at > now
    return min(at, now + max(_FIRST_WAIT_S, ((plan.ends_at or now) - now) / 4)) if is_leased else at


def next_wait(last_s: float, chance: float, *, most_s: float) -> float:
    """The next wait of a row that grows without any two rows growing alike (decorrelated jitter).

    Args:
        last_s: the wait before, or 0 for the first one.
        chance: between 0 and 1.
        most_s: how long it may be at the most.
    """
    top_s = max(_FIRST_WAIT_S * 2, last_s * 3)
    return min(most_s * (1 - _SPREAD * chance), _FIRST_WAIT_S + (top_s - _FIRST_WAIT_S) * chance)


def _around(seconds: float, chance: float) -> float:
    """Seconds, ± 20 %."""
    return seconds * (1 - _SPREAD + 2 * _SPREAD * chance)
