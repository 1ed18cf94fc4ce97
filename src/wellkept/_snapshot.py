"""What a secret holds at one moment, how fresh that is, and who is told of it first."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from wellkept.origin import Origin


class State(StrEnum):
    """How fresh the value of a secret is."""

    FRESH = "fresh"  # its source has said so when it was asked the last time
    DUE = "due"  # it is time to ask again
    STALE = "stale"  # its source does not answer; the last good value is served
    EXPIRED = "expired"  # its time is over: `reveal` raises SecretExpired
    GONE = "gone"  # its source says that it is not there any more, or not for us; the last good value is served


class Snapshot:
    """What a secret holds at one moment; never changed after it is made."""

    __slots__ = ("fetched_at", "name", "origin", "payload", "state", "until_s", "version")

    def __init__(
        self,
        name: str | None,
        payload: object,
        origin: Origin,
        version: str | None,
        state: State,
        *,
        until_s: float | None = None,
    ) -> None:
        self.name = name
        self.payload: Any = payload
        self.origin = origin
        self.version = version
        self.state = state
        self.until_s = until_s
        self.fetched_at = datetime.now(UTC)

    def around(self, payload: object) -> "Snapshot":
        """The same facts about another payload: that of a derived secret."""
        made = Snapshot(self.name, payload, self.origin, self.version, self.state, until_s=self.until_s)
        made.fetched_at = self.fetched_at
        return made

    def marked(self, state: State, until_s: float | None) -> "Snapshot":
        """The same payload with another state."""
        made = self.around(self.payload)
        made.state, made.until_s = state, until_s
        return made


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
