"""`${sops:file.yaml#a.b}`: a value of a file that SOPS encrypted for age recipients.

Nothing of a file is answered before all of it has been verified: every value decrypts under the
keys above it, and the MAC over all of them is right.
"""

from collections.abc import Mapping, Sequence

from wellkept._files import FileFault, read_file, version_of, without_final_newline
from wellkept.errors import Absent, Denied, Kind, Malformed, SourceError
from wellkept.model import Reading, Reference
from wellkept.providers.sops import age, cell, from_yaml
from wellkept.providers.sops.document import Refusal
from wellkept.providers.sops.formats import BINARY, PARSERS, format_of
from wellkept.providers.sops.identities import Found, default_file, find_identities
from wellkept.providers.sops.metadata import Lock, read_metadata
from wellkept.providers.sops.opening import open_document
from wellkept.providers.sops.tree import Tree

_ERRORS: Mapping[Kind, type[SourceError]] = {Kind.ABSENT: Absent, Kind.DENIED: Denied}
_SHOWN_RECIPIENTS = 3
_SHOWN_CHARACTERS = 100


class SopsSource:
    """Answers with what SOPS files hold: a table, or the bytes of a binary file."""

    options: frozenset[str] = frozenset({"format"})
    is_local = True
    starts_at_base = True  # a relative path starts at the folder of the file that names it

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Find identities by these variables, at each fetch."""
        self._environ = environ

    def fetch(self, reference: Reference) -> Reading:
        """Read, decrypt and verify one file.

        Raises:
            Absent: there is no such file.
            Denied: this user may not read it, or none of the identities at hand opens it.
            Malformed: it is no file that SOPS encrypted for age, or was changed since.
        """
        answer = self._answer(reference)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        """Say what the system says of each file; see `ports.Watches`."""
        return [version_of(one.file_path) for one in references]

    def _answer(self, reference: Reference) -> Reading | SourceError:
        if reference.option("version") is not None:
            return Malformed(f"{reference}: {reference.scheme} has no versions", hint="leave out version=")
        name = reference.option("format") or format_of(reference.path[-1])
        if name not in PARSERS:
            return Malformed(f"{reference}: is of no known format", hint=f"known are {', '.join(PARSERS)}")
        try:
            content = read_file(reference.file_path)
        except FileFault as fault:
            return _ERRORS.get(fault.kind, Malformed)(fault.message, hint=fault.hint)
        value = self._opened(reference.location, name, content)
        if isinstance(value, SourceError):
            return value
        if name != BINARY:
            return Reading(Tree(value), f"sops {reference.location}")
        data, note = _whole(value["data"])
        return Reading(data, f"sops {reference.location}", note=note)

    def _opened(self, shown: str, name: str, content: bytes) -> dict[str, object] | SourceError:
        document = PARSERS[name](content)
        if isinstance(document, Refusal):
            return _refused(shown, document)
        metadata = read_metadata(document.metadata)
        if isinstance(metadata, Refusal):
            return _refused(shown, metadata)
        data_key = self._data_key(shown, metadata.locks)
        if isinstance(data_key, SourceError):
            return data_key
        tree = open_document(document, metadata, data_key)
        return _refused(shown, tree) if isinstance(tree, Refusal) else tree

    def _data_key(self, shown: str, locks: Sequence[Lock]) -> bytes | SourceError:
        """The data key: every lock is tried, and one that is damaged counts where no other opens."""
        found = find_identities(self._environ, with_ssh=any(lock.recipient.startswith("ssh-") for lock in locks))
        is_damaged = False
        for lock in locks if found.identities else ():
            key = age.unwrap(lock.sealed, found.identities)
            if isinstance(key, bytes) and len(key) == cell.DATA_KEY_BYTES:
                return key
            is_damaged = is_damaged or key is not None
        return _refused(shown, age.BROKEN) if is_damaged else self._denied(shown, locks, found)

    def _denied(self, shown: str, locks: Sequence[Lock], found: Found) -> Denied:
        names = [lock.recipient[:_SHOWN_CHARACTERS] for lock in locks if lock.recipient.isprintable()]
        more = ", …" if len(names) > _SHOWN_RECIPIENTS else ""
        count = len(found.identities)
        fact = f"none of the {count} age identities at hand opens it" if count else "no age identity is at hand"
        default = default_file(self._environ)
        places = f"SOPS_AGE_KEY, SOPS_AGE_KEY_FILE{'' if default is None else f' or {default}'}"
        wanted = f"give the identity of {', '.join(names[:_SHOWN_RECIPIENTS])}{more} in {places}"
        return Denied(f"{shown}: {fact}", hint="; ".join([*found.notes, wanted]))


def open_source(environ: Mapping[str, str]) -> SopsSource:
    """Make the source of one load.

    Raises:
        Malformed: a package of the extra is missing.
    """
    needed = {"pyrage": age.IS_THERE, "pyyaml": from_yaml.IS_THERE}
    missing = [name for name, is_there in needed.items() if not is_there]
    if missing:
        raise Malformed(f"sops: needs the package {' and '.join(missing)}", hint="pip install 'wellkept[sops]'")
    return SopsSource(environ)


def _refused(shown: str, refusal: Refusal) -> Malformed:
    return Malformed(f"{shown}: {refusal.fact}", hint=refusal.hint)


def _whole(value: object) -> tuple[bytes, str | None]:
    """The bytes of a binary file; a text loses one final newline, as it does by `${file:…}`."""
    return (value, None) if isinstance(value, bytes) else without_final_newline(cell.as_bytes(value))
