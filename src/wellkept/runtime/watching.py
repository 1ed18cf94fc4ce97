"""watch(): whole settings, loaded and validated anew whenever what they stand in comes to say something else.

Two things happen to settings in life. A secret comes to another value: its handle follows by itself, and a change
says so. A layer comes to say something else (Config.toml is edited, a mount is swapped): then everything is loaded
anew, and the change carries new settings. What cannot be loaded leaves the settings of before in force.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import dataclass
from wellkept._files import shown, version_of
from wellkept._forks import after_fork
from wellkept._imports import load_module
from wellkept.config.declare import Settings
from wellkept.config.layers.chosen import choose_files
from wellkept.config.layers.read import Inputs, inputs_of
from wellkept.errors import ConfigError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading, Reference
from wellkept.ports import Source
from wellkept.refresh.engine import Question
from wellkept.refresh.ticket import Taken
from wellkept.registry import open_source
from wellkept.runtime.alive import absent_questions, file_reference, forget, plain_questions, runner
from wellkept.runtime.graft import differ, let_follow_all, secrets_of, value_of
from wellkept.runtime.load import close, load_from, recall
from wellkept.secret import State

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Change(Generic[S]):
    """Something that changed.

    Attributes:
        config: the settings as they are now: the same ones, unless a layer changed.
        settings: the names of the settings with another value.
    """

    config: S
    settings: tuple[str, ...]


class Watch(Generic[S]):
    """The settings of a class, and their changes; iterate over it, in a thread or in an event loop.

    Attributes:
        config: the settings as they are now.
    """

    def __init__(self, cls: type[S], load: Callable[[], S], inputs: Inputs) -> None:
        """Load for the first time.

        Raises:
            ConfigError: as in `load`.
        """
        self._cls = cls
        self._load = load
        self._inputs = inputs
        self._changed = threading.Condition()
        _watches.add(self)
        self._wakers: list[Callable[[], None]] = []
        self._names: dict[str, None] = {}
        self._is_layer_changed = False
        self._is_closed = False
        self._taking: Any = None  # a task, while everything is loaded anew in an event loop
        self._tripwires: list[Tripwire] = []
        found = self._files()
        self.config: S = load()
        self._stops = self._listen(self.config)
        self._watch_files(found)

    def next(self, timeout: float | None = None) -> Change[S] | None:
        """Wait for the next change.

        Args:
            timeout: how many seconds to wait at the most; None is without end.

        Returns:
            The change; None when the time is over, or when the watch is closed.
        """
        until = None if timeout is None else SYSTEM_CLOCK.seconds() + timeout
        while True:
            left = None if until is None else max(0.0, until - SYSTEM_CLOCK.seconds())
            with self._changed:
                self._changed.wait_for(lambda: self._is_pending or self._is_closed, left)
                if self._is_closed or not self._is_pending:
                    return None
            change = self._take()
            if change is not None:
                return change

    def close(self) -> None:
        """End it, and the settings that it has now; whoever waits is told."""
        with self._changed:
            if self._is_closed:
                return
            self._is_closed = True
        self._end()
        close(self.config)
        self._wake()

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child, where no event loop of the parent runs."""
        self._changed = threading.Condition()
        self._wakers.clear()
        self._is_layer_changed |= self._taking is not None  # the parent has it
        self._taking = None

    def __iter__(self) -> Iterator[Change[S]]:
        """Each change, as it comes, until it is closed."""
        while (change := self.next()) is not None:
            yield change

    def __aiter__(self) -> "Watch[S]":
        return self

    async def __anext__(self) -> Change[S]:
        """The next change; an event loop goes on meanwhile, also while everything is loaded anew."""
        asyncio = load_module("asyncio")  # who iterates so has loaded it
        while True:
            if self._taking is None:
                await self._pending(asyncio.get_running_loop())
                if self._is_closed:
                    raise StopAsyncIteration
                self._taking = asyncio.ensure_future(asyncio.to_thread(self._take))
            taking = self._taking
            # Who is cancelled while everything is loaded anew must not lose the change: the next one has it.
            change: Change[S] | None = await asyncio.shield(taking)
            self._taking = None
            if change is not None:
                return change

    async def __aenter__(self) -> "Watch[S]":
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.close()

    def __enter__(self) -> "Watch[S]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _is_pending(self) -> bool:
        return self._is_layer_changed or bool(self._names)

    async def _pending(self, loop: Any) -> None:  # noqa: ANN401 asyncio is not loaded for its types
        """Wait until something has changed, without a thread of its own."""
        future = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        def wake() -> None:
            loop.call_soon_threadsafe(finish)

        with self._changed:
            if self._is_pending or self._is_closed:
                return
            self._wakers.append(wake)
        try:
            await future
        finally:
            with self._changed:
                if wake in self._wakers:
                    self._wakers.remove(wake)

    def _take(self) -> Change[S] | None:
        """What has changed since the last time; None where it came to nothing."""
        with self._changed:
            names, is_layer_changed = tuple(self._names), self._is_layer_changed
            self._names, self._is_layer_changed = {}, False
        if is_layer_changed:
            try:
                changed = self._loaded_anew()
            except BaseException:
                with self._changed:  # it has not been told yet
                    self._names, self._is_layer_changed = dict.fromkeys(names), True
                raise
            if changed:
                return Change(self.config, changed)
        return Change(self.config, names) if names else None

    def _loaded_anew(self) -> tuple[str, ...]:
        """Load again; the names of the settings that differ, or none where the settings of before stay."""
        found, fresh, fault = self._files(), None, ""
        try:
            fresh = self._load()
        except ConfigError as error:
            first = error.problems[0]
            more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
            fault = f"{first}{more}; the settings of before stay"
        if fresh is None:
            BUS.publish(Event(Topic.RELOAD_FAILED, self._cls.__qualname__, fault))
            self._watch_files(found)
            return ()
        stops = self._listen(fresh)  # from now on: what rotates while the old ones are closed is told, too
        names = _differences(self.config, fresh)
        if not names:
            _call_all(stops)
            close(fresh)
            self._watch_files(found)
            return ()
        self._end()
        self._stops = stops
        # What it had leased drains: the program may use it until it has taken the new settings.
        old, self.config = self.config, fresh
        schema = recall(fresh).schema
        close(old, drains=True)
        let_follow_all(old, fresh, schema)  # whoever has kept a handle has a live one
        self._watch_files(found)
        return names

    def _listen(self, config: S) -> list[Callable[[], None]]:
        """Take note of each secret that changes; what ends that."""
        secrets = secrets_of(config, recall(config).schema)
        return [secret.on_change(_Note(partial(self._note, name))) for name, secret in secrets]

    def _watch_files(self, files: Mapping[str, str | None]) -> None:
        forget(self._tripwires)
        source: Source = open_source("file", self._inputs.environ)
        questions = [Question(file_reference(path), source, Reading(None, "", found)) for path, found in files.items()]
        attempt = recall(self.config)
        questions += plain_questions(attempt.outcomes, attempt.fetcher)
        place = ", ".join(map(shown, files))
        absent = list(absent_questions(attempt.outcomes, attempt.fetcher))
        wires = [
            (Tripwire(self._cls.__qualname__, place, self._trip), questions),
            (Tripwire(self._cls.__qualname__, place, self._trip, may_be_gone=True), absent),
        ]
        self._tripwires = [wire for wire, wanted in wires if wanted]
        if self._tripwires:
            own = runner()
            own.engine.follow([(wire, wanted) for wire, wanted in wires if wanted])
            own.wake()

    def _files(self) -> dict[str, str | None]:
        """The files of the layers, as the system sees them now."""
        paths = choose_files(self._inputs.files, self._inputs.environ).paths
        return {path: version_of(path) for path in map(os.path.abspath, paths)}

    def _end(self) -> None:
        _call_all(self._stops)
        self._stops = []
        forget(self._tripwires)
        self._tripwires = []

    def _note(self, name: str) -> None:
        with self._changed:
            self._names[name] = None
        self._wake()

    def _trip(self) -> None:
        with self._changed:
            self._is_layer_changed = True
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
            for wake in self._wakers:
                with suppress(RuntimeError):  # its event loop is closed
                    wake()
            self._wakers.clear()


class _Note:
    """A callback of our own: it is quick, so it need not wait behind those of the program.

    Attributes:
        runs_in_place: that it is called where the change is made.
    """

    runs_in_place = True

    def __init__(self, note: Callable[[], None]) -> None:
        """Take note by calling this."""
        self._note = note

    def __call__(self, _secret: object) -> None:
        self._note()


class Tripwire:
    """A follower of layers: it takes nothing, and only says that something is another thing now.

    Attributes:
        name: the class.
        is_alive: whether it is still wanted.
    """

    def __init__(self, name: str, place: str, trip: Callable[[], None], *, may_be_gone: bool = False) -> None:
        """Say so by calling `trip`.

        Args:
            name: the class.
            place: what is watched.
            trip: is called for each change.
            may_be_gone: whether it is no news that it is not there.
        """
        self.name: str = name
        self.is_alive: bool = True
        self._may_be_gone = may_be_gone
        self._is_gone = False
        self._place = place
        self._trip = trip
        self._at = datetime.now(UTC)

    def take(self, _readings: Mapping[Reference, Reading], _state: State, _until_s: float | None) -> Taken:
        """Say so."""
        self._trip()
        return Taken()

    def mark(self, state: State, _until_s: float | None, /) -> None:
        """What is gone may let a weaker layer speak; whatever else it is, what was read stays in force."""
        is_gone = state is State.GONE
        if is_gone and not self._may_be_gone and not self._is_gone:
            self._trip()
        self._is_gone = is_gone

    def facts(self) -> tuple[str, str | None, float]:
        """The files."""
        return self._place, None, max(0.0, (datetime.now(UTC) - self._at).total_seconds())


def watch(
    cls: type[S],
    *,
    files: Sequence[str | os.PathLike[str]] | None = None,
    environ: Mapping[str, str] | None = None,
    arguments: Sequence[str] | None = None,
    overrides: Mapping[str, object] | None = None,
    providers: Mapping[str, Source] | None = None,
    redact: bool | None = None,
    strict_permissions: bool = False,
) -> Watch[S]:
    """Load settings, and iterate over their changes.

        with watch(Config) as live:
            for change in live:          # or, in an event loop: async for change in live
                use(change.config)

    The arguments are those of `load`.

    Raises:
        ConfigError: as in `load`; later, what cannot be loaded is an event, and the settings of before stay.
    """
    inputs = inputs_of(environ, files, arguments, overrides)
    environ = arguments = overrides = None  # a traceback may show this frame: it must hold no value

    def again() -> S:
        return load_from(cls, inputs, providers=providers or {}, redact=redact, strict_permissions=strict_permissions)

    return Watch(cls, again, inputs)


def _call_all(calls: Iterable[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _differences(old: Settings, new: Settings) -> tuple[str, ...]:
    """The settings that are not the same in two configurations of one class."""
    return tuple(
        setting.name
        for setting in recall(new).schema.settings
        if differ(value_of(old, setting.path), value_of(new, setting.path))
    )


_watches: "weakref.WeakSet[Watch[Any]]" = weakref.WeakSet()


def _after_fork() -> None:
    for one in list(_watches):
        one.renew_lock()


after_fork(_after_fork)
