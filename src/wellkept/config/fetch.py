"""Asking the sources: each path once, many at a time, and nothing but our own errors come back."""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import replace
from wellkept.errors import Malformed, SourceError, Unreachable, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Closes, FetchesMany, Leases, LogsIn, Source
from wellkept.registry import Schemes, open_source

COMMON_OPTIONS = frozenset({"version", "ttl", "max_stale", "optional", "plain"})
CONNECTIONS = 16  # facts: 16 keep-alive connections are where more gain nothing (100 secrets in 76 ms at 5 ms)

# Options about the reference, not about the question: they do not make another request.
_ABOUT_THE_ANSWER = frozenset({"ttl", "max_stale", "optional", "plain"})

Answer = Reading | SourceError
Job = Callable[[], Mapping[Reference, Answer]]


class Fetcher:
    """Asks sources for one load and remembers what they answered."""

    def __init__(self, given: Mapping[str, Source], environ: Mapping[str, str], schemes: Schemes) -> None:
        """Ask the given sources for their schemes, and the registry for all others."""
        self.schemes = schemes
        self.tables: list[tuple[object, object]] = []  # outcomes of provider tables, and the options made of them
        self._environ = environ
        self._sources: dict[str, Source | SourceError] = dict(given)
        self._questions: dict[Reference, Reference] = {}
        self._answers: dict[Reference, Answer] = {}
        self._asked_at: dict[Reference, float] = {}
        self._offers: dict[str, Callable[[], Source | SourceError]] = {}
        self._opening: list[str] = []
        self._pid = os.getpid()
        self._others = frozenset[Reference]()
        self._leases: dict[Reference, Lease] = {}
        self._kept = frozenset[Reference]()

    def offer(self, scheme: str, opens: Callable[[], Source | SourceError]) -> None:
        """Take what opens the source of a scheme that a file configures; it is called on the first use."""
        self.schemes.add([scheme])
        self._offers[scheme] = opens

    def source(self, scheme: str) -> Source | SourceError:
        """The source of a scheme, or why there is none."""
        known = self._sources.get(scheme)
        if known is None:
            known = self._sources[scheme] = self._open(scheme)
        return known

    def fetch(self, references: Iterable[Reference]) -> None:
        """Ask for all that is not known yet, side by side."""
        wanted = dict.fromkeys(map(self.question, references))
        by_scheme: dict[str, list[Reference]] = {}
        for question in wanted:
            if question not in self._answers:
                by_scheme.setdefault(question.scheme, []).append(question)
        jobs = [job for scheme, questions in by_scheme.items() for job in _jobs(self.source(scheme), questions)]
        for scheme, questions in by_scheme.items():
            if getattr(self._sources[scheme], "is_secret_store", True):  # the others are this machine itself
                count = "1 value" if len(questions) == 1 else f"{len(questions)} values"
                BUS.publish(Event(Topic.ASKING, scheme, f"for {count}"))
        asked_at = SYSTEM_CLOCK.seconds()
        for answers in _run(jobs):
            self._answers.update(answers)
            self._asked_at.update(dict.fromkeys(answers, asked_at))

    def reading(self, reference: Reference) -> Answer:
        """What was answered, without regard to the key."""
        question = self.question(reference)
        return self._answers.get(question) or _foreign(question, "no answer")

    def settle(self, folder: str) -> None:
        """Take relative paths for what they were at the load, wherever the program goes."""
        for reference, question in list(self._questions.items()):
            source = self._sources.get(question.scheme)
            if question.base is None and not question.is_absolute and getattr(source, "starts_at_base", False):
                there = self._questions[reference] = replace(question, base=folder)
                if question in self._answers:
                    self._answers[there] = self._answers.pop(question)

    def known(self, question: Reference) -> Answer | None:
        """The answer to a question, or None where it was forgotten."""
        return self._answers.get(question)

    def asked_at(self, question: Reference) -> float | None:
        """When it was asked, on the system's clock of seconds: a lease runs from then on."""
        return self._asked_at.get(question)

    def put(self, readings: Mapping[Reference, Reading]) -> None:
        """Take answers that came later, by their questions."""
        self._answers.update(readings)

    def keep(self, questions: Collection[Reference], followed: Collection[Reference]) -> None:
        """Forget all answers but some, which are needed beside new ones.

        Args:
            questions: those that are kept.
            followed: those whose leases are somebody else's from now on.
        """
        self._kept = frozenset(questions)
        self._others = frozenset(followed)
        self._leases = dict(self.leased)
        self.drop(self._answers)

    def drop(self, questions: Iterable[Reference]) -> None:
        """Forget answers, but for those that are kept."""
        for one in list(questions):
            if one not in self._kept:
                self._answers.pop(one, None)

    @property
    def leased(self) -> Mapping[Reference, Lease]:
        """What was answered with a lease."""
        found = ((one, answer) for one, answer in self._answers.items() if isinstance(answer, Reading))
        return {one: answer.lease for one, answer in found if answer.lease is not None}

    def is_secret(self, reference: Reference) -> bool:
        """Whether an answer may only go into a Secret."""
        is_store = getattr(self._sources.get(reference.scheme), "is_secret_store", True)
        return bool(is_store) and not reference.is_plain

    def options(self, reference: Reference) -> frozenset[str]:
        """The options that the scheme has beside the common ones."""
        return frozenset(getattr(self._sources.get(reference.scheme), "options", ()))

    @property
    def logins(self) -> Iterable[tuple[str, Source]]:
        """The sources with a login that this process has made."""
        found = ((scheme, source) for scheme, source in self._sources.items() if not isinstance(source, SourceError))
        return [pair for pair in found if isinstance(pair[1], LogsIn) and pair[1].has_own_login]

    def close(self) -> None:
        """Let go of what the sources hold open, and give back what was leased for nobody."""
        self._give_back()
        for source in self._sources.values():
            if isinstance(source, Closes):
                with suppress(Exception):  # somebody else's code, and nothing is asked of it any more
                    source.close()

    def question(self, reference: Reference) -> Reference:
        """The reference without its key, and without what does not change the answer."""
        known = self._questions.get(reference)
        if known is None:
            options = tuple(pair for pair in reference.options if pair[0] not in _ABOUT_THE_ANSWER)
            is_relative = getattr(self.source(reference.scheme), "starts_at_base", False)
            base = reference.base if is_relative else None
            is_asked = not reference.key and len(options) == len(reference.options) and base == reference.base
            known = reference if is_asked else replace(reference, key=(), options=options, base=base)
            self._questions[reference] = known
        return known

    def _give_back(self) -> None:
        if os.getpid() != self._pid:  # a forked child closes its copy, and the parent uses them on
            return
        for question, lease in {**self._leases, **self.leased}.items():
            if question in self._others or lease.is_shared:
                continue
            source: object = self._sources.get(question.scheme)
            if isinstance(source, Leases):
                with suppress(Exception):  # it ends by itself, and nobody waits for it
                    source.revoke(lease)

    def _open(self, scheme: str) -> Source | SourceError:
        offer = self._offers.get(scheme)
        if offer is None:
            return open_safely(scheme, partial(open_source, scheme, self._environ))
        if scheme in self._opening:
            circle = " → ".join([*self._opening[self._opening.index(scheme) :], scheme])
            return Malformed(f"{scheme}: provider tables refer to each other in a circle: {circle}", hint="break it")
        self._opening.append(scheme)
        try:
            return offer()
        finally:
            self._opening.remove(scheme)


def ask(source: Source, questions: Sequence[Reference]) -> Mapping[Reference, Answer]:
    """Ask one source, side by side; an answer or an error for each question, and it never raises."""
    known = {question: answer for answers in _run(_jobs(source, questions)) for question, answer in answers.items()}
    return {question: known.get(question) or _foreign(question, "no answer") for question in questions}


def _jobs(source: Source | SourceError, questions: Sequence[Reference]) -> list[Job]:
    if isinstance(source, SourceError):
        return [partial(_refused, source, questions)]
    if isinstance(source, FetchesMany):
        return [partial(_ask_together, source, questions)]
    return [partial(_ask_alone, source, one) for one in questions]


def open_safely(scheme: str, opens: Callable[[], Source]) -> Source | SourceError:
    """Open a source; whatever goes wrong is an answer to its references."""
    try:
        return opens()
    except SourceError as error:
        return error.with_traceback(None)
    except UsageError as error:
        return Malformed(error.message, hint=error.hint)
    except Exception as error:  # noqa: BLE001 a provider is somebody else's code, and its text may hold a value
        name = type(error).__name__
    return Malformed(f"{scheme}: its provider cannot be opened ({name})", hint="look at what the provider needs")


def _refused(error: SourceError, references: Sequence[Reference]) -> dict[Reference, Answer]:
    return dict.fromkeys(references, error)


def _ask_alone(source: Source, reference: Reference) -> dict[Reference, Answer]:
    try:
        return {reference: _checked(reference, source.fetch(reference))}
    except SourceError as error:
        return {reference: error.with_traceback(None)}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 a provider is somebody else's code, and its text may hold a value
        name = type(error).__name__
    return {reference: _foreign(reference, name)}


def _ask_together(source: FetchesMany, references: Sequence[Reference]) -> dict[Reference, Answer]:
    try:
        answers = zip(references, source.fetch_many(references), strict=True)
        return {reference: _checked(reference, answer) for reference, answer in answers}
    except SourceError as error:  # one answer to all: denied stays denied
        return _refused(error.with_traceback(None), references)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 as above
        name = type(error).__name__
    return {reference: _foreign(reference, name) for reference in references}


def _checked(reference: Reference, answer: object) -> Answer:
    if isinstance(answer, (Reading, SourceError)):
        return answer
    return Malformed(f"{reference}: its provider answered with no Reading", hint="a fault in the provider: report it")


def _foreign(reference: Reference, name: str) -> Unreachable:
    return Unreachable(f"{reference}: its provider failed with {name}", hint="a fault in the provider: report it")


def _done(job: Job) -> Mapping[Reference, Answer]:
    """The answers of a job; whatever ends it, somebody waits for the word that it has ended."""
    try:
        return job()
    except BaseException:  # noqa: BLE001 a provider is somebody else's code
        return {}


def _run(jobs: Sequence[Job]) -> list[Mapping[Reference, Answer]]:
    """Do the jobs on up to 16 threads; a single one, here."""
    if len(jobs) <= 1:
        return [job() for job in jobs]
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    done: SimpleQueue[Mapping[Reference, Answer]] = SimpleQueue()

    def work() -> None:
        with suppress(Empty):  # the queue is filled before the first thread starts: empty is the end
            while True:
                done.put(_done(waiting.get_nowait()))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(len(jobs), CONNECTIONS))]
    for thread in threads:
        thread.start()
    return [done.get() for _ in jobs]
