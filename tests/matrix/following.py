"""What the tests of the failure matrix look at: events, what `status()` says of a secret, how long a call takes."""

import time
from collections.abc import Callable
from typing import Any, Final, Self

from tests.servers.process import wait_until
from wellkept import Secret, status
from wellkept.events import BUS, Event, Topic
from wellkept.refresh.status import SecretStatus
from wellkept.secret import State

LONG_S: Final = 45.0  # a limit for what mostly takes a second: the machine may be busy
AT_ONCE_S: Final = 6.0  # what neither waits nor does I/O takes microseconds, and a busy machine takes its breaks
HANGS_S: Final = 8.0  # what waits for a source that hangs waits for longer


class Events:
    """Everything that happened while it was subscribed."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.all: list[Event] = []

    def __enter__(self) -> Self:
        """Begin to hear."""
        self._stop = BUS.subscribe(self.all.append)
        return self

    def __exit__(self, *_: object) -> None:
        """Hear no more."""
        self._stop()

    def of(self, topic: Topic, subject: str = "value") -> list[str]:
        """The details of one topic about one subject."""
        return [one.detail for one in self.all.copy() if (one.topic, one.subject) == (topic, subject)]

    def wait(self, topic: Topic, subject: str = "value", number: int = 1) -> str:
        """Wait for the event of a topic and a subject: its detail."""
        wait_until(lambda: len(self.of(topic, subject)) >= number, f"the event {topic} {subject}", timeout_s=LONG_S)
        return self.of(topic, subject)[number - 1]

    @property
    def text(self) -> str:
        """All of it, for a search."""
        return repr(self.all)


def told(secret: Secret[Any]) -> SecretStatus:
    """What `status()` says of a secret."""
    (found,) = [one for one in status().secrets if one.origin == secret.origin.answer]
    return found


def wait_for(secret: Secret[Any], *states: State, timeout_s: float = LONG_S) -> None:
    """Wait until a secret is in one of some states."""
    wait_until(lambda: secret.state in states, " or ".join(states), timeout_s=timeout_s)


def wait_for_value(secret: Secret[str], value: str, timeout_s: float = LONG_S) -> None:
    """Wait until a secret has a value."""
    wait_until(lambda: secret == value, "the new value", timeout_s=timeout_s)


def longest_of(call: Callable[[], object], *, during_s: float) -> float:
    """Call something all the time for a while: how many seconds the slowest call took."""
    longest_s, end_at = 0.0, time.monotonic() + during_s
    while (began := time.monotonic()) < end_at:
        call()
        longest_s = max(longest_s, time.monotonic() - began)
    return longest_s
