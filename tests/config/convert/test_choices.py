"""Enum and Literal."""

from collections.abc import Callable
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from itertools import count
from typing import Literal

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.errors import DeclarationError, Problem

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]


class Color(Enum):
    RED = "red"
    GREEN = "green"
    CRIMSON = "red"  # noqa: PIE796 an alias


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Ratio(Enum):
    HALF = 0.5
    PAIR = (1, 2)
    ENDLESS = float("inf")


class Nothing(Enum):
    pass


class Mode(StrEnum):
    FAST = "fast"


class Other(StrEnum):
    FAST = "fast"


_MIXED = Literal["a", 1, True, None]  # noqa: PYI061 None in it is what is tested
Many = Enum("Many", "A B C D E F G H I J K L M N O P")


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (Color, "red", Color.RED),
        (Color, "GREEN", Color.GREEN),
        (Color, "CRIMSON", Color.RED),
        (Color, Color.GREEN, Color.GREEN),
        (Level, 2, Level.HIGH),
        (Level, "LOW", Level.LOW),
        (Ratio, Decimal("0.50"), Ratio.HALF),
        (Ratio, 0.5, Ratio.HALF),
        (Ratio, "PAIR", Ratio.PAIR),
        (Mode, "fast", Mode.FAST),
        (_MIXED, "a", "a"),
        (_MIXED, 1, 1),
        (_MIXED, True, True),
        (Literal[Mode.FAST, "slow"], "fast", Mode.FAST),
        (Literal[Mode.FAST, "slow"], "slow", "slow"),
    ],
    ids=map(str, count()),
)
def test_a_choice_is_found_by_value_then_by_name(convert: Convert, hint: object, value: object, made: object) -> None:
    result = convert(hint, value)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("hint", "text", "made"),
    [
        (Level, "2", Level.HIGH),
        (Ratio, "0.5", Ratio.HALF),
        (Literal[1, 2], "2", 2),
        (Literal[True, "x"], "true", True),
        (Literal[False, "x"], "false", False),
        (Literal["1", 1], "1", "1"),
    ],
    ids=map(str, count()),
)
def test_text_of_a_variable_means_the_choice_that_is_written_so(
    convert: Convert, hint: object, text: str, made: object
) -> None:
    result = convert(hint, text, lax=True)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Color, "blue"),
        (Color, "Red"),
        (Color, 1),
        (Color, ["red"]),
        (Color, Level.LOW),
        (Level, "1"),
        (Level, True),
        (Mode, Other.FAST),
        (Literal[1], True),
        (Literal[True], 1),
        (Literal["1"], 1),
        (Literal["a"], None),
        (Literal[1], Decimal("sNaN")),
    ],
    ids=map(str, count()),
)
def test_what_is_no_choice_is_refused(refuse: Refuse, hint: object, value: object) -> None:
    assert len(refuse(hint, value)) == 1


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (Color, "expected one of red, green"),
        (Ratio, "expected one of 0.5, PAIR, ENDLESS"),
        (Literal["only"], "expected only"),
        (Literal[1, True], "expected one of 1, true"),
        (Many, "expected one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"),
    ],
    ids=map(str, count()),
)
def test_a_refusal_lists_what_was_declared(refuse: Refuse, hint: object, message: str) -> None:
    (problem,) = refuse(hint, "CANARY-d5")
    assert problem.message == message


@pytest.mark.parametrize("hint", [Nothing, Literal[b"a"], Literal["a", b"b"], Literal[None]], ids=range(4))  # noqa: PYI061
def test_what_leaves_no_choice_is_refused_when_it_is_declared(hint: object) -> None:
    with pytest.raises(DeclarationError):
        converter_for(hint)


def test_the_schema_lists_values_and_names() -> None:
    assert converter_for(Color).json_schema() == {"enum": ["red", "green", "RED", "GREEN", "CRIMSON"]}
    assert converter_for(Ratio).json_schema() == {"enum": [0.5, "HALF", "PAIR", "ENDLESS"]}
    assert converter_for(Literal["a", 1]).json_schema() == {"enum": ["a", 1]}
