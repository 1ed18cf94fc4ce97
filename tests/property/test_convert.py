"""For every converter: no value in any problem, no exception for any value, a schema that takes good ones."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import annotated_types as at
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import INVALID, Answer, At, Step
from wellkept.config.convert.literals import parse_literal
from wellkept.config.convert.times import parse_duration
from wellkept.config.declare import Settings, setting
from wellkept.config.types import URL, Byte, Pattern, Size
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

CANARY = "CANARY"


class Color(Enum):
    RED = "red"
    TWO = 2


class Login(Settings):
    user: str
    password: Secret[str]

    def validate(self) -> Iterable[tuple[str, str]]:
        if len(self.user) > 3:
            yield "user", f"must be shorter than {self.password.reveal()}"


class Node(Settings):
    name: Annotated[str, at.MaxLen(8)]
    size: Size = Size(1)
    children: "list[Node]" = setting(default_factory=list, key="name")


@dataclass(frozen=True)
class Point:
    x: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.label:
            raise ValueError(self.label)


PLAIN: list[Any] = [
    int,
    Byte,
    float,
    Decimal,
    bool,
    str,
    bytes,
    Path,
    URL,
    Size,
    UUID,
    datetime,
    date,
    time,
    timedelta,
    IPv4Address,
    IPv6Address,
    IPv4Network,
    IPv6Network,
    IPv4Interface,
    IPv6Interface,
    Color,
    Literal["a", 1, True],
    Any,
    list[int],
    list[list[str]],
    tuple[int, str],
    tuple[bool, ...],
    set[int],
    frozenset[str],
    dict[str, int],
    dict[str, list[timedelta]],
    int | str,
    timedelta | list[int] | Login,
    int | None,
    Login,
    Node,
    Point,
    list[Login],
    Annotated[str, Pattern("[a-z]+"), at.Len(2, 5)],
    Annotated[int, at.Interval(ge=1, lt=5), at.Predicate(lambda value: 1 / (value - 2))],
    Annotated[list[int], at.MinLen(1)],
]

_shown = st.sampled_from(["a", "b", "x", "user", "password", "name", "label", "children", "size"])
_texts = st.builds("{}{}{}".format, st.text(max_size=5), st.just(CANARY), st.text(max_size=5)) | st.sampled_from(
    [
        f"https://user:{CANARY}@host:99999/",
        f"https://user:{CANARY}@host/",
        f'["{CANARY}", {CANARY}]',
        f'["{CANARY}"',
        f'{{"a": "{CANARY}", "x": 1, "label": "{CANARY}", "user": "{CANARY}", "password": "{CANARY}"}}',
        f"{{ name = '{CANARY}', children = [{{ name = '{CANARY}' }}, {{ name = '{CANARY}' }}] }}",
        f"{{ a.{CANARY[:1]} = '{CANARY}' }}",
        f"1{CANARY}",
        f"10 {CANARY}",
        f"P{CANARY}",
        f"2026-11-24T{CANARY}",
        f"10.0.0.0/{CANARY}",
        f"\udcff{CANARY}",
        f"{CANARY}\0",
    ]
)
_leaves = (
    _texts
    | st.integers()
    | st.integers(min_value=10**4400, max_value=10**4401)
    | st.decimals(allow_nan=True)
    | st.sampled_from([Decimal("sNaN"), Decimal("1e999999999"), Decimal("-1e-999999999"), Decimal(1)])
    | st.floats()
    | st.booleans()
    | st.none()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.binary(max_size=4).map(lambda data: data + CANARY.encode())
)


def _answered(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    origin = Origin(Layer.FILE, "Config.toml:1:5", answer="vault a#b", version="1")
    return st.builds(Answer, values, st.just(origin), st.booleans())


def _values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.recursive(
        _leaves | _answered(_leaves),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4) | _answered(inner),
        max_leaves=8,
    )


def _converted(hint: object, value: object, *, is_strict: bool) -> tuple[object, list[Problem]]:
    def place(path: tuple[Step, ...]) -> Origin:
        return Origin(Layer.FILE, f"Config.toml:{len(path)}")

    problems: list[Problem] = []
    here = At("x", place(()), problems, place, is_strict=is_strict, base="/etc")
    return here.apply(converter_for(hint), value), problems


def _judge(hint: object, value: object, *, is_strict: bool) -> None:
    made, problems = _converted(hint, value, is_strict=is_strict)
    assert (made is INVALID) == bool(problems)
    told = "".join(f"{problem}{problem.setting}{problem.place}{problem.hint}{problem!r}" for problem in problems)
    if CANARY in told:
        del value, problems
        pytest.fail(f"a problem of {hint} holds a part of the value")
    if isinstance(made, Secret):
        assert CANARY not in f"{made!r}{made.origin}"


@given(hint=st.sampled_from(PLAIN), value=_values(_shown), is_strict=st.booleans())
def test_no_converter_raises_or_shows_a_part_of_the_value(hint: object, value: object, is_strict: bool) -> None:
    _judge(hint, value, is_strict=is_strict)


@given(
    inner=st.sampled_from(PLAIN),
    value=_values(_shown | st.just(f"{CANARY}-key")),
    is_strict=st.booleans(),
)
def test_inside_a_secret_not_even_a_key_is_shown(
    inner: Any,  # noqa: ANN401 a type, as an argument of Secret
    value: object,
    is_strict: bool,
) -> None:
    _judge(Secret[inner], value, is_strict=is_strict)


@given(text=st.text(alphabet='[]{}",:=.\'#\\ntrue019eE+-_ \n"', max_size=40))
def test_a_literal_is_read_as_its_parser_reads_it_or_not_at_all(text: str) -> None:
    made = parse_literal(text)
    assert made is INVALID or isinstance(made, (list, dict))
    with suppress(ValueError, ArithmeticError):
        read = json.loads(text, parse_float=Decimal)
        if isinstance(read, list) and made is not INVALID:
            assert made == read


@given(value=st.integers(min_value=0, max_value=10**14))
def test_a_duration_is_read_as_it_was_written(value: int) -> None:
    assert parse_duration(f"{value}us") == timedelta(microseconds=value)
    assert parse_duration(f"{value // 1000}ms") == timedelta(milliseconds=value // 1000)


@given(number=st.integers(), places=st.integers(min_value=0, max_value=30))
def test_a_decimal_is_exact(number: int, places: int) -> None:
    exact = Decimal((number < 0, tuple(map(int, str(abs(number)))), -places))
    made, _problems = _converted(Decimal, str(exact), is_strict=False)
    assert isinstance(made, Decimal)
    assert made.compare_total(exact) == 0


@given(value=st.integers(min_value=-(10**100), max_value=10**100))
def test_a_whole_number_is_read_as_it_was_written(value: int) -> None:
    assert _converted(int, str(value), is_strict=False) == (value, [])
    assert _converted(int, f"{value:_}", is_strict=False) == (value, [])


GOOD: list[tuple[Any, object]] = [
    (int, 5),
    (Byte, 255),
    (float, Decimal("0.5")),
    (Decimal, Decimal("19.99")),
    (bool, True),
    (str, "text"),
    (bytes, "text"),
    (bytes, [1, 255]),
    (Path, "a/b"),
    (URL, "https://host/path"),
    (Size, 10),
    (Size, "10 MiB"),
    (UUID, "123e4567-e89b-12d3-a456-426614174000"),
    (datetime, datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
    (datetime, "2026-11-24 08:30"),
    (date, date(2026, 11, 24)),
    (time, time(8, 30)),
    (timedelta, "1d 12h"),
    (timedelta, "250ms"),
    (timedelta, "P1DT2H"),
    (IPv4Address, "192.0.2.1"),
    (IPv6Address, "2001:db8::1"),
    (IPv4Network, "10.0.0.0/8"),
    (IPv6Network, "2001:db8::/32"),
    (IPv4Interface, "10.0.0.1/8"),
    (IPv6Interface, "2001:db8::1/64"),
    (Color, "red"),
    (Color, "RED"),
    (Color, 2),
    (Literal["a", 1, True], True),
    (Any, {"a": [1]}),
    (list[int], [1]),
    (tuple[int, str], [1, "a"]),
    (tuple[()], []),
    (tuple[int, ...], [1, 2]),
    (set[int], [1]),
    (dict[str, int], {"a": 1}),
    (int | str, "a"),
    (int | None, 1),
    (Login, {"user": "a", "password": "CANARY-schema"}),
    (Node, {"name": "a", "size": "1 kB", "children": [{"name": "b"}]}),
    (Point, {"x": 1}),
    (Secret[Login], {"user": "a", "password": "CANARY-schema"}),
    (Annotated[str, Pattern("[a-z]+"), at.Len(2, 5)], "abc"),
    (Annotated[int, at.Interval(ge=1, lt=5)], 1),
    (Annotated[list[int], at.MinLen(1)], [1]),
]


@pytest.mark.parametrize(("hint", "value"), GOOD, ids=range(len(GOOD)))
def test_the_schema_takes_what_the_converter_takes(hint: object, value: object) -> None:
    made, problems = _converted(hint, value, is_strict=True)
    assert made is not INVALID, [str(problem) for problem in problems]
    schema = converter_for(hint).json_schema()
    Draft202012Validator.check_schema(schema)
    written = json.loads(json.dumps(value, default=lambda one: float(one) if isinstance(one, Decimal) else str(one)))
    assert Draft202012Validator(json.loads(json.dumps(schema))).is_valid(written)


@given(value=_values(_shown))
def test_a_schema_refuses_no_value_that_its_converter_takes(value: object) -> None:
    for hint in (int, bool, list[int], dict[str, list[timedelta]], Login, Point, Size):
        made, _problems = _converted(hint, value, is_strict=True)
        if made is not INVALID and not any(isinstance(one, (bytes, Answer)) for one in _all(value)):
            written = json.loads(json.dumps(value, default=str))
            assert Draft202012Validator(converter_for(hint).json_schema()).is_valid(written)


def _all(value: object) -> list[object]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(deep for one in inner for deep in _all(one))]
