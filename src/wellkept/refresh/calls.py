"""Callbacks of the program: carried out beside the engine, where a slow one holds up nobody."""

import threading
from collections.abc import Callable
from typing import Final

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept.events import BUS, Event, Topic

PATIENCE_S: Final = 5.0
_IDLE_S: Final = 5.0  # for so long a worker waits for more, then it ends
_MOST_WORKERS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One callback, and the call itself."""

    callback: object
    call: Callable[[], None]


class _Worker:
    """A thread that carries out calls, until it is given up."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.call: _Call | None = None
        self.is_given_up: bool = False

    @property
    def callback(self) -> object:
        """What it carries out just now, or None."""
        return None if self.call is None else self.call.callback


class Calls:
    """Carries callbacks out, each one after its own last call; others do not wait for it.

    A callback that raises is an event. One that does not come back within 5 s is an event, too: it is left out until it
    has come back.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start no thread yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Call] = []
        self._workers: list[_Worker] = []
        self._ready = threading.Condition(self._lock)

    def run(self, callback: object, call: Callable[[], None]) -> str | None:
        """Carry it out soon; one of our own, here and now."""
        one = _Call(callback, call)
        if getattr(callback, "runs_in_place", False):
            _carry_out(one)
            return None
        with self._lock:
            if any(worker.is_given_up and worker.callback is callback for worker in self._workers):
                return f"{_named(callback)} is still running, and is left out"
            self._waiting.append(one)
            if not any(worker.began is None for worker in self._workers):
                self._start()
            self._ready.notify()
        return None

    def tend(self) -> bool:
        """Give up a worker whose callback does not come back; whether one is at work."""
        now, stuck = self._clock.seconds(), list[str]()
        with self._lock:
            for worker in self._workers:
                if worker.began is not None and now - worker.began >= PATIENCE_S and not worker.is_given_up:
                    worker.is_given_up = True
                    stuck.append(_named(worker.callback))
            at_work = [one for one in self._workers if not one.is_given_up]
            if self._waiting and not any(one.began is None for one in at_work):
                self._start()
            is_busy = bool(at_work or self._waiting)
        for name in stuck:
            detail = f"has not come back for {PATIENCE_S:.0f} s: it is left alone"
            BUS.publish(Event(Topic.CALLBACK_FAILED, name, detail))
        return is_busy

    def after_fork(self) -> None:
        """Begin anew in a forked child, where no worker lives: what was under way is carried out here, too."""
        lost = [one.call for one in self._workers if one.call is not None and not one.is_given_up]
        lost += self._waiting
        self.__init__(self._clock)  # type: ignore[misc]  # all of it, and nothing else
        self._waiting = lost

    def _start(self) -> None:
        """Start one more worker, where there are not many: eight that hang are a fault of the program."""
        if sum(not one.is_given_up for one in self._workers) >= _MOST_WORKERS:
            return
        worker = _Worker()
        self._workers.append(worker)
        try:
            threading.Thread(target=self._work, args=(worker,), name="wellkept-callbacks", daemon=True).start()
        except (RuntimeError, MemoryError):  # no room for a thread: `tend` tries again
            self._workers.remove(worker)

    def _work(self, worker: _Worker) -> None:
        one = self._next(worker)
        while one is not None:
            _carry_out(one)
            del one
            one = self._next(worker)

    def _next(self, worker: _Worker) -> _Call | None:
        """The next call whose callback is not running; None where there is nothing more to do."""
        with self._lock:
            worker.began = worker.call = None
            self._ready.notify()  # what waits for the same callback may go on
            if not worker.is_given_up:
                found = self._free()
                if found is None:
                    self._ready.wait(_IDLE_S)
                    found = self._free()
                if found is not None:
                    self._waiting.remove(found)
                    worker.call, worker.began = found, self._clock.seconds()
                    return found
            self._workers[:] = [one for one in self._workers if one is not worker]
            return None

    def _free(self) -> _Call | None:
        running = [one.callback for one in self._workers if one.began is not None]
        return next((one for one in self._waiting if not any(one.callback is other for other in running)), None)


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
