"""What one Settings class asks for: its settings, flat, each with its converter.

Nested Settings are tables whose leaves are settings of their own; a list, a dict, a dataclass
and a Secret come whole. This file does no I/O.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Union, cast, get_args, get_origin
from weakref import WeakKeyDictionary

from wellkept._dataclasses import dataclass, replace
from wellkept._names import (
    BALLERINA_PREFIX,
    canonical_path,
    namespace_prefix,
    steps,
    toml_key,
    variable,
)
from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Converter
from wellkept.config.declare import Declared, Settings, declared, is_record
from wellkept.config.extras import Extras
from wellkept.config.setting import Setting
from wellkept.errors import DeclarationError
from wellkept.secret import Secret


@dataclass(frozen=True, slots=True)
class Schema:
    """What one Settings class asks for.

    Attributes:
        cls: the class.
        settings: every setting, in the order of the declaration.
        tables: the canonical paths of nested Settings, the root's own among them.
        namespace: the steps of the table in Config.toml where all of it stands.
        prefix: what its variables begin with.
        by_form: the settings by their canonical paths, as layers find them.
    """

    cls: type[Settings]
    settings: tuple[Setting, ...]
    tables: frozenset[tuple[str, ...]]
    namespace: tuple[str, ...]
    prefix: str
    by_form: Mapping[tuple[str, ...], Setting]

    @property
    def is_plain(self) -> bool:
        """Whether its variables have no prefix: then unknown ones cannot be judged."""
        return not self.prefix

    def variable(self, setting: Setting) -> str:
        """The variable of a setting, in the page's spelling."""
        return variable(self.prefix, setting.spelling)

    def toml_key(self, setting: Setting) -> str:
        """The dotted key of a setting in Config.toml, its namespace first."""
        return ".".join([*self.namespace, toml_key(setting.spelling)])


def schema_of(cls: type[Settings]) -> Schema:
    """The schema of a class, made once.

    Raises:
        DeclarationError: a type cannot be converted, or a default does not fit its Secret.
    """
    known = _schemas.get(cls)
    if known is None:
        known = _schemas[cls] = _read(cls)
    return known


def type_text(hint: object) -> str:
    """A declared type as a person writes it: `int`, `Secret[str]`, `list[int] | None`."""
    if isinstance(hint, type) and not get_args(hint):
        return hint.__qualname__
    if get_origin(hint) is Annotated:
        return type_text(get_args(hint)[0])
    if get_origin(hint) in _UNIONS:
        return " | ".join("None" if one is type(None) else type_text(one) for one in get_args(hint))
    if isinstance(origin := get_origin(hint), type):
        return f"{origin.__qualname__}[{', '.join(map(type_text, get_args(hint)))}]"
    return "..." if hint is ... else str(hint).removeprefix("typing.")


def is_settings(hint: object) -> bool:
    """Whether a hint is a Settings class by itself."""
    return isinstance(hint, type) and issubclass(hint, Settings)


def is_secret_hint(hint: object) -> bool:
    """Whether a hint is Secret, with or without its parameter, optional or annotated."""
    if hint is Secret or get_origin(hint) is Secret:
        return True
    if get_origin(hint) is Annotated:
        return is_secret_hint(get_args(hint)[0])
    members = [one for one in get_args(hint) if one is not type(None)] if get_origin(hint) in _UNIONS else []
    return bool(members) and all(is_secret_hint(one) for one in members)


MAX_NESTING = 16  # a class that nests itself would go on for ever
_UNIONS = (Union, UnionType)
_schemas: "WeakKeyDictionary[type[Settings], Schema]" = WeakKeyDictionary()


def holds_secret(hint: object, seen: frozenset[object] = frozenset()) -> bool:
    """Whether a Secret stands anywhere in a hint: in a list, a union, a field of a record."""
    if hint is Secret or get_origin(hint) is Secret:
        return True
    if is_record(hint) and hint not in seen:
        fields = declared(cast("type", hint))
        return any(holds_secret(one.hint, seen | {hint}) for one in fields)
    return any(holds_secret(one, seen) for one in get_args(hint))


def _read(cls: type[Settings]) -> Schema:
    tables: set[tuple[str, ...]] = {()}
    settings = tuple(_leaves(cls, (), (), None, tables))
    prefix = cls.env_prefix_
    if prefix is None:
        prefix = namespace_prefix(cls.namespace_) if cls.namespace_ else BALLERINA_PREFIX
    by_form = {setting.form: setting for setting in settings}
    return Schema(cls, settings, frozenset(tables), steps(cls.namespace_), prefix, by_form)


def _leaves(
    cls: type[Settings],
    path: Sequence[str],
    spelling: Sequence[str],
    defaults: Settings | None,
    tables: set[tuple[str, ...]],
) -> Iterator[Setting]:
    """The settings below one class; `defaults` is the instance that a parent gave as default."""
    for one in declared(cls):
        here, spelt = (*path, one.name), (*spelling, one.spellings[0])
        if is_settings(one.hint):
            if len(here) > MAX_NESTING:
                raise DeclarationError(f"{cls.__qualname__}: nests itself without end", hint="use a list of it")
            tables.add(canonical_path(spelt))
            given = one.make_default() if not one.is_required else None
            inner = cast("Settings | None", getattr(defaults, one.name) if defaults is not None else given)
            yield from _leaves(cast("type[Settings]", one.hint), here, spelt, inner, tables)
            continue
        extras = (
            one.extras
            if defaults is None
            else replace(one.extras, default=getattr(defaults, one.name), default_factory=None)
        )
        _check_default(cls, one, extras)
        converter = _converter(cls, one)
        yield Setting(
            here,
            spelt,
            canonical_path(spelt),
            one.hint,
            converter,
            extras,
            is_secret=is_secret_hint(one.hint),
            holds_secret=holds_secret(one.hint),
        )


def _converter(cls: type[Settings], one: Declared) -> Converter:
    fault = None
    try:
        return converter_for(one.hint, key=one.extras.key)
    except DeclarationError as error:
        fault = error
    raise DeclarationError(f"{cls.__qualname__}.{one.name}: {fault.message}", hint=fault.hint)


def _check_default(cls: type[Settings], one: Declared, extras: Extras) -> None:
    is_fit = extras.default is None or isinstance(extras.default, Secret) or one.is_required
    if is_secret_hint(one.hint) and not is_fit and extras.default_factory is None:
        raise DeclarationError(
            f"{cls.__qualname__}.{one.name}: has a default that is not a Secret",
            hint="give none, so that it must be configured; in tests, Secret(…)",
        )
