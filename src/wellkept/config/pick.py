"""Picking the part of an answer that a `#key` means. This file does no I/O."""

import json
from collections.abc import Mapping
from decimal import Decimal

from wellkept._dataclasses import replace
from wellkept._names import did_you_mean
from wellkept.config.shapes import as_table
from wellkept.errors import Absent, Malformed, SourceError
from wellkept.model import Reading, Reference


def pick(reading: Reading, reference: Reference) -> Reading | SourceError:
    """The reading of one key: of a mapping, or of text that is a JSON object.

    `#key` is one literal step; `#/a/b` goes down. Without a key it is the reading itself.
    """
    if not reference.key:
        return reading
    value = reading.value
    for step in reference.key:
        table = _table(value)
        if table is None:
            return Malformed(f"{reference}: what is there has no keys", hint="leave out the # and what follows")
        if step not in table:
            near = did_you_mean(step, map(str, table))
            return Absent(f"{reference}: no such key", hint=near or "name a key that is there")
        value = table[step]
    return replace(reading, value=value)


def _table(value: object) -> Mapping[str, object] | None:
    if isinstance(value, (str, bytes)):
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            return None
    return as_table(value)
