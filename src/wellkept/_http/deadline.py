"""One moment by which a request ends, whatever it is doing then."""

from wellkept._clock import SYSTEM_CLOCK, Clock


class Deadline:
    """The end of one request."""

    __slots__ = ("_at", "_clock", "connect_s", "seconds")

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK, *, connect_s: float = float("inf")) -> None:
        """Start now.

        Args:
            seconds: how long the request may take.
            clock: what it is measured with.
            connect_s: how long one attempt to connect may take within it.
        """
        self.seconds = seconds
        self.connect_s = connect_s
        self._clock = clock
        self._at = clock.seconds() + seconds

    def left(self) -> float:
        """How many seconds are left: 0 or less when it is over."""
        return self._at - self._clock.seconds()

    def wait(self) -> float:
        """How long one step may wait.

        Raises:
            TimeoutError: it is over.
        """
        left = self.left()
        if left <= 0:
            raise TimeoutError
        return left
