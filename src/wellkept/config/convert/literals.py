"""Lists and tables that are written as text: JSON, or the right side of a line of TOML.

The text may come from anybody: its size and depth are judged before a parser sees it, and no
parser's error, which would quote it, leaves this file.
"""

import json
from decimal import Decimal
from typing import cast

from wellkept._imports import load_module
from wellkept._toml.limits import MAX_BYTES, find_excess
from wellkept.config.convert.converter import INVALID, At

MAX_TOML_CHARACTERS = 1 << 17  # what a variable may have (MAX_ARG_STRLEN); tomllib is slow
_KEY = "value"


class _Unfit(ValueError):
    """Valid for the parser, but not here."""


def parse_literal(text: str) -> object:
    """Return the list or dict that a text is in JSON or TOML, or `INVALID`."""
    text = text.strip()
    if len(text) > MAX_BYTES or not text.startswith(("[", "{")) or find_excess(f"{_KEY} = {text}") is not None:
        return INVALID
    made = _json(text)
    return _toml(text) if made is INVALID else made


def structure(value: object, at: At) -> object:
    """The list or dict that text means where text is parsed; any other value as it is."""
    return parse_literal(value) if isinstance(value, str) and not at.is_strict else value


def _json(text: str) -> object:
    try:
        return cast("object", json.loads(text, parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_table))
    except (ValueError, ArithmeticError, RecursionError):
        return INVALID


def _toml(text: str) -> object:
    if len(text) > MAX_TOML_CHARACTERS:
        return INVALID
    tomllib = load_module("tomllib")  # by name, as in _toml/document.py
    try:
        document: dict[str, object] = tomllib.loads(f"{_KEY} = {text}", parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return INVALID
    # A line break and a second key would make more of it than a value.
    return document[_KEY] if len(document) == 1 else INVALID


def _refused(_name: str) -> object:
    raise _Unfit


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):  # a key that stands twice, of which json would keep the last
        raise _Unfit
    return table
