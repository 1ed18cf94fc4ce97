"""A source that holds its answers in memory."""

from collections.abc import Mapping, Sequence

from wellkept.config.shapes import as_table
from wellkept.errors import Absent, Conflict, Denied, Malformed, SourceError, Unreachable
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
        refused = self._asked(reference)
        if refused is not None:
            raise refused
        path = reference.location
        versions = {} if path in self._removed else dict(enumerate(self._versions.get(path, ()), 1))
        version = reference.option("version") or str(len(versions))
        if not version.isdecimal() or int(version) not in versions:
            raise Absent(f"{reference}: absent", hint="call put()")
        return Reading(versions[int(version)], f"memory {path}", version=version)

    def write(self, reference: Reference, value: str | None, *, expected_version: str | None = None) -> str | None:
        """Set one key, or remove it or the whole path with None; return the new version.

        Raises:
            Conflict: the newest version is another one than was expected; it is 0 where nothing ever was.
            Absent: there is nothing to remove.
            Denied: the path was denied.
            Unreachable: it is disconnected.
            Malformed: there is no table to set a key in, or no key was named.
        """
        outcome = self._asked(reference) or self._written(reference, value, expected_version)
        value = None  # a traceback may show the locals of this frame
        if isinstance(outcome, SourceError):
            raise outcome
        return outcome

    def names(self, reference: Reference) -> Sequence[str]:
        """Name what stands directly below a path.

        Raises:
            Absent: nothing does.
            Denied: the path was denied.
            Unreachable: it is disconnected.
        """
        refused = self._asked(reference)
        if refused is not None:
            raise refused
        above = f"{reference.location}/"
        below = [path.removeprefix(above) for path in self._versions.keys() - self._removed if path.startswith(above)]
        if not below:
            raise Absent(f"{reference}: absent", hint="call put()")
        return sorted({first + slash for first, slash, _ in (path.partition("/") for path in below)})

    def _asked(self, reference: Reference) -> SourceError | None:
        """Take note of a request; the refusal, where there is one."""
        self.requests.append(reference.location)
        if not self._is_reachable:
            return Unreachable(f"{reference}: memory is disconnected", hint="call connect()")
        if reference.location in self._denied:
            return Denied(f"{reference}: denied", hint="call deny() for other paths only")
        return None

    def _written(self, reference: Reference, value: str | None, expected: str | None) -> str | SourceError | None:
        path = reference.location
        newest = len(self._versions.get(path, ()))
        if expected is not None and expected != str(newest):
            return Conflict(f"{reference}: is at version {newest}, not at the expected one", hint="look, and try again")
        is_there = newest > 0 and path not in self._removed
        if value is None and not is_there:
            return Absent(f"{reference}: absent", hint="call put()")
        if not reference.key:
            if value is not None:
                return Malformed(f"{reference}: names no key", hint="say which one behind a #")
            self.remove(path)
            return None
        changed = _changed(self._versions[path][-1] if is_there else {}, reference, reference.key, value)
        if isinstance(changed, SourceError):
            return changed
        self.put(path, changed)
        return str(newest + 1)


def _changed(
    whole: object, reference: Reference, steps: Sequence[str], value: str | None
) -> dict[str, object] | SourceError:
    """A copy of a table with one key set, or without it."""
    table = as_table(whole)
    if table is None:
        return Malformed(f"{reference}: what is there has no keys", hint="put() a mapping")
    first, *below = steps
    if below:
        inner = _changed(table.get(first, {}), reference, below, value)
        return inner if isinstance(inner, SourceError) else {**table, first: inner}
    if value is not None:
        return {**table, first: value}
    if first not in table:
        return Absent(f"{reference}: no such key", hint="call put()")
    return {key: one for key, one in table.items() if key != first}
