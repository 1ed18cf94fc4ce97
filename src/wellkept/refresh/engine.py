"""The engine: who follows what, what is due, and that one question is asked once, however many want it.

It carries out plans and knows no thread of its own: `run` does what is due and says when to come again. Its lock is
held for the time that it takes to claim tickets, never while a source is asked.
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.refresh.asking import Ask, Chance, Means
from wellkept.refresh.backend import Backend
from wellkept.refresh.plan import LeasedPlan, Pace, StaticPlan
from wellkept.refresh.report import secret_status, source_status
from wellkept.refresh.status import Status
from wellkept.refresh.ticket import Flight, Follower, Following, Ticket, plan_of
from wellkept.secret import State

DRAIN_S: Final = 60.0  # longer than nearly every transaction, and than any pool takes to give a new connection
_GOOD_ENOUGH_S: Final = 0.5  # see `Secret.refresh`
_TOGETHER_S: Final = 0.25  # what is due within it goes with what is due now
_LONGEST_FLIGHT_S: Final = 60.0
_SWEEP_S: Final = 2.0
_AFTER_FAULT_S: Final = 1.0
_LOCAL_S, _REMOTE_S = 2.0, 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """What a follower is made of, in part.

    Attributes:
        reference: what is asked, without its key.
        source: who is asked.
        reading: the answer that is at hand.
        ttl_s: how old it may grow before it is asked for again, where somebody wrote that.
        max_stale_s: for how long it is served without an answer, where somebody wrote that.
        asked_at: when it was asked, on the clock of the engine; None is now.
    """

    reference: Reference
    source: Source
    reading: Reading
    ttl_s: float | None = None
    max_stale_s: float | None = None
    asked_at: float | None = None


Journey = tuple[Backend, Callable[[], None]]


def chance_of_system() -> float:
    """A number from 0 up to 1. Of the system: two processes that fork from one must not draw alike."""
    return int.from_bytes(os.urandom(6)) / (1 << 48)


class Engine:
    """Keeps what it is told to follow fresh."""

    def __init__(
        self, ask: Ask, *, clock: Clock = SYSTEM_CLOCK, chance: Chance = chance_of_system, drain_s: float = DRAIN_S
    ) -> None:
        """Follow nothing yet.

        Args:
            ask: fetches answers, and never raises.
            clock: the time.
            chance: a number between 0 and 1, another one each time.
            drain_s: for how long what was replaced stays good.
        """
        self._clock = clock
        self._chance = chance
        self._means = Means(ask, clock, chance, drain_s)
        self._lock = threading.Lock()
        self._backends: list[Backend] = []
        self._followings: dict[int, Following] = {}
        self._sweep_at = 0.0

    def follow(self, followers: Iterable[tuple[Follower, Sequence[Question]]]) -> None:
        """Follow all of these from now on; they were made of answers that have just come."""
        now, chance = self._clock.seconds(), self._chance()
        twice: list[tuple[Ticket, Question]] = []
        added: list[Following] = []
        fresh: set[int] = set()
        with self._lock:
            for follower, questions in followers:
                following = Following(follower)
                added.append(following)
                for one in questions:
                    ticket, is_known = self._ticket(one, now, chance)
                    fresh |= set() if is_known else {id(ticket)}
                    if id(ticket) not in fresh:  # somebody else's, and with another answer
                        self._join(ticket, one, now)
                        twice += [(ticket, one)] if one.reading.lease is not None else []
                    ticket.followings.append(following)
                    following.tickets.append(ticket)
                self._followings[id(follower)] = following  # whole: somebody may ask for the status right now
        for ticket, question in twice:
            self._adopt(ticket, question, now)
        for following in added:
            if any(ticket.lease is not None for ticket in following.tickets):
                following.mark()

    def forget(self, followers: Iterable[Follower], *, drains: bool = False) -> None:
        """Follow these no longer; what only they held is given back: at once, or when it has drained."""
        with self._lock:
            for follower in followers:
                following = self._followings.pop(id(follower), None)
                if following is not None:
                    self._let_go_of(following, drains=drains)

    def set_drain(self, seconds: float) -> None:
        """Say for how long what was replaced stays good, from now on."""
        self._means.drain_s = seconds

    def run(self, start: Callable[[Callable[[], None]], None]) -> float:
        """Do what is due.

        Args:
            start: carries out a journey that may take long, beside this one.

        Returns:
            The time when something is due next.
        """
        now = self._clock.seconds()
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_S
            self._sweep()
        for backend in list(self._backends):
            backend.tick(now)
        fault: BaseException | None = None
        for backend, journey in self._journeys(now):
            try:  # whatever one comes to, the others are made
                journey() if backend.is_local else start(journey)
            except BaseException as error:  # noqa: BLE001 it is raised below
                fault = error
        with self._lock:
            self._backends = [one for one in self._backends if not one.is_spent]
        if fault is not None:
            raise fault
        return self._next_at()

    def refresh(self, follower: Follower, *, is_first: bool = True) -> bool:
        """Ask again now for all that a follower is made of; whether there were answers."""
        following = self._followings.get(id(follower))
        if following is None:
            return False
        now = self._clock.seconds()
        mine: list[tuple[Backend, list[Ticket], Flight]] = []
        try:  # from here on: an interrupt must not leave a ticket claimed
            with self._lock:
                me = threading.get_ident()  # a listener, or a signal, may come in the midst of a journey of this thread
                flights = {one.flight for one in following.tickets if one.flight is not None}
                others = {one for one in flights if one.owner != me}
                for backend in self._backends:
                    wanted = [one for one in following.tickets if self._is_wanted(backend, one, now)]
                    flight = Flight()
                    if wanted:
                        mine.append((backend, wanted, flight))
                    for one in wanted:
                        one.flight = flight
            for backend, tickets, flight in mine:
                self._fly(backend, tickets, flight, is_forced=True)
        finally:  # an interrupt ends the row
            for _, tickets, flight in mine:
                self._land(tickets, flight)
        for other in others:
            other.done.wait(_LONGEST_FLIGHT_S)
        if all(one.plan.failure is None for one in following.tickets):
            return True
        # What it has joined may have failed before it came.
        return bool(others) and is_first and self.refresh(follower, is_first=False)

    def woke(self) -> None:
        """Take note that the machine slept: what is due now need not be due at once."""
        now = self._clock.seconds()
        for backend in list(self._backends):
            backend.woke(now)

    def share(self) -> None:
        """Take note that a child was forked: what both hold, neither ends."""
        for backend in self._backends:
            backend.share()

    def after_fork(self) -> None:
        """Begin anew in a forked child: journeys of the parent are none of ours."""
        self._lock = threading.Lock()
        for backend in self._backends:
            backend.after_fork()
        self.share()

    def remember(self, source: Source, name: str) -> None:
        """Keep a source with a login for the exit, though nothing of it is followed."""
        with self._lock:
            self._backend(source, name)

    def let_go(self, is_late: Callable[[], bool]) -> None:
        """End what this process obtained, until it is late: for the exit."""
        for backend in list(self._backends):
            backend.let_go(is_late)

    def status(self) -> Status:
        """How all of it does."""
        now = self._clock.seconds()
        secrets = [secret_status(one, now) for one in list(self._followings.values()) if one.follower.is_alive]
        sources = [source_status(one, now) for one in list(self._backends)]
        return Status(
            os.getpid(),
            tuple(sorted(secrets, key=lambda one: one.name)),
            tuple(sorted(sources, key=lambda one: one.name)),
        )

    def _ticket(self, question: Question, now: float, chance: float) -> tuple[Ticket, bool]:
        """The ticket of a question, and whether it was known before."""
        backend = self._backend(question.source, question.reference.scheme)
        known = backend.tickets.get(question.reference)
        pace = Pace(
            question.ttl_s or (_LOCAL_S if backend.is_local else _REMOTE_S),
            is_exact=question.ttl_s is not None,
            max_stale_s=question.max_stale_s,
        )
        if known is None:
            asked_at = now if question.asked_at is None or question.reading.lease is None else question.asked_at
            plan = plan_of(question.reading, pace, asked_at, chance)
            known = Ticket(question.reference, plan, question.reading, has_ttl=question.ttl_s is not None)
            backend.tickets[question.reference] = known
            return known, False
        if isinstance(known.plan, StaticPlan):
            known.plan.pace = _stricter(known.plan.pace, pace)
            known.plan.due_at = min(known.plan.due_at, now + pace.every_s)
            known.has_ttl |= question.ttl_s is not None
        return known, True

    def _join(self, ticket: Ticket, question: Question, now: float) -> None:
        """Whose answer is the newer one only the source can tell; then all of them have it."""
        is_same = ticket.mark is not None and ticket.mark == question.reading.version
        if isinstance(ticket.plan, StaticPlan) and not is_same:
            ticket.mark, ticket.plan.due_at = None, now

    def _adopt(self, ticket: Ticket, question: Question, now: float) -> None:
        """Of two leases of one thing the later one is kept."""
        mine = Flight()
        try:
            theirs = self._claim(ticket, mine)
            while theirs is not None and theirs.owner != threading.get_ident() and theirs.done.wait(_LONGEST_FLIGHT_S):
                theirs = self._claim(ticket, mine)
            backend = self._backend(question.source, question.reference.scheme)
            backend.adopt(ticket, question.reading, now if question.asked_at is None else question.asked_at)
        finally:
            self._land([ticket], mine)

    def _claim(self, ticket: Ticket, flight: Flight) -> Flight | None:
        """Claim a ticket; who has claimed it, where somebody has."""
        with self._lock:
            if ticket.flight is None:
                ticket.flight = flight
                return None
            return ticket.flight

    def _backend(self, source: Source, name: str) -> Backend:
        for backend in self._backends:
            if backend.source is source or (type(backend.source) is type(source) and backend.source == source):
                return backend
        made = Backend(source, name, self._means)
        self._backends.append(made)
        return made

    def _journeys(self, now: float) -> list[Journey]:
        """Claim what is due; one journey to a source at a time."""
        journeys: list[Journey] = []
        with self._lock:
            for backend in [one for one in self._backends if one.rests_until <= now]:
                for is_leased in {True, False} - backend.busy:
                    soon = [one for one in backend.due_until(now + _TOGETHER_S, is_leased) if one.flight is None]
                    is_due = any(one.plan.due_at <= now for one in soon)
                    if is_due or (is_leased and backend.due_at <= now):
                        journeys.append((backend, self._claimed(backend, soon, is_leased)))
        return journeys

    def _claimed(self, backend: Backend, tickets: list[Ticket], is_leased: bool) -> Callable[[], None]:
        flight = Flight()
        backend.busy.add(is_leased)
        for one in tickets:
            one.flight = flight

        def journey() -> None:
            try:
                self._fly(backend, tickets, flight, is_forced=False)
            except BaseException:  # what it wanted is still due, and would be wanted again at once
                backend.rests_until = self._clock.seconds() + _AFTER_FAULT_S
                raise
            finally:
                backend.busy.discard(is_leased)

        return journey

    def _fly(self, backend: Backend, tickets: Sequence[Ticket], flight: Flight, *, is_forced: bool) -> None:
        began = self._clock.seconds()
        flight.owner = threading.get_ident()
        try:
            backend.work(tickets, is_forced=is_forced)
        finally:
            for one in tickets if is_forced else ():  # a herd at a source that is down asks once, too
                one.asked_at = began
            self._land(tickets, flight)

    def _land(self, tickets: Sequence[Ticket], flight: Flight) -> None:
        """Let others claim what a journey has claimed."""
        with self._lock:
            for one in tickets:
                if one.flight is flight:
                    one.flight = None
        flight.done.set()

    def _is_wanted(self, backend: Backend, ticket: Ticket, now: float) -> bool:
        is_its = backend.tickets.get(ticket.question) is ticket
        return is_its and ticket.flight is None and now - ticket.asked_at > _GOOD_ENOUGH_S

    def _sweep(self) -> None:
        """Forget what nobody holds any more."""
        gone = [one for one in list(self._followings.values()) if not one.follower.is_alive]
        if gone:
            self.forget([one.follower for one in gone])

    def _let_go_of(self, following: Following, *, drains: bool) -> None:
        for ticket in following.tickets:
            ticket.followings.remove(following)
            if ticket.followings:
                continue
            for backend in self._backends:
                if backend.tickets.get(ticket.question) is ticket and backend.drop(ticket, drains=drains):
                    until = self._clock.seconds() + (self._means.drain_s if drains else 0.0)
                    following.follower.mark(State.STALE if drains else State.EXPIRED, until)
        self._backends = [one for one in self._backends if not one.is_spent]

    def _next_at(self) -> float:
        at = float("inf")
        for backend in list(self._backends):
            if True not in backend.busy:
                at = min(at, max(backend.due_at, backend.rests_until))
            for ticket in list(backend.tickets.values()):
                plan = ticket.plan
                if ticket.flight is None and isinstance(plan, LeasedPlan) not in backend.busy:
                    at = min(at, max(plan.due_at, backend.rests_until))
                if plan.ends_at is not None and plan.state is not State.EXPIRED:
                    at = min(at, plan.ends_at)
        return at


def _stricter(one: Pace, other: Pace) -> Pace:
    first = one if one.every_s <= other.every_s else other
    limits = [pace.max_stale_s for pace in (one, other) if pace.max_stale_s is not None]
    return Pace(first.every_s, is_exact=first.is_exact, max_stale_s=min(limits, default=None))
