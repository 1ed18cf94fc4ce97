"""Secret: holds a value and shows it only through `reveal()`.

The rules of this file:

- The payload is never on the object. It lies in a table of this module under the handle's
  identity, so `vars()`, pickle, a debugger's repr and `gc.get_referents` find nothing.
- One immutable snapshot holds value, origin and version; a new one is swapped in by a
  single assignment. A reader sees the old or the new, never a mixture, and takes no lock.
- An installed observer learns of a value before anybody can reveal it.
- This file does no I/O.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar, cast, final
from urllib.parse import quote

from wellkept._clock import SYSTEM_CLOCK
from wellkept._equality import is_same
from wellkept._fittings import Fittings, Run
from wellkept._forks import after_fork
from wellkept._patterns import pattern
from wellkept._revealed import seal
from wellkept._snapshot import Observer, Snapshot
from wellkept._snapshot import State as State  # noqa: PLC0414 who asks a secret for its state looks for it here
from wellkept._structure import field_of, parts_of
from wellkept.errors import SecretExpired, SecretLeak, UsageError
from wellkept.origin import IN_CODE, Origin

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)  # a Secret only gives: Secret[bool] is a Secret[int]
S = TypeVar("S")

_FIELD = pattern(r"\{(\w*)\}")
_UNFIT_FOR_HEADER = pattern(r"[^\t\x20-\x7e\x80-\xff]")  # RFC 9110 §5.5: field-value


def _fittings_of(secret: "Secret[Any]") -> Fittings:
    return secret._fittings  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # one place of this file for it


_seconds = SYSTEM_CLOCK.seconds
_snapshots: dict[int, Snapshot] = {}
_observer: Observer | None = None
_telling: dict[object, "Secret[Any]"] = {}  # whose new value is being told of, by a token for each time
_untold: list["Secret[Any]"] = []  # whose new value the parent was telling of when this process was forked
_changed = threading.Condition()  # one for all secrets: waiters are few, and a handle stays small


def _renew_lock() -> None:
    """Make the lock anew in a forked child, where the thread that held it is gone."""
    global _changed  # noqa: PLW0603 there is one
    _changed = threading.Condition()
    _untold.extend(_telling.values())
    _telling.clear()


after_fork(_renew_lock)


@final
class Secret(Generic[T_co]):
    """A value that is shown only by `reveal()`.

    Its `repr`, `str` and `%s` are masks that name the setting and the place. Formatting it in
    an f-string, joining, iterating, measuring and pickling raise `SecretLeak`, a `TypeError`.
    Copies are the same handle. Two secrets compare equal in constant time; none is hashable.
    """

    __slots__ = ("__weakref__", "_fittings")

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
        self._fittings = Fittings()
        # First into the table, where an observer that is installed right now looks: nobody
        # can reveal it before this returns.
        snapshot = _snapshots[id(self)] = Snapshot(name, seal(value), origin, version, State.FRESH)
        if _observer is not None:
            _observer.learn(name, snapshot.payload)

    def __del__(
        self,
        _pop: Callable[..., Snapshot | None] = _snapshots.pop,
        _fittings_of: Callable[["Secret[Any]"], Fittings] = _fittings_of,
    ) -> None:
        # Bound as defaults: at interpreter exit the module's names may be gone already.
        snapshot = _pop(id(self), None)
        if snapshot is None:  # its constructor raised
            return
        if self._fittings.parent is not None:
            others = _fittings_of(self._fittings.parent)
            others.followers.pop(id(self), None)
            others.derived.pop(id(self), None)
        if _observer is not None:
            _observer.release(snapshot.name, snapshot.payload)

    def reveal(self) -> T_co:
        """Return the current value; text comes as a `str` whose own repr is masked.

        Never does I/O, takes no lock and never waits.

        Raises:
            SecretExpired: the time of a leased value is over, or that for which a stale one may be served.
        """
        snapshot = _snapshots[id(self)]
        until_s = snapshot.until_s
        if until_s is not None and _seconds() >= until_s:
            del snapshot  # a traceback may show the locals of this frame
            raise _expired(self)
        return snapshot.payload  # type: ignore[no-any-return]  # a cast costs 30 ns

    @property
    def name(self) -> str | None:
        """What masks and errors call it, or None."""
        return _snapshots[id(self)].name

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
        snapshot = _snapshots[id(self)]
        is_over = snapshot.until_s is not None and _seconds() >= snapshot.until_s
        return State.EXPIRED if is_over else snapshot.state

    def on_change(self, callback: "Callable[[Secret[T_co]], None]") -> Callable[[], None]:
        """Call back with this handle after each new value; return a callable that stops it."""
        listeners, token = self._fittings.listeners, object()
        listeners[token] = cast("Callable[[object], None]", callback)

        def stop() -> None:
            listeners.pop(token, None)

        return stop

    def wait_newer(self, version: str | None, timeout: float) -> bool:
        """Wait until the version is another than the given one.

        Args:
            version: the version that is known already.
            timeout: how many seconds to wait at the most.

        Returns:
            Whether there is another version now.

        Raises:
            UsageError: the version is a number: versions are text, as the sources say them.
        """
        if isinstance(cast("object", version), int):
            raise UsageError("wait_newer: versions are text", hint="pass secret.version")
        with _changed:
            return _changed.wait_for(lambda: self.version != version, timeout)

    def refresh(self) -> bool:
        """Ask the source again now: meant for the moment when a server has refused the value.

        A leased credential is replaced by a new one. Many threads that ask at one moment make one request and
        wait for it together; an answer that is less than half a second old is good enough.

        Returns:
            Whether the source has answered. False also where nothing can be asked again: a value from code, or
            one that stands in Config.toml itself.
        """
        fittings = self._fittings
        while fittings.parent is not None:  # what was derived follows by itself
            fittings = _fittings_of(fittings.parent)
        return False if fittings.refresher is None else fittings.refresher()

    def map(self, function: Callable[[T_co], S]) -> "Secret[S]":
        """Return a secret of what the function makes of the value; it follows this one.

        Raises:
            UsageError: the function raised; its own error, which may hold the value, is dropped.
        """
        self.reveal()  # what is over is shown to nobody, a function neither
        snapshot = _snapshots[id(self)]
        made = _apply(function, snapshot.payload)
        if isinstance(made, _Unfit):
            del snapshot
            raise UsageError(f"{self.name or 'a secret'}: {made}", hint=made.hint)
        derived = Secret(made, name=self.name)
        del made
        _snapshots[id(derived)] = snapshot.around(derived.reveal())
        _follow(self, derived, function, snapshot)
        return derived

    def header(self, scheme: str) -> "Secret[str]":
        """Return the value of an Authorization header: `header("Bearer").reveal()`.

        Raises:
            UsageError: the value cannot stand in a header (RFC 9110 §5.5).
        """

        def prefixed(value: object) -> str:
            if not isinstance(value, str):
                raise _Unfit("is no text, so it makes no header")
            if _UNFIT_FOR_HEADER.search(value):
                raise _Unfit(
                    "a header cannot hold one of its characters",
                    hint="often a final newline: write it with printf instead of echo",
                )
            return f"{scheme} {value}"

        return self.map(prefixed)

    def dsn(self, template: str) -> "Secret[str]":
        """Return a connection string with the value, percent-encoded, in its place.

        Args:
            template: text with `{}` for the value, or `{field}` for a field of a structure:
                `postgresql://app:{}@db/app`, `postgresql://{username}:{password}@db/app`.

        Raises:
            UsageError: the template names nothing, a field that is not there, or a structure.
        """
        if not _FIELD.search(template):
            raise UsageError("dsn: the template names no place for the secret", hint="write {}")

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
        if isinstance(other, Secret):  # be their time over or not
            return holds(self, cast("Secret[T_co]", other))
        if isinstance(other, (str, bytes)):
            return is_same(_snapshots[id(self)].payload, other)
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
    if observer is None or observer is _observer:  # it knows them, and counts how often it is told
        _observer = observer
        return
    _observer = observer
    # A copy in one step: the garbage collector may take secrets out of the table at any moment.
    for snapshot in _snapshots.copy().values():
        observer.learn(snapshot.name, snapshot.payload)


def swap(
    secret: Secret[T],
    value: T,
    *,
    origin: Origin,
    version: str | None,
    state: State = State.FRESH,
    until_s: float | None = None,
    run: Run | None = None,
) -> Sequence[str]:
    """Give a handle its next value, then tell waiters, derived secrets and listeners.

    Args:
        secret: the handle.
        value: its next value.
        origin: where that came from.
        version: its version there, or None.
        state: how fresh it is.
        until_s: the moment, on the system's clock of seconds, from which it is not shown any more.
        run: what carries out the callbacks; None calls each here and now.

    Returns:
        One line for each callback that raised, without the text of its error.
    """
    snapshot = Snapshot(secret.name, seal(value), origin, version, state, until_s=until_s)
    return _exchange(secret, snapshot, run or _run_here)


def holds(secret: Secret[T], other: Secret[T]) -> bool:
    """Whether two handles hold the same value, be its time over or not."""
    return is_same(_snapshots[id(secret)].payload, _snapshots[id(other)].payload)


def mark(secret: Secret[T], state: State, until_s: float | None, *, seen: Origin | None = None) -> None:
    """Say how fresh the value of a handle is, and of what was derived from it; the value stays.

    Args:
        secret: the handle.
        state: how fresh it is.
        until_s: the moment from which it is not shown any more; see `swap`.
        seen: where the same value was seen by now: its source may count it as another version.
    """
    with _changed:
        made = _snapshots[id(secret)].marked(state, until_s)
        if seen is not None:
            made.origin, made.version = seen, seen.version or made.version
        _snapshots[id(secret)] = made
        _changed.notify_all()
    for derived in _fittings_of(secret).derived.copy().values():
        child = derived()
        if child is not None and not _fittings_of(child).is_stuck:
            mark(child, state, until_s, seen=seen)


def set_refresher(secret: Secret[T], refresher: Callable[[], bool]) -> None:
    """Give a handle what its `refresh()` calls."""
    _fittings_of(secret).refresher = refresher


def let_follow(old: Secret[T], new: Secret[T]) -> None:
    """Let a handle that somebody has kept follow another one from now on, as if it were derived from it."""
    _follow(new, old, lambda value: value, None)


def _expired(secret: Secret[T]) -> SecretExpired:
    return SecretExpired(
        f"{secret.name or 'a secret'}: its time is over ({secret.origin}), and it could not be replaced",
        hint="refresh() asks for a new one; status() and the events say what stands in the way",
    )


def leaves(payload: object) -> Iterator[str | bytes]:
    """Yield each value inside a payload, as the text or bytes that it is written as."""
    if isinstance(payload, (str, bytes)):
        yield payload
    elif isinstance(payload, Secret):
        yield from leaves(_snapshots[id(cast("Secret[object]", payload))].payload)
    elif (parts := parts_of(payload)) is not None:
        for part in parts:
            yield from leaves(part)
    elif payload is not None and not isinstance(payload, bool):
        yield str(payload)


def _unfit(value: object) -> str | None:
    if isinstance(value, Secret):
        return "is a secret already"
    if isinstance(value, (str, bytes)) and not value:
        return "must not be empty"
    return None


class _Unfit(Exception):
    """Why a value cannot be derived; raised by functions of this file only, so it may be shown."""

    def __init__(self, fault: str, *, hint: str | None = None) -> None:
        super().__init__(fault)
        self.hint = hint


def _apply(function: Callable[[T], S], payload: T) -> S | _Unfit:
    try:
        made = function(payload)
    except _Unfit as unfit:
        return unfit.with_traceback(None)
    except Exception as error:  # noqa: BLE001 its text may hold the value: only its type goes on
        return _Unfit(f"the function given to map raised {type(error).__name__}")
    fault = _unfit(made)
    return made if fault is None else _Unfit(f"what map made of it {fault}")


def _follow(parent: Secret[T], derived: Secret[S], function: Callable[[T], S], seen: Snapshot | None) -> None:
    """Give a derived secret what the function makes of each next value of its parent."""
    alive = weakref.ref(derived)

    def follow(parent: Secret[T], seen: Snapshot | None, run: Run) -> Sequence[str]:
        child, failures = alive(), cast("Sequence[str]", ())
        # Again when the parent has moved on meanwhile: of two threads that follow, the slower
        # one must not have the last word with the older value.
        while child is not None and (current := _snapshots[id(parent)]) is not seen:
            made = _apply(function, current.payload)
            failed = isinstance(made, _Unfit)
            _fittings_of(child).is_stuck = failed
            if failed:  # the value of before is served on, to its own end
                mine = _snapshots[id(child)]
                _snapshots[id(child)] = mine.marked(State.STALE, mine.until_s)
            failures = [str(made)] if failed else _exchange(child, current.around(seal(made)), run)
            seen = current
        return failures

    _fittings_of(parent).derived[id(derived)] = alive
    _fittings_of(parent).followers[id(derived)] = follow
    _fittings_of(derived).parent = parent
    follow(parent, seen, _run_here)


def _exchange(secret: Secret[T], new: Snapshot, run: Run) -> Sequence[str]:
    """Swap a snapshot in, and tell everybody; see `swap`."""
    observer = _observer
    if observer is not None:
        observer.learn(new.name, new.payload)
    token = object()
    _telling[token] = secret
    with _changed:  # of two threads that swap, each must release what it took out
        old, _snapshots[id(secret)] = _snapshots[id(secret)], new
        _changed.notify_all()
    if observer is not None:
        observer.release(old.name, old.payload)
    try:
        return _tell(secret, run)
    finally:
        _telling.pop(token, None)


def _tell(secret: Secret[T], run: Run) -> Sequence[str]:
    """Tell derived secrets and listeners of a new value."""
    fittings = _fittings_of(secret)
    failures = [line for follow in fittings.followers.copy().values() for line in follow(secret, None, run)]
    calls = [run(one, partial(one, secret)) for one in fittings.listeners.copy().values()]
    return failures + [failure for failure in calls if failure is not None]


def tell_again(run: Run) -> None:
    """Tell, in a forked child, what its parent was about to tell: who has heard it already hears it twice."""
    while _untold:
        _tell(_untold.pop(), run)


def _run_here(_callback: object, call: Callable[[], None]) -> str | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 an outer edge: the callback is somebody else's code
        return f"a callback raised {type(error).__name__}"
    return None


def _encoded(payload: object, name: str) -> str:
    part = field_of(payload, name) if name else payload
    if isinstance(part, Secret):
        part = cast("Secret[object]", part).reveal()
    if part is None:
        raise _Unfit(f"has no field {name}" if name else "is nothing, so it makes no connection string")
    if parts_of(part) is not None and not isinstance(part, str):
        raise _Unfit(f"{name}: is a structure" if name else "is a structure", hint="name a field of it: {password}")
    return quote(part if isinstance(part, bytes) else str(part), safe="")
