"""The tree of errors: its codes, its texts, and that an error can go to another process."""

import copy
import inspect
import pickle  # noqa: TID251 an error of a worker process comes back pickled: that is what is tested
import re
from typing import Any

import pytest

from wellkept import errors
from wellkept.errors import (
    Absent,
    ConfigError,
    DeclarationError,
    Denied,
    Kind,
    Malformed,
    Problem,
    SecretLeak,
    SourceError,
    Unreachable,
    UsageError,
    WellkeptError,
)

CLASSES = [
    one
    for one in vars(errors).values()
    if inspect.isclass(one) and issubclass(one, WellkeptError) and one is not ConfigError
]


def problem(kind: Kind) -> Problem:
    return Problem("db.port", "expected a whole number", "Config.toml:3:8", "write 5432", kind)


def test_the_tree_on_top_of_the_file_is_the_tree_that_there_is() -> None:
    drawn = dict(re.findall(r"^[ │├└─]+(\w+) +(\d+|\*) ", errors.__doc__ or "", re.MULTILINE))
    assert drawn.pop("ConfigError") == "*"
    assert drawn == {one.__name__: str(one.exit_code) for one in CLASSES}


@pytest.mark.parametrize("cls", [SecretLeak, DeclarationError])
def test_a_wrong_use_of_a_type_is_a_type_error_as_well(cls: type[WellkeptError]) -> None:
    assert issubclass(cls, TypeError)


def test_the_answers_of_a_source_are_siblings() -> None:
    answers: tuple[type[SourceError], ...] = (Absent, Denied, Unreachable, Malformed)
    assert {one: one.__bases__ for one in answers} == dict.fromkeys(answers, (SourceError,))
    assert len({one.kind for one in answers}) == len(answers)


def test_a_hint_has_a_line_of_its_own() -> None:
    error = UsageError("db: is missing", hint="set it")
    assert str(error) == "db: is missing\n  hint: set it"
    assert error.message == "db: is missing"
    assert str(UsageError("db: is missing")) == "db: is missing"


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ([], 1),
        ([Kind.MISSING], 1),
        ([Kind.ABSENT], 1),
        ([Kind.DENIED], 77),
        ([Kind.DENIED, Kind.DENIED], 77),
        ([Kind.UNREACHABLE], 69),
        ([Kind.UNREACHABLE, Kind.DENIED], 1),
        ([Kind.UNREACHABLE, Kind.INVALID], 1),
    ],
)
def test_the_exit_code_is_that_of_all_problems_or_one(kinds: list[Kind], code: int) -> None:
    assert ConfigError("App", list(map(problem, kinds))).exit_code == code


def test_a_report_shows_every_problem_in_order_with_place_and_hint() -> None:
    nowhere = Problem("host", "is missing", None, "set HOST")
    assert str(ConfigError("configuration of App", [problem(Kind.INVALID), nowhere])) == (
        "configuration of App: 2 problems\n"
        "  db.port: expected a whole number (Config.toml:3:8)\n"
        "      hint: write 5432\n"
        "  host: is missing\n"
        "      hint: set HOST"
    )
    assert ConfigError("App", [nowhere]).message == "App: 1 problem"


def test_the_problems_of_a_report_do_not_change_with_the_list_that_they_came_in() -> None:
    given = [problem(Kind.INVALID)]
    error = ConfigError("App", given)
    given.clear()
    assert error.problems == (problem(Kind.INVALID),)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_comes_back_from_another_process_as_it_was(cls: type[WellkeptError]) -> None:
    error = cls("db: fact", hint="fix")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 our own bytes
        assert (type(again), str(again), again.exit_code) == (cls, str(error), error.exit_code)


def test_a_report_comes_back_from_another_process_as_it_was() -> None:
    error = ConfigError("App", [problem(Kind.DENIED)])
    again: Any = pickle.loads(pickle.dumps(error))  # noqa: S301 our own bytes
    assert (str(again), again.problems, again.exit_code) == (str(error), error.problems, 77)
