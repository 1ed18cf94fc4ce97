"""One source and all that is done for it: what is static, what is leased, its login, and when it is left alone.

A journey to the source is made by one caller, who has claimed its tickets; nothing here takes a lock or knows threads.
"""

from collections.abc import Callable, Sequence

from wellkept.model import Lease, Reading, Reference
from wellkept.ports import LogsIn, Source
from wellkept.refresh.asking import Asking, Means
from wellkept.refresh.keeping import Keeping
from wellkept.refresh.logins import Logins
from wellkept.refresh.looking import Looking
from wellkept.refresh.plan import LeasedPlan, StaticPlan, Task, put_off
from wellkept.refresh.retiring import Retiring
from wellkept.refresh.telling import tell
from wellkept.refresh.ticket import Ticket
from wellkept.secret import State


class Backend:
    """One source.

    Attributes:
        source: which.
        tickets: what is asked of it, by the question.
        busy: which journeys to it are under way in the background: for what is leased, and for all else. What comes
            to its end must not wait until a hundred folders have been looked at.
        rests_until: when the next journey may begin, after one that a fault has ended.
        asking: what it was asked so far.
        logins: its login, or None where it has none.
    """

    def __init__(self, source: Source, name: str, means: Means) -> None:
        """Ask nothing yet."""
        self.source: Source = source
        self.tickets: dict[Reference, Ticket] = {}
        self.busy: set[bool] = set()
        self.rests_until: float = float("-inf")
        self.asking: Asking = Asking(source, name, means)
        self._means = means
        self._retiring = Retiring(self.asking)
        self._keeping = Keeping(self.asking, self.tickets, self._retiring, means)
        self._looking = Looking(self.asking, means, self._keeping.issued)
        self.logins: Logins | None = None
        if isinstance(source, LogsIn):
            self.logins = Logins(source, self.asking, self._retiring, means, self._is_free)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine itself, which keeps nobody waiting."""
        return bool(getattr(self.source, "is_local", False))

    @property
    def due_at(self) -> float:
        """When something is to be done that is no ticket's; a login that nobody needs is left to its own end."""
        if self.logins is None or not self.tickets:
            return self._retiring.due_at
        is_early = not self.logins.is_seen and any(one.lease is not None for one in list(self.tickets.values()))
        return float("-inf") if is_early else min(self._retiring.due_at, self.logins.due_at)

    def due_until(self, at: float, is_leased: bool) -> list[Ticket]:
        """What is due until then: of what is leased, or of all else."""
        tickets = list(self.tickets.values())
        return [one for one in tickets if isinstance(one.plan, LeasedPlan) is is_leased and one.plan.due_at <= at]

    @property
    def is_spent(self) -> bool:
        """Whether nothing hangs on it any more, not even at the exit."""
        return not self.tickets and self.logins is None and self._retiring.due_at == float("inf")

    def work(self, tickets: Sequence[Ticket], *, is_forced: bool = False) -> None:
        """Do what these tickets want, and what the login wants.

        Args:
            tickets: those that the caller has claimed.
            is_forced: whether somebody waits for an answer now, whatever the plans say.
        """
        now = self._now
        if self.asking.breaker.is_open(now) and not is_forced:
            self._try_one(tickets, now)
            if self.asking.breaker.is_open(now):
                self._put_all_off(tickets, now)
                return
        if self.logins is not None and self.tickets:
            self._tend_login(self.logins, tickets, now)
        for ticket in tickets:  # first what comes to an end
            if not isinstance(ticket.plan, LeasedPlan):
                continue
            if self.asking.breaker.is_open(self._now) and not is_forced:  # it has opened on the way
                ticket.plan.due_at = put_off(ticket.plan, now, self.asking.breaker.opens_again_at)
            else:
                self._keeping.keep(ticket, ticket.plan, is_forced=is_forced)
        static = [one for one in tickets if isinstance(one.plan, StaticPlan)]
        if static:
            self._looking.look(static, is_forced=is_forced)
        if not is_forced:
            self._retiring.end_due(now)

    def tick(self, now: float) -> None:
        """Take note of the time: what is over is not served any more."""
        for ticket in list(self.tickets.values()):
            ends_at, before = ticket.plan.ends_at, ticket.plan.state
            if ends_at is not None and now >= ends_at and before is not State.EXPIRED:
                ticket.plan.tick(now)
                tell(ticket, before, None)

    def woke(self, now: float) -> None:
        """Take note that the machine slept; what is asked together stays together."""
        chance = self._means.chance()
        for ticket in list(self.tickets.values()):
            ticket.plan.woke(now, chance if isinstance(ticket.plan, StaticPlan) else self._means.chance())

    def share(self) -> None:
        """Take note that another process inherits all that this one has: what two hold, neither ends."""
        for ticket in list(self.tickets.values()):
            ticket.is_shared = True
        if self.logins is not None:
            self.logins.share()
        self._retiring.forget()

    def adopt(self, ticket: Ticket, answer: Reading, began: float) -> None:
        """Take an answer that somebody else was given: all followers come to it, and the lease of before drains."""
        if answer.lease is not None:
            self._keeping.issued(ticket, answer, answer.lease, began)

    def after_fork(self) -> None:
        """Begin anew in a forked child: journeys of the parent are none of ours."""
        self.busy = set()
        for ticket in list(self.tickets.values()):
            ticket.flight = None
        if self.logins is not None:
            self.logins.after_fork()

    def drop(self, ticket: Ticket, *, drains: bool) -> bool:
        """Take note that nobody follows a ticket any more; whether it has a lease, that is given back then."""
        self.tickets.pop(ticket.question, None)
        return self._keeping.retire(ticket, self._now if drains else float("-inf"))

    def let_go(self, is_late: Callable[[], bool]) -> None:
        """End all that this process obtained, until it is late: for the exit."""
        ended = frozenset[str]() if self.logins is None else self.logins.end_all(is_late)
        for ticket in list(self.tickets.values()):
            if ticket.lease is not None and ticket.lease.login not in ended:
                self._keeping.retire(ticket, float("-inf"))
        self._retiring.end_all(is_late)

    @property
    def _now(self) -> float:
        return self._means.clock.seconds()

    def _tend_login(self, logins: Logins, tickets: Sequence[Ticket], now: float) -> None:
        for ticket in tickets:
            if isinstance(ticket.plan, LeasedPlan) and ticket.plan.task is Task.RENEW:
                logins.hasten(now, ticket.plan.ends_at)
        if logins.tend(now):
            self._move(logins.current)

    def _try_one(self, tickets: Sequence[Ticket], now: float) -> None:
        """Of leases that end before the source may be asked again, the next one to end is tried all the same."""
        plans = ((one, one.plan) for one in tickets if isinstance(one.plan, LeasedPlan) and one.plan.due_at <= now)
        at = self.asking.breaker.opens_again_at
        ending = [(plan.ends_at, one, plan) for one, plan in plans if plan.ends_at is not None and now < plan.ends_at]
        urgent = [found for found in ending if at > now + (found[0] - now) / 4]
        if urgent:
            _, ticket, plan = min(urgent, key=lambda found: found[0])
            self._keeping.keep(ticket, plan, is_forced=False)

    def _put_all_off(self, tickets: Sequence[Ticket], now: float) -> None:
        """Wait until the source may be asked again."""
        at = self.asking.breaker.opens_again_at
        for ticket in tickets:
            if ticket.plan.due_at <= now:
                ticket.plan.due_at = put_off(ticket.plan, now, at)
        self._retiring.put_off(at)
        if self.logins is not None:
            self.logins.put_off(now, at)

    def _is_free(self, login: str) -> bool:
        """Whether nothing that is served hangs on a login."""
        return all(one.lease is None or one.lease.login != login for one in list(self.tickets.values()))

    def _move(self, login: Lease | None) -> None:
        """Let all that hangs on another login be issued anew under this one."""
        for ticket in list(self.tickets.values()):
            lease, plan = ticket.lease, ticket.plan
            hangs = lease is not None and lease.login is not None and (login is None or lease.login != login.id)
            if hangs and isinstance(plan, LeasedPlan):
                plan.replace(self._now, self._means.chance())
