"""Giving the handles inside a value what the handles of a newer one hold. No I/O here."""

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeGuard, cast

from wellkept._dataclasses import dataclass, own_defaults, standard_fields
from wellkept._fittings import Run
from wellkept.config.declare import Settings
from wellkept.config.schema import Schema
from wellkept.events import BUS, Event, Topic
from wellkept.secret import Secret, State, holds, let_follow, mark, set_refresher, swap

Path = tuple[object, ...]
Handle = Secret[Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """How fresh a value is, and what carries out the callbacks of its change."""

    state: State
    until_s: float | None
    run: Run


class Graft:
    """The secrets inside one value, by their paths; it keeps none of them alive."""

    def __init__(self, value: object) -> None:
        """Take note of all secrets in a value, and of the plain parts around them."""
        self._plain: dict[Path, object] = {}
        self._handles: dict[Path, Callable[[], Handle | None]] = {}
        self._count = 1
        for path, leaf in _leaves(value, ()):
            if _is_handle(leaf):
                self._handles[path] = weakref.ref(leaf)
            else:
                self._plain[path] = leaf

    @property
    def handles(self) -> list[Handle]:
        """The secrets that somebody still holds."""
        return [one for one in (handle() for handle in self._handles.values()) if one is not None]

    @property
    def is_held(self) -> bool:
        """Whether somebody still holds one of them."""
        return any(handle() is not None for handle in self._handles.values())

    def set_refresher(self, refresher: Callable[[], bool]) -> None:
        """Say what `refresh()` of its secrets calls."""
        for one in self.handles:
            set_refresher(one, refresher)

    def fits(self, value: object) -> bool:
        """Whether a newer value has the same plain parts, and secrets at the same places."""
        plain: dict[Path, object] = {}
        paths: set[Path] = set()
        for path, leaf in _leaves(value, ()):
            if _is_handle(leaf):
                paths.add(path)
            else:
                plain[path] = leaf
        return paths == set(self._handles) and plain == self._plain

    def take(self, value: object, standing: Standing) -> bool:
        """Give each secret what the newer value holds in its place; whether any is another one now."""
        changed = [self._take_one(path, leaf, standing) for path, leaf in _secrets(value)]
        self._count += any(changed)
        return any(changed)

    def _take_one(self, path: Path, new: Handle, standing: Standing) -> bool:
        old = self._handles[path]()
        if old is None:
            return False
        if holds(old, new):
            mark(old, standing.state, standing.until_s, seen=new.origin)
            return False
        # A source without versions still lets `wait_newer` tell one value from the next.
        version = new.version or str(self._count + 1)
        failures = swap(
            old,
            new.reveal(),
            origin=new.origin,
            version=version,
            state=standing.state,
            until_s=standing.until_s,
            run=standing.run,
        )
        for line in failures:  # a derived secret that could not follow, or a callback that is left out
            BUS.publish(Event(Topic.CALLBACK_FAILED, old.name or "a secret", line))
        return True


def differ(one: object, other: object) -> bool:
    """Whether two values are not the same, secrets by what they hold."""
    mine, theirs = dict(_leaves(one, ())), dict(_leaves(other, ()))
    return mine.keys() != theirs.keys() or any(_is_other(leaf, theirs[path]) for path, leaf in mine.items())


def secrets_of(config: object, schema: Schema) -> Iterator[tuple[str, Handle]]:
    """The secrets of a configuration, each under the name of its setting."""
    for setting in schema.settings:
        for _, leaf in _secrets(value_of(config, setting.path)):
            yield setting.name, leaf


def let_follow_all(old: object, new: object, schema: Schema) -> None:
    """Let the secrets of settings that were loaded anew follow those of the new ones, in the same places."""
    for setting in schema.settings:
        before, after = (dict(_secrets(value_of(one, setting.path))) for one in (old, new))
        for path in before.keys() & after.keys():
            let_follow(before[path], after[path])


def value_of(config: object, path: Iterable[str]) -> object:
    """The value of a setting in a configuration."""
    for step in path:
        config = getattr(config, step)
    return config


def _is_other(one: object, other: object) -> bool:
    if _is_handle(one) and _is_handle(other):
        return not holds(one, other)
    return one != other


def _is_handle(leaf: object) -> TypeGuard[Handle]:
    return isinstance(leaf, Secret)


def _secrets(value: object) -> Iterator[tuple[Path, Handle]]:
    return ((path, leaf) for path, leaf in _leaves(value, ()) if _is_handle(leaf))


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    """The secrets and plain parts of a value."""
    fields = None if _is_handle(value) or isinstance(value, type) else _fields(value)
    if isinstance(value, Mapping):
        for key, one in cast("Mapping[object, object]", value).items():
            yield from _leaves(one, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, one in enumerate(cast("list[object]", value)):
            yield from _leaves(one, (*path, index))
    elif fields is not None:
        for name in fields:
            yield from _leaves(getattr(value, name), (*path, name))
    else:
        yield path, value


def _fields(value: object) -> Iterable[str] | None:
    """The names of the fields of a dataclass, of a class of our own, or of Settings; None for anything else."""
    standard = standard_fields(value)
    if standard is not None:
        return [one.name for one in standard]
    return own_defaults(type(value)) or (vars(value) if isinstance(value, Settings) else None)
