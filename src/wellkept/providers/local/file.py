"""`${file:/path}`: a file, or a mounted directory with one file a key.

Files of one directory are read together through its descriptor, so that two keys of a
Kubernetes mount never come from two versions of it. One final newline is not part of a value.
"""

import os
from collections.abc import Collection, Mapping, Sequence

from wellkept._files import FileFault, is_mount, read_entries, read_file, version_of, without_final_newline
from wellkept.errors import Absent, Denied, Kind, Malformed, SourceError
from wellkept.model import Reading, Reference
from wellkept.providers.local.versions import refuse_version

_ERRORS: Mapping[Kind, type[SourceError]] = {Kind.ABSENT: Absent, Kind.DENIED: Denied}


class FileSource:
    """Answers with what files hold, as bytes; a directory answers with all of its files."""

    is_secret_store = False
    is_local = True
    starts_at_base = True  # a relative path starts at the folder of the file that names it

    def fetch(self, reference: Reference) -> Reading:
        """Read one file or directory.

        Raises:
            Absent: there is no such file.
            Denied: this user may not read it.
            Malformed: it is no regular file, or too large.
        """
        answer = self.fetch_many([reference])[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def fetch_many(self, references: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        """Read all, the files of one directory together."""
        paths = [reference.file_path for reference in references]
        whole = {path for path in paths if os.path.isdir(path)}  # noqa: PTH112 text in, text out
        together: dict[str, set[str]] = {}
        for folder, name in map(os.path.split, set(paths) - whole):
            together.setdefault(folder, set()).add(name)
        # A folder that is wanted whole, too, is read once for both; of a mount a single file as well: by its path it is
        # missing for a moment, while kubelet swaps.
        pinned = [(folder, names) for folder, names in together.items() if len(names) > 1 or is_mount(folder)]
        entries = {folder: _entries(folder, names) for folder, names in pinned}
        entries |= {folder: _entries(folder, ()) for folder in whole}
        return [
            refuse_version(one) or _answer(path, one.location, entries)
            for path, one in zip(paths, references, strict=True)
        ]

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        """Say what the system says of each; see `ports.Watches`."""
        return [version_of(one.file_path) for one in references]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileSource)  # one machine has one file system

    def __hash__(self) -> int:
        return hash(FileSource)


def open_source(_environ: Mapping[str, str]) -> FileSource:
    """Make the source of one load."""
    return FileSource()


def _entries(folder: str, names: Collection[str]) -> Mapping[str, bytes] | SourceError:
    try:
        return read_entries(folder, names)
    except FileFault as fault:
        return _error(fault)


def _answer(path: str, shown: str, entries: Mapping[str, Mapping[str, bytes] | SourceError]) -> Reading | SourceError:
    folder, name = os.path.split(path)
    whole = entries.get(path)
    if isinstance(whole, SourceError):
        return whole
    if whole is not None:
        return Reading({key: without_final_newline(value)[0] for key, value in whole.items()}, f"file {shown}")
    known = entries.get(folder)
    value = known.get(name) if isinstance(known, Mapping) else None
    is_new = value is None and isinstance(known, Mapping) and not name.startswith(".")
    try:
        value = read_file(path) if value is None else value
    except FileFault as fault:
        return _error(fault)
    if is_new:  # it came with a later version than the others of its folder
        return Absent(f"{path}: does not exist in the version that was read", hint="try again")
    stripped, note = without_final_newline(value)
    return Reading(stripped, f"file {shown}", note=note)


def _error(fault: FileFault) -> SourceError:
    return _ERRORS.get(fault.kind, Malformed)(fault.message, hint=fault.hint)
