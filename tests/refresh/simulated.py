"""A small world in which plans run for days in milliseconds: a clock that is moved, sources that fail, and processes.

Nothing here does I/O or waits. Every chance comes from a `Random` with a seed, so a run that fails fails again.
A source knows the truth: when it gave which lease, and until when. A process knows only what it was told.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, pairwise
from random import Random  # noqa: TID251 the same run each time is the point; nothing here is a secret

from wellkept.errors import Kind
from wellkept.refresh.plan import Breaker, LeasedPlan, StaticPlan, Task
from wellkept.secret import State
from wellkept.testing import ManualClock

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
Window = tuple[float, float]


class World:
    """Time, chance, and what is to happen when."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = ManualClock()
        self.random = Random(seed)  # noqa: S311 no secret
        self._order = count()
        self._actions: list[tuple[float, int, Callable[[], None]]] = []

    @property
    def now(self) -> float:
        return self.clock.seconds()

    def chance(self) -> float:
        return self.random.random()

    def at(self, when_s: float, action: Callable[[], None]) -> None:
        heappush(self._actions, (max(when_s, self.now), next(self._order), action))

    def run(self, until_s: float, *, most: int = 2_000_000) -> None:
        """Let happen what is to happen; a world that does more than `most` things turns in a circle."""
        for _ in range(most):
            if not self._actions or self._actions[0][0] > until_s:
                self.clock.advance(until_s - self.now)
                return
            when_s, _, action = heappop(self._actions)
            self.clock.advance(when_s - self.now)
            action()
        raise AssertionError(f"more than {most} things happened until {self.now:.3f} s: a hot loop")


@dataclass
class Grant:
    """A lease as its source knows it. A new one stands beside the old one, which runs on to its end."""

    made_at: float
    ends_at: float
    most_until: float


@dataclass(frozen=True)
class Request:
    """One request that reached the source, or tried to."""

    at: float
    task: Task
    is_answered: bool


@dataclass(frozen=True)
class Reply:
    """What came of a request."""

    took_s: float
    kind: Kind | None = None
    retry_after_s: float | None = None
    duration_s: float = 0.0
    grant: Grant | None = None


@dataclass
class Source:
    """A modelled source.

    Attributes:
        latency_s: for how long an answer keeps its asker waiting.
        outages: when it does not answer at all.
        hangs_s: how long it takes to learn that there is no answer.
        gone, denied, cannot_renew: when it says so, or fails at that alone.
        per_s: how many requests it answers in one second of its clock; None is no limit.
        retry_after_s: what it says to the others; None is the header left out.
        changes: when its value becomes another one.
        lease_s, most_s: what a lease lasts, and how long at the most with all its renewals.
        is_renewable: whether it may be renewed at all.
        logins: (made, ended) of each login; the newest one is used, and what is leased under it ends with it.
    """

    latency_s: float = 0.01
    outages: Sequence[Window] = ()
    hangs_s: float = 0.0
    gone: Sequence[Window] = ()
    denied: Sequence[Window] = ()
    cannot_renew: Sequence[Window] = ()
    per_s: int | None = None
    retry_after_s: float | None = None
    changes: Sequence[float] = ()
    lease_s: float = HOUR
    most_s: float = 32 * DAY
    is_renewable: bool = True
    logins: Sequence[Window] = ()
    requests: list[Request] = field(default_factory=list)

    def ask(self, now: float, task: Task, held: Grant | None) -> Reply:
        reply = self._reply(now, task, held)
        self.requests.append(Request(now, task, reply.kind is None))
        return reply

    def times(self, task: Task | None = None) -> list[float]:
        return [one.at for one in self.requests if task is None or one.task is task]

    def _reply(self, now: float, task: Task, held: Grant | None) -> Reply:
        if _is_in(self.outages, now) or (task is Task.RENEW and _is_in(self.cannot_renew, now)):
            return Reply(self.hangs_s, Kind.UNREACHABLE)
        if (
            self.per_s is not None
            and sum(int(one.at) == int(now) for one in self.requests[-self.per_s :]) >= self.per_s
        ):
            # As the engine has it: a 429 that does not say for how long counts as 0.
            return Reply(self.latency_s, Kind.UNREACHABLE, self.retry_after_s or 0.0)
        for kind, windows in ((Kind.ABSENT, self.gone), (Kind.DENIED, self.denied)):
            if _is_in(windows, now):
                return Reply(self.latency_s, kind)
        if task is Task.LOOK:
            return Reply(self.latency_s)
        return self._granted(now, task, held)

    def _granted(self, now: float, task: Task, held: Grant | None) -> Reply:
        given_at = now + self.latency_s  # at the latest; whoever counts from the moment of asking is never late
        if task is Task.RENEW:
            if held is None or now >= held.ends_at:
                return Reply(self.latency_s, Kind.ABSENT)
            held.ends_at = min(given_at + self.lease_s, held.most_until)
            return Reply(self.latency_s, duration_s=held.ends_at - given_at, grant=held)
        login_ends_at = max((end for made, end in self.logins if made <= now), default=float("inf"))
        if given_at >= login_ends_at:
            return Reply(self.latency_s, Kind.DENIED)
        most_until = min(given_at + self.most_s, login_ends_at)
        grant = Grant(given_at, min(given_at + self.lease_s, most_until), most_until)
        return Reply(self.latency_s, duration_s=grant.ends_at - given_at, grant=grant)


@dataclass
class Watched:
    """One value of a process.

    Attributes:
        plan: its plan.
        grant: the lease that is served, as the source knows it.
        gaps: when there was no valid one.
        overrun_s: for how long one was served past its end, at the most.
        seen: what it became, and when.
    """

    plan: StaticPlan | LeasedPlan
    grant: Grant | None = None
    last_at: float = 0.0
    gaps: list[Window] = field(default_factory=list)
    overrun_s: float = 0.0
    seen: list[tuple[float, State]] = field(default_factory=list)

    def note(self, now: float) -> None:
        self.plan.tick(now)
        if not self.seen or self.seen[-1][1] is not self.plan.state:
            self.seen.append((now, self.plan.state))
        if self.grant is not None and self.plan.ends_at is not None:
            self.overrun_s = max(self.overrun_s, self.plan.ends_at - self.grant.ends_at)


class Process:
    """What carries plans out, as the engine does: one request at a time, and none while the breaker is open."""

    def __init__(
        self, world: World, source: Source, plans: Sequence[StaticPlan | LeasedPlan], breaker: Breaker | None = None
    ) -> None:
        self.world, self.source, self.breaker = world, source, breaker
        self.watched = [Watched(one, last_at=world.now) for one in plans]
        self._wake()

    @property
    def only(self) -> Watched:
        (one,) = self.watched
        return one

    def _wake(self) -> None:
        self.world.at(min(_next(one.plan) for one in self.watched), self._step)

    def _step(self) -> None:
        now = self.world.now
        for one in self.watched:
            one.note(now)
        due = [one for one in self.watched if one.plan.due_at <= now]
        if due and self.breaker is not None and self.breaker.is_open(now):
            for one in due:
                one.plan.due_at = self.breaker.opens_again_at
            due = []
        if not due:
            self._wake()
            return
        one, asked_at = min(due, key=lambda each: each.plan.due_at), now
        reply = self.source.ask(now, one.plan.task, one.grant)
        task = one.plan.task
        self.world.at(now + reply.took_s, lambda: self._land(one, task, asked_at, reply))

    def _land(self, one: Watched, task: Task, asked_at: float, reply: Reply) -> None:
        now = self.world.now
        if self.breaker is not None:
            if reply.kind is Kind.UNREACHABLE:
                self.breaker.failed(now, self.world.chance())
            else:
                self.breaker.answered()
        if reply.kind is not None:
            one.plan.failed(now, self.world.chance(), reply.kind, reply.retry_after_s)
        elif isinstance(one.plan, StaticPlan):
            is_new = any(one.last_at < at <= asked_at for at in self.source.changes)
            one.plan.answered(now, self.world.chance(), is_new=is_new, took_s=reply.took_s)
            one.last_at = asked_at
        else:
            self._granted(one, one.plan, task, asked_at, reply)
        one.note(now)
        self._wake()

    def _granted(self, one: Watched, plan: LeasedPlan, task: Task, asked_at: float, reply: Reply) -> None:
        if task is Task.RENEW:
            plan.renewed(asked_at, self.world.chance(), reply.duration_s)
        else:
            if one.grant is not None and self.world.now > one.grant.ends_at:
                one.gaps.append((one.grant.ends_at, self.world.now))
            plan.issued(asked_at, self.world.chance(), reply.duration_s, is_renewable=self.source.is_renewable)
        one.grant = reply.grant


def leased(world: World, source: Source) -> Process:
    """A process with one lease, just issued."""
    reply = source.ask(world.now, Task.ISSUE, None)
    source.requests.clear()
    plan = LeasedPlan(world.now, world.chance(), reply.duration_s, is_renewable=source.is_renewable)
    process = Process(world, source, [plan])
    process.only.grant = reply.grant
    return process


def waits(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def burst(times: Sequence[float], from_s: float, over_s: float = 10.0) -> float:
    """How much is asked in the busiest second, as a multiple of the mean; what is promised is twice at the most."""
    inside = sorted(one for one in times if from_s <= one < from_s + over_s)
    assert inside, "nothing was asked"
    return busiest(inside) / (len(inside) / over_s)


def busiest(times: Sequence[float]) -> int:
    """The most requests in any one second; the times are sorted."""
    return max((bisect_left(times, begin + 1) - number for number, begin in enumerate(times)), default=0)


def _is_in(windows: Sequence[Window], now: float) -> bool:
    return any(begin <= now < end for begin, end in windows)


def _next(plan: StaticPlan | LeasedPlan) -> float:
    """When a plan is to be looked at again: when it is due, or when it ends."""
    if plan.ends_at is None or plan.state is State.EXPIRED:
        return plan.due_at
    return min(plan.due_at, plan.ends_at)
