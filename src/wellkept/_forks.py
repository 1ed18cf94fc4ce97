"""What is made anew in a forked child, in one row, before any thread starts there.

The system calls hooks in the order in which they were registered, and a provider is imported late: the engine's thread
would use a lock, or a connection, that is still the parent's.
"""

from collections.abc import Callable
from os import register_at_fork

_calls: list[Callable[[], object]] = []


def after_fork(call: Callable[[], object]) -> None:
    """Call this in each forked child."""
    _calls.append(call)


def _after_fork() -> None:
    for call in _calls:
        call()


register_at_fork(after_in_child=_after_fork)
