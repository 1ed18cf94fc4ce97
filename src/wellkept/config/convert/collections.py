"""Lists, tuples, sets and dicts: each item is converted by itself, and each has its place."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from wellkept._dataclasses import dataclass, field
from wellkept.config.convert.converter import INVALID, At, Converter
from wellkept.config.convert.keys import at_key
from wellkept.config.convert.literals import structure

_MAX_REFUSED = 16  # items; who has more of them wrong wants no longer report


@dataclass(frozen=True, slots=True)
class ListConverter:
    """Any number of items of one type.

    Attributes:
        item: the converter of each.
        make: makes the declared collection of the list of items.
        key: the field of its records that must be different in each, or None.
        passes_raw: never: bytes come as text.
    """

    item: Converter
    make: Callable[[list[object]], object] = list
    key: str | None = None
    passes_raw: bool = field(default=False, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return f"a list, each item {self.item.expected}"

    def convert(self, value: object, at: At) -> object:
        """Return the collection, or report to `at` and return `INVALID`."""
        items = _items(structure(value, at))
        if items is None:
            return at.refuse(f"expected {self.expected}", _list_fix(at))
        made = _converted(((at.below(index), self.item, item) for index, item in enumerate(items)), at)
        if made is None or (self.key is not None and _repeats(made, self.key, at)):
            return INVALID
        return self.make(made)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the list."""
        return {"type": "array", "items": self.item.json_schema()}


@dataclass(frozen=True, slots=True)
class TupleConverter:
    """A fixed number of items, each of its own type.

    Attributes:
        items: the converter of each.
        passes_raw: never: bytes come as text.
    """

    items: tuple[Converter, ...]
    passes_raw: bool = field(default=False, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        words = ", ".join(item.expected for item in self.items)
        return f"a list of {len(self.items)}: {words}" if words else "an empty list"

    def convert(self, value: object, at: At) -> object:
        """Return the tuple, or report to `at` and return `INVALID`."""
        items = _items(structure(value, at))
        if items is None or len(items) != len(self.items):
            return at.refuse(f"expected {self.expected}", _list_fix(at))
        pairs = zip(self.items, items, strict=True)
        made = _converted(((at.below(index), inner, item) for index, (inner, item) in enumerate(pairs)), at)
        return INVALID if made is None else tuple(made)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the list."""
        count = len(self.items)
        schema: dict[str, object] = {"type": "array", "minItems": count, "maxItems": count}
        return {**schema, "prefixItems": [item.json_schema() for item in self.items]} if count else schema


@dataclass(frozen=True, slots=True)
class DictConverter:
    """Any number of keys, with values of one type.

    Attributes:
        item: the converter of each value.
        passes_raw: never: bytes come as text.
    """

    item: Converter
    passes_raw: bool = field(default=False, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return f"a table, each value {self.item.expected}"

    def convert(self, value: object, at: At) -> object:
        """Return the dict, or report to `at` and return `INVALID`."""
        table = structure(value, at)
        if not isinstance(table, Mapping):
            return at.refuse(f"expected {self.expected}", table_fix(at))
        pairs = {str(key): item for key, item in cast("Mapping[object, object]", table).items()}
        made = _converted(((at_key(at, key), self.item, item) for key, item in pairs.items()), at)
        return INVALID if made is None else dict(zip(pairs, made, strict=True))

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the table."""
        return {"type": "object", "additionalProperties": self.item.json_schema()}


def table_fix(at: At) -> str:
    """The hint where a table was expected."""
    return "write it as { key = … }" if at.is_strict else 'write it as JSON, {"key": …}, or as TOML, { key = … }'


def _list_fix(at: At) -> str:
    return "write it as [ …, … ]" if at.is_strict else 'write it as JSON or TOML: ["…", "…"], text in quotes'


def _items(value: object) -> Sequence[object] | None:
    """The items of a list, or of a collection that code gave; else None."""
    if isinstance(value, (list, tuple)):
        return cast("Sequence[object]", value)
    return list(cast("Collection[object]", value)) if isinstance(value, (set, frozenset)) else None


def _converted(items: Iterator[tuple[At, Converter, object]], around: At) -> list[object] | None:
    """Each item converted, or None where one is refused; the report does not grow without end."""
    made: list[object] = []
    refused = 0
    for at, converter, item in items:
        value = at.apply(converter, item)
        made.append(value)
        refused += value is INVALID
        if refused == _MAX_REFUSED:
            around.refuse(f"holds {refused} items that cannot be used; later ones were not read", "correct these first")
            break
    return None if refused else made


def _repeats(items: Sequence[Any], key: str, at: At) -> bool:
    """Report each item whose key an earlier one has."""
    seen: dict[object, int] = {}
    is_repeated = False
    for index, item in enumerate(items):
        first = seen.setdefault(getattr(item, key), index)
        if first != index:
            is_repeated = True
            earlier = at.below(first)
            at.below(index).refuse(
                f"has the same {key} as {earlier.setting} ({earlier.origin.place})", f"give each its own {key}"
            )
    return is_repeated
