"""The one thread of a process that keeps secrets fresh: started with the first of them, and anew in a forked child."""

import atexit
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from wellkept._clock import SYSTEM_CLOCK
from wellkept.events import BUS, Event, Topic
from wellkept.refresh.bell import Bell, identity_of
from wellkept.refresh.calls import Calls
from wellkept.refresh.engine import Engine
from wellkept.refresh.status import Status
from wellkept.secret import tell_again

T = TypeVar("T")

OPENS_S: Final = 0.5  # so long after a fork a child has a socket of its own
EXIT_S: Final = 2.0  # for so long the end of a process may be held up
_LONGEST_WAIT_S: Final = 5.0  # a suspended machine does not wake a waiting thread early
_SLEPT_S: Final = 5.0
_CALLS_S: Final = 1.0
_AFTER_FAULT_S: Final = 1.0


class Serves(Protocol):
    """Something that answers for the status of the process; see `served.StatusSocket`."""

    def fileno(self) -> int:
        """What to wait on."""
        ...

    def serve(self, status: Callable[[], Status]) -> None:
        """Answer one that waits."""
        ...

    def close(self) -> None:
        """Answer nobody any more."""
        ...

    def drop(self) -> None:
        """Let go of it in a forked child: it belongs to the parent."""
        ...


class Runner:
    """Runs an engine."""

    def __init__(self, engine: Engine, calls: Calls) -> None:
        """Start nothing yet."""
        self.engine: Engine = engine
        self.calls: Calls = calls
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._bell: Bell | None = None
        self._opens: Callable[[], Serves | None] | None = None
        self._opens_at = 0.0
        self._socket: Serves | None = None
        self._socket_is: object = None
        self._ended = threading.Event()
        self._is_ending = False
        self._is_registered = False
        os.register_at_fork(after_in_parent=self._after_fork_here, after_in_child=self._after_fork)

    def wake(self) -> None:
        """Let it look at the engine anew, and start it where it does not run."""
        with self._lock:
            if self._is_ending:
                return
            if self._thread is None:
                self._start()
            elif self._bell is not None:
                self._bell.ring()
            is_starved = self._thread is None
        if is_starved:  # no room for one: whoever wakes it next tries again
            BUS.publish(Event(Topic.WARNING, "refresh", "no thread can be started: nothing is kept fresh for now"))

    def serve_status(self, opens: Callable[[], Serves | None]) -> None:
        """Answer for the status of this process from now on."""
        if self._opens is None:
            self._opens = opens
            self._open()
        self.wake()

    def stop(self) -> None:
        """End it, and end what this process obtained: within 2 s, for the exit."""
        with self._lock:
            self._is_ending = True
            is_running = self._thread is not None
            if is_running and self._bell is not None:
                self._bell.ring()
        if is_running:  # no thread can be started any more, so the one that runs does it
            self._ended.wait(EXIT_S)
        else:
            deadline = time.monotonic() + EXIT_S
            self._safely(partial(self.engine.let_go, lambda: time.monotonic() > deadline))
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _register(self) -> None:
        if self._is_registered:
            return
        self._is_registered = True
        atexit.register(self.stop)
        # A child of multiprocessing ends without its exit handlers; it has loaded this, and calls these.
        finalizers: Any = sys.modules.get("multiprocessing.util")
        if finalizers is not None:
            finalizers.Finalize(None, self.stop, exitpriority=1)

    def _start(self) -> None:
        self._register()
        if self._bell is None:
            self._bell = Bell()
        thread = threading.Thread(target=self._loop, args=(self._bell,), name="wellkept-refresh", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            return
        self._thread = thread

    def _loop(self, bell: Bell) -> None:
        self._safely(partial(tell_again, self.calls.run))
        gap_s = SYSTEM_CLOCK.seconds() - time.monotonic()
        while not self._is_ending:
            slept_s = SYSTEM_CLOCK.seconds() - time.monotonic() - gap_s
            if slept_s > _SLEPT_S:
                gap_s += slept_s
                self.engine.woke()
            next_at = self._safely(partial(self.engine.run, self._beside))
            now = SYSTEM_CLOCK.seconds()
            wait_s = _AFTER_FAULT_S if next_at is None else min(next_at - now, _LONGEST_WAIT_S)
            if self.calls.tend():
                wait_s = min(wait_s, _CALLS_S)
            self._wait(bell, min(wait_s, self._tend_socket(now)))
        deadline = time.monotonic() + EXIT_S
        self._safely(partial(self.engine.let_go, lambda: time.monotonic() > deadline))
        self._ended.set()

    def _wait(self, bell: Bell, seconds: float) -> None:
        poll = select.poll()
        poll.register(bell.descriptor, select.POLLIN)
        served = -1
        if self._socket is not None:
            served = self._socket.fileno()
            poll.register(served, select.POLLIN)
        for descriptor, _event in poll.poll(max(0.0, seconds) * 1000):
            if descriptor == served and self._socket is not None:
                self._safely(partial(self._socket.serve, self.engine.status))
            else:
                bell.hear()

    def _tend_socket(self, now: float) -> float:
        """Open the socket where there should be one; for how many seconds that can wait."""
        if self._socket is not None and identity_of(self._socket.fileno()) != self._socket_is:
            self._socket, self._opens_at = None, now + OPENS_S  # somebody has closed it, and its number is another's
        if self._socket is not None or self._opens is None:
            return _LONGEST_WAIT_S
        if now < self._opens_at:
            return self._opens_at - now
        self._open()
        self._opens_at = now + _LONGEST_WAIT_S
        return _LONGEST_WAIT_S

    def _open(self) -> None:
        self._socket = None if self._opens is None else self._safely(self._opens)
        self._socket_is = None if self._socket is None else identity_of(self._socket.fileno())

    def _safely(self, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except BaseException as error:  # noqa: BLE001 an outer edge: whatever fails, all other secrets are kept fresh
            fault = type(error).__name__
        BUS.publish(Event(Topic.WARNING, "refresh", f"failed with {fault}, and goes on: report it"))
        return None

    def _beside(self, journey: Callable[[], None]) -> None:
        """Make a journey in a thread of its own: a source that hangs must not hold up the others."""

        def travel() -> None:
            self._safely(journey)
            self.wake()

        try:
            threading.Thread(target=travel, name="wellkept-journey", daemon=True).start()
        except (RuntimeError, MemoryError):  # the interpreter is ending, or there is no room for a thread
            journey()

    def _end_with_child(self) -> None:
        sys.modules["multiprocessing.util"].Finalize(None, self.stop, exitpriority=1)

    def _after_fork_here(self) -> None:
        self.engine.share()

    def _after_fork(self) -> None:
        """Go on in a forked child, where no thread lives."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        had_thread, self._thread = self._thread is not None, None
        finalizers: Any = sys.modules.get("multiprocessing.util")
        if finalizers is not None and self._is_registered:  # it forgets what its parent has registered, then calls this
            finalizers.register_after_fork(self, Runner._end_with_child)
        self.engine.after_fork()
        self.calls.after_fork()
        if self._socket is not None:
            if identity_of(self._socket.fileno()) == self._socket_is:
                self._socket.drop()
            self._socket = None
        # Later: a child that becomes another program in a moment would leave its socket behind.
        self._opens_at = SYSTEM_CLOCK.seconds() + OPENS_S
        if self._bell is not None:
            self._bell.renew()
        if had_thread and not self._is_ending:
            with self._lock:  # a journey of the new thread may end before this does, and would start another one
                self._start()
