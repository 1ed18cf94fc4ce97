"""What hangs on a secret besides its value: who is told of the next one, and what was derived from it."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from wellkept._snapshot import Snapshot

Run = Callable[[object, Callable[[], None]], str | None]
"""What carries out a callback: it is given the callback, by which it knows it again, and the call itself."""


class Fittings:
    """What hangs on a handle besides its value.

    It stands on the handle and not in a table, which nothing in it would ever leave: a callback often knows its own
    secret. Its dicts are changed by single calls only, so they need no lock, and the garbage collector may change them
    at any moment.

    Attributes:
        listeners: what `on_change` was given, by a token of its own.
        followers: what gives each derived secret its next value, by the identity of that.
        derived: each derived secret itself, likewise.
        parent: what a derived secret was derived from, which it keeps alive; or None.
        refresher: what `refresh()` calls, or None.
        is_stuck: whether it is derived, and nothing could be made of the last value of its parent.
    """

    __slots__ = ("derived", "followers", "is_stuck", "listeners", "parent", "refresher")

    def __init__(self) -> None:
        """Nothing hangs on it yet."""
        self.listeners: dict[object, Callable[[object], None]] = {}
        self.followers: dict[int, Callable[[Any, Snapshot | None, Run], Sequence[str]]] = {}
        self.derived: dict[int, weakref.ref[Any]] = {}
        self.parent: Any = None
        self.refresher: Callable[[], bool] | None = None
        self.is_stuck: bool = False
