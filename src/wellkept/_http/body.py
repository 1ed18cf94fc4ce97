"""JSON from a server that may be hostile: bounded in depth, one value a key, whole characters. No I/O here."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from os import urandom
from typing import NoReturn, cast

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
MAX_PARTS = 50_000  # each costs some 60 bytes and more as an object of Python; a secret has a dozen
MAX_DEPTH = 64  # Vault's own answers go down six levels; json itself stops at some hundreds


def parse_body(body: bytes) -> tuple[object, str | None]:
    """Parse a body.

    Returns:
        The value and no fault, or None and what is wrong with it, without the text.
    """
    if _parts(body) > MAX_PARTS and _parts(re.sub(_STRING, b"", body)) > MAX_PARTS:
        return None, "has too many parts"
    try:
        # Decoded here: json would guess at UTF-16 and UTF-32, and RFC 8259 §8.1 knows UTF-8 only.
        value = json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError:
        return None, "is nested too deep"
    except _Repeated:
        return None, "gives a key twice"
    except (ValueError, ArithmeticError):
        return None, "is no JSON"
    fault = _fault(value)
    return (value, None) if fault is None else (None, fault)


def to_json(value: object) -> bytes:
    """The JSON of a value; a number with a point keeps the digits with which it was read."""
    mark = urandom(12).hex()

    def marked(number: object) -> str:
        if not isinstance(number, Decimal):
            raise TypeError
        return f"{mark}{number}"

    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(value, default=marked)).encode()


def _parts(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


class _Repeated(ValueError):
    """A key that an object gives twice."""


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise _Repeated
    return table


def _refuse(_constant: str) -> NoReturn:
    raise ValueError


def _fault(value: object) -> str | None:
    """What is wrong inside a value; breadth first, so that no depth can hurt."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        if not level:
            return None
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                table = cast("dict[str, object]", one)
                if any(_is_torn(key) for key in table):
                    return "holds half a character"
                below.extend(table.values())
            elif isinstance(one, list):
                below.extend(cast("list[object]", one))
            elif isinstance(one, str) and _is_torn(one):
                return "holds half a character"
        level = below
    return "is nested too deep" if level else None


def _is_torn(text: str) -> bool:
    """Whether a text holds a lone surrogate, which no UTF-8 can carry."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
