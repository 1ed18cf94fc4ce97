"""Whole numbers, numbers, decimals and truth values."""

import sys
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from itertools import count

import pytest

from wellkept.errors import Problem

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]


class Level(IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (int, 5, 5),
        (int, -5, -5),
        (int, Level.LOW, 1),
        (float, 5, 5.0),
        (float, Decimal("0.1"), 0.1),
        (float, 0.25, 0.25),
        (Decimal, 5, Decimal(5)),
        (Decimal, Decimal("3.14159265358979323846264338327950288"), Decimal("3.14159265358979323846264338327950288")),
        (Decimal, 0.1, Decimal("0.1")),
        (bool, True, True),
        (bool, False, False),
    ],
    ids=map(str, count()),
)
def test_tomls_own_types_are_taken(convert: Convert, hint: type, value: object, made: object) -> None:
    result = convert(hint, value)
    assert result == made
    assert type(result) is hint


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, True),
        (int, "5"),
        (int, Decimal("5.0")),
        (int, [5]),
        (int, None),
        (float, True),
        (float, "0.5"),
        (float, Decimal("inf")),
        (float, Decimal("nan")),
        (float, Decimal("sNaN")),
        (float, Decimal("1e999")),
        (float, float("nan")),
        (Decimal, True),
        (Decimal, "1.5"),
        (Decimal, Decimal("nan")),
        (Decimal, Decimal("1e999999999")),
        (Decimal, Decimal("1e-999999999")),
        (Decimal, float("inf")),
        (bool, 1),
        (bool, "true"),
        (bool, Decimal(1)),
    ],
    ids=map(str, count()),
)
def test_other_types_of_toml_are_refused(refuse: Refuse, hint: type, value: object) -> None:
    assert len(refuse(hint, value)) == 1


@pytest.mark.parametrize(
    ("hint", "text", "made"),
    [
        (int, "8080", 8080),
        (int, "+1", 1),
        (int, "-1", -1),
        (int, "0042", 42),
        (int, "1_000_000", 1_000_000),
        (float, "0.5", 0.5),
        (float, ".5", 0.5),
        (float, "5.", 5.0),
        (float, "-1_0.5e-1", -1.05),
        (float, "1e3", 1000.0),
        (Decimal, "19.99", Decimal("19.99")),
        (Decimal, "0.10000000000000000000000000001", Decimal("0.10000000000000000000000000001")),
        (Decimal, "-1e10", Decimal("-1e10")),
        (bool, "true", True),
        (bool, "TRUE", True),
        (bool, "Yes", True),
        (bool, "on", True),
        (bool, "1", True),
        (bool, "false", False),
        (bool, "No", False),
        (bool, "OFF", False),
        (bool, "0", False),
    ],
    ids=map(str, count()),
)
def test_text_of_a_variable_is_read(convert: Convert, hint: type, text: str, made: object) -> None:
    result = convert(hint, text, lax=True)
    assert result == made
    assert type(result) is hint


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, ""),
        (int, " 123 "),
        (int, "1__0"),
        (int, "_1"),
        (int, "0x10"),
        (int, "5.0"),
        (int, "٣"),
        (int, "9" * 4301),
        (float, "nan"),
        (float, "inf"),
        (float, "1e999"),
        (float, "1e9999999999"),
        (float, " 1"),
        (float, "1" * 4301),
        (float, "."),
        (Decimal, "1e999999999"),
        (Decimal, "1e-999999999"),
        (Decimal, "NaN"),
        (Decimal, "1,5"),
        (Decimal, "1" * 4301),
        (bool, ""),
        (bool, "t"),
        (bool, "true "),
    ],
    ids=map(str, count()),
)
def test_text_that_is_no_such_value_is_refused(refuse: Refuse, hint: type, text: str) -> None:
    assert len(refuse(hint, text, lax=True)) == 1


@pytest.mark.parametrize("hint", [int, float, Decimal])
def test_a_number_without_end_is_refused(refuse: Refuse, hint: type) -> None:
    assert len(refuse(hint, 1 << 20_000)) == 1


def test_a_refusal_names_the_type_the_place_and_the_fix(refuse: Refuse) -> None:
    (problem,) = refuse(int, "abc")
    assert str(problem) == "x: expected a whole number (Config.toml)"
    assert problem.hint == "write it without quotes: 8080"


def test_the_fix_for_a_variable_warns_of_spaces(refuse: Refuse) -> None:
    (problem,) = refuse(int, " 8080", lax=True)
    assert problem.hint == "write it as 8080, without quotes or spaces around it"


def test_the_fix_for_a_number_of_another_kind_shows_one(refuse: Refuse) -> None:
    (problem,) = refuse(int, Decimal("1.5"))
    assert problem.hint == "write it as 8080"


def test_an_interpreter_that_reads_fewer_digits_refuses_them_cleanly(refuse: Refuse) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert len(refuse(int, "9" * 1000, lax=True)) == 1
    finally:
        sys.set_int_max_str_digits(before)
