"""The layer of code: `load(overrides={"db.port": 5433})`, for tests. No I/O here.

Values are Python's own. One of a type that TOML knows is converted like a value of TOML;
any other is used as it is. No text in it is ever read for references.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from wellkept._names import steps
from wellkept.config.layers.say import Heard, Refers
from wellkept.config.layers.tables import Path, Tables
from wellkept.config.schema import Schema
from wellkept.config.shapes import as_list, as_table
from wellkept.origin import Layer, Origin


def read_overrides(schema: Schema, overrides: Mapping[str, object]) -> Heard:
    """Read the overrides; a dotted key is a path: `db.port`."""
    heard = Heard()

    def place_of(path: Path) -> Origin:
        return Origin(Layer.OVERRIDE, f"overrides {'.'.join(str(step) for step in path)}")

    tables = Tables(schema, place_of, lambda path: place_of(path).place, Refers.NEVER)
    nested: dict[str, object] = {}
    for key, value in overrides.items():
        _put(nested, steps(key), _as_toml(value))
    tables.read(nested, heard, (), ())
    return heard


def _put(table: dict[str, object], path: tuple[str, ...], value: object) -> None:
    for step in path[:-1]:
        inner = table.setdefault(step, dict[str, object]())
        if not isinstance(inner, dict):
            return  # the table that the step names is a value already, and is refused as that
        table = cast("dict[str, object]", inner)
    known, given = as_table(table.get(path[-1])), as_table(value)
    table[path[-1]] = value if known is None or given is None else {**known, **given}


def _as_toml(value: object) -> object:
    if isinstance(value, float):
        return Decimal(repr(value))
    table, items = as_table(value), as_list(value)
    if table is not None:
        return {str(key): _as_toml(one) for key, one in table.items()}
    return value if items is None else [_as_toml(one) for one in items]
