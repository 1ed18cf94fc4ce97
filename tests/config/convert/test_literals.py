"""Lists and tables that are written as text."""

import json
import time
import tracemalloc
from decimal import Decimal

import pytest

from wellkept._toml.limits import MAX_BYTES, MAX_DEPTH
from wellkept.config.convert.converter import INVALID
from wellkept.config.convert.literals import MAX_TOML_CHARACTERS, parse_literal


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("[]", []),
        ("{}", {}),
        ('["a", 1, true, 0.10]', ["a", 1, True, Decimal("0.10")]),
        ('{"a": {"b": null}}', {"a": {"b": None}}),
        ("{ a = 1, b.c = 'x' }", {"a": 1, "b": {"c": "x"}}),
        ("['a', 'b',]", ["a", "b"]),
        (" [1]\n", [1]),
        ('[ # a comment with ] and "\n 1 ]', [1]),
        ('["]]]]", "[[[["]', ["]]]]", "[[[["]),
        ('["""a "" b""", \'\'\'it\'s\'\'\']', ['a "" b', "it's"]),
        ('["\\"[", "."]', ['"[', "."]),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
    ],
)
def test_json_and_the_right_side_of_toml_are_read(text: str, made: object) -> None:
    assert parse_literal(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        '"text"',
        "a, b",
        "[1",
        "[1] x",
        "[1]\nother = 2",
        "[1]\n[table]",
        '{"a": 1, "a": 2}',
        "{a = 1, a = 2}",
        "[NaN]",
        "[1e99999999999999999999]",
        "[-Infinity]",
        "{a = 1e99999999999999999999}",
        "[" + "9" * 5000 + "]",
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "{" + ".".join("a" * (MAX_DEPTH + 2)) + " = 1}",
        "[" + " " * MAX_BYTES + "]",
        "[" + " " * MAX_TOML_CHARACTERS + "1,]",
    ],
    ids=range(19),
)
def test_other_text_is_no_literal(text: str) -> None:
    assert parse_literal(text) is INVALID


_BOMBS = [
    "[" * 1_000_000,
    "[" + '"' * 1_000_000,
    "[\n'''" + "'" * 900_000,
    "[" + '"\\' * 400_000,
    '["""' + '\\"' * 400_000,
    "{" + ".".join("a" * 400_000) + "=1}",
    "{" + ",".join(f"k{number}.a=1" for number in range(80_000)),
    "{" + ",".join(f"k{number}.a=1" for number in range(11_000)),
    "[" + "{a=[" * 200_000,
    "[" + "#" * 1_000_000,
    "[0x" + "f" * 1_000_000,
    "[" + "9" * 1_000_000 + "]",
]


@pytest.mark.parametrize("text", _BOMBS, ids=range(len(_BOMBS)))
def test_a_bomb_is_refused_within_a_second(text: str) -> None:
    begun = time.process_time()
    assert parse_literal(text) is INVALID
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("text", _BOMBS, ids=range(len(_BOMBS)))
def test_a_bomb_is_refused_within_64_mib(text: str) -> None:
    tracemalloc.start()
    try:
        assert parse_literal(text) is INVALID
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
