"""One source and all that is asked of it: looking, fetching, renewing, replacing.

A journey to the source is made by one caller, who has claimed its tickets; nothing here takes a lock or knows threads.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, cast

from wellkept.errors import Kind, Malformed, SourceError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Leases, LogsIn, Source, Watches
from wellkept.refresh.asking import Asking, Means, retry_after
from wellkept.refresh.logins import Logins
from wellkept.refresh.plan import LeasedPlan, Pace, StaticPlan, Task, put_off
from wellkept.refresh.retiring import Retiring
from wellkept.refresh.ticket import Taken, Ticket
from wellkept.secret import State

_LEAST_TTL_S: Final = 1.0
_USUAL_S: Final = 10.0
_SERVED = "the last good value is served"
_WORDS: Final = {
    State.STALE: (Topic.STALE, f"its source does not answer, and {_SERVED}"),
    State.GONE: (Topic.GONE, f"its source does not give it any more, and {_SERVED}"),
    State.EXPIRED: (Topic.EXPIRED, "its time is over, and it is not served any more"),
}


class Backend:
    """One source.

    Attributes:
        source: which.
        tickets: what is asked of it, by the question.
        busy: which journeys to it are under way in the background: for what is leased, and for all else. What comes
            to its end must not wait until a hundred folders have been looked at.
        asking: what it was asked so far.
        logins: its login, or None where it has none.
    """

    def __init__(self, source: Source, name: str, means: Means) -> None:
        """Ask nothing yet."""
        self.source: Source = source
        self.tickets: dict[Reference, Ticket] = {}
        self.busy: set[bool] = set()
        self.asking: Asking = Asking(name, means)
        self._means = means
        self._retiring = Retiring(self.asking)
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
                self._keep(ticket, ticket.plan, is_forced=is_forced)
        static = [one for one in tickets if isinstance(one.plan, StaticPlan)]
        if static:
            self._look(static, is_forced=is_forced)
        if not is_forced:
            self._retiring.end_due(now)

    def tick(self, now: float) -> None:
        """Take note of the time: what is over is not served any more."""
        for ticket in list(self.tickets.values()):
            ends_at, before = ticket.plan.ends_at, ticket.plan.state
            if ends_at is not None and now >= ends_at and before is not State.EXPIRED:
                ticket.plan.tick(now)
                self._tell(ticket, before, None)

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
            self._issued(ticket, answer, answer.lease, began)

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
        return self._retire(ticket, self._now if drains else float("-inf"))

    def let_go(self, is_late: Callable[[], bool]) -> None:
        """End all that this process obtained, until it is late: for the exit."""
        ended = frozenset[str]() if self.logins is None else self.logins.end_all(is_late)
        for ticket in list(self.tickets.values()):
            if ticket.lease is not None and ticket.lease.login not in ended:
                self._retire(ticket, float("-inf"))
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
            self._keep(ticket, plan, is_forced=False)

    def _put_all_off(self, tickets: Sequence[Ticket], now: float) -> None:
        """Wait until the source may be asked again."""
        at = self.asking.breaker.opens_again_at
        for ticket in tickets:
            if ticket.plan.due_at <= now:
                ticket.plan.due_at = put_off(ticket.plan, now, at)
        self._retiring.put_off(at)
        if self.logins is not None:
            self.logins.put_off(now, at)

    def _look(self, tickets: Sequence[Ticket], *, is_forced: bool) -> None:
        """Ask which version is there, and fetch what is another one."""
        chance, began = self._means.chance(), self._now
        found: Sequence[str | SourceError | None] = [None] * len(tickets)
        if isinstance(self.source, Watches) and not is_forced:
            found = self._versions(self.source, [one.question for one in tickets])
        changed: list[tuple[Ticket, str | None]] = []
        for ticket, version in zip(tickets, found, strict=True):
            is_known = ticket.plan.state is not State.GONE  # after an outage, the same version needs no fetch
            if isinstance(version, SourceError):
                self._failed(ticket, version, chance)
            elif version is not None and version == ticket.mark and is_known:
                self._good(ticket, chance, began)
            else:
                changed.append((ticket, version))
        if changed:
            self._fetch(changed, chance)

    def _versions(self, source: Watches, questions: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        found: object = self.asking.call(partial(source.versions, questions))
        if isinstance(found, SourceError):
            return [found] * len(questions)
        if isinstance(found, (list, tuple)) and len(cast("Sequence[object]", found)) == len(questions):
            return cast("Sequence[str | SourceError | None]", found)
        return [None] * len(questions)

    def _fetch(self, changed: Sequence[tuple[Ticket, str | None]], chance: float) -> None:
        began = self._now
        answers = self._asked([one.question for one, _ in changed])
        for (ticket, version), answer in zip(changed, answers, strict=True):
            if isinstance(answer, SourceError):
                ticket.mark = None  # a version that is not fetched is not known
                self._failed(ticket, answer, chance)
            elif answer.lease is not None:  # another engine is mounted there by now
                self._issued(ticket, answer, answer.lease, began)
            else:
                is_new = self._deliver(ticket, answer, None).is_new
                ticket.mark = answer.version if version is None else version
                ticket.asked_at = began
                self._set_pace(ticket, answer)
                self._good(ticket, chance, began, is_new=is_new)

    def _asked(self, questions: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        self.asking.requests += 1
        answers = self._means.ask(self.source, questions)
        failed = [one for one in answers.values() if isinstance(one, SourceError)]
        if len(failed) < len(questions):
            self.asking.answered()
        elif failed:
            self.asking.note(failed[0])
        return [answers[one] for one in questions]

    def _set_pace(self, ticket: Ticket, answer: Reading) -> None:
        plan = ticket.plan
        if isinstance(plan, StaticPlan) and answer.ttl_s is not None and not ticket.has_ttl:
            plan.pace = _pace_of(answer.ttl_s, plan.pace)

    def _good(self, ticket: Ticket, chance: float, began: float, *, is_new: bool = False) -> None:
        plan, now = ticket.plan, self._now
        before = plan.state
        if isinstance(plan, StaticPlan):
            plan.answered(now, chance, is_new=is_new, took_s=now - began)
        self._tell(ticket, before, None)

    def _keep(self, ticket: Ticket, plan: LeasedPlan, *, is_forced: bool) -> None:
        """Renew a lease, or take another one: at once, where a renewal shows that this one comes to its end."""
        if is_forced:
            plan.replace(self._now, 0.0)
        if plan.task is Task.RENEW and ticket.lease is not None and isinstance(self.source, Leases):
            self._renew(ticket, plan, ticket.lease, self.source)
        if plan.task is Task.ISSUE and plan.due_at <= self._now:
            self._issue(ticket)

    def _renew(self, ticket: Ticket, plan: LeasedPlan, lease: Lease, source: Leases) -> None:
        began, before = self._now, plan.state
        made = _lease(ticket.question, self.asking.call(partial(source.renew, ticket.question, lease)))
        if isinstance(made, SourceError):
            self._failed(ticket, made, self._means.chance())
            return
        ticket.lease = made
        plan.renewed(began, self._means.chance(), made.duration_s)
        _publish(Topic.RENEWED, ticket, f"good for {made.duration_s:.0f} s more")
        self._tell(ticket, before, None, is_moved=True)

    def _issue(self, ticket: Ticket) -> None:
        began = self._now
        (answer,) = self._asked([ticket.question])
        if isinstance(answer, SourceError):
            self._failed(ticket, answer, self._means.chance())
        else:
            self._issued(ticket, answer, answer.lease, began)

    def _issued(self, ticket: Ticket, answer: Reading, lease: Lease | None, began: float) -> None:
        before, ends_at = ticket.plan.state, ticket.plan.ends_at
        taken = self._deliver(ticket, answer, None if lease is None else began + lease.duration_s)
        is_wanted = self.tickets.get(ticket.question) is ticket
        if not is_wanted or (taken.fault is not None and not taken.is_new):  # served on, and the new one given back
            self._retire(Ticket(ticket.question, ticket.plan, answer, has_ttl=True), float("-inf"))
            if is_wanted:
                ticket.plan.failed(began, self._means.chance(), Kind.INVALID)
                self._tell(ticket, before, None)
            return
        if taken.fault is None:
            self._retire(ticket, began)
        for following in ticket.followings:  # who could not use it serves the old one, to that one's end
            following.ends_at = ends_at if following.fault is not None else None
        ticket.lease, ticket.is_shared, ticket.mark, ticket.asked_at = lease, False, answer.version, began
        ticket.plan = plan_of(answer, Pace(_USUAL_S), began, self._means.chance())
        self._tell(ticket, before, None, is_moved=True)

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

    def _retire(self, ticket: Ticket, now: float) -> bool:
        """End the lease of a ticket when all have had the time to take the new value; whether there is one to end."""
        lease, source = ticket.lease, self.source
        if lease is None or lease.id is None or ticket.is_shared or not isinstance(source, Leases):
            return False
        self._retiring.add(now + self._means.drain_s, partial(source.revoke, lease), str(ticket.question))
        return True

    def _deliver(self, ticket: Ticket, answer: Reading, until_s: float | None) -> Taken:
        """Give an answer to all that follow it; whether it is news to any, and whether any could not use it."""
        is_new, fault = False, None
        for following in list(ticket.followings):
            follower = following.follower
            state, ends_at = following.standing_without(ticket)
            until = min((one for one in (until_s, ends_at) if one is not None), default=None)
            taken = follower.take({ticket.question: answer}, state, until)
            is_new |= taken.is_new
            if taken.fault is not None:
                fault = taken.fault
                if following.fault is None:
                    BUS.publish(Event(Topic.STALE, follower.name, f"{taken.fault}; {_SERVED}"))
            elif taken.is_new:
                BUS.publish(Event(Topic.CHANGED, follower.name, f"{follower.facts()[0]} is served now"))
            if (following.fault is None) != (taken.fault is None):
                following.fault = None if taken.fault is None else taken.kind
                following.mark()
        return Taken(is_new, fault)

    def _failed(self, ticket: Ticket, error: SourceError, chance: float) -> None:
        before = ticket.plan.state
        ticket.plan.failed(self._now, chance, error.kind, retry_after(error))
        self._tell(ticket, before, error)

    def _tell(self, ticket: Ticket, before: State, error: SourceError | None, *, is_moved: bool = False) -> None:
        """Mark what follows a ticket and tell of it, where its state is another one than before."""
        is_same = ticket.plan.state is before or {ticket.plan.state, before} == {State.FRESH, State.DUE}
        if is_same and not is_moved:
            return
        for following in list(ticket.followings):
            following.mark()
            state, told = following.standing[0], following.told
            following.told = state
            if state in _WORDS and state is not told:
                topic, words = _WORDS[state]
                detail = words if error is None else f"{words}: {error.message}"
                BUS.publish(Event(topic, following.follower.name, detail))
            elif state is State.FRESH and told in _WORDS:
                BUS.publish(Event(Topic.RECOVERED, following.follower.name, "its source answers again"))


def plan_of(answer: Reading, pace: Pace, now: float, chance: float) -> StaticPlan | LeasedPlan:
    """The plan of an answer that has just come."""
    if answer.lease is not None:
        return LeasedPlan(now, chance, answer.lease.duration_s, is_renewable=answer.lease.is_renewable)
    if answer.ttl_s is not None and not pace.is_exact:
        pace = _pace_of(answer.ttl_s, pace)
    return StaticPlan(pace, now, chance)


def _pace_of(ttl_s: float, usual: Pace) -> Pace:
    """How often an answer is looked at that says by itself for how long it is good."""
    return Pace(max(ttl_s, _LEAST_TTL_S), is_exact=True, max_stale_s=usual.max_stale_s)


def _lease(question: Reference, made: object) -> Lease | SourceError:
    """What a provider's renewal came to: it is somebody else's code."""
    if isinstance(made, (Lease, SourceError)):
        return made
    return Malformed(f"{question}: its provider renews with no lease", hint="a fault in the provider: report it")


def _publish(topic: Topic, ticket: Ticket, detail: str) -> None:
    for following in list(ticket.followings):
        BUS.publish(Event(topic, following.follower.name, detail))
