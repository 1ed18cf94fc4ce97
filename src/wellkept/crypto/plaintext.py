"""What stands inside a ciphertext: a value of TOML with its type, as bytes. No I/O here.

One letter says which form follows: `s` a text as UTF-8, `t` any other value as TOML writes it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast

from wellkept._imports import load_module
from wellkept._toml.document import Document, TomlFault, parse
from wellkept.errors import Malformed

TEXT, LITERAL = b"s", b"t"


def to_plaintext(value: object) -> bytes:
    """The bytes of a value: what TOML has types for.

    Raises:
        Malformed: TOML has no type for it, or no way to write it.
    """
    data = _bytes_of(value)
    if data is None or from_plaintext(data) is None:
        value = data = None  # a traceback may show the locals of this frame
        raise Malformed("a value: cannot be written as TOML", hint="give text, a number, a date, a list or a table")
    return data


def _bytes_of(value: object) -> bytes | None:
    try:
        return TEXT + value.encode() if isinstance(value, str) else LITERAL + to_literal(value).encode()
    except (TypeError, ValueError):  # half of a surrogate pair is a ValueError, too
        return None


def from_plaintext(data: bytes) -> object:
    """The value of bytes, with a Decimal for each float; None where they are none."""
    form, content = data[:1], data[1:]
    try:
        text = content.decode()
        if form == TEXT:
            return text
        document: Document = parse(f"v = {text}", "a value")
    except (UnicodeDecodeError, TomlFault):
        return None
    return document.data.get("v") if form == LITERAL and len(document.data) == 1 else None


def to_literal(value: object) -> str:
    """A value as TOML writes it, on one line.

    Raises:
        TypeError: TOML has no type for it.
    """
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        return "{" + ", ".join(f"{to_literal(key)} = {to_literal(one)}" for key, one in table.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_literal, cast("Sequence[object]", value))) + "]"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    item = load_module("tomlkit").item(value)  # by name: it takes 18 ms, and most values are text
    return cast("str", item.as_string())


def _number(value: Decimal) -> str:
    """A float: what TOML would read as a whole number gets a fraction."""
    text = str(value).lower().replace("infinity", "inf")
    return text if any(mark in text for mark in ".en") else f"{text}.0"
