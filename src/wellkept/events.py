"""Things that happened, and the bus that tells of them. An event never carries a value."""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import dataclass, field


class Topic(StrEnum):
    """What happened."""

    RESOLVED = "resolved"
    WARNING = "warning"
    UNKNOWN_FILE = "unknown-file"
    NOT_MASKABLE = "not-maskable"
    CHANGED = "changed"
    CALLBACK_FAILED = "callback-failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        topic: what sort of thing.
        subject: the setting, file or scheme that it happened to.
        detail: one line about it, never a value.
        at: when, aware, in UTC.
    """

    topic: Topic
    subject: str
    detail: str
    at: datetime = field(default_factory=SYSTEM_CLOCK.now)


Listener = Callable[[Event], None]


class Bus:
    """Tells every listener of every event; a listener that raises hurts nobody."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; return a callable that takes it off again."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell all listeners, in the order in which they came."""
        for listener in self._listeners:
            # An outer edge: a listener is somebody else's code, and telling of its failure
            # would call it again.
            with contextlib.suppress(Exception):
                listener(event)


BUS = Bus()
