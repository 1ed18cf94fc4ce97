"""Records: a table that becomes an instance of a Settings class or of a dataclass.

A key means a field when it is equal to one of the field's spellings without `_` and case.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import cast

from wellkept._dataclasses import dataclass, field
from wellkept._names import camel, canonical, did_you_mean, steps
from wellkept._revealed import seal
from wellkept._toml.limits import MAX_DEPTH
from wellkept.config.convert.collections import table_fix
from wellkept.config.convert.converter import INVALID, At, Converter
from wellkept.config.convert.keys import at_key, shown
from wellkept.config.convert.literals import structure
from wellkept.config.convert.rules import Ruled, broken_rules
from wellkept.config.declare import Declared, Settings
from wellkept.config.extras import MISSING
from wellkept.errors import Kind

_MAX_NAMED = 6
_MAX_UNKNOWN = 16  # keys; a table that is meant for something else has no end of them
_JSON_TYPES = (str, int, float, bool)

# The classes whose schema is being written: one that holds itself is not written again.
_writing: "ContextVar[frozenset[type]]" = ContextVar("_writing", default=frozenset())


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    Attributes:
        declared: what its class says of it.
        converter: what turns a raw value into its type.
        table: its own converter where it is a Settings class by itself, else None. Where
            nothing of such a table is given, its fields may all have defaults.
    """

    declared: Declared
    converter: Converter
    table: "RecordConverter | None" = None

    @property
    def name(self) -> str:
        """Its name in Python."""
        return self.declared.name

    @property
    def key(self) -> str:
        """Its name in TOML."""
        return camel(self.declared.spellings[0])

    @property
    def is_required(self) -> bool:
        """Whether a table must say something about it."""
        return self.declared.is_required and self.table is None


@dataclass(slots=True, eq=False)
class RecordConverter:
    """A table with declared keys.

    Attributes:
        cls: the class.
        fields: its fields; set once they are compiled, because a class may hold itself.
        forms: the field of each spelling, in its canonical form.
        passes_raw: never: bytes come as text.
    """

    cls: type
    fields: tuple[Field, ...] = ()
    forms: Mapping[str, Field] = field(default_factory=dict[str, Field])
    passes_raw: bool = field(default=False, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        names = [one.key for one in self.fields]
        more = ", …" if len(names) > _MAX_NAMED else ""
        return f"a table with {', '.join(names[:_MAX_NAMED])}{more}" if names else "an empty table"

    def convert(self, value: object, at: At) -> object:
        """Return the instance, or report to `at` and return `INVALID`."""
        return self.build(value, at, None)

    def build(self, value: object, at: At, defaults: object) -> object:
        """Convert, and take what the table does not give from an instance of defaults, if there is one."""
        if isinstance(value, self.cls):
            return value
        if len(at.path) > MAX_DEPTH:
            return at.refuse("is nested too deep", f"nest at most {MAX_DEPTH} tables or lists")
        table = structure(value, at)
        if not isinstance(table, Mapping):
            return at.refuse(f"expected {self.expected}", table_fix(at))
        known = len(at.problems)
        given = self._given(cast("Mapping[object, object]", table), at)
        has_strangers = len(at.problems) > known
        values: dict[str, object] = {}
        for one in self.fields:
            made = _made(one, given, at, defaults)
            if made is not MISSING:
                values[one.name] = made
        if has_strangers or any(one is INVALID for one in values.values()):
            return INVALID
        return self._instance(values, given, at)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the table."""
        writing = _writing.get()
        if self.cls in writing:
            return {"type": "object"}
        token = _writing.set(writing | {self.cls})
        try:
            properties = {one.key: _described(one) for one in self.fields}
        finally:
            _writing.reset(token)
        schema: dict[str, object] = {"type": "object", "properties": properties, "additionalProperties": False}
        required = [one.key for one in self.fields if one.is_required]
        return {**schema, "required": required} if required else schema

    def _given(self, table: Mapping[object, object], at: At) -> dict[str, tuple[At, object]]:
        """The place and raw value of each field that the table gives; other keys are problems."""
        given: dict[str, tuple[At, object]] = {}
        spelt: dict[str, str] = {}
        unknown = 0
        for key, value in table.items():
            text = str(key)
            one = self.forms.get(canonical(text))
            if one is None:
                unknown += 1
                if unknown <= _MAX_UNKNOWN:
                    self._refuse_key(text, at)
            elif one.name not in given:
                given[one.name], spelt[one.name] = (at_key(at, text, one.name), value), text
            elif given[one.name][1] != value:
                at_key(at, text, one.name).refuse(
                    f"is given twice and differently: {spelt[one.name]} and {text}",
                    "names are equal without _ and case: leave one of them out",
                )
        return given

    def _refuse_key(self, key: str, at: At) -> None:
        names = [one.key for one in self.fields]
        near = None if at.in_secret else did_you_mean(shown(key, at), names)
        hint = near or f"{self.cls.__qualname__} has {', '.join(names[:_MAX_NAMED])}: remove other keys"
        fact = "holds a key that nobody declares" if at.in_secret else f"unused configuration value '{shown(key, at)}'"
        at_key(at, key).refuse(fact, hint, Kind.UNKNOWN)

    def _instance(self, values: Mapping[str, object], given: Mapping[str, tuple[At, object]], at: At) -> object:
        # Inside a Secret each text gets its masked repr now: a dataclass shows its fields' reprs.
        fields = {name: seal(value) if at.in_secret else value for name, value in values.items()}
        instance: object = INVALID
        try:
            instance = self.cls(**fields)
        except Exception:  # noqa: BLE001 a dataclass's own check, whose text may hold a value
            return at.refuse(f"was refused by {self.cls.__qualname__}", "see what that class asks of its fields")
        if isinstance(instance, Settings):
            return instance if _keeps_rules(instance, given, at) else INVALID
        if isinstance(instance, Ruled):
            # What is broken is told of; the table around it is judged all the same: all problems in one report.
            _keeps_rules(instance, given, at)
        return instance


@dataclass(frozen=True, slots=True)
class DefaultedConverter:
    """A nested Settings class with a default: a table changes single fields of it.

    Attributes:
        record: the converter of the class.
        defaults: the default instance.
        passes_raw: never: bytes come as text.
    """

    record: RecordConverter
    defaults: object
    passes_raw: bool = field(default=False, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return self.record.expected

    def convert(self, value: object, at: At) -> object:
        """Return the instance, or report to `at` and return `INVALID`."""
        return self.record.build(value, at, self.defaults)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the table, with nothing required."""
        schema = self.record.json_schema()
        schema.pop("required", None)
        return schema


def _made(one: Field, given: Mapping[str, tuple[At, object]], at: At, defaults: object) -> object:
    """The value of a field; MISSING where the class itself fills it in."""
    if one.name in given:
        below, raw = given[one.name]
        if one.table is not None and defaults is not None:
            return below.apply(DefaultedConverter(one.table, getattr(defaults, one.name)), raw)
        return below.apply(one.converter, raw)
    if defaults is not None:
        return cast("object", getattr(defaults, one.name))
    if not one.declared.is_required:
        return MISSING
    below = at_key(at, one.key, one.name)
    if one.table is not None:
        return below.apply(one.converter, {})
    return below.refuse("value not provided, and it has no default", f"add {one.key} = …", Kind.MISSING)


def _described(one: Field) -> dict[str, object]:
    schema = one.converter.json_schema()
    extras = one.declared.extras
    if extras.doc:
        schema["description"] = extras.doc
    if isinstance(extras.default, _JSON_TYPES) and not schema.get("writeOnly"):
        schema["default"] = extras.default
    return schema


def _keeps_rules(instance: Settings | Ruled, given: Mapping[str, tuple[At, object]], at: At) -> bool:
    broken = broken_rules(instance, in_secret=at.in_secret)
    if isinstance(broken, str):
        at.refuse(broken, "yield what is wrong instead of raising")
        return False
    for name, expected in broken:
        below = given[name][0] if name in given else at_key(at, name, ".".join(steps(name)))
        fact, _, fix = expected.partition(": ") if isinstance(instance, Ruled) else (expected, "", "")
        below.refuse(fact, fix or f"change {name}, or the setting that it must agree with")
    return not broken
