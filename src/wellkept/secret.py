"""Secret: holds a value and shows it only through `reveal()`.

The rules of this file:

- The payload is never on the object. It lies in a table of this module under the handle's
  identity, so `vars()`, pickle, a debugger's repr and `gc.get_referents` find nothing.
- One immutable snapshot holds value, origin and version; a new one is swapped in by a
  single assignment. A reader sees the old or the new, never a mixture, and takes no lock.
- An installed observer learns of a value before anybody can reveal it.
- This file does no I/O.
"""

import re
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib import import_module
from os import urandom
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Protocol, SupportsIndex, TypeVar, cast, final
from urllib.parse import quote

from wellkept._dataclasses import standard_fields
from wellkept.errors import SecretLeak, UsageError
from wellkept.origin import IN_CODE, Origin

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)  # a Secret only gives: Secret[bool] is a Secret[int]
S = TypeVar("S")

_EQUALITY_KEY = urandom(32)  # only this process compares with it; no digest ever leaves
_FIELD = re.compile(r"\{(\w*)\}")
_UNFIT_FOR_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")  # RFC 9110 §5.5: field-value


class State(StrEnum):
    """How fresh the value of a secret is."""

    FRESH = "fresh"
    DUE = "due"
    STALE = "stale"
    EXPIRED = "expired"
    GONE = "gone"


class Observer(Protocol):
    """Is told of every value before it can be revealed, so that it can be masked."""

    def learn(self, name: str | None, payload: object) -> None:
        """Take note of a payload; it may be any structure, see `leaves`."""
        ...

    def release(self, name: str | None, payload: object) -> None:
        """Take note that a payload is not held any more.

        May be called by the garbage collector from anywhere: it must not take a lock.
        """
        ...


class _Snapshot:
    """What a secret holds at one moment; never changed after it is made."""

    __slots__ = ("fetched_at", "origin", "payload", "state", "version")

    def __init__(self, payload: object, origin: Origin, version: str | None, state: State) -> None:
        self.payload: Any = payload
        self.origin = origin
        self.version = version
        self.state = state
        self.fetched_at = datetime.now(UTC)


class _Fittings:
    """What hangs on a handle besides its value: name, listeners, waiters, refresher."""

    __slots__ = ("changed", "followers", "listeners", "name", "refresher")

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.listeners: tuple[Callable[[object], None], ...] = ()
        self.followers: tuple[Callable[[], None], ...] = ()
        self.refresher: Callable[[], None] | None = None
        self.changed = threading.Condition()


_snapshots: dict[int, _Snapshot] = {}
_fittings: dict[int, _Fittings] = {}
_observer: Observer | None = None


class RevealedText(str):
    """The text of a secret: a `str` in every way, but for a masked repr and no pickle.

    A part of it is such a text, too; changed, joined or formatted it turns into a plain `str`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: "SupportsIndex | slice[Any, Any, Any]") -> "RevealedText":
        return RevealedText(super().__getitem__(key))  # a tool that cuts long text shows a part of it

    def __copy__(self) -> "RevealedText":
        return self

    def __deepcopy__(self, memo: object) -> "RevealedText":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "a revealed secret: cannot be pickled"
        raise SecretLeak(message, hint="send the reference, and resolve it where it is used")


class RevealedBytes(bytes):
    """The bytes of a secret: `bytes` in every way, but for a masked repr and no pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"

    def __copy__(self) -> "RevealedBytes":
        return self

    def __deepcopy__(self, memo: object) -> "RevealedBytes":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        message = "a revealed secret: cannot be pickled"
        raise SecretLeak(message, hint="send the reference, and resolve it where it is used")


@final
class Secret(Generic[T_co]):
    """A value that is shown only by `reveal()`.

    Its `repr`, `str` and `%s` are masks that name the setting and the place. Formatting it in
    an f-string, joining, iterating, measuring and pickling raise `SecretLeak`, a `TypeError`.
    Copies are the same handle. Two secrets compare equal in constant time; none is hashable.
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self,
        value: T_co,
        *,
        name: str | None = None,
        origin: Origin = IN_CODE,
        version: str | None = None,
    ) -> None:
        """Make a secret of a value that is at hand; `load` makes the others.

        Args:
            value: any value that is not empty text or bytes.
            name: what masks and errors call it.
            origin: where it came from.
            version: its version there, or None.

        Raises:
            UsageError: the value is empty, or is a secret already.
        """
        fault = _unfit(value)
        if fault is not None:
            del value
            raise UsageError(f"{name or 'a secret'}: {fault}", hint="leave it out instead")
        payload = seal(value)
        if _observer is not None:
            _observer.learn(name, payload)
        _fittings[id(self)] = _Fittings(name)
        _snapshots[id(self)] = _Snapshot(payload, origin, version, State.FRESH)

    def __del__(
        self,
        _pop_snapshot: Callable[..., _Snapshot | None] = _snapshots.pop,
        _pop_fittings: Callable[..., _Fittings | None] = _fittings.pop,
    ) -> None:
        # Bound as defaults: at interpreter exit the module's names may be gone already.
        snapshot = _pop_snapshot(id(self), None)
        fittings = _pop_fittings(id(self), None)
        if snapshot is not None and fittings is not None and _observer is not None:
            _observer.release(fittings.name, snapshot.payload)

    def reveal(self) -> T_co:
        """Return the current value; text comes as a `str` whose own repr is masked.

        Never does I/O, takes no lock and never waits.
        """
        return _snapshots[id(self)].payload  # type: ignore[no-any-return]  # a cast costs 30 ns

    @property
    def name(self) -> str | None:
        """What masks and errors call it, or None."""
        return _fittings[id(self)].name

    @property
    def origin(self) -> Origin:
        """Where the current value came from."""
        return _snapshots[id(self)].origin

    @property
    def version(self) -> str | None:
        """The version of the current value at its source, or None."""
        return _snapshots[id(self)].version

    @property
    def fetched_at(self) -> datetime:
        """When the current value was read, aware, in UTC."""
        return _snapshots[id(self)].fetched_at

    @property
    def state(self) -> State:
        """How fresh the current value is."""
        return _snapshots[id(self)].state

    def on_change(self, callback: "Callable[[Secret[T_co]], None]") -> Callable[[], None]:
        """Call back with this handle after each new value; return a callable that stops it."""
        fittings = _fittings[id(self)]
        listener = cast("Callable[[object], None]", callback)
        with fittings.changed:
            fittings.listeners = (*fittings.listeners, listener)

        def stop() -> None:
            with fittings.changed:
                fittings.listeners = tuple(one for one in fittings.listeners if one is not listener)

        return stop

    def wait_newer(self, version: str | None, timeout: float) -> bool:
        """Wait until the version is another than the given one.

        Args:
            version: the version that is known already.
            timeout: how many seconds to wait at the most.

        Returns:
            Whether there is another version now.
        """
        changed = _fittings[id(self)].changed
        with changed:
            return changed.wait_for(lambda: self.version != version, timeout)

    def refresh(self) -> bool:
        """Ask the source again now; return whether there is a source to ask."""
        refresher = _fittings[id(self)].refresher
        if refresher is None:
            return False
        refresher()
        return True

    def map(self, function: Callable[[T_co], S]) -> "Secret[S]":
        """Return a secret of what the function makes of the value; it follows this one.

        Raises:
            UsageError: the function raised; its own error, which may hold the value, is dropped.
        """
        made, fault = _apply(function, self)
        if fault is not None:
            raise UsageError(f"{self.name or 'a secret'}: {fault}")
        derived = Secret(cast("S", made), name=self.name, origin=self.origin, version=self.version)
        del made
        _follow(self, derived, function)
        return derived

    def header(self, scheme: str) -> "Secret[str]":
        """Return the value of an Authorization header: `header("Bearer").reveal()`.

        Raises:
            UsageError: the value cannot stand in a header (RFC 9110 §5.5).
        """
        if not isinstance(self.reveal(), str):
            raise UsageError(f"{self.name or 'a secret'}: is no text, so it makes no header")
        if _UNFIT_FOR_HEADER.search(cast("str", self.reveal())):
            raise UsageError(
                f"{self.name or 'a secret'}: a header cannot hold one of its characters",
                hint="often a final newline: write it with printf instead of echo",
            )

        def prefixed(value: object) -> str:
            return f"{scheme} {value}"

        return self.map(prefixed)

    def dsn(self, template: str) -> "Secret[str]":
        """Return a connection string with the value, percent-encoded, in its place.

        Args:
            template: text with `{}` for the value, or `{field}` for a field of a structure:
                `postgresql://app:{}@db/app`, `postgresql://{username}:{password}@db/app`.

        Raises:
            UsageError: the template names nothing, or a field that is not there.
        """
        names = _FIELD.findall(template)
        if not names:
            raise UsageError("dsn: the template names no place for the secret", hint="write {}")
        payload = self.reveal()
        unknown = [name for name in names if name and _field(payload, name) is None]
        is_whole = "" in names and _parts(payload) is not None
        del payload
        if is_whole:
            raise UsageError(f"{self.name or 'a secret'}: is a structure", hint="name a field of it: {password}")
        if unknown:
            raise UsageError(f"{self.name or 'a secret'}: has no field {unknown[0]}")

        def fill(value: object) -> str:
            return _FIELD.sub(lambda found: _encoded(value, found[1]), template)

        return self.map(fill)

    def __repr__(self) -> str:
        if id(self) not in _snapshots:  # in a traceback of its own constructor
            return "<Secret>"
        name = self.name
        label = "" if name is None else f" {name}"
        return f"<Secret{label} from {self.origin}>"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return True  # a secret is never empty

    def __copy__(self) -> "Secret[T_co]":
        return self

    def __deepcopy__(self, memo: object) -> "Secret[T_co]":
        return self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            return _is_same(self.reveal(), cast("Secret[object]", other).reveal())
        if isinstance(other, (str, bytes)):
            return _is_same(self.reveal(), other)
        return NotImplemented

    __hash__: ClassVar[None]  # type: ignore[assignment]  # a hash would be an oracle

    if not TYPE_CHECKING:  # a checker that saw these would let `for part in secret` pass

        def _refuse(self, *_args: object) -> NoReturn:
            raise SecretLeak(
                f"{self!r}: is a secret, not text",
                hint="call reveal() in the expression that uses it, or dsn() and header()",
            )

        __format__ = __iter__ = __len__ = __contains__ = __getitem__ = _refuse
        __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = _refuse
        __bytes__ = __int__ = __float__ = __index__ = __fspath__ = _refuse
        __reduce__ = __reduce_ex__ = __getstate__ = _refuse


def install_observer(observer: Observer | None) -> None:
    """Set who is told of new values, and tell it of all that are held now."""
    global _observer  # noqa: PLW0603 one process has one masker
    _observer = observer
    if observer is not None:
        for key, snapshot in list(_snapshots.items()):
            fittings = _fittings.get(key)
            observer.learn(None if fittings is None else fittings.name, snapshot.payload)


def swap(
    secret: Secret[T], value: T, *, origin: Origin, version: str | None, state: State = State.FRESH
) -> Sequence[str]:
    """Give a handle its next value, then tell waiters, derived secrets and listeners.

    Returns:
        One line for each callback that raised, without the text of its error.
    """
    payload = seal(value)
    fittings = _fittings[id(secret)]
    if _observer is not None:
        _observer.learn(fittings.name, payload)
    old = _snapshots[id(secret)]
    _snapshots[id(secret)] = _Snapshot(payload, origin, version, state)
    if _observer is not None:
        _observer.release(fittings.name, old.payload)
    with fittings.changed:
        fittings.changed.notify_all()
    failures = [_call(follower) for follower in fittings.followers]
    failures += [_call(partial(one, secret)) for one in fittings.listeners]
    return [failure for failure in failures if failure is not None]


def set_refresher(secret: Secret[T], refresher: Callable[[], None]) -> None:
    """Give a handle what its `refresh()` calls."""
    _fittings[id(secret)].refresher = refresher


def seal(value: object) -> object:
    """Return the value with a masked repr for each text in it, however deep."""
    if isinstance(value, (RevealedText, RevealedBytes)):
        return value
    if type(value) is str:
        return RevealedText(value)
    if type(value) is bytes:
        return RevealedBytes(value)
    if type(value) in {list, tuple, set, frozenset}:
        return cast("type[list[object]]", type(value))(map(seal, cast("list[object]", value)))
    if type(value) is dict:
        return {key: seal(one) for key, one in cast("dict[object, object]", value).items()}
    sealed = getattr(type(value), "_wellkept_seal", None)
    return value if sealed is None else sealed(value)


def leaves(payload: object) -> Iterator[str | bytes]:
    """Yield each value inside a payload, as the text or bytes that it is written as."""
    if isinstance(payload, (str, bytes)):
        yield payload
    elif isinstance(payload, Secret):
        yield from leaves(cast("Secret[object]", payload).reveal())
    elif (parts := _parts(payload)) is not None:
        for part in parts:
            yield from leaves(part)
    elif payload is not None and not isinstance(payload, bool):
        yield str(payload)


def _parts(payload: object) -> Iterable[object] | None:
    """The values inside a structure, or None for a value that is one by itself."""
    if isinstance(payload, Mapping):
        return cast("Mapping[object, object]", payload).values()
    if isinstance(payload, (list, tuple, set, frozenset)):
        return cast("Iterable[object]", payload)
    fields = standard_fields(payload)
    if fields is not None:
        return [getattr(payload, field.name) for field in fields]
    return vars(payload).values() if hasattr(type(payload), "_wellkept_seal") else None


def _unfit(value: object) -> str | None:
    if isinstance(value, Secret):
        return "is a secret already"
    if isinstance(value, (str, bytes)) and not value:
        return "must not be empty"
    return None


def _apply(function: Callable[[T], S], secret: Secret[T]) -> tuple[S | None, str | None]:
    try:
        made = function(secret.reveal())
    except Exception as error:  # noqa: BLE001 its text may hold the value: only its type goes on
        return None, f"the function given to map raised {type(error).__name__}"
    fault = _unfit(made)
    return (made, None) if fault is None else (None, f"what map made of it {fault}")


def _follow(parent: Secret[T], derived: Secret[S], function: Callable[[T], S]) -> None:
    alive = weakref.ref(derived)
    # The parent is held by the derived secret's follower only weakly too: neither keeps the
    # other alive, and a derived secret whose parent is gone keeps its last value.
    source = weakref.ref(parent)

    def follow() -> None:
        child, parent = alive(), source()
        if child is None or parent is None:
            return
        made, fault = _apply(function, parent)
        if fault is not None:
            raise UsageError(f"{parent.name or 'a secret'}: {fault}")
        swap(child, cast("S", made), origin=parent.origin, version=parent.version)

    fittings = _fittings[id(parent)]
    with fittings.changed:
        fittings.followers = (*fittings.followers, follow)
    weakref.finalize(derived, _drop_follower, weakref.ref(parent), follow).atexit = False


def _drop_follower(source: "weakref.ref[Secret[T]]", follow: Callable[[], None]) -> None:
    parent = source()
    fittings = None if parent is None else _fittings.get(id(parent))
    if fittings is not None:
        fittings.followers = tuple(one for one in fittings.followers if one is not follow)


def _call(callback: Callable[[], None]) -> str | None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001 an outer edge: the callback is somebody else's code
        return f"a callback raised {type(error).__name__}"
    return None


def _field(payload: object, name: str) -> object:
    if isinstance(payload, Mapping):
        return cast("Mapping[object, object]", payload).get(name)
    if hasattr(type(payload), "_wellkept_seal") or standard_fields(payload) is not None:
        return getattr(payload, name, None)
    return None


def _encoded(payload: object, name: str) -> str:
    part = _field(payload, name) if name else payload
    return quote(part if isinstance(part, bytes) else str(part), safe="")


def _is_same(mine: object, theirs: object) -> bool:
    """Compare in a time that tells neither the length nor the place of a difference."""
    ours, others = _comparable(mine), _comparable(theirs)
    if ours is None or others is None:
        return bool(mine == theirs)
    # Loaded by name: OpenSSL's hashes take 3 ms to load, and most programs compare no secrets.
    blake2b, hmac = import_module("hashlib").blake2b, import_module("hmac")
    digests = [blake2b(value, key=_EQUALITY_KEY).digest() for value in (ours, others)]
    return bool(hmac.compare_digest(*digests))


def _comparable(value: object) -> bytes | None:
    if isinstance(value, str):
        return b"t" + value.encode("utf-8", "surrogatepass")
    return b"b" + value if isinstance(value, bytes) else None
