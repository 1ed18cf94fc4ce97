"""The shapes of raw values: tables and lists as TOML, JSON and sources give them. No I/O here."""

from collections.abc import Mapping
from typing import cast


def as_table(value: object) -> Mapping[str, object] | None:
    """The value as a table, or None where it is none."""
    # A dict first: asking the abstract class takes ten times as long, and most are dicts.
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 see above
        return cast("Mapping[str, object]", value)
    return None


def as_list(value: object) -> list[object] | None:
    """The value as a list, or None where it is none."""
    return cast("list[object]", value) if isinstance(value, list) else None
