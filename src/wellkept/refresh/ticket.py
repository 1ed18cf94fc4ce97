"""A ticket: one question to one source, what is planned for it, and who follows the answer. No I/O here."""

from collections.abc import Mapping
from threading import Event as Signal
from typing import Final, Protocol

from wellkept._dataclasses import dataclass
from wellkept.errors import Kind
from wellkept.model import Lease, Reading, Reference
from wellkept.refresh.plan import LeasedPlan, Pace, StaticPlan
from wellkept.secret import State

_LEAST_TTL_S: Final = 1.0
_WORST_FIRST: Final = (State.EXPIRED, State.GONE, State.STALE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of answers that a follower was given.

    Attributes:
        is_new: whether it has another value now.
        fault: why it could not be used, as one line without a value; the last good one is kept. None where it could.
        kind: what sort of fault.
    """

    is_new: bool = False
    fault: str | None = None
    kind: Kind = Kind.INVALID


class Follower(Protocol):
    """Something that is made of answers, and made anew when they change."""

    @property
    def name(self) -> str:
        """What events and `status` call it: the setting."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether anybody still holds it."""
        ...

    def take(self, readings: Mapping[Reference, Reading], state: State, until_s: float | None, /) -> Taken:
        """Make it of new answers; what is not among them stays as it was. Never raises.

        Args:
            readings: the answers, by their question.
            state: how fresh it is now.
            until_s: from when on it is not served any more, on the clock of the engine; or None.
        """
        ...

    def mark(self, state: State, until_s: float | None, /) -> None:
        """Say how fresh it is."""
        ...

    def facts(self) -> tuple[str, str | None, float]:
        """What answered, its version, and how many seconds ago its value was fetched."""
        ...


class Flight:
    """A journey to a source that is under way: whoever wants the same waits for it."""

    __slots__ = ("done", "owner")

    def __init__(self) -> None:
        """Take off."""
        self.done: Signal = Signal()
        self.owner: int | None = None  # the thread that makes it


class Ticket:
    """One question to one source.

    Attributes:
        question: what is asked.
        plan: when, and what next.
        has_ttl: whether somebody wrote how old an answer may grow; then the source has no say in it.
        mark: the version that the source had when it was asked the last time, or None where that is not known.
        lease: under which the answer stands, or None.
        is_shared: whether another process may have inherited that lease; then it ends by itself.
        followings: who is told of answers.
        flight: the journey that asks it now, or None.
        asked_at: when it was fetched the last time, or somebody asked for that in vain; or -inf.
    """

    __slots__ = ("asked_at", "flight", "followings", "has_ttl", "is_shared", "lease", "mark", "plan", "question")

    def __init__(self, question: Reference, plan: StaticPlan | LeasedPlan, reading: Reading, *, has_ttl: bool) -> None:
        """Begin with an answer that is at hand."""
        self.question: Reference = question
        self.plan: StaticPlan | LeasedPlan = plan
        self.has_ttl: bool = has_ttl
        self.mark: str | None = reading.version
        self.lease: Lease | None = reading.lease
        self.is_shared: bool = False
        self.followings: list[Following] = []
        self.flight: Flight | None = None
        self.asked_at: float = float("-inf")


class Following:
    """A follower and all that it is made of.

    Attributes:
        follower: who.
        tickets: what it is made of.
        fault: why the last answers could not be used, or None.
        ends_at: when the lease of what it serves ends, where that is none that is kept any more; or None.
        told: which state was told of last.
    """

    __slots__ = ("ends_at", "fault", "follower", "tickets", "told")

    def __init__(self, follower: Follower) -> None:
        """Follow nothing yet."""
        self.follower: Follower = follower
        self.tickets: list[Ticket] = []
        self.fault: Kind | None = None
        self.ends_at: float | None = None
        self.told: State = State.FRESH

    @property
    def standing(self) -> tuple[State, float | None]:
        """How fresh it is, and until when it is served: the worst of its parts counts."""
        return self.standing_without(None)

    def standing_without(self, ticket: Ticket | None) -> tuple[State, float | None]:
        """The same, of all parts but one: that comes to another value now."""
        states = {one.plan.state for one in self.tickets if one is not ticket}
        ends = [one.plan.ends_at for one in self.tickets if one is not ticket and one.plan.ends_at is not None]
        if self.fault is not None and ticket is None:
            states.add(State.STALE)
        if self.ends_at is not None and ticket is None:
            ends.append(self.ends_at)
        return next((one for one in _WORST_FIRST if one in states), State.FRESH), min(ends, default=None)

    def mark(self) -> None:
        """Say how fresh it is."""
        self.follower.mark(*self.standing)


def plan_of(answer: Reading, pace: Pace, now: float, chance: float) -> StaticPlan | LeasedPlan:
    """The plan of an answer that has just come."""
    if answer.lease is not None:
        return LeasedPlan(now, chance, answer.lease.duration_s, is_renewable=answer.lease.is_renewable)
    if answer.ttl_s is not None and not pace.is_exact:
        pace = pace_of(answer.ttl_s, pace)
    return StaticPlan(pace, now, chance)


def pace_of(ttl_s: float, usual: Pace) -> Pace:
    """How often an answer is looked at that says by itself for how long it is good."""
    return Pace(max(ttl_s, _LEAST_TTL_S), is_exact=True, max_stale_s=usual.max_stale_s)
