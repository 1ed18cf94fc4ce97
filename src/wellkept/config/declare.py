"""Declaring: `Settings`, `setting()`, and what a class declares, read from its hints.

This file does no I/O.
"""

import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NoReturn,
    Self,
    TypeVar,
    cast,
    dataclass_transform,
    get_origin,
    get_type_hints,
    overload,
)

from wellkept._dataclasses import MISSING as UNSET
from wellkept._dataclasses import dataclass, own_defaults, replace, standard_fields
from wellkept._names import NESTING, canonical
from wellkept._revealed import seal
from wellkept.config.extras import MISSING, RESERVED_TABLE, Extras
from wellkept.errors import DeclarationError, SecretLeak

if TYPE_CHECKING:
    import dataclasses

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared field of a Settings class or of a dataclass.

    Attributes:
        name: its name in Python.
        hint: its type, resolved; `Annotated` stays.
        spellings: its names elsewhere; the first one is the preferred one.
        extras: what else was said about it.
    """

    name: str
    hint: object
    spellings: tuple[str, ...]
    extras: Extras

    @property
    def is_required(self) -> bool:
        """Whether it has no default of any kind."""
        return not self.extras.has_default

    def make_default(self) -> object:
        """The default value; a fresh one where a factory makes it."""
        factory = self.extras.default_factory
        return self.extras.default if factory is None else factory()


@overload
def setting(
    *,
    default: T,
    doc: str = "",
    name: str | None = None,
    reference: str | None = None,
    key: str | None = None,
    rotate_every: str | None = None,
) -> T: ...
@overload
def setting(
    *,
    default_factory: Callable[[], T],
    doc: str = "",
    name: str | None = None,
    reference: str | None = None,
    key: str | None = None,
    rotate_every: str | None = None,
) -> T: ...
@overload
def setting(
    *,
    doc: str = "",
    name: str | None = None,
    reference: str | None = None,
    key: str | None = None,
    rotate_every: str | None = None,
) -> Any: ...  # noqa: ANN401 as dataclasses.field: the annotation beside it gives the type
def setting(
    *,
    default: object = MISSING,
    default_factory: Callable[[], object] | None = None,
    doc: str = "",
    name: str | None = None,
    reference: str | None = None,
    key: str | None = None,
    rotate_every: str | None = None,
) -> object:
    """Say more about a field of a Settings class than its type.

    Args:
        default: the value when no layer says anything; used as it is.
        default_factory: makes that value afresh for each load.
        doc: one sentence for the schema, the template and `explain`.
        name: its name in files and in the environment, where that is not the Python name.
        reference: where the value lives when no layer says anything: `vault:secret/db#password`.
        key: for a list of Settings, the field that must be different in each item.
        rotate_every: how old the value may become at its origin: `90d`; for checks of its age.

    Raises:
        DeclarationError: both a default and a factory.
    """
    if default is not MISSING and default_factory is not None:
        raise DeclarationError("setting: takes default or default_factory, not both")
    return Extras(default, default_factory, doc, name, reference, key, rotate_every)


_namespaces: "weakref.WeakValueDictionary[str, type[Settings]]" = weakref.WeakValueDictionary()


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting,))
class Settings:
    """The base of a class that declares settings; `load` makes its instances.

    Keywords of the class statement:

    - `namespace`: a dotted name; the settings stand in that table of Config.toml, and their
      variables begin with `BAL_CONFIG_VAR_` and that name.
    - `env_prefix`: what their variables begin with instead; `""` means plain names.

    Instances do not change. One that is made by hand, in a test, takes its values as they are.
    """

    __slots__ = ("__dict__", "__weakref__", "_is_sealed")

    namespace_: ClassVar[str] = ""
    env_prefix_: ClassVar[str | None] = None

    def __init_subclass__(cls, *, namespace: str = "", env_prefix: str | None = None) -> None:
        """Check the names; hints are resolved at the first load, when all classes exist."""
        super().__init_subclass__()
        _check_namespace(cls, namespace)
        cls.namespace_ = namespace
        cls.env_prefix_ = env_prefix
        _check_names(cls, _own_names(cls))
        if namespace:
            _namespaces[namespace] = cls

    def __init__(self, **values: object) -> None:
        """Take the values as they are; `load` is what reads and converts them."""
        names = {one.name: one for one in declared(type(self))}
        unknown = sorted(values.keys() - names.keys())
        missing = [name for name, one in names.items() if one.is_required and name not in values]
        if unknown or missing:
            values = {}  # a traceback may show this frame
        if unknown:
            raise TypeError(f"{type(self).__name__}: has no setting {unknown[0]}")
        if missing:
            raise TypeError(f"{type(self).__name__}: needs {', '.join(missing)}")
        for name, one in names.items():
            vars(self)[name] = values[name] if name in values else one.make_default()
        object.__setattr__(self, "_is_sealed", False)

    def validate(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong across settings, as pairs of a setting's name and what is expected.

        Override it: `if self.low > self.high: yield "low", "must not be above high"`.
        """
        return ()

    if not TYPE_CHECKING:  # a checker that saw it would let any name be set

        def __setattr__(self, name: str, value: object) -> NoReturn:
            del value  # a traceback may show this frame
            raise AttributeError(f"{type(self).__name__}.{name}: settings do not change; load again")

        def __delattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"{type(self).__name__}.{name}: settings do not change")

    def __copy__(self) -> Self:
        return self  # it never changes

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _values(self) == _values(other)

    __hash__: ClassVar[None]  # type: ignore[assignment]  # what holds secrets has no hash

    def __repr__(self) -> str:
        name = type(self).__qualname__
        if getattr(self, "_is_sealed", False):
            return f"{name}(***)"
        return f"{name}({', '.join(f'{key}={value!r}' for key, value in _values(self).items())})"

    def __reduce__(self) -> tuple[object, ...]:
        if getattr(self, "_is_sealed", False):
            raise SecretLeak(f"{type(self).__qualname__}: cannot be pickled", hint="it came out of a secret")
        return _remade, (type(self), _values(self))

    def _wellkept_seal(self) -> Self:
        """A twin whose repr shows nothing, however deep, for the inside of a Secret."""
        values = {name: seal(value) for name, value in _values(self).items()}
        return _remade(type(self), values, is_sealed=True)


def _values(config: Settings) -> dict[str, object]:
    """The values of its settings, without what a cached property keeps beside them."""
    own = vars(config)
    return {one.name: own[one.name] for one in declared(type(config)) if one.name in own}


_S = TypeVar("_S", bound=Settings)


def _remade(cls: type[_S], values: Mapping[str, object], *, is_sealed: bool = False) -> _S:
    made = object.__new__(cls)
    vars(made).update(values)
    object.__setattr__(made, "_is_sealed", is_sealed)
    return made


def declared_namespaces() -> frozenset[str]:
    """The namespaces of all Settings classes that there are."""
    return frozenset(_namespaces)


def is_record(hint: object) -> bool:
    """Whether a hint is a class with fields of its own: a Settings class or any dataclass."""
    cls = cast("type[object]", hint) if isinstance(hint, type) else object
    return issubclass(cls, Settings) or standard_fields(cls) is not None or own_defaults(cls) is not None


def declared(cls: type) -> tuple[Declared, ...]:
    """What a Settings class or a dataclass declares, in order.

    Raises:
        DeclarationError: a hint cannot be resolved, or two names collide.
    """
    known = _declared.get(cls)
    if known is None:
        known = _declared[cls] = _read(cls)
    return known


_declared: "weakref.WeakKeyDictionary[type, tuple[Declared, ...]]" = weakref.WeakKeyDictionary()


def _read(cls: type) -> tuple[Declared, ...]:
    hints = _hints(cls)
    docs = documented(cls)
    fields = standard_fields(cls)
    if fields is not None:
        return tuple(_of_dataclass(field, hints[field.name], docs) for field in fields if field.init)
    own = own_defaults(cls)
    if own is not None:
        return tuple(_of_own(name, hints[name], *own[name], docs) for name in own)
    owner = cast("type[object]", cls)
    return tuple(
        _of_settings(owner, name, hint, docs)
        for name, hint in hints.items()
        if name not in Settings.__annotations__ and not _is_class_variable(hint)
    )


def _of_settings(cls: type, name: str, hint: object, docs: Mapping[str, str]) -> Declared:
    given = getattr(cls, name, MISSING)
    extras = given if isinstance(given, Extras) else Extras(default=given)
    if not extras.doc:
        extras = replace(extras, doc=docs.get(name, ""))
    return Declared(name, hint, (extras.name or name,), extras)


def _of_dataclass(field: "dataclasses.Field[object]", hint: object, docs: Mapping[str, str]) -> Declared:
    none: object = sys.modules["dataclasses"].MISSING  # loaded, as the class is there
    default = MISSING if field.default is none else field.default
    factory = None if field.default_factory is none else cast("Callable[[], object]", field.default_factory)
    extras = Extras(default, factory, doc=docs.get(field.name, ""))
    return Declared(field.name, hint, (field.name, *field.metadata.get("names", ())), extras)


def _of_own(
    name: str, hint: object, default: object, factory: Callable[[], object] | None, docs: Mapping[str, str]
) -> Declared:
    extras = Extras(MISSING if default is UNSET else default, factory, doc=docs.get(name, ""))
    return Declared(name, hint, (name,), extras)


def _hints(cls: type) -> dict[str, object]:
    try:
        return get_type_hints(cls, include_extras=True)
    except (NameError, AttributeError) as error:
        name, fault = error.name or "a name", None
    except (TypeError, SyntaxError):
        name, fault = "", "has a hint that is no type"
    if fault is None:
        fault = f"has a hint that names {name}, which is not known where the class was made"
    raise DeclarationError(
        f"{cls.__qualname__}: {fault}",
        hint="import that type at the top of the module, outside TYPE_CHECKING, "
        "and declare local classes at the top level",
    )


def documented(cls: type) -> dict[str, str]:
    """What the `Attributes:` section of a class docstring (Google style) says of each name."""
    docs: dict[str, str] = {}
    name, section = "", -1  # section: how far the heading is indented, or -1 outside of it
    for line in (cls.__doc__ or "").splitlines():
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text == "Attributes:":
            name, section = "", indent
        elif text and section >= 0 and indent <= section:
            section = -1
        elif section >= 0 and indent == section + 4 and ":" in text:
            name, text = (part.strip() for part in text.split(":", 1))
            docs[name] = text
        elif text and section >= 0 and name:
            docs[name] = f"{docs[name]} {text}"
    return docs


def _own_names(cls: type) -> list[tuple[str, str]]:
    """Pairs of Python name and spelling, read without resolving any hint."""
    pairs: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        for name, hint in getattr(one, "__annotations__", {}).items():
            if name in Settings.__annotations__ or _is_class_variable(hint):
                continue
            given = getattr(cls, name, None)
            pairs[name] = (given.name if isinstance(given, Extras) else None) or name
    return list(pairs.items())


def _check_namespace(cls: type, namespace: str) -> None:
    steps = namespace.split(".") if namespace else []
    if not all(map(str.isidentifier, steps)) or NESTING in namespace:
        raise DeclarationError(f"{cls.__qualname__}: its namespace is no dotted name", hint='write "acme.payments"')
    if steps and canonical(steps[0]) == RESERVED_TABLE:
        raise DeclarationError(f"{cls.__qualname__}: [wellkept] in Config.toml is for wellkept itself")


def _check_names(cls: type, pairs: Iterable[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for name, spelling in pairs:
        form = canonical(spelling)
        if name.startswith("_") or NESTING in name or NESTING in spelling or "." in spelling or not form:
            raise DeclarationError(
                f"{cls.__qualname__}.{name}: is no name for a setting",
                hint="no leading _, and no __ or dot: they stand for nesting",
            )
        if name in dir(Settings):  # hasattr would find what every class has: `mro`
            raise DeclarationError(f"{cls.__qualname__}.{name}: is the name of a method of Settings")
        if form == RESERVED_TABLE and not cls.__dict__.get("namespace_"):
            raise DeclarationError(f"{cls.__qualname__}.{name}: [wellkept] in Config.toml is for wellkept itself")
        if form in seen:
            raise DeclarationError(
                f"{cls.__qualname__}: {seen[form]} and {name} are one name outside Python",
                hint="names are equal without _ and case: rename one, or give setting(name=…)",
            )
        seen[form] = name


def _is_class_variable(hint: object) -> bool:
    if isinstance(hint, str):
        return hint.split("[")[0].split(".")[-1] == "ClassVar"
    return hint is ClassVar or get_origin(hint) is ClassVar
