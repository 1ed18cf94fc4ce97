"""Little sources as a provider's author writes them, followers, and an engine that is driven by hand.

A source here implements the ports and nothing else. It counts what it is asked, and does what it is told to: fail,
keep its caller waiting, lease, log in.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from wellkept.config.fetch import ask
from wellkept.errors import Absent, Kind, SourceError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Lease, Reading, Reference
from wellkept.refresh.engine import Engine, Question
from wellkept.refresh.ticket import Taken
from wellkept.secret import State
from wellkept.testing import ManualClock

PATIENCE_S = 30.0  # a shared, noisy machine; whoever waits for a condition goes on as soon as it holds


class Store:
    """Holds values by path, without versions.

    Attributes:
        requests: the path of each fetch, in order.
        trouble: what each fetch raises, or None.
        gate: a fetch waits until it is open.
        waiting: is released once by each fetch that begins to wait.
    """

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self.values: dict[str, object] = dict(values or {})
        self.requests: list[str] = []
        self.trouble: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Semaphore(0)

    def fetch(self, reference: Reference) -> Reading:
        self._asked(reference)
        if reference.location not in self.values:
            raise Absent(f"{reference}: absent", hint="put it there")
        return Reading(self.values[reference.location], f"store {reference.location}")

    def _asked(self, reference: Reference) -> None:
        self.requests.append(reference.location)
        if not self.gate.is_set():
            self.waiting.release()
            assert self.gate.wait(PATIENCE_S), "nobody has opened the gate"
        if self.trouble is not None:
            raise self.trouble


class Versioned(Store):
    """The same with versions, which it tells for less than a fetch.

    Attributes:
        looks: how often it was asked for versions.
        told: what it answers instead of versions, or None.
    """

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}
        self.looks = 0
        self.told: object = None
        for path, value in (values or {}).items():
            self.put(path, value)

    def put(self, path: str, value: object) -> None:
        self.values[path] = value
        self.numbers[path] = self.numbers.get(path, 0) + 1

    def fetch(self, reference: Reference) -> Reading:
        made = super().fetch(reference)
        return Reading(made.value, made.answer, str(self.numbers[reference.location]))

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        self.looks += 1
        if self.told is not None:
            return self.told  # type: ignore[return-value]  # what a careless author returns
        if self.trouble is not None:
            raise self.trouble
        return [str(self.numbers.get(one.location)) for one in references]


class Leasing(Store):
    """Leases a login for each fetch.

    Attributes:
        duration_s: what is granted.
        renewal_s: what a renewal grants, where it is another duration.
        cannot_renew: what a renewal raises, or None.
        cannot_revoke: what a revocation raises, or None.
        live: the leases that were granted and not revoked, by id.
        renewed: the id of each lease that was renewed, in order.
        revoked: the id of each lease that was revoked, in order.
    """

    def __init__(self, duration_s: float = 100.0, *, is_renewable: bool = True) -> None:
        super().__init__()
        self.duration_s = duration_s
        self.renewal_s: float | None = None
        self.is_renewable = is_renewable
        self.cannot_renew: SourceError | None = None
        self.cannot_revoke: SourceError | None = None
        self.live: dict[str, Lease] = {}
        self.renewed: list[str] = []
        self.revoked: list[str] = []
        self._numbers = count(1)

    def fetch(self, reference: Reference) -> Reading:
        self._asked(reference)
        number = next(self._numbers)
        lease = Lease(f"lease-{number}", self.duration_s, self.is_renewable, self._login)
        self.live[str(lease.id)] = lease
        value = {"username": f"user-{number}", "password": f"CANARY-password-{number}"}
        return Reading(value, f"leasing {reference.location}", lease=lease)

    def renew(self, reference: Reference, lease: Lease) -> Lease:
        self.renewed.append(str(lease.id))
        if self.cannot_renew is not None:
            raise self.cannot_renew
        if lease.id not in self.live:
            raise Absent(f"{reference}: absent: its lease is over", hint="read it anew")
        return Lease(lease.id, self.renewal_s or self.duration_s, self.is_renewable, lease.login)

    def revoke(self, lease: Lease) -> None:
        if self.cannot_revoke is not None:
            raise self.cannot_revoke
        self.revoked.append(str(lease.id))
        self.live.pop(str(lease.id), None)

    @property
    def _login(self) -> str | None:
        return None


class LoggingIn(Leasing):
    """The same under a login; what was leased under one ends with it.

    Attributes:
        login_s: how long a login lasts.
        login_renewal_s: what its renewal grants, where it is another duration.
        cannot_log_in: what logging in raises, or None.
        logins: the logins that were made, in order.
        logged_out: those that were ended, in order.
        slow: a login waits until it is open.
    """

    def __init__(self, duration_s: float = 100.0, login_s: float = 1000.0) -> None:
        super().__init__(duration_s)
        self.login_s = login_s
        self.login_renewal_s: float | None = None
        self.cannot_log_in: SourceError | None = None
        self.logins = ["login-1"]
        self.logged_out: list[str] = []
        self.login_renewals = 0
        self.slow = threading.Event()
        self.slow.set()
        self.logging_in = threading.Semaphore(0)

    @property
    def _login(self) -> str:
        return self.logins[-1]

    @property
    def has_own_login(self) -> bool:
        return True

    def login(self) -> Lease | None:
        return Lease(self._login, self.login_s, is_renewable=True)

    def renew_login(self) -> Lease:
        self.login_renewals += 1
        return Lease(self._login, self.login_renewal_s or self.login_s, is_renewable=True)

    def log_in_beside(self) -> Lease:
        if self.cannot_log_in is not None:
            raise self.cannot_log_in
        self.logging_in.release()
        assert self.slow.wait(PATIENCE_S), "nobody lets it log in"
        self.log_in()
        return Lease(self._login, self.login_s, is_renewable=True)

    def log_in(self) -> None:
        """Log in by itself, as a source does whose token was refused."""
        self.logins.append(f"login-{len(self.logins) + 1}")

    def log_out(self, login: str) -> None:
        self.logged_out.append(login)
        for lease in [one for one in self.live.values() if one.login == login]:
            self.live.pop(str(lease.id))


class Holder:
    """A follower that notes what it is given.

    Attributes:
        values: each value that it took, in order.
        state: how fresh it is told to be.
        until_s: from when on it may not be served.
        fault: what it answers instead of taking a value, or None.
        is_alive: whether it wants more.
    """

    def __init__(self, name: str = "db") -> None:
        self.name = name
        self.values: list[object] = []
        self.state = State.FRESH
        self.until_s: float | None = None
        self.fault: str | None = None
        self.is_alive = True

    def take(self, readings: Mapping[Reference, Reading], state: State, until_s: float | None, /) -> Taken:
        if self.fault is not None:
            return Taken(fault=self.fault, kind=Kind.INVALID)
        (value,) = [one.value for one in readings.values()]
        is_new = not self.values or self.values[-1] != value
        if is_new:
            self.values.append(value)
        self.state, self.until_s = state, until_s
        return Taken(is_new=is_new)

    def mark(self, state: State, until_s: float | None) -> None:
        self.state, self.until_s = state, until_s

    def facts(self) -> tuple[str, str | None, float]:
        return "store", None, 0.0

    def standing(self) -> tuple[State, float | None]:
        """What it was told last."""
        return self.state, self.until_s


class Driven:
    """An engine whose clock stands still, and whose journeys are made here and now.

    Attributes:
        chance: what it draws each time.
    """

    def __init__(self, *, drain_s: float = 60.0) -> None:
        self.clock = ManualClock()
        self.chance = 0.5
        self.engine = Engine(ask, clock=self.clock, chance=lambda: self.chance, drain_s=drain_s)

    @property
    def now(self) -> float:
        return self.clock.seconds()

    def follow(
        self,
        source: Store,
        path: str = "db",
        *,
        holder: Holder | None = None,
        ttl_s: float | None = None,
        max_stale_s: float | None = None,
    ) -> Holder:
        """Fetch, and follow what was fetched."""
        made = holder or Holder(path)
        self.engine.follow([(made, [asked(source, path, ttl_s=ttl_s, max_stale_s=max_stale_s)])])
        return made

    def run(self) -> float:
        """Do what is due now; when something is due next."""
        return self.engine.run(_here)

    def run_for(self, seconds: float, *, most: int = 2000) -> None:
        """Let time pass; an engine that runs more than `most` times meanwhile turns in a circle."""
        until = self.now + seconds
        for _ in range(most):
            next_at = self.run()
            if next_at > until:
                self.clock.advance(until - self.now)
                self.run()
                return
            self.clock.advance(max(0.0, next_at - self.now))
        raise AssertionError(f"more than {most} runs until {self.now:.3f} s: a hot loop")


def asked(
    source: Store,
    path: str = "db",
    *,
    scheme: str = "store",
    ttl_s: float | None = None,
    max_stale_s: float | None = None,
) -> Question:
    """A question with the answer of this moment."""
    reference = Reference(scheme, tuple(path.split("/")))
    return Question(reference, source, source.fetch(reference), ttl_s, max_stale_s)


def in_threads(number: int, what: Callable[[], object]) -> list[threading.Thread]:
    """Begin the same in many threads at one moment."""
    start = threading.Barrier(number)

    def run() -> None:
        start.wait(PATIENCE_S)
        what()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(number)]
    for one in threads:
        one.start()
    return threads


def join(threads: Iterable[threading.Thread]) -> None:
    """Wait for threads, which must come to an end."""
    for one in threads:
        one.join(PATIENCE_S)
        assert not one.is_alive(), "a thread does not come to its end"


def eventually(holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> bool:
    """Wait until a condition holds; whether it did in time."""
    until = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


@contextmanager
def listening(*topics: Topic) -> Generator[list[Event]]:
    """The events of these topics; of all of them where none is named."""
    heard: list[Event] = []

    def hear(event: Event) -> None:
        if not topics or event.topic in topics:
            heard.append(event)

    stop = BUS.subscribe(hear)
    try:
        yield heard
    finally:
        stop()


def _here(journey: Callable[[], None]) -> None:
    journey()
