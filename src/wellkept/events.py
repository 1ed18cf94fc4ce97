"""Things that happened, and the bus that tells of them. An event never carries a value."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import dataclass, field


class Topic(StrEnum):
    """What happened."""

    ASKING = "asking"
    RESOLVED = "resolved"
    WARNING = "warning"
    UNKNOWN_FILE = "unknown-file"
    NOT_MASKABLE = "not-maskable"
    CHANGED = "changed"
    CALLBACK_FAILED = "callback-failed"
    INTERCEPTED = "intercepted"
    CLOSED = "closed"
    BUNDLE_SWAPPED = "bundle-swapped"
    RELOAD_FAILED = "reload-failed"
    EXPIRES_SOON = "expires-soon"
    EXPIRED = "expired"
    HANDSHAKE_REFUSED = "handshake-refused"
    REVOCATION_UNKNOWN = "revocation-unknown"
    TRUST_WITHDRAWN = "trust-withdrawn"
    STALE = "stale"
    GONE = "gone"
    RECOVERED = "recovered"
    RENEWED = "renewed"
    REVOKED = "revoked"
    LOGGED_IN = "logged-in"


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
        # By a token of its own each; changed by single calls only, so it needs no lock.
        self._listeners: dict[object, Listener] = {}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; return a callable that takes it off again."""
        token = object()
        self._listeners[token] = listener

        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell all listeners, in the order in which they came."""
        for listener in self._listeners.copy().values():
            # An outer edge: a listener is somebody else's code, and telling of its failure
            # would call it again.
            with contextlib.suppress(Exception):
                listener(event)


BUS = Bus()
