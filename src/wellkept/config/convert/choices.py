"""One of the values that a declaration lists: an Enum or a Literal.

These values come from the declaration, so problems may name them.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import cast

from wellkept._dataclasses import dataclass, field
from wellkept.config.convert.converter import INVALID, At
from wellkept.errors import DeclarationError

_MAX_SHOWN = 12
_Key = tuple[type, object]


@dataclass(frozen=True, slots=True)
class Choices:
    """One of a few values.

    Attributes:
        expected: the values in words.
        by_value: the choice for each value, told apart by type too: `1` is not `True`.
        by_text: the choice for each text that means it in a variable or an argument.
        by_name: the choice for each name of an Enum's member.
        members: all choices, for a value that is one already.
        passes_raw: never: bytes come as text.
    """

    expected: str
    by_value: Mapping[_Key, object]
    by_text: Mapping[str, object]
    by_name: Mapping[str, object]
    members: tuple[object, ...]
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the choice, or report to `at` and return `INVALID`."""
        made = self._found(value, at)
        if made is INVALID:
            return at.refuse(f"expected {self.expected}", "write one of these")
        return made

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the values and names."""
        values = [float(value) if isinstance(value, Decimal) else value for _type, value in self.by_value]
        return {"enum": [*values, *(name for name in self.by_name if name not in values)]}

    def _found(self, value: object, at: At) -> object:
        if isinstance(value, Enum):
            return value if any(value is one for one in self.members) else INVALID
        key = _key(value)
        if key is not None and key in self.by_value:
            return self.by_value[key]
        if not isinstance(value, str):
            return INVALID
        if not at.is_strict and value in self.by_text:
            return self.by_text[value]
        return self.by_name.get(value, INVALID)


def choices_of_enum(cls: type[Enum]) -> Choices:
    """The converter of an Enum: by value first, then by the name of a member.

    Raises:
        DeclarationError: it has no members.
    """
    pairs = [(cast("object", member.value), member) for member in cls]
    return _choices(pairs, cls.__members__)


def choices_of_literal(values: Iterable[object]) -> Choices:
    """The converter of a Literal; `None` in it is left to the default.

    Raises:
        DeclarationError: a value cannot stand in a file, or there is none.
    """
    pairs = [(value.value if isinstance(value, Enum) else value, value) for value in values if value is not None]
    return _choices(pairs, {value.name: value for _raw, value in pairs if isinstance(value, Enum)})


def _choices(pairs: Sequence[tuple[object, object]], by_name: Mapping[str, object]) -> Choices:
    by_value: dict[_Key, object] = {}
    by_text: dict[str, object] = {}
    shown: list[str] = []
    for value, member in pairs:
        key = _key(value)
        if key is not None:
            text = _text(value)
            by_value[key] = member
            by_text.setdefault(text, member)
            shown.append(text)
        elif isinstance(member, Enum):
            shown.append(member.name)
        else:
            raise DeclarationError("a Literal of bytes is no choice that a file can hold", hint="list text instead")
    if not shown:
        raise DeclarationError("an Enum or Literal without values is no choice", hint="declare what may be chosen")
    more = ", …" if len(shown) > _MAX_SHOWN else ""
    expected = shown[0] if len(shown) == 1 else f"one of {', '.join(shown[:_MAX_SHOWN])}{more}"
    return Choices(expected, by_value, by_text, by_name, tuple(member for _value, member in pairs))


def _key(value: object) -> _Key | None:
    """A value with its type; None for a value that TOML has no such type for."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, str):
        return (str, value)
    if isinstance(value, int):
        return (int, value)
    if isinstance(value, float):
        return _key(Decimal(repr(value)))
    return (Decimal, value) if isinstance(value, Decimal) and value.is_finite() else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
