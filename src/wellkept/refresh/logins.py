"""The login at one source: renewed, replaced by another beside it, and ended when nothing hangs on it any more."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from wellkept.errors import SourceError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Lease
from wellkept.ports import LogsIn
from wellkept.refresh.asking import Asking, Means, retry_after, safely
from wellkept.refresh.plan import LeasedPlan, Task, put_off
from wellkept.refresh.retiring import Retiring
from wellkept.secret import State

_LOOK_AGAIN_S: Final = 30.0
_NEAR_S: Final = 1.0
MOVING_S: Final = 2.0  # within it all that hangs on a login is issued anew under the next one: `LeasedPlan.replace`


class Logins:
    """Keeps the login of one source alive.

    Attributes:
        current: the login in use, or None.
        is_seen: whether anybody has looked which one that is.
    """

    def __init__(
        self, source: LogsIn, asking: Asking, retiring: Retiring, means: Means, is_free: Callable[[str], bool]
    ) -> None:
        """Know nothing of it yet.

        Args:
            source: where it is.
            asking: counts what is asked.
            retiring: ends what is old.
            means: those of the engine.
            is_free: whether nothing that is served hangs on a login.
        """
        self._is_free = is_free
        self.current: Lease | None = None
        self._source = source
        self._asking = asking
        self._retiring = retiring
        self._means = means
        self._plan: LeasedPlan | None = None
        self._look_at = 0.0
        self.is_seen: bool = False
        self._turn = threading.Lock()
        self._made: list[str] = []
        self._shared: set[str] = set()
        self._forks = 0
        self._seen_forks = 0  # how many there had been at the last look

    @property
    def due_at(self) -> float:
        """When something is to be done about it."""
        return float("inf") if self._plan is None else self._plan.due_at

    @property
    def ends_at(self) -> float | None:
        """When it ends, or None."""
        return None if self._plan is None else self._plan.ends_at

    def tend(self, now: float) -> bool:
        """Do what is due, unless somebody is at it; whether another login is used now."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            return self._tend(now)
        finally:
            self._turn.release()

    def hasten(self, now: float, ends_at: float | None) -> None:
        """Renew the login first, where it is what limits something that is to be renewed now."""
        plan = self._plan
        if plan is None or plan.task is not Task.RENEW or plan.ends_at is None or ends_at is None:
            return
        if ends_at >= plan.ends_at - _NEAR_S:
            plan.due_at = min(plan.due_at, now)

    def put_off(self, now: float, at: float) -> None:
        """Wait until the source may be asked again, but no longer than a quarter of the time that is left."""
        if self._plan is not None:
            self._plan.due_at = put_off(self._plan, now, at)

    def after_fork(self) -> None:
        """Begin anew in a forked child: who was at it is not there."""
        self._turn = threading.Lock()

    def _tend(self, now: float) -> bool:
        plan = self._plan
        if plan is None or plan.due_at > now:
            return now >= self._look_at and self._look(now)
        if plan.task is Task.RENEW:
            made = self._asking.call(self._source.renew_login)
            if not isinstance(made, SourceError):
                plan.renewed(now, self._means.chance(), made.duration_s)
                BUS.publish(Event(Topic.RENEWED, self._asking.name, f"the login is good for {made.duration_s:.0f} s"))
                return False
        else:
            forks = self._forks
            made = self._asking.call(self._source.log_in_beside)
            if not isinstance(made, SourceError):
                BUS.publish(Event(Topic.LOGGED_IN, self._asking.name, "logged in anew, beside the login that ends"))
                self._change(made, now, is_shared=forks != self._forks)
                return True
        was_well = plan.state in {State.FRESH, State.DUE}
        plan.failed(now, self._means.chance(), made.kind, retry_after(made))
        if was_well:
            BUS.publish(Event(Topic.STALE, self._asking.name, f"its login cannot be kept: {made.message}"))
        return False

    def end_all(self, is_late: Callable[[], bool]) -> frozenset[str]:
        """End all logins that this process made, until it is late; which ones are ended now."""
        # Nobody has looked yet where the process lived for a moment; a login that was given is not worth a request.
        if self.current is None and self._source.has_own_login and not is_late():
            self._look(self._means.clock.seconds())
        own = [one for one in self._made if one not in self._shared]
        return frozenset(one for one in own if not is_late() and self._is_ended(one))

    def share(self) -> None:
        """Take note that another process has inherited them: they end by themselves."""
        self._shared.update(self._made)
        self._forks += 1  # what the source has made since the last look may have been there by then

    def _is_ended(self, login: str) -> bool:
        return not isinstance(safely(self._asking.name, partial(self._source.log_out, login)), SourceError)

    def _look(self, now: float) -> bool:
        """Look whether the source has logged in by itself: it does where a token is refused."""
        self.is_seen = True
        forks, is_shared = self._forks, self._forks != self._seen_forks
        made = safely(self._asking.name, self._source.login)
        if isinstance(made, SourceError):
            self._look_at = now + _LOOK_AGAIN_S
        elif made is None:
            self.current = self._plan = None
        elif self.current is None or made.id != self.current.id:
            self._change(made, now, is_shared=is_shared or forks != self._forks)
            self._seen_forks = forks
            return True
        if not isinstance(made, SourceError):
            self._seen_forks = forks
        return False

    def _change(self, made: Lease, now: float, *, is_shared: bool) -> None:
        old, self.current = self.current, made
        if is_shared and made.id is not None:
            self._shared.add(made.id)
        self._plan = LeasedPlan(now, self._means.chance(), made.duration_s, is_renewable=made.is_renewable)
        if made.id is not None:
            self._made.append(made.id)
        if old is not None and old.id in self._made:
            self._made.remove(old.id)
            if old.id not in self._shared:
                end = partial(self._source.log_out, old.id)
                what = f"{self._asking.name} login"
                self._retiring.add(now + self._means.drain_s + MOVING_S, end, what, partial(self._is_free, old.id))
