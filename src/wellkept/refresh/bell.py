"""What wakes a thread that waits: a pipe, which is known by what the system says of it.

A program that becomes a daemon closes all descriptors, and opens files of its own under the same numbers: what is not
our pipe any more is neither read nor written, and another pipe takes its place.
"""

import os
from contextlib import suppress

_RING = b"!"
_MOST_RINGS = 4096


class Bell:
    """Rings across threads, and is waited for with `poll`."""

    def __init__(self) -> None:
        """Open a pipe."""
        self._ends: tuple[int, int] = (-1, -1)
        self._identities: list[object] = []
        self.renew()

    @property
    def descriptor(self) -> int:
        """What to wait on; another one where the pipe was taken away."""
        if not self._is_ours(0):
            self.renew()
        return self._ends[0]

    def ring(self) -> None:
        """Wake whoever waits, now or when it waits next."""
        if not (self._is_ours(0) and self._is_ours(1)):
            self.renew()
        with suppress(BlockingIOError):  # it is full: it has rung
            os.write(self._ends[1], _RING)

    def hear(self) -> None:
        """Take note that it has rung."""
        if self._is_ours(0):
            with suppress(BlockingIOError):  # somebody else has
                os.read(self._ends[0], _MOST_RINGS)

    def renew(self) -> None:
        """Take another pipe: a forked child would share its parent's."""
        for number in range(len(self._identities)):
            if self._is_ours(number):
                os.close(self._ends[number])
        self._ends = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._identities = [identity_of(one) for one in self._ends]

    def _is_ours(self, number: int) -> bool:
        return identity_of(self._ends[number]) == self._identities[number]


def identity_of(descriptor: int) -> object:
    """What the system says a descriptor is of; None where it is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mode
