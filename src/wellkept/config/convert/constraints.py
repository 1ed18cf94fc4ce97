"""Constraints that `Annotated` adds to a type.

A marker is read by its attributes, so annotated-types, msgspec.Meta, pydantic.Field and our own
work alike, and none of them is imported. A marker that says nothing we know is no constraint,
as Python's `Annotated` has it. A refusal is worded by the constraint, never by the value.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any, cast

from wellkept._dataclasses import dataclass
from wellkept.config.convert.converter import INVALID, At, Converter
from wellkept.config.types import Pattern

_SCHEMA_KEYS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {"string": ("Length", "characters"), "array": ("Items", "items"), "object": ("Properties", "keys")}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that a value must satisfy beside its type.

    Attributes:
        words: it in words that follow the type's: `at least 1`.
        holds: whether a value satisfies it; may raise.
        schema: what it adds to the JSON Schema.
    """

    words: str
    holds: Callable[[Any], object]
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ConstrainedConverter:
    """A type with constraints.

    Attributes:
        inner: the converter of the type.
        constraints: what its values must satisfy.
    """

    inner: Converter
    constraints: tuple[Constraint, ...]

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return ", ".join([self.inner.expected, *(one.words for one in self.constraints)])

    @property
    def passes_raw(self) -> bool:
        """Whether its type wants answers and bytes as they are."""
        return self.inner.passes_raw

    def convert(self, value: object, at: At) -> object:
        """Return the converted value, or report to `at` and return `INVALID`."""
        made = at.apply(self.inner, value)
        if made is INVALID or self.takes(made):
            return made
        return at.refuse(f"expected {self.expected}", "change the value, or the constraint in the declaration")

    def takes(self, value: object) -> bool:
        """Whether a value of the type satisfies them all."""
        return all(_holds(one, value) for one in self.constraints)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the type, narrowed."""
        schema = self.inner.json_schema()
        for one in self.constraints:
            schema.update(one.schema)
        return schema


def constraints_of(markers: Iterable[object], inner: Converter) -> tuple[Constraint, ...]:
    """The constraints that the markers of an `Annotated` mean for a type."""
    kind = str(inner.json_schema().get("type", ""))
    return tuple(one for marker in markers for one in _read(marker, kind))


def _read(marker: object, kind: str) -> Iterator[Constraint]:
    if isinstance(marker, (type, str)):
        return
    for part in _parts(marker):
        yield from _read(part, kind)
    if getattr(marker, "__is_annotated_types_grouped_metadata__", False):
        return  # its parts say all
    yield from _bounds(marker)
    yield from _length(marker, kind)
    yield from _pattern(marker)
    if type(marker).__name__ == "Predicate":
        yield _predicate(getattr(marker, "func", None))
    if type(marker).__name__ == "Timezone":
        yield _timezone(getattr(marker, "tz", None))


def _parts(marker: object) -> list[object]:
    """The markers that one marker stands for: annotated-types' groups, pydantic's Field."""
    if getattr(marker, "__is_annotated_types_grouped_metadata__", False):
        return list(cast("Iterable[object]", marker))
    metadata = getattr(marker, "metadata", None)
    return cast("list[object]", metadata) if isinstance(metadata, list) else []


def _bounds(marker: Any) -> Iterator[Constraint]:  # noqa: ANN401 read by its attributes
    tests: dict[str, tuple[str, Callable[[Any, Any], object]]] = {
        "ge": ("at least", lambda value, bound: value >= bound),
        "gt": ("more than", lambda value, bound: value > bound),
        "le": ("at most", lambda value, bound: value <= bound),
        "lt": ("less than", lambda value, bound: value < bound),
        "multiple_of": ("a multiple of", _is_multiple),
    }
    for name, (words, test) in tests.items():
        bound = getattr(marker, name, None)
        if bound is not None and not callable(bound):
            yield Constraint(f"{words} {bound}", _against(test, bound), _schema(_SCHEMA_KEYS[name], bound))


def _against(test: Callable[[Any, Any], object], bound: object) -> Callable[[Any], object]:
    return lambda value: test(value, bound)


def _is_multiple(value: Any, bound: Any) -> bool:  # noqa: ANN401 whatever can be divided, a timedelta too
    if isinstance(value, float) or isinstance(bound, float):  # as written: 0.3 is a multiple of 0.1
        return not Decimal(str(value)) % Decimal(str(bound))
    return not value % bound


def _schema(key: str, bound: object) -> Mapping[str, object]:
    """A bound as JSON; none where JSON has no such number."""
    if isinstance(bound, Decimal):
        return {key: float(bound)}
    return {key: bound} if isinstance(bound, (int, float)) else {}


def _length(marker: Any, kind: str) -> Iterator[Constraint]:  # noqa: ANN401 read by its attributes
    suffix, unit = _LENGTHS.get(kind, ("", "long"))
    least, most = getattr(marker, "min_length", None), getattr(marker, "max_length", None)
    if isinstance(least, int) and least > 0:
        yield Constraint(
            f"{least} {unit} or more", lambda value: len(value) >= least, {f"min{suffix}": least} if suffix else {}
        )
    if isinstance(most, int):
        yield Constraint(
            f"{most} {unit} or fewer", lambda value: len(value) <= most, {f"max{suffix}": most} if suffix else {}
        )


def _pattern(marker: object) -> Iterator[Constraint]:
    pattern = getattr(marker, "pattern", None)
    if not isinstance(pattern, str):
        return
    if isinstance(marker, (Pattern, re.Pattern)):
        whole = re.compile(pattern, marker.flags if isinstance(marker, re.Pattern) else 0)
        yield Constraint(f"in the form {pattern}", whole.fullmatch, {"pattern": f"^(?:{pattern})$"})
    else:  # msgspec's and pydantic's match a part
        yield Constraint(f"in the form {pattern}", re.compile(pattern).search, {"pattern": pattern})


def _predicate(function: object) -> Constraint:
    name = getattr(function, "__name__", "<lambda>")
    words = "as its own rule asks" if name == "<lambda>" else f"for which {name} holds"
    return Constraint(words, cast("Callable[[Any], object]", function), {})


def _timezone(wanted: object) -> Constraint:
    def holds(value: datetime | time) -> bool:
        if wanted is None or wanted is ...:
            return (value.tzinfo is None) == (wanted is None)
        return value.tzinfo is not None and str(value.tzinfo) == str(wanted)

    words = "without a time zone" if wanted is None else "with a time zone" if wanted is ... else f"in {wanted}"
    return Constraint(words, holds, {})


def _holds(constraint: Constraint, value: object) -> bool:
    try:
        return bool(constraint.holds(value))
    except Exception:  # noqa: BLE001 a constraint of another type, or a predicate, somebody else's code
        return False
