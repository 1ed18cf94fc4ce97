"""Callbacks of the program: carried out beside the engine, one after another, where a slow one holds up nobody."""

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept.events import BUS, Event, Topic

PATIENCE_S: Final = 5.0
_IDLE_S: Final = 5.0  # for so long a worker waits for more, then it ends


@dataclass(frozen=True, slots=True)
class _Call:
    """One callback, and the call itself."""

    callback: object
    call: Callable[[], None]


class _Worker:
    """A thread that carries out calls, until it is given up."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.callback: object = None
        self.is_given_up: bool = False


class Calls:
    """Carries callbacks out.

    A callback that raises is an event. One that does not come back within 5 s is an event, too: the others go on
    without it, and it is left out until it has come back.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start no thread yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[_Call] = SimpleQueue()
        self._worker: _Worker | None = None
        self._stuck: list[_Worker] = []

    def run(self, callback: object, call: Callable[[], None]) -> str | None:
        """Carry it out soon."""
        with self._lock:
            if any(one.callback is callback for one in self._stuck):
                return f"{_named(callback)} is still running, and is left out"
            self._waiting.put(_Call(callback, call))
            if self._worker is None:
                self._start()
        return None

    def tend(self) -> bool:
        """Give up a worker whose callback does not come back; whether one is at work."""
        with self._lock:
            if self._worker is None and not self._waiting.empty():
                self._start()
            worker = self._worker
            began = None if worker is None else worker.began
            if worker is None or began is None or self._clock.seconds() - began < PATIENCE_S:
                return worker is not None or not self._waiting.empty()
            worker.is_given_up = True
            self._stuck.append(worker)
            self._worker = None
            name = _named(worker.callback)
            if not self._waiting.empty():
                self._start()
        BUS.publish(Event(Topic.CALLBACK_FAILED, name, f"has not come back for {PATIENCE_S:.0f} s: it is left alone"))
        return True

    def after_fork(self) -> None:
        """Begin anew in a forked child, where no worker lives."""
        self._lock = threading.Lock()
        self._waiting = SimpleQueue()
        self._worker, self._stuck = None, []

    def _start(self) -> None:
        worker = _Worker()
        with suppress(RuntimeError, MemoryError):  # no room for a thread: `tend` tries again
            threading.Thread(target=self._work, args=(worker,), name="wellkept-callbacks", daemon=True).start()
            self._worker = worker

    def _work(self, worker: _Worker) -> None:
        while not worker.is_given_up:
            try:
                one = self._waiting.get(timeout=_IDLE_S)
            except Empty:
                with self._lock:
                    if self._waiting.empty() and self._worker is worker:
                        self._worker = None
                        return
                continue
            worker.callback, worker.began = one.callback, self._clock.seconds()
            _carry_out(one)
            worker.began = worker.callback = None
            del one
        with self._lock:
            self._stuck = [one for one in self._stuck if one is not worker]


def _carry_out(one: _Call) -> None:
    try:
        one.call()
    except BaseException as error:  # noqa: BLE001 an outer edge: the callback is somebody else's code
        fault = type(error).__name__
    else:
        return
    BUS.publish(Event(Topic.CALLBACK_FAILED, _named(one.callback), f"raised {fault}"))


def _named(callback: object) -> str:
    return str(getattr(callback, "__qualname__", type(callback).__qualname__))
