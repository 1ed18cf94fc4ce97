"""From a type hint to its converter: the table of types, and the forms around them."""

import types
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import takewhile
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from wellkept._dataclasses import replace
from wellkept._names import canonical
from wellkept.config.convert.anything import AnyConverter
from wellkept.config.convert.choices import Choices, choices_of_enum, choices_of_literal
from wellkept.config.convert.collections import DictConverter, ListConverter, TupleConverter
from wellkept.config.convert.constraints import ConstrainedConverter, constraints_of
from wellkept.config.convert.converter import Converter
from wellkept.config.convert.identifiers import identifier
from wellkept.config.convert.numbers import DECIMAL, FLOAT, TRUTH, WHOLE
from wellkept.config.convert.records import DefaultedConverter, Field, RecordConverter
from wellkept.config.convert.scalars import Scalar
from wellkept.config.convert.secrets import SecretConverter
from wellkept.config.convert.sizes import SIZE
from wellkept.config.convert.texts import (
    ADDRESS,
    BYTES,
    TEXT,
    BytesConverter,
    PathConverter,
    TextConverter,
    URLConverter,
    is_path,
)
from wellkept.config.convert.times import CLOCK, DATE, DURATION, MOMENT
from wellkept.config.convert.unions import UnionConverter
from wellkept.config.declare import Declared, Settings, declared, is_record
from wellkept.config.types import URL, Size
from wellkept.errors import DeclarationError
from wellkept.secret import Secret

SCALARS: Final[Mapping[object, Converter]] = {
    int: WHOLE,
    float: FLOAT,
    Decimal: DECIMAL,
    bool: TRUTH,
    str: TEXT,
    bytes: BYTES,
    URL: ADDRESS,
    Size: SIZE,
    datetime: MOMENT,
    date: DATE,
    time: CLOCK,
    timedelta: DURATION,
    object: AnyConverter(),
}

# hint → what is made of the list of its items
_LISTS: Final[Mapping[object, Callable[[list[object]], object]]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    abc.Sequence: tuple,  # what only can be read is made so
    abc.MutableSequence: list,
    abc.Collection: tuple,
    abc.Iterable: tuple,
    abc.Set: frozenset,
    abc.MutableSet: set,
}
_HASHED: Final = (set, frozenset)
_DICTS: Final = (dict, abc.Mapping, abc.MutableMapping)

_SUPPORTED = (
    "use int, Byte, float, Decimal, bool, str, bytes, Path, URL, Size, UUID, datetime, date, time, timedelta, "
    "an IP address or network, Enum, Literal, Settings, a dataclass, list, tuple, set, frozenset, dict[str, …] "
    "or Secret of these, unions and Annotated"
)

_known: dict[type, Converter] = {}  # Enums, records …: a class lives as long as the program


def converter_for(hint: object, *, key: str | None = None) -> Converter:
    """Compile a type hint.

    Classes are compiled once. Forms around them (`list[…]`, unions) are not kept: Python calls
    `int | str` and `str | int` equal, and here their order matters.

    Args:
        hint: the resolved hint, `Annotated` and all.
        key: for a list of records, the field that must be different in each.

    Raises:
        DeclarationError: no value from outside can be made into that type.
    """
    compiler = _Compiler()
    made = compiler.compiled(hint)
    if key is not None:
        made = compiler.with_key(made, key)
    _known.update(compiler.records)
    return made


class _Compiler:
    """Compiles one hint; remembers the records that it is in the middle of, as one may hold itself."""

    def __init__(self) -> None:
        self.records: dict[type, RecordConverter] = {}
        self._forms: dict[object, Callable[[object], Converter]] = {
            Annotated: self._annotated,
            Union: self._union,
            types.UnionType: self._union,
            Literal: lambda hint: choices_of_literal(get_args(hint)),
            Final: lambda hint: self.compiled(get_args(hint)[0]),
            Secret: self._secret,
            Any: lambda _hint: SCALARS[object],
            tuple: self._tuple,
            **dict.fromkeys(_LISTS, self._list),
            **dict.fromkeys(_DICTS, self._dict),
        }

    def compiled(self, hint: object) -> Converter:
        """The converter of a hint."""
        form = get_origin(hint) or hint
        if isinstance(form, abc.Hashable):
            scalar, make = SCALARS.get(form), self._forms.get(form)
            if scalar is not None:
                return scalar
            if make is not None:
                return make(hint)
        made = self._named(hint) if isinstance(hint, type) and not get_args(hint) else self._renamed(hint)
        if made is None:
            raise DeclarationError(f"{_name(hint)} is no type that a setting can have", hint=_SUPPORTED)
        return made

    def with_key(self, made: Converter, key: str) -> Converter:
        """The converter of a list of records that refuses two items with the same key."""
        if isinstance(made, SecretConverter):
            return SecretConverter(self.with_key(made.inner, key))
        if isinstance(made, ConstrainedConverter):
            return ConstrainedConverter(self.with_key(made.inner, key), made.constraints)
        record = made.item if isinstance(made, ListConverter) else None
        if not isinstance(made, ListConverter) or not isinstance(record, RecordConverter):
            raise DeclarationError(f"key {key}: is for a list of Settings or dataclasses", hint="leave it out")
        # Not record.fields: a class that holds a list of itself has none yet.
        found = next((one for one in declared(record.cls) if one.name == key), None)
        if found is None or not _is_hashable(self.compiled(found.hint)):
            raise DeclarationError(
                f"key {key}: {record.cls.__qualname__} has no plain field of that name",
                hint="name a field that is no Secret, list or table",
            )
        return replace(made, key=key)

    def _named(self, cls: type) -> Converter | None:
        """The converter of a class that is found by what it is, compiled once."""
        known = _known.get(cls) or self.records.get(cls)
        if known is not None:
            return known
        if is_record(cls):
            return self._record(cls)
        known = PathConverter(cls) if is_path(cls) else identifier(cls)
        if issubclass(cls, Enum):
            known = choices_of_enum(cls)
        if known is not None:
            _known[cls] = known
        return known

    def _renamed(self, hint: object) -> Converter | None:
        """The converter of the hint that this one is a name for: NewType, `type X = …`."""
        inner: object = getattr(hint, "__supertype__", None) or getattr(hint, "__value__", None)
        return None if inner is None else self.compiled(inner)

    def _annotated(self, hint: object) -> Converter:
        inner_hint, *markers = get_args(hint)
        inner = self.compiled(inner_hint)
        if isinstance(inner, SecretConverter):  # what is asked of the value, not of its handle
            return SecretConverter(_constrained(inner.inner, markers))
        return _constrained(inner, markers)

    def _union(self, hint: object) -> Converter:
        members = tuple(self.compiled(one) for one in get_args(hint) if one is not types.NoneType)
        if len(members) == 1:
            return members[0]  # None comes from the default alone
        secrets = [isinstance(member, SecretConverter) for member in members]
        if any(secrets) and not all(secrets) and not _tells_apart(members):
            raise DeclarationError(
                "a union of Secret and plain types would show some of its values",
                hint="write Secret[A | B] instead of Secret[A] | B",
            )
        return UnionConverter(members)

    def _secret(self, hint: object) -> Converter:
        arguments = get_args(hint)
        inner = self.compiled(arguments[0] if arguments else str)
        if isinstance(inner, SecretConverter):
            raise DeclarationError("Secret[Secret[…]] is no type", hint="one Secret is enough")
        return SecretConverter(inner)

    def _list(self, hint: object) -> Converter:
        arguments = get_args(hint)
        item = self.compiled(arguments[0] if arguments else object)
        make = _LISTS[get_origin(hint) or hint]
        if make in _HASHED and not _is_hashable(item):
            raise DeclarationError(f"a set cannot hold {item.expected}", hint="use a list")
        return ListConverter(item, make)

    def _tuple(self, hint: object) -> Converter:
        match get_args(hint):
            case (item, end) if end is ...:
                return ListConverter(self.compiled(item), tuple)
            case () if get_origin(hint) is None:
                return ListConverter(SCALARS[object], tuple)
            case items:
                return TupleConverter(tuple(self.compiled(one) for one in items))

    def _dict(self, hint: object) -> Converter:
        key, item = get_args(hint) or (str, object)
        if key is not str:
            raise DeclarationError(f"{_name(hint)}: the keys of a table are text", hint="use dict[str, …]")
        return DictConverter(self.compiled(item))

    def _record(self, cls: type) -> RecordConverter:
        record = self.records[cls] = RecordConverter(cls)
        record.fields = tuple(self._field(cls, one) for one in declared(cls))
        record.forms = _forms_of(cls, record.fields)
        return record

    def _field(self, cls: type, one: Declared) -> Field:
        made = self._of_field(cls, one)
        if not isinstance(made, RecordConverter) or not issubclass(made.cls, Settings):
            return Field(one, made)
        return Field(one, made if one.is_required else DefaultedConverter(made, one.make_default()), made)

    def _of_field(self, cls: type, one: Declared) -> Converter:
        fault = None
        try:
            made = self.compiled(one.hint)
            return made if one.extras.key is None else self.with_key(made, one.extras.key)
        except DeclarationError as error:
            fault = error
        raise DeclarationError(f"{cls.__qualname__}.{one.name}: {fault.message}", hint=fault.hint)


def _tells_apart(members: Sequence[Converter]) -> bool:
    """Whether a constraint says which text is the secret one (`Secret[Pem] | Path`), and is asked first."""
    firsts = list(takewhile(lambda one: isinstance(one, SecretConverter), members))
    return not any(isinstance(one, SecretConverter) for one in members[len(firsts) :]) and all(
        isinstance(one, SecretConverter) and isinstance(one.inner, ConstrainedConverter) for one in firsts
    )


def _forms_of(cls: type, fields: Iterable[Field]) -> Mapping[str, Field]:
    """The field of each spelling; no two may share one."""
    forms: dict[str, Field] = {}
    for one in fields:
        for form in {canonical(spelling) for spelling in one.declared.spellings}:
            if forms.setdefault(form, one) is not one:
                raise DeclarationError(
                    f"{cls.__qualname__}: {forms[form].name} and {one.name} share a name outside Python",
                    hint="names are equal without _ and case: rename one",
                )
    return forms


def _constrained(inner: Converter, markers: Iterable[object]) -> Converter:
    constraints = constraints_of(markers, inner)
    return ConstrainedConverter(inner, constraints) if constraints else inner


def _is_hashable(made: Converter) -> bool:
    """Whether the values of a converter can stand in a set."""
    if isinstance(made, UnionConverter):
        return all(map(_is_hashable, made.members))
    if isinstance(made, ConstrainedConverter):
        return _is_hashable(made.inner)
    if isinstance(made, TupleConverter):
        return all(map(_is_hashable, made.items))
    if isinstance(made, ListConverter):
        return made.make in {tuple, frozenset} and _is_hashable(made.item)
    return isinstance(made, (Scalar, Choices, TextConverter, BytesConverter, PathConverter, URLConverter))


def _name(hint: object) -> str:
    name = getattr(hint, "__qualname__", None)
    return name if isinstance(name, str) and not get_args(hint) else str(hint).removeprefix("typing.")
