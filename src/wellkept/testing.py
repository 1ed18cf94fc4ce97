"""What tests of a service need: an in-memory provider, a clock that you move, canary assertions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from wellkept.errors import Absent, Denied, Unreachable
from wellkept.model import Reading, Reference


class MemorySource:
    """A provider that holds its answers in memory: `load(cls, providers={"vault": MemorySource(…)})`.

    Attributes:
        requests: the path of each request that it was asked, in order.
    """

    def __init__(self, values: Mapping[str, object] | None = None, *, is_secret_store: bool = True) -> None:
        """Answer with the given values by path: text, or a mapping for `#key`."""
        self.is_secret_store = is_secret_store
        self.requests: list[str] = []
        self._versions: dict[str, list[object]] = {}  # by path, the oldest first
        self._removed: set[str] = set()
        self._denied: set[str] = set()
        self._is_reachable = True
        for path, value in (values or {}).items():
            self.put(path, value)

    def put(self, path: str, value: object) -> None:
        """Set a value; its version goes up by one."""
        self._versions.setdefault(path, []).append(value)
        self._removed.discard(path)

    def remove(self, path: str) -> None:
        """Make a path absent; the next value that is put there goes on counting."""
        self._removed.add(path)

    def deny(self, path: str) -> None:
        """Refuse a path from now on."""
        self._denied.add(path)

    def disconnect(self) -> None:
        """Answer nothing from now on."""
        self._is_reachable = False

    def connect(self) -> None:
        """Answer again."""
        self._is_reachable = True

    def fetch(self, reference: Reference) -> Reading:
        """Answer a reference with the newest version, or with the one that it pins.

        Raises:
            Absent: no such value or version was put there.
            Denied: the path was denied.
            Unreachable: it is disconnected.
        """
        path = reference.location
        self.requests.append(path)
        if not self._is_reachable:
            raise Unreachable(f"{reference}: memory is disconnected", hint="call connect()")
        if path in self._denied:
            raise Denied(f"{reference}: denied", hint="call deny() for other paths only")
        versions = {} if path in self._removed else dict(enumerate(self._versions.get(path, ()), 1))
        version = reference.option("version") or str(len(versions))
        if not version.isdecimal() or int(version) not in versions:
            raise Absent(f"{reference}: absent", hint="call put()")
        return Reading(versions[int(version)], f"memory {path}", version=version)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        """Stand at a time of day, aware."""
        self._start = start
        self._seconds = 0.0

    def now(self) -> datetime:
        """The time of day that it stands at."""
        return self._start + timedelta(seconds=self._seconds)

    def seconds(self) -> float:
        """Seconds that it was moved so far."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        self._seconds += seconds


def assert_hidden(canaries: Sequence[str], *texts: object) -> None:
    """Assert that no canary stands in any of the texts; the message does not show it either.

    Raises:
        AssertionError: one does; the message says which, by number.
    """
    found = [
        f"canary {index} in text {number}"
        for index, canary in enumerate(canaries)
        for number, text in enumerate(texts)
        if canary in str(text)
    ]
    canaries, texts = (), ()  # a test runner prints the locals of a failing frame
    assert not found, "; ".join(found)  # noqa: S101 this is an assertion for tests
