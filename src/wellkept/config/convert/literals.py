"""Lists and tables that are written as text: JSON, or the right side of a line of TOML.

The text may come from anybody: its size and depth are judged before a parser sees it, and no
parser's error, which would quote it, leaves this file.
"""

import json
import re
import tomllib
from decimal import Decimal
from typing import cast

from wellkept.config.convert.converter import INVALID, At
from wellkept.config.convert.numbers import MAX_DIGITS

MAX_CHARACTERS = 1 << 20  # what a file may have
MAX_TOML_CHARACTERS = 1 << 17  # what a variable may have (MAX_ARG_STRLEN); tomllib is slow
MAX_DEPTH = 32
_KEY = "value"
_MARKS = frozenset("[]{},=:\n")

# Strings and comments first, so that a bracket in them does not count. No group gives back
# what it took (`*+`), and a string that is not closed takes the rest: one pass over any text.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?'
    r"|'''(?:[^']|'(?!''))*+(?:''')?"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|\w++"
    r"|[\[\]{}.,=:\n]",
    re.DOTALL,
)


class _Unfit(ValueError):
    """Valid for the parser, but not here."""


def parse_literal(text: str) -> object:
    """Return the list or dict that a text is in JSON or TOML, or `INVALID`."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS or not text.startswith(("[", "{")) or not _is_modest(text):
        return INVALID
    made = _json(text)
    return _toml(text) if made is INVALID else made


def structure(value: object, at: At) -> object:
    """The list or dict that text means where text is parsed; any other value as it is."""
    return parse_literal(value) if isinstance(value, str) and not at.is_strict else value


def _is_modest(text: str) -> bool:
    """Whether no bracket or dotted key nests deeper than MAX_DEPTH, and no word is endless."""
    depth = dots = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == ".":
            dots += 1
        elif mark in _MARKS:
            dots = 0
            depth += (mark in "[{") - (mark in "]}")
        elif mark[0] not in "\"'#" and len(mark) > MAX_DIGITS:  # tomllib's own pattern eats 100 bytes a digit
            return False
        if depth > MAX_DEPTH or dots > MAX_DEPTH:
            return False
    return True


def _json(text: str) -> object:
    try:
        return cast("object", json.loads(text, parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_table))
    except (ValueError, ArithmeticError, RecursionError):
        return INVALID


def _toml(text: str) -> object:
    if len(text) > MAX_TOML_CHARACTERS:
        return INVALID
    try:
        document = tomllib.loads(f"{_KEY} = {text}", parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return INVALID
    # A line break and a second key would make more of it than a value.
    return cast("object", document[_KEY]) if len(document) == 1 else INVALID


def _refused(_name: str) -> object:
    raise _Unfit


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):  # a key that stands twice, of which json would keep the last
        raise _Unfit
    return table
