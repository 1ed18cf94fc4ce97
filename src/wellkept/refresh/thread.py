"""The one thread of a process that keeps secrets fresh: started with the first of them, and anew in a forked child."""

import atexit
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

from wellkept._clock import SYSTEM_CLOCK
from wellkept.events import BUS, Event, Topic
from wellkept.refresh.calls import Calls
from wellkept.refresh.engine import Engine
from wellkept.refresh.status import Status

T = TypeVar("T")

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
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wake_read = self._wake_write = -1
        self._socket: Serves | None = None
        self._opens: Callable[[], Serves | None] | None = None
        self._ended = threading.Event()
        self._is_ending = False
        os.register_at_fork(after_in_parent=self._after_fork_here, after_in_child=self._after_fork)

    def wake(self) -> None:
        """Let it look at the engine anew, and start it where it does not run."""
        with self._lock:
            if self._is_ending:
                return
            if self._thread is None:
                self._start()
            else:
                self._ring()

    def serve_status(self, opens: Callable[[], Serves | None]) -> None:
        """Answer for the status of this process from now on."""
        if self._opens is None:
            self._opens = opens
            self._socket = opens()
        self.wake()

    def stop(self) -> None:
        """End it, and end what this process obtained: within 2 s, for the exit."""
        with self._lock:
            self._is_ending = True
            is_running = self._thread is not None
            if is_running:
                self._ring()
        if is_running:  # no thread can be started any more, so the one that runs does it
            self._ended.wait(EXIT_S)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # it is full: the thread will wake
            os.write(self._wake_write, b"!")

    def _start(self) -> None:
        if self._wake_read < 0:
            self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            atexit.register(self.stop)
        self._thread = threading.Thread(target=self._loop, name="wellkept-refresh", daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        served = -1
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
            if self._socket is not None and served != self._socket.fileno():
                served = self._socket.fileno()
                poll.register(served, select.POLLIN)
            ready = poll.poll(max(0.0, wait_s) * 1000)
            self._take(ready)
        deadline = time.monotonic() + EXIT_S
        self.engine.let_go(lambda: time.monotonic() > deadline)
        self._ended.set()

    def _safely(self, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception as error:  # noqa: BLE001 an outer edge: whatever fails, all other secrets are kept fresh
            fault = type(error).__name__
        BUS.publish(Event(Topic.WARNING, "refresh", f"failed with {fault}, and goes on: report it"))
        return None

    def _take(self, ready: list[tuple[int, int]]) -> None:
        for descriptor, _event in ready:
            if descriptor == self._wake_read:
                os.read(descriptor, 4096)
            elif self._socket is not None:
                self._safely(partial(self._socket.serve, self.engine.status))

    def _beside(self, journey: Callable[[], None]) -> None:
        """Make a journey in a thread of its own: a source that hangs must not hold up the others."""

        def travel() -> None:
            try:
                journey()
            finally:
                self.wake()

        try:
            threading.Thread(target=travel, name="wellkept-journey", daemon=True).start()
        except RuntimeError:  # the interpreter is ending
            journey()

    def _after_fork_here(self) -> None:
        self.engine.share()

    def _after_fork(self) -> None:
        """Go on in a forked child, where no thread lives."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        had_thread, self._thread = self._thread is not None, None
        self.engine.after_fork()
        self.calls.after_fork()
        if self._wake_read >= 0:  # the parent reads from the same pipe
            for descriptor in (self._wake_read, self._wake_write):
                os.close(descriptor)
            self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if had_thread and not self._is_ending:
            self._start()
        if self._socket is not None:
            self._socket.drop()
            self._socket = None
            if self._opens is not None:
                self._socket = self._safely(self._opens)
