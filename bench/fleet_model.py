"""A fleet that follows the plan of the engine, before a modelled backend: events in their order, no clock, no I/O.

The plan is the real one (`wellkept.refresh.plan`), and what is done with it is what the engine does: one journey to a
backend at a time, and none while its breaker is open. All else is modelled:

- The backend answers requests one after the other, so many a second; where one would have to wait for longer than a
  second, it is refused with 429 and a Retry-After.
- A client tries what was refused with 429 twice more, as ours does, and gives up after 10 s.
- While it restarts it refuses connections. A partition is silent: whoever asks then repeats that, as Linux does, and
  comes through at the first repetition after the heal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from wellkept._http.client import ATTEMPTS, TIMEOUT_S
from wellkept.errors import Kind
from wellkept.refresh.plan import Breaker, LeasedPlan, Pace, StaticPlan, Task

DOWN_S: Final = 1.0  # wellkept._http.client: for so long others are told of a failure instead of waiting for their own
REFUSED_S: Final = 0.3  # three attempts, and the pauses between them
CONNECTING_S: Final = (1.0, 2.0, 3.0, 4.0, 5.0, 7.0)  # since Linux 6.5: tcp_syn_linear_timeouts = 4, then doubled
CONNECTED_S: Final = (0.2, 0.6, 1.4, 3.0, 6.2)  # on a connection that was kept: 200 ms, doubled
RESTARTS_S: Final = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)  # Kubernetes' waits for a container that ends at once

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without an answer.

    Attributes:
        begins_s: when it begins.
        ends_s: when it is over.
        is_silent: whether nothing comes back at all; else connections are refused.
    """

    begins_s: float
    ends_s: float
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What one instance needs.

    Attributes:
        folders: how many folders it watches.
        every_s: how often each is looked at.
        lives_s: of its lease and of its login.
        load_requests: how many requests its `load` makes.
        connect_s: how long it waits for a connection where the last request had no answer.
        after_outage: how many requests the first look makes that is answered again.
    """

    folders: int = 1
    every_s: float = 10.0
    lives_s: Sequence[float] = (3600.0, 3600.0)
    load_requests: int = 14
    connect_s: float = 1.0
    after_outage: int = 1


@dataclass(slots=True)
class Backend:
    """What all instances ask.

    Attributes:
        outages: when it does not answer.
        capacity: requests a second.
        rtt_s: the time on the line.
        most_wait_s: a request that would wait for longer is refused with 429.
        retry_after_s: when it wants to be asked again then.
        arrived: requests, by the second in which they came.
        limited: how many of them it refused.
        slowest_s: the longest that one took, from its arrival to its answer.
    """

    outages: Sequence[Outage] = ()
    capacity: float = 4000.0
    rtt_s: float = 0.002
    most_wait_s: float = 1.0
    retry_after_s: float = 1.0
    arrived: dict[int, int] = field(default_factory=dict[int, int])
    limited: int = 0
    slowest_s: float = 0.0
    _free_at: float = 0.0

    def outage(self, now: float) -> Outage | None:
        """The outage of that moment."""
        return next((one for one in self.outages if one.begins_s <= now < one.ends_s), None)

    def answer(self, now: float, requests: int) -> float | None:
        """When requests that arrive now are answered; None for a 429."""
        second = int(now)
        self.arrived[second] = self.arrived.get(second, 0) + requests
        free_at = max(now, self._free_at)
        if free_at - now > self.most_wait_s:
            self.limited += requests
            return None
        self._free_at = free_at + requests / self.capacity
        took_s = self._free_at - now + self.rtt_s
        self.slowest_s = max(self.slowest_s, took_s)
        return now + took_s

    def per_second(self, begins_s: int, ends_s: int) -> list[int]:
        """How many requests came in each second of a time."""
        return [self.arrived.get(second, 0) for second in range(begins_s, ends_s)]


class Instance:
    """One process of the fleet."""

    __slots__ = ("breaker", "busy_until", "down_until", "is_connected", "restarts")

    def __init__(self) -> None:
        """Begin."""
        self.breaker = Breaker()
        self.busy_until = 0.0
        self.down_until = 0.0
        self.is_connected = True
        self.restarts = 0


class Errand:
    """One plan of one instance, and how far its next journey has come; without a plan it is the start."""

    __slots__ = ("asked_at", "attempt", "instance", "is_under_way", "plan")

    def __init__(self, instance: Instance, plan: StaticPlan | LeasedPlan | None) -> None:
        """Wait for the plan."""
        self.instance = instance
        self.plan = plan
        self.asked_at = 0.0
        self.attempt = 0
        self.is_under_way = False


class Fleet:
    """All instances, and the events that are still to come."""

    def __init__(self, backend: Backend, needs: Needs, chance: Chance) -> None:
        """Have no instance yet."""
        self.backend = backend
        self.running_since: list[float] = []
        self.restarts = 0
        self._needs = needs
        self._chance = chance
        self._events: list[tuple[float, int, Errand]] = []
        self._number = 0

    def start(self, at: float) -> None:
        """Start one more instance, with its `load`."""
        self._push(at, Errand(Instance(), None))

    def begin(self, instance: Instance, now: float) -> None:
        """Follow the plans of an instance: its `load` is done."""
        self.running_since.append(now)
        pace = Pace(self._needs.every_s)
        plans: list[StaticPlan | LeasedPlan] = [
            StaticPlan(pace, now, self._chance()) for _ in range(self._needs.folders)
        ]
        plans += [LeasedPlan(now, self._chance(), one, is_renewable=True) for one in self._needs.lives_s]
        for plan in plans:
            self._push(plan.due_at, Errand(instance, plan))

    def run(self, until: float) -> None:
        """Let everything happen up to a moment."""
        events = self._events
        while events and events[0][0] < until:
            now, _, errand = heappop(events)
            if errand.is_under_way:
                self._arrive(errand, now)
            elif errand.plan is None:
                self._send(errand, now)
            else:
                self._due(errand, errand.plan, now)

    def _push(self, at: float, errand: Errand) -> None:
        self._number += 1
        heappush(self._events, (at, self._number, errand))

    def _due(self, errand: Errand, plan: StaticPlan | LeasedPlan, now: float) -> None:
        instance = errand.instance
        if now < instance.busy_until:
            self._push(instance.busy_until, errand)
        elif instance.breaker.is_open(now):
            self._push(instance.breaker.opens_again_at, errand)
        else:
            plan.tick(now)
            self._send(errand, now)

    def _send(self, errand: Errand, now: float) -> None:
        errand.asked_at, errand.attempt = now, 1
        outage = self.backend.outage(now)
        if now < errand.instance.down_until:
            self._failed(errand, now, None)
        elif outage is None:
            self._arrive(errand, now)
        elif outage.is_silent:
            self._repeat(errand, now, outage)
        else:
            errand.instance.down_until = now + REFUSED_S + DOWN_S
            self._failed(errand, now + REFUSED_S, None)

    def _repeat(self, errand: Errand, now: float, outage: Outage) -> None:
        """Ask until somebody hears it, or the time for it is over."""
        instance = errand.instance
        repeated_s, most_s = (
            (CONNECTED_S, TIMEOUT_S) if instance.is_connected else (CONNECTING_S, self._needs.connect_s)
        )
        through_s = next((one for one in repeated_s if one < most_s and now + one >= outage.ends_s), None)
        if through_s is not None:
            self._later(errand, now + through_s)
            return
        if not instance.is_connected:
            instance.down_until = now + most_s + DOWN_S
        instance.is_connected = False
        self._failed(errand, now + most_s, None)

    def _later(self, errand: Errand, at: float) -> None:
        errand.is_under_way = True
        errand.instance.busy_until = at + 1e-6  # nothing else of this instance before that
        self._push(at, errand)

    def _arrive(self, errand: Errand, now: float) -> None:
        errand.is_under_way = False
        requests = self._requests(errand)
        answered_at = self.backend.answer(now, requests)
        again_at = now + self.backend.retry_after_s
        if answered_at is not None:
            self._answered(errand, answered_at)
        elif errand.attempt < ATTEMPTS and again_at < errand.asked_at + TIMEOUT_S:
            errand.attempt += 1
            self._later(errand, again_at)
        else:
            self._failed(errand, now, self.backend.retry_after_s)

    def _requests(self, errand: Errand) -> int:
        if errand.plan is None:
            return self._needs.load_requests
        return self._needs.after_outage if errand.plan.failure is not None and errand.plan.task is Task.LOOK else 1

    def _failed(self, errand: Errand, at: float, retry_after_s: float | None) -> None:
        instance, plan = errand.instance, errand.plan
        if plan is None:  # a start that fails ends the process, and something starts it again
            wait_s = RESTARTS_S[min(instance.restarts, len(RESTARTS_S) - 1)]
            instance.restarts += 1
            self.restarts += 1
            self._push(at + wait_s, errand)
            return
        instance.busy_until = at
        instance.breaker.failed(at, self._chance())
        plan.failed(at, self._chance(), Kind.UNREACHABLE, retry_after_s)
        self._push(plan.due_at, errand)

    def _answered(self, errand: Errand, at: float) -> None:
        instance, plan = errand.instance, errand.plan
        instance.busy_until, instance.is_connected = at, True
        instance.breaker.answered()
        if plan is None:
            self.begin(instance, at)
            return
        if isinstance(plan, StaticPlan):
            plan.answered(at, self._chance(), took_s=at - errand.asked_at)
        elif plan.task is Task.RENEW:
            plan.renewed(errand.asked_at, self._chance(), self._needs.lives_s[0])
        else:
            plan.issued(errand.asked_at, self._chance(), self._needs.lives_s[0], is_renewable=True)
        self._push(plan.due_at, errand)
