"""The engine of this process: what is followed after a load, and what it says of itself."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, cast

from wellkept._forks import after_fork
from wellkept._imports import load_module
from wellkept.config.fetch import Fetcher, ask
from wellkept.config.layers.providers import DRAIN, STATUS
from wellkept.config.layers.say import Form, Refers, Say
from wellkept.config.resolve import Outcome, references_of
from wellkept.errors import SourceError, WellkeptError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading, Reference, in_seconds
from wellkept.origin import Layer
from wellkept.ports import Source
from wellkept.refresh.calls import Calls
from wellkept.refresh.engine import Engine, Question
from wellkept.refresh.status import Status
from wellkept.refresh.thread import Runner, Serves
from wellkept.refresh.ticket import Follower
from wellkept.registry import open_source
from wellkept.runtime.followed import Followed

_FILE: Final = "file"
_NOTHING: Final = Reading(None, "")  # of a mounted file, which was read as a layer: no answer says its version

_lock = threading.Lock()
_runner: Runner | None = None


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 there is one
    _lock = threading.Lock()


after_fork(_renew_lock)


def runner() -> Runner:
    """The one of this process, made when it is first needed."""
    global _runner  # noqa: PLW0603 a process has one
    with _lock:
        if _runner is None:
            _runner = Runner(Engine(ask), Calls())
        return _runner


def obey(own: Mapping[str, object], environ: Mapping[str, str]) -> None:
    """Do what `[wellkept]` of a file says of the process."""
    drain = own.get(DRAIN)
    if isinstance(drain, str):
        runner().engine.set_drain(in_seconds(drain))
    if own.get(STATUS) is True:
        runner().serve_status(partial(_open_socket, environ))


def _open_socket(environ: Mapping[str, str]) -> Serves | None:
    """Answer for the status of this process; a service does not fail for want of that."""
    served = load_module("wellkept.refresh.served")  # it loads sockets, which few processes need here
    try:
        return cast("Serves", served.StatusSocket(served.runtime_folder(environ), os.getpid()))
    except WellkeptError as error:
        fault = error.message
    BUS.publish(Event(Topic.WARNING, "status", f"is not served: {fault}"))
    return None


def follow(
    outcomes: Sequence[Outcome], values: Mapping[Form, object], fetcher: Fetcher, environ: Mapping[str, str]
) -> list[Followed]:
    """Keep the secrets of a load fresh, from now on; which settings that are."""
    fetcher.settle(os.getcwd())  # noqa: PTH109 text in, text out
    found = list(_followed(outcomes, values, fetcher, environ))
    # What stands beside a part that may change is needed when that does: a variable, a pinned version.
    tables = [outcome for outcome, _ in cast("list[tuple[Outcome, object]]", fetcher.tables)]
    asked = [{fetcher.question(one) for one in references_of(outcome)} for outcome in [*outcomes, *tables]]
    beside = {question for questions in asked if len(questions) > 1 for question in questions}
    fetcher.keep(beside, {one.reference for _, questions in found for one in questions})
    if found:
        own = runner()
        for followed, _ in found:
            followed.set_refresher(partial(own.engine.refresh, followed))
        own.engine.follow(found)
        own.wake()
    return [followed for followed, _ in found]


def remember(logins: Iterable[tuple[str, Source]]) -> None:
    """End these logins with the process, though nothing that was fetched under them is followed."""
    own = runner()
    for name, source in logins:
        own.engine.remember(source, name)
    own.wake()  # its thread ends them: whoever ends the process waits for two seconds only


def forget(followers: Iterable[Follower], *, drains: bool = False) -> None:
    """Keep these fresh no longer; what was leased for them only is given back: at once, or when it has drained."""
    if _runner is not None:
        _runner.engine.forget(followers, drains=drains)
        _runner.wake()


def file_reference(path: str) -> Reference:
    """A file as a question."""
    steps = os.path.abspath(path).strip("/").split("/")  # noqa: PTH100 text in, text out
    return Reference(_FILE, tuple(steps), is_absolute=True)


def plain_questions(outcomes: Sequence[Outcome], fetcher: Fetcher) -> Iterator[Question]:
    """What settings without a secret refer to: their values are fixed, so that a change takes a new load."""
    for outcome in outcomes:
        if not outcome.setting.holds_secret:
            yield from _questions(outcome, fetcher)


def absent_questions(outcomes: Sequence[Outcome], fetcher: Fetcher) -> Iterator[Question]:
    """What was not there, and would win if it were."""
    for reference in dict.fromkeys(one for outcome in outcomes for one in outcome.absent):
        source = fetcher.source(reference.scheme)
        if not isinstance(source, SourceError) and not getattr(source, "never_changes", False):
            yield Question(fetcher.question(reference), source, _NOTHING, reference.ttl_s, reference.max_stale_s)


def status() -> Status:
    """How the secrets of this process do, and their sources: states and times, never a value."""
    return Status(os.getpid()) if _runner is None else _runner.engine.status()


def _followed(
    outcomes: Sequence[Outcome], values: Mapping[Form, object], fetcher: Fetcher, environ: Mapping[str, str]
) -> Iterator[tuple[Followed, list[Question]]]:
    """The settings with secrets whose winning word may come to another value, and what they ask."""
    calls = None
    files: Source | None = None
    declared = [(one, values[one.setting.form]) for one in outcomes if one.setting.holds_secret]
    # What a provider's table refers to is followed, too: the next login is made with the secret id of that moment.
    tables = cast("list[tuple[Outcome, object]]", fetcher.tables)
    for outcome, value in [*declared, *tables]:
        say = outcome.say
        if say is None:
            continue
        file = _file_of(say)
        if file is not None:
            files = files or open_source(_FILE, environ)
            questions = [Question(file, files, _NOTHING)]
        else:
            questions = list(_questions(outcome, fetcher))
        if questions:
            calls = calls or runner().calls
            made = Followed(outcome, say, value, fetcher, file=file, run=calls.run)
            if made.is_alive:
                yield made, questions


def _file_of(say: Say) -> Reference | None:
    """The mounted file that a word is, or None."""
    path = say.origin.file
    is_file = say.refers is Refers.NEVER and say.origin.layer in {Layer.DIRECTORY, Layer.ARGUMENT}
    if path is None or not is_file:
        return None
    return file_reference(path)


def _questions(outcome: Outcome, fetcher: Fetcher) -> Iterator[Question]:
    """What may come to another answer: not what is pinned, nor what stands in this process itself."""
    seen: set[Reference] = set()
    for reference in references_of(outcome):
        question = fetcher.question(reference)
        source, reading = fetcher.source(reference.scheme), fetcher.known(question)
        if isinstance(source, SourceError) or isinstance(reading, SourceError):
            continue
        is_fixed = reference.option("version") is not None or getattr(source, "never_changes", False)
        if question not in seen and not is_fixed:
            seen.add(question)
            ttl_s, max_stale_s = reference.ttl_s, reference.max_stale_s
            asked_at = fetcher.asked_at(question)
            yield Question(question, source, reading or _NOTHING, ttl_s, max_stale_s, asked_at)
