"""An engine whose time a test moves, and which asks real servers: half an hour of its life takes a second.

    life = Life()
    held = life.follow(vault, "secret/prod/db")
    life.passes(1800)

What it asks it asks here and now, so nothing has to be waited for. `Engine` and all below it are as the thread runs
them. A lease is given by a server that has the real time: it only ends sooner here than it does there.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random  # noqa: TID251 the same run each time is the point; nothing here is a secret

from wellkept import Secret
from wellkept.config.fetch import ask
from wellkept.errors import SourceError
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.refresh.engine import Engine, Question
from wellkept.refresh.status import SecretStatus
from wellkept.refresh.ticket import Taken
from wellkept.secret import State
from wellkept.testing import ManualClock


class Held:
    """A follower that keeps what it was given.

    Attributes:
        name: what events and status call it.
        versions: of all values that it had.
        state: how fresh it is.
    """

    def __init__(self, name: str, reading: Reading) -> None:
        """Hold the first value."""
        self.name = name
        self.versions = [reading.version]
        self.state = State.FRESH
        self._value = Secret(reading.value, name=name)
        self._answer = reading.answer

    @property
    def is_alive(self) -> bool:
        """Whether anybody still holds it."""
        return True

    def is_(self, state: State) -> bool:
        """Whether it is in a state now."""
        return self.state is state

    def has(self, value: Mapping[str, str]) -> bool:
        """Whether it has this value now."""
        return self._value.reveal() == value

    def reveal(self) -> Mapping[str, str]:
        """The value that it has now."""
        value = self._value.reveal()
        assert isinstance(value, Mapping)
        return value

    def take(self, readings: Mapping[Reference, Reading], state: State, until_s: float | None) -> Taken:
        """Hold another value; see `refresh.ticket.Follower`."""
        (reading,) = readings.values()
        self.mark(state, until_s)
        is_new = self._value.reveal() != reading.value
        if is_new:
            self._value = Secret(reading.value, name=self.name)
            self.versions.append(reading.version)
        return Taken(is_new=is_new)

    def mark(self, state: State, until_s: float | None) -> None:  # noqa: ARG002 a value that stays good has no end
        """Know how fresh it is."""
        self.state = state

    def facts(self) -> tuple[str, str | None, float]:
        """What answered."""
        return self._answer, self.versions[-1], 0.0


class Life:
    """An engine and its clock.

    Attributes:
        clock: the time.
        engine: the engine.
        fetched_at: when the engine fetched something.
        requests_at: when it asked anything, be it for a version only.
    """

    def __init__(self, seed: int = 1, clock: ManualClock | None = None) -> None:
        """Begin."""
        self.clock = clock or ManualClock()
        self.fetched_at: list[float] = []
        self.requests_at: list[float] = []
        self._random = Random(seed)  # noqa: S311 no secret
        self.engine = Engine(self._ask, clock=self.clock, chance=self._random.random)

    @property
    def now(self) -> float:
        """The time of the engine."""
        return self.clock.seconds()

    def follow(self, source: Source, path: str, ttl_s: float | None = None) -> Held:
        """Fetch what stands at a path, and follow it."""
        (held,) = self.follow_all(source, [path], ttl_s)
        return held

    def follow_all(self, source: Source, paths: Sequence[str], ttl_s: float | None = None) -> list[Held]:
        """The same of many, that are followed from one moment on."""
        references = [Reference("vault", tuple(path.split("/"))) for path in paths]
        readings = [source.fetch(one) for one in references]
        held = [Held(path, reading) for path, reading in zip(paths, readings, strict=True)]
        questions = [Question(one, source, reading, ttl_s) for one, reading in zip(references, readings, strict=True)]
        self.engine.follow([(one, [question]) for one, question in zip(held, questions, strict=True)])
        return held

    def status(self, held: Held) -> SecretStatus:
        """What is said of one."""
        (found,) = [one for one in self.engine.status().secrets if one.name == held.name]
        return found

    def passes(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let time pass, or less of it where something is so before; all that falls due is done."""
        end_at = self.now + seconds
        while True:
            next_at = self.engine.run(_at_once)
            asked = sum(one.requests for one in self.engine.status().sources) - len(self.requests_at)
            self.requests_at += [self.now] * asked
            if (until is not None and until()) or self.now >= end_at:
                return
            self.clock.advance(max(0.001, min(next_at, end_at) - self.now))

    def _ask(self, source: Source, questions: Sequence[Reference]) -> Mapping[Reference, Reading | SourceError]:
        self.fetched_at += [self.now] * len(questions)
        return ask(source, questions)


def _at_once(journey: Callable[[], None]) -> None:
    journey()
