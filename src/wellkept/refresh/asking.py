"""Calling a source so that whatever goes wrong is an answer, and counting what came of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from wellkept._clock import Clock
from wellkept._dataclasses import dataclass
from wellkept.errors import Kind, RateLimited, SourceError, Unreachable
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.refresh.plan import Breaker

T = TypeVar("T")

Answer = Reading | SourceError
Ask = Callable[[Source, Sequence[Reference]], Mapping[Reference, Answer]]
"""Fetches, and answers for every question; it never raises."""

Chance = Callable[[], float]


@dataclass(slots=True)
class Means:
    """What all backends of an engine share.

    Attributes:
        ask: fetches.
        clock: the time.
        chance: a number between 0 and 1, another one each time.
        drain_s: for how long what was replaced stays good.
    """

    ask: Ask
    clock: Clock
    chance: Chance
    drain_s: float


class Asking:
    """What one source was asked so far.

    Attributes:
        source: which.
        name: its scheme.
        breaker: whether it is left alone.
        requests: how often it was asked.
        failures: how many of these it did not answer.
        is_answering: whether it did the last time.
    """

    def __init__(self, source: Source, name: str, means: Means) -> None:
        """Ask nothing yet."""
        self.source: Source = source
        self.name: str = name
        self.breaker: Breaker = Breaker()
        self.requests: int = 0
        self.failures: int = 0
        self.is_answering: bool = True
        self._means = means

    def call(self, ask: Callable[[], T]) -> T | SourceError:
        """One request; its answer, or why there is none."""
        self.requests += 1
        answer = safely(self.name, ask)
        if isinstance(answer, SourceError):
            self.note(answer)
        else:
            self.answered()
        return answer

    def fetch(self, questions: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        """Fetch, with one request or as many as the source needs; an answer for each question."""
        self.requests += 1
        answers = self._means.ask(self.source, questions)
        failed = [one for one in answers.values() if isinstance(one, SourceError)]
        if len(failed) < len(questions):
            self.answered()
        elif failed:
            self.note(failed[0])
        return [answers[one] for one in questions]

    def answered(self) -> None:
        """Take note of an answer."""
        self.is_answering = True
        self.breaker.answered()

    def note(self, error: SourceError) -> None:
        """Take note of an error: absent and denied are answers, too."""
        if error.kind in {Kind.ABSENT, Kind.DENIED}:
            self.answered()
            return
        self.failures += 1
        self.is_answering = False
        self.breaker.failed(self._means.clock.seconds(), self._means.chance())


def safely(name: str, ask: Callable[[], T]) -> T | SourceError:
    """Call a source; whatever goes wrong is an answer."""
    try:
        return ask()
    except SourceError as error:
        return error.with_traceback(None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 a provider is somebody else's code, and its text may hold a value
        fault = type(error).__name__
    return Unreachable(f"{name}: its provider failed with {fault}", hint="a fault in the provider: report it")


def retry_after(error: SourceError) -> float | None:
    """For how long a source asks to be left alone, or None."""
    if not isinstance(error, RateLimited):
        return None
    return 0.0 if error.retry_after_s is None else error.retry_after_s
