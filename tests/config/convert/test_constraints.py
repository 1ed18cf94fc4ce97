"""Constraints by `Annotated`."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Annotated, Any

import annotated_types as at
import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer
from wellkept.config.types import Byte, Pattern, Size
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_LOCAL = datetime(2026, 1, 1)  # noqa: DTZ001 TOML has local times too


@dataclass(frozen=True)
class Meta:
    """As msgspec's: one marker for many things, None where it says nothing."""

    ge: int | None = None
    lt: int | None = None
    max_length: int | None = None
    pattern: str | None = None


def is_even(value: int) -> bool:
    return value % 2 == 0


@pytest.mark.parametrize(
    ("hint", "good", "bad", "message"),
    [
        (Annotated[int, at.Ge(1)], 1, 0, "a whole number, at least 1"),
        (Annotated[int, at.Gt(1)], 2, 1, "a whole number, more than 1"),
        (Annotated[int, at.Le(5)], 5, 6, "a whole number, at most 5"),
        (Annotated[int, at.Lt(5)], 4, 5, "a whole number, less than 5"),
        (Annotated[int, at.Interval(ge=1, lt=5)], 1, 5, "a whole number, at least 1, less than 5"),
        (Annotated[int, at.MultipleOf(5)], 10, 11, "a whole number, a multiple of 5"),
        (Annotated[float, at.MultipleOf(0.1)], Decimal("0.3"), Decimal("0.35"), "a number, a multiple of 0.1"),
        (Annotated[float, at.Ge(0.5)], Decimal("0.5"), Decimal("0.4"), "a number, at least 0.5"),
        (Annotated[Decimal, at.Ge(Decimal("0.1"))], Decimal("0.1"), 0, "an exact decimal number, at least 0.1"),
        (Annotated[timedelta, at.Le(timedelta(hours=1))], "1h", "61m", None),
        (Annotated[timedelta, at.MultipleOf(timedelta(minutes=1))], "1h", "61s", None),
        (Annotated[datetime, at.Ge(_MOMENT)], _MOMENT, datetime(2025, 1, 1, tzinfo=UTC), None),
        (Annotated[datetime, at.Ge(_MOMENT)], _MOMENT, _LOCAL, None),
        (Annotated[Size, at.Le(1024)], "1 KiB", "1 MiB", "a size (10 MiB), at most 1024"),
        (Byte, 255, 256, "a whole number, at least 0, at most 255"),
        (Annotated[str, at.MinLen(2)], "ab", "a", "text, 2 characters or more"),
        (Annotated[str, at.Len(1, 2)], "ab", "abc", "text, 1 characters or more, 2 characters or fewer"),
        (Annotated[list[int], at.MaxLen(1)], [1], [1, 2], "a list, each item a whole number, 1 items or fewer"),
        (Annotated[dict[str, int], at.MinLen(1)], {"a": 1}, {}, "a table, each value a whole number, 1 keys or more"),
        (Annotated[bytes, at.MinLen(1)], "a", "", None),
        (Annotated[str, Pattern("[a-z]+")], "abc", "abc1", "text, in the form [a-z]+"),
        (Annotated[str, re.compile("[a-z]+", re.IGNORECASE)], "ABC", "abc1", "text, in the form [a-z]+"),
        (Annotated[str, Meta(pattern="^ab", max_length=3)], "abc", "cab", None),
        (Annotated[int, Meta(ge=1)], 1, 0, "a whole number, at least 1"),
        (Annotated[int, SimpleNamespace(metadata=[at.Ge(1)])], 1, 0, "a whole number, at least 1"),
        (Annotated[int, at.Predicate(is_even)], 2, 3, "a whole number, for which is_even holds"),
        (Annotated[int, at.Predicate(lambda value: value > 1)], 2, 1, "a whole number, as its own rule asks"),
        (
            Annotated[float, at.Predicate(math.isfinite), at.Lt(2)],
            1,
            2,
            "a number, for which isfinite holds, less than 2",
        ),
        (Annotated[int, at.Predicate(lambda value: 1 / value)], 1, 0, "a whole number, as its own rule asks"),
        (Annotated[datetime, at.Timezone(...)], _MOMENT, _LOCAL, None),
        (Annotated[datetime, at.Timezone(None)], _LOCAL, _MOMENT, None),
        (Annotated[datetime, at.Timezone("UTC")], _MOMENT, "2026-01-01T00:00:00+02:00", None),
        (Annotated[datetime, at.Timezone("UTC")], _MOMENT, _LOCAL, None),
        (Annotated[int | None, at.Ge(1)], 1, 0, "a whole number, at least 1"),
        (Annotated[int | str, at.Ge(1)], 1, "a", "a whole number or text, at least 1"),
        (list[Annotated[int, at.Ge(1)]], [1], [0], "a whole number, at least 1"),
        (Annotated[Annotated[int, at.Ge(1)], at.Le(3)], 3, 4, "a whole number, at least 1, at most 3"),
        (Annotated[int, at.MultipleOf(0)], None, 4, "a whole number, a multiple of 0"),
    ],
    ids=map(str, count()),
)
def test_a_constraint_holds_and_words_its_refusal(  # noqa: PLR0917 two fixtures and a row of the table
    convert: Convert, refuse: Refuse, hint: object, good: object, bad: object, message: str | None
) -> None:
    if good is not None:
        convert(hint, good)
    (problem,) = refuse(hint, bad)
    assert message is None or problem.message == f"expected {message}"
    assert problem.hint == "change the value, or the constraint in the declaration"


def test_a_value_of_the_wrong_type_is_refused_by_the_type_alone(refuse: Refuse) -> None:
    (problem,) = refuse(Annotated[int, at.Ge(1)], "x")
    assert problem.message == "expected a whole number"


@pytest.mark.parametrize(
    "marker",
    [
        "a comment",
        5,
        None,
        object(),
        int,
        at.Unit("s"),
        at.doc("text"),
        SimpleNamespace(metadata=None),
        SimpleNamespace(ge=print),
    ],
    ids=range(9),
)
def test_a_marker_that_says_nothing_known_is_ignored(convert: Convert, marker: object) -> None:
    assert convert(Annotated[int, marker], 5) == 5


class TestSecrets:
    """What is asked of a Secret is asked of its value."""

    @pytest.mark.parametrize(
        "hint", [Annotated[Secret[str], at.MinLen(8)], Secret[Annotated[str, at.MinLen(8)]]], ids=range(2)
    )
    def test_a_good_value_passes(self, convert: Convert, hint: object) -> None:
        assert isinstance(convert(hint, "CANARY-i1"), Secret)

    @pytest.mark.parametrize(
        "hint", [Annotated[Secret[str], at.MinLen(99)], Secret[Annotated[str, at.MinLen(99)]]], ids=range(2)
    )
    def test_a_bad_one_is_refused_without_a_word_of_it(self, refuse: Refuse, hint: object) -> None:
        (problem,) = refuse(hint, "CANARY-i2")
        assert problem.message == "expected text, 99 characters or more"

    def test_an_answer_keeps_its_origin(self, convert: Convert) -> None:
        origin = Origin(Layer.FILE, "Config.toml:1:5", answer="vault db", version="3")
        made = convert(Annotated[Secret[bytes], at.MinLen(1)], Answer(b"CANARY-i3", origin, is_secret=True))
        assert isinstance(made, Secret)
        assert made.origin == origin


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Annotated[int, at.Interval(ge=1, lt=5)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 5}),
        (Annotated[float, at.Gt(Decimal("0.5"))], {"type": "number", "exclusiveMinimum": 0.5}),
        (Annotated[str, at.Len(1, 2)], {"type": "string", "minLength": 1, "maxLength": 2}),
        (Annotated[str, Pattern("a|b")], {"type": "string", "pattern": "^(?:a|b)$"}),
        (Annotated[str, Meta(pattern="a")], {"type": "string", "pattern": "a"}),
        (Annotated[list[int], at.MinLen(1)], {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        (Annotated[datetime, at.Ge(_MOMENT)], converter_for(datetime).json_schema()),
        (Annotated[bytes, at.MinLen(1)], converter_for(bytes).json_schema()),
    ],
    ids=map(str, count()),
)
def test_the_schema_is_narrowed(hint: object, schema: dict[str, Any]) -> None:
    assert converter_for(hint).json_schema() == schema
