"""Which identities this person or machine has, and opening a header with them.

WELLKEPT_IDENTITY        the text itself, one or more of them
WELLKEPT_IDENTITY_FILE   a file of mode 0600 or 0400
~/.config/wellkept/identity   where neither is set
WELLKEPT_PASSPHRASE      for a file that a passphrase opens
WELLKEPT_STORE           the fingerprints of the files that may be opened, where it is set
"""

from collections.abc import Mapping, Sequence

from wellkept._files import FileFault, read_own
from wellkept._home import user_file
from wellkept.crypto.envelope import DataKey
from wellkept.crypto.header import Header, passphrases, unlock
from wellkept.crypto.keys import Identity, parse_identity
from wellkept.crypto.passphrase import Stretching
from wellkept.crypto.refusal import Refusal
from wellkept.errors import Kind

IDENTITY, IDENTITY_FILE = "WELLKEPT_IDENTITY", "WELLKEPT_IDENTITY_FILE"
PASSPHRASE, PINNED = "WELLKEPT_PASSPHRASE", "WELLKEPT_STORE"
MOST_BYTES = 1 << 16


def identity_path(environ: Mapping[str, str]) -> str | None:
    """Where the identity of this person is kept: the file that is named, or the one of the home folder."""
    return environ.get(IDENTITY_FILE) or user_file(environ, "identity")


def find_identities(environ: Mapping[str, str]) -> tuple[Identity, ...] | Refusal:
    """The identities at hand, those of the environment first; none where there is no file either."""
    given = environ.get(IDENTITY, "")
    found: list[Identity] = []
    if given:
        parsed = _parsed(_words(given), IDENTITY)
        if isinstance(parsed, Refusal):
            return parsed
        found += parsed
    named = environ.get(IDENTITY_FILE, "")
    path = named or (None if given else user_file(environ, "identity"))
    if path is None:
        return tuple(found)
    stored = _read(path, must_exist=bool(named))
    return stored if isinstance(stored, Refusal) else (*found, *stored)


def open_header(header: Header, environ: Mapping[str, str]) -> DataKey | Refusal:
    """The data key of a file, by whatever is at hand; only a file that is pinned, where any is."""
    pinned = environ.get(PINNED, "")
    if pinned and header.fingerprint not in pinned.replace(",", " ").split():
        fact = f"is not a file that {PINNED} pins: its fingerprint is {header.fingerprint}"
        return Refusal(fact, f"if it was made anew or rekeyed by somebody you trust, change {PINNED}")
    identities = find_identities(environ)
    if isinstance(identities, Refusal):
        return identities
    key = unlock(header, identities)
    passphrase = environ.get(PASSPHRASE, "")
    if isinstance(key, Refusal) and key.kind is Kind.DENIED and passphrase and any(passphrases(header)):
        return _by_passphrase(header, passphrase)
    return key


def _by_passphrase(header: Header, passphrase: str) -> DataKey | Refusal:
    for access in header.accesses:
        if access.stretching is not None:
            identity = _stretched(access.stretching, passphrase)
            if identity is None:
                return Refusal("needs more memory for its passphrase than there is", "give the process more memory")
            if str(identity.recipient) == str(access.recipient):
                return unlock(header, [identity])
    return Refusal("is not opened by that passphrase", f"type it again, or correct {PASSPHRASE}", Kind.DENIED)


def _stretched(how: Stretching, passphrase: str) -> Identity | None:
    """The identity, or None where there is no memory to make it: the error would show the frames above it."""
    try:
        return how.identity(passphrase)
    except MemoryError:
        return None


def _read(path: str, *, must_exist: bool) -> Sequence[Identity] | Refusal:
    try:
        content = read_own(path, max_bytes=MOST_BYTES)
    except FileFault as fault:
        if fault.kind is Kind.ABSENT and not must_exist:
            return ()
        hint = f"{fault.hint}, or correct {IDENTITY_FILE}" if must_exist else fault.hint or "look at it"
        return Refusal(f"cannot be opened: the identity file {fault.path} {fault.fact}", hint, Kind.DENIED)
    parsed = _parsed(_words(content.decode("utf-8", "replace")), path)
    if not isinstance(parsed, Refusal) and not parsed:
        return Refusal(f"cannot be opened: the identity file {path} holds none", "name another", Kind.DENIED)
    return parsed


def _words(text: str) -> Sequence[str]:
    """The words of a text without its comments: the text of a file may stand in a variable."""
    return [word for line in text.splitlines() if not line.lstrip().startswith("#") for word in line.split()]


def _parsed(words: Sequence[str], where: str) -> Sequence[Identity] | Refusal:
    """The identities of some texts, which are not quoted."""
    found = [parse_identity(word) for word in words]
    for number, one in enumerate(found, 1):
        if isinstance(one, str):
            which = "the identity" if len(found) == 1 else f"identity {number}"
            hint = "write it again as wellkept identity made it"
            return Refusal(f"cannot be opened: {which} of {where} {one}", hint, Kind.DENIED)
    return [one for one in found if isinstance(one, Identity)]
