"""Unions and optional types."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Optional, Union

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer
from wellkept.config.declare import Settings
from wellkept.errors import DeclarationError, Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]


class Login(Settings):
    user: str
    port: int = 0


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (float | int, 5, 5),
        (float | int, Decimal("5.5"), 5.5),
        (int | float, 5, 5),
        (Decimal | bool | int, True, True),
        (int | str, "5", "5"),
        (str | int, 5, 5),
        (datetime | date, date(2026, 1, 2), date(2026, 1, 2)),
        (timedelta | str, "30s", timedelta(seconds=30)),
        (timedelta | str, "soon", "soon"),
        (Path | str, "a", Path("a")),
        (int | list[int], [1], [1]),
        (Login | str, {"user": "a"}, Login(user="a")),
        (dict[str, int] | Login, {"user": "a"}, Login(user="a")),
        (Optional[int], 5, 5),  # noqa: UP045 the older spelling
        (Union[int, str, None], "a", "a"),  # noqa: UP007 as above
    ],
    ids=map(str, count()),
)
def test_the_exact_number_else_the_first_member_that_fits(
    convert: Convert, hint: object, value: object, made: object
) -> None:
    result = convert(hint, value)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("hint", "text", "made"),
    [
        (int | str, "5", 5),
        (str | int, "5", "5"),
        (float | int, "5", 5.0),
        (bool | int, "1", True),
        (int | bool, "1", 1),
    ],
    ids=map(str, count()),
)
def test_text_goes_by_the_order_of_the_declaration(convert: Convert, hint: object, text: str, made: object) -> None:
    result = convert(hint, text, lax=True)
    assert result == made
    assert type(result) is type(made)


def test_two_orders_of_one_union_are_two_types(convert: Convert) -> None:
    assert convert(list[int | str], '["5"]', lax=True) == [5]
    assert convert(list[str | int], '["5"]', lax=True) == ["5"]


def test_a_number_in_a_json_answer_goes_to_its_own_type(convert: Convert) -> None:
    answer = Answer(5, Origin(Layer.FILE, "Config.toml:1:5", answer="file a"), is_secret=False)
    assert convert(str | int, answer) == 5


def test_when_none_fits_all_are_named(refuse: Refuse) -> None:
    (problem,) = refuse(int | timedelta, Decimal("1.5"))
    assert problem.message == "expected a whole number or a duration (30s, 1h30m, PT30S)"


def test_members_that_are_called_alike_are_named_once(refuse: Refuse) -> None:
    (problem,) = refuse(list[int] | tuple[int, ...], 5)
    assert problem.message == "expected a list, each item a whole number"


def test_the_member_that_is_plainly_meant_is_reported_from_inside(refuse: Refuse) -> None:
    (problem,) = refuse(str | Login, {"user": "a", "port": "x"})
    assert (problem.setting, problem.message) == ("x.port", "expected a whole number")


def test_none_comes_from_the_default_alone(refuse: Refuse) -> None:
    (problem,) = refuse(int | None, None)
    assert problem.message == "expected a whole number"


def test_a_secret_answer_for_plain_members_is_told_to_declare_a_secret(refuse: Refuse) -> None:
    answer = Answer("CANARY-g1", Origin(Layer.FILE, "Config.toml:1:5", answer="vault a"), is_secret=True)
    for hint in (int | str, bytes | Path):
        (problem,) = refuse(hint, answer)
        assert problem.message == "takes a reference to a secret, but is no Secret"


def test_bytes_of_a_file_reach_the_member_that_wants_them(convert: Convert) -> None:
    assert convert(int | bytes, b"\xff") == b"\xff"
    assert convert(int | bytes, b"5", lax=True) == 5


def test_a_union_of_secrets_is_a_secret(convert: Convert) -> None:
    made = convert(Secret[int] | Secret[str] | None, "CANARY-g2")
    assert isinstance(made, Secret)
    assert made.reveal() == "CANARY-g2"


def test_a_union_of_secret_and_plain_is_refused_when_it_is_declared() -> None:
    with pytest.raises(DeclarationError) as caught:
        converter_for(Secret[str] | int)
    assert caught.value.hint == "write Secret[A | B] instead of Secret[A] | B"
