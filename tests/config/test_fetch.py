"""Fetching: each path once, many at a time, and only our own errors come back."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import pytest

from wellkept.config.fetch import CONNECTIONS, Answer, Fetcher
from wellkept.errors import Absent, Denied, Malformed, SourceError, Unreachable
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.registry import Schemes
from wellkept.testing import MemorySource

V = "CANARY-fetch-7f3a"


class Calls:
    """A source that answers as a function does."""

    def __init__(self, answer: Callable[[Reference], Reading]) -> None:
        self._answer = answer

    def fetch(self, reference: Reference) -> Reading:
        return self._answer(reference)


class Batch:
    """A source that answers all together."""

    def __init__(self, answer: Callable[[Sequence[Reference]], Sequence[Reading | SourceError]]) -> None:
        self.asked: list[list[str]] = []
        self._answer = answer

    def fetch(self, reference: Reference) -> Reading:
        raise AssertionError(f"{reference}: asked alone")

    def fetch_many(self, references: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        self.asked.append([one.location for one in references])
        return self._answer(references)


class Holds(MemorySource):
    """A source that holds something open, and may fail to let it go."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.closed = 0
        self._fails = fails

    def close(self) -> None:
        self.closed += 1
        if self._fails:
            raise OSError(V)


def fetcher(**sources: Source) -> Fetcher:
    return Fetcher(sources, {}, Schemes(sources))


def ref(path: str, *key: str, scheme: str = "mem", base: str | None = None, **options: str) -> Reference:
    return Reference(scheme, (path,), key, tuple(options.items()), base=base)


def answers(source: Source, *paths: str) -> list[Answer]:
    made = fetcher(mem=source)
    made.fetch(map(ref, paths))
    return [made.reading(ref(path)) for path in paths]


def raises(error: BaseException) -> Callable[[object], NoReturn]:
    def answer(_asked: object) -> NoReturn:
        raise error

    return answer


def test_two_keys_of_one_path_cost_one_request() -> None:
    memory = MemorySource({"a": {"x": V}})
    made = fetcher(mem=memory)
    made.fetch([ref("a", "x"), ref("a", "y"), ref("a")])
    assert memory.requests == ["a"]
    assert made.reading(ref("a", "y")) == made.reading(ref("a", "x"))


def test_options_about_the_answer_make_no_request_of_their_own() -> None:
    memory = MemorySource({"a": V})
    made = fetcher(mem=memory)
    made.fetch([ref("a", ttl="30s"), ref("a", optional="true"), ref("a", plain="true"), ref("a")])
    assert memory.requests == ["a"]


def test_versions_of_one_path_are_two_questions() -> None:
    memory = MemorySource({"a": V})
    memory.put("a", "CANARY-second")
    made = fetcher(mem=memory)
    made.fetch([ref("a", version="1"), ref("a", version="2")])
    assert memory.requests == ["a", "a"]
    values = [getattr(made.reading(ref("a", version=number)), "value", None) for number in "12"]
    assert values == [V, "CANARY-second"]


def test_what_was_answered_is_not_asked_again() -> None:
    memory = MemorySource({"a": V})
    made = fetcher(mem=memory)
    made.fetch([ref("a")])
    made.fetch([ref("a"), ref("b")])
    made.fetch([])
    assert memory.requests == ["a", "b"]


@pytest.mark.parametrize(("starts_at_base", "requests"), [(True, 2), (False, 1)])
def test_the_folder_of_the_file_matters_to_sources_that_start_there(*, starts_at_base: bool, requests: int) -> None:
    memory = MemorySource({"a": V})
    vars(memory)["starts_at_base"] = starts_at_base
    made = fetcher(mem=memory)
    made.fetch([ref("a", base="/one"), ref("a", base="/two")])
    assert len(memory.requests) == requests


def test_sources_are_asked_side_by_side_but_never_more_than_sixteen_at_once() -> None:
    together = threading.Barrier(CONNECTIONS)
    lock, now, most = threading.Lock(), 0, 0

    def answer(reference: Reference) -> Reading:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(timeout=30)  # passes only when sixteen are here at once
        with lock:
            now -= 1
        return Reading(reference.location, "calls")

    paths = [str(number) for number in range(CONNECTIONS * 3)]
    got = answers(Calls(answer), *paths)
    assert [getattr(one, "value", None) for one in got] == paths
    assert most == CONNECTIONS


def test_one_question_needs_no_thread() -> None:
    seen: list[threading.Thread] = []

    def answer(_reference: Reference) -> Reading:
        seen.append(threading.current_thread())
        return Reading(V, "calls")

    answers(Calls(answer), "a")
    assert seen == [threading.current_thread()]


def test_a_source_that_answers_together_is_asked_once() -> None:
    batch = Batch(lambda asked: [Absent("b: absent") if one.location == "b" else Reading(V, "batch") for one in asked])
    first, second, third = answers(batch, "a", "b", "c")
    assert batch.asked == [["a", "b", "c"]]
    assert (type(first), type(second), type(third)) == (Reading, Absent, Reading)


@pytest.mark.parametrize("cls", [Absent, Denied, Unreachable, Malformed])
@pytest.mark.parametrize("kind", [Calls, Batch])
def test_the_answers_that_are_no_value_stay_what_they_are(kind: type[Calls | Batch], cls: type[SourceError]) -> None:
    error = cls("a: no", hint="fix")
    assert answers(kind(raises(error)), "a", "b") == [error, error]
    assert error.__traceback__ is None  # its frames may hold what a provider had in hand


@pytest.mark.parametrize("kind", [Calls, Batch])
@pytest.mark.parametrize("error", [ValueError(V), ExceptionGroup(V, [KeyError(V)]), SystemExit(V)], ids=type)
@pytest.mark.parametrize("paths", [("a",), ("a", "b")], ids=len)
def test_what_a_provider_raises_is_told_by_its_type_only(
    kind: type[Calls | Batch], error: BaseException, paths: tuple[str, ...]
) -> None:
    for path, answer in zip(paths, answers(kind(raises(error)), *paths), strict=True):
        assert isinstance(answer, Unreachable)
        assert answer.message == f"mem:{path}: its provider failed with {type(error).__name__}"
        assert (answer.__context__, answer.__cause__) == (None, None)


def test_a_batch_with_too_few_answers_is_the_fault_of_its_provider() -> None:
    for answer in answers(Batch(lambda _asked: [Reading(V, "batch")]), "a", "b"):
        assert isinstance(answer, Unreachable)


def test_an_answer_that_is_no_reading_is_malformed_and_not_shown() -> None:
    wrong: Callable[[object], Reading] = lambda _asked: V  # type: ignore[assignment,return-value]  # noqa: E731 that is what is tested
    (answer,) = answers(Calls(wrong), "a")
    assert isinstance(answer, Malformed)
    assert "CANARY" not in str(answer)


def test_one_scheme_that_fails_does_not_spoil_another() -> None:
    made = fetcher(mem=MemorySource({"a": V}), bad=Calls(raises(ValueError(V))))
    made.fetch([ref("a"), ref("a", scheme="bad")])
    assert isinstance(made.reading(ref("a")), Reading)
    assert isinstance(made.reading(ref("a", scheme="bad")), Unreachable)


def test_a_built_in_source_reads_the_environment_of_the_load() -> None:
    made = Fetcher({}, {"NAME": V}, Schemes())
    made.fetch([ref("NAME", scheme="env")])
    assert made.reading(ref("NAME", scheme="env")) == Reading(V, "env NAME")


def test_a_given_source_stands_in_for_a_built_in_one() -> None:
    made = fetcher(env=MemorySource({"NAME": V}))
    made.fetch([ref("NAME", scheme="env")])
    assert made.reading(ref("NAME", scheme="env")) == Reading(V, "memory NAME", version="1")


@pytest.mark.parametrize(
    ("module", "message"),
    [("wellkept.origin", "new: its provider cannot be opened"), (None, "new: is no known scheme")],
    ids=["broken", "unknown"],
)
def test_a_provider_that_cannot_be_opened_answers_all_its_references_with_that(
    module: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_in: Mapping[str, str] = {} if module is None else {"new": module}
    monkeypatch.setattr("wellkept.registry.BUILT_IN", built_in)
    made = Fetcher({}, {}, Schemes())
    made.fetch([ref("a", scheme="new"), ref("b", scheme="new")])
    for path in "ab":
        answer = made.reading(ref(path, scheme="new"))
        assert isinstance(answer, Malformed)
        assert answer.message.startswith(message)


def test_an_answer_may_leave_a_secret_only_where_source_or_writer_say_so() -> None:
    made = fetcher(mem=MemorySource(), open=MemorySource(is_secret_store=False), bare=Calls(raises(ValueError())))
    assert made.is_secret(ref("a"))
    assert made.is_secret(ref("a", scheme="bare"))
    assert not made.is_secret(ref("a", plain="true"))
    assert not made.is_secret(ref("a", scheme="open"))


def test_a_source_may_have_options_of_its_own() -> None:
    memory = MemorySource()
    vars(memory)["options"] = ("region",)
    assert fetcher(mem=memory).options(ref("a")) == {"region"}
    assert fetcher(mem=MemorySource()).options(ref("a")) == frozenset()


def test_closing_lets_go_of_every_source_though_one_of_them_fails() -> None:
    first, second = Holds(fails=True), Holds()
    made = fetcher(first=first, mem=MemorySource(), second=second)
    made.close()
    made.close()
    assert (first.closed, second.closed) == (2, 2)
