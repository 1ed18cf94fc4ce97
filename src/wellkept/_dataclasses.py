"""The part of `dataclasses` that this house uses, at a tenth of its cost.

`import dataclasses` loads `inspect`, `ast` and `dis`, and makes six functions a class by
`exec`: for the fifty classes of the core that was a third of `import wellkept` (25 of 90 ms;
docs/adr/0007). Here one function a class is made, the others are shared. A test holds the
classes made here to what the standard library makes of the same declaration.

A class has slots, always; fields come from its own annotations, never from a base.
"""

import sys
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, dataclass_transform, overload

if TYPE_CHECKING:
    import dataclasses

T = TypeVar("T")

MISSING: Any = object()


class _Field:
    """What `field()` says about one field."""

    __slots__ = ("default", "default_factory", "init", "repr")

    def __init__(
        self, default: object, default_factory: Callable[[], object] | None, *, init: bool, shown: bool
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = shown


@overload
def field(*, default: T, init: bool = True, repr: bool = True) -> T: ...
@overload
def field(*, default_factory: Callable[[], T], init: bool = True, repr: bool = True) -> T: ...
@overload
def field(*, init: bool = True, repr: bool = True) -> Any: ...  # noqa: ANN401 as dataclasses.field: the annotation beside it gives the type
def field(
    *,
    default: object = MISSING,
    default_factory: Callable[[], object] | None = None,
    init: bool = True,
    repr: bool = True,  # noqa: A002 as dataclasses.field calls it
) -> object:
    """Say more about a field, as `dataclasses.field` does."""
    return _Field(default, default_factory, init=init, shown=repr)


@dataclass_transform(field_specifiers=(field,))
def dataclass(*, frozen: bool = False, slots: bool = True, eq: bool = True) -> Callable[[type[T]], type[T]]:
    """Make a class of fields, as `dataclasses.dataclass(frozen=…, slots=True)` does."""
    del slots  # always; the word stands at the class for its reader

    def wrap(cls: type[T]) -> type[T]:
        return _made(cls, is_frozen=frozen, is_compared=eq)

    return wrap


def standard_fields(thing: object) -> "tuple[dataclasses.Field[object], ...] | None":
    """The fields of a dataclass of the standard library, or of an instance; None for anything else.

    Where there is such a class, its maker has imported `dataclasses` already.
    """
    if not hasattr(thing, "__dataclass_fields__"):
        return None
    return cast("tuple[dataclasses.Field[object], ...]", sys.modules["dataclasses"].fields(thing))


def own_defaults(cls: type) -> dict[str, tuple[object, Callable[[], object] | None]] | None:
    """What a class that was made here takes: the default of each field (`MISSING` for none), and what makes one."""
    told: dict[str, _Field] | None = cls.__dict__.get("__told__")
    if told is None:
        return None
    return {name: (one.default, one.default_factory) for name, one in told.items() if one.init}


def replace(instance: T, **changes: object) -> T:
    """Return a twin with some fields changed, as `dataclasses.replace` does."""
    cls: Any = type(instance)
    return cast("T", cls(**(cls.__given__(instance) | changes)))


def _made(cls: type[T], *, is_frozen: bool, is_compared: bool) -> type[T]:
    space = {name: value for name, value in vars(cls).items() if name not in {"__dict__", "__weakref__"}}
    names = tuple(cast("dict[str, object]", getattr(cls, "__annotations__", {})))
    told = {name: _told(space.pop(name, MISSING)) for name in names}
    taken = tuple(name for name in names if told[name].init)
    space |= {
        "__slots__": names,
        "__qualname__": cls.__qualname__,
        "__init__": _first_init,
        "__match_args__": taken,
        "__taken__": taken,
        "__given__": _giver(taken),
        "__told__": told,
        "__is_frozen__": is_frozen,
        "__shown__": tuple(name for name in names if told[name].repr),
        "__values__": attrgetter(*names),  # no descriptor, so `self.__values__` is not bound
    }
    if is_frozen:
        space |= {"__setattr__": _refuse, "__delattr__": _refuse, "__reduce__": _reduced}
    if is_compared:
        space.setdefault("__eq__", _is_equal)
        space.setdefault("__hash__", _hashed if is_frozen else None)
    space.setdefault("__repr__", _shown)
    make = cast("Callable[..., object]", type(cls))
    return cast("type[T]", make(cls.__name__, cls.__bases__, space))


def _first_init(self: Any, *values: object, **named: object) -> None:  # noqa: ANN401 a class of fields
    """Make the `__init__` of a class at its first instance: most classes of a process never have one."""
    cls: Any = next(one for one in type(self).__mro__ if "__told__" in one.__dict__)
    made = _initializer(cls.__told__, is_frozen=cls.__is_frozen__, has_more=hasattr(cls, "__post_init__"))
    cls.__init__ = made
    made(self, *values, **named)


def _told(given: object) -> _Field:
    return given if isinstance(given, _Field) else _Field(given, None, init=True, shown=True)


def _initializer(told: dict[str, _Field], *, is_frozen: bool, has_more: bool) -> Callable[..., None]:
    """The `__init__` of a class: one parameter a field, with its default."""
    parameters: list[str] = ["self"]
    lines: list[str] = []
    for name, one in told.items():
        value = name
        if one.default_factory is not None:
            value = f"_told[{name!r}].default_factory()"
            value = f"{value} if {name} is _missing else {name}" if one.init else value
        elif not one.init:
            value = f"_told[{name!r}].default"
        if one.init:
            has_default = one.default is not MISSING or one.default_factory is not None
            parameters.append(f"{name}=_told[{name!r}].default" if has_default else name)
        lines.append(f"_set(self, {name!r}, {value})" if is_frozen else f"self.{name} = {value}")
    if has_more:
        lines.append("self.__post_init__()")
    scope: dict[str, object] = {"_told": told, "_missing": MISSING, "_set": object.__setattr__}
    # As the standard library does it: names come from our own classes, and nothing else is so fast.
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    # Compiled first: exec of a text makes CPython forget that a process ends by Ctrl+C, where one is made at the exit.
    exec(compile(text, "<fields>", "exec"), scope)  # noqa: S102 see above
    return cast("Callable[..., None]", scope["__init__"])


def _giver(names: tuple[str, ...]) -> Callable[[object], dict[str, object]]:
    """What reads the fields that a class takes; many at once is twice as fast as one by one."""
    if len(names) < 2:  # noqa: PLR2004 then attrgetter gives no tuple
        return lambda one: {name: getattr(one, name) for name in names}
    read: Callable[[object], tuple[object, ...]] = attrgetter(*names)
    return lambda one: dict(zip(names, read(one), strict=True))


def _is_equal(self: Any, other: Any) -> object:  # noqa: ANN401 a class of fields, and anything
    if type(other) is not type(self):
        return NotImplemented
    return self.__values__(self) == other.__values__(other)


def _hashed(self: Any) -> int:  # noqa: ANN401 a class of fields
    return hash(self.__values__(self))


def _shown(self: Any) -> str:  # noqa: ANN401 a class of fields
    fields = (f"{name}={getattr(self, name)!r}" for name in self.__shown__)
    return f"{type(self).__qualname__}({', '.join(fields)})"


def _refuse(self: object, name: str, *_value: object) -> NoReturn:
    raise AttributeError(f"{type(self).__name__}.{name}: is frozen")


def _reduced(self: Any) -> tuple[object, ...]:  # noqa: ANN401 a class of fields
    """Copies and pickles are made anew: state cannot be set on what is frozen."""
    names: tuple[str, ...] = self.__taken__
    cls = cast("object", type(self))
    return _remade, (cls, {name: getattr(self, name) for name in names})


def _remade(cls: Callable[..., object], values: dict[str, object]) -> object:
    return cls(**values)
