"""The header of Secrets.toml: the table `[wellkept]`, and who may open the file. This file does no I/O.

Each recipient is one line that carries an authentication of its own, under the data key, over
the file's version, cipher, id and commitment and over the line itself. So a line can only come from
somebody who could open the file, and two branches that add one line each merge cleanly (ADR 10).
"""

import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import cast

from wellkept._dataclasses import dataclass, field, replace
from wellkept.crypto.encoding import from_word, joined, to_word
from wellkept.crypto.envelope import CIPHER, FILE_ID_BYTES, PURPOSE, VERSION, DataKey
from wellkept.crypto.keys import Identity, Recipient, fingerprint_of, parse_recipient
from wellkept.crypto.passphrase import MOST_WORK, Stretching, parse_stretching
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import quoted
from wellkept.crypto.text import HEADER, RECIPIENTS, Path
from wellkept.crypto.xaes import KEY_BYTES
from wellkept.errors import Kind

KEYS = ("version", "cipher", "id", "key", "recipients")
MOST_RECIPIENTS = 200
MOST_PASSPHRASES = 4
MOST_LETTERS = 100  # of a name
MAC_BYTES = 32
MOST_NAMES = 3  # more help nobody to find one who answers
_RESTORE = "take the last good version of it from git"


@dataclass(frozen=True, slots=True)
class Access:
    """One recipient of one file: a line of `[wellkept.recipients]`.

    Attributes:
        name: what people call it.
        recipient: whose public key it is.
        wrapped: the data key, encrypted for it.
        mac: what authenticates the line.
        stretching: how a passphrase becomes its private key, or None.
    """

    name: str
    recipient: Recipient
    wrapped: bytes = field(repr=False)
    mac: bytes = field(default=b"", repr=False)
    stretching: Stretching | None = None

    @property
    def said(self) -> str:
        """All of the line that is authenticated."""
        words = [self.stretching, self.recipient, to_word(self.wrapped)]
        return " ".join(str(word) for word in words if word is not None)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself.

    Attributes:
        file_id: 16 bytes that name the file, however it is called.
        commitment: 32 bytes that only its data key has.
        accesses: who may open it.
    """

    file_id: bytes
    commitment: bytes
    accesses: tuple[Access, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What `WELLKEPT_STORE` pins: nobody without the data key can make another file that has it."""
        return fingerprint_of(joined(PURPOSE + b"file", self.file_id, self.commitment))

    def access(self, name: str) -> Access | None:
        """The recipient of a name."""
        return next((one for one in self.accesses if one.name == name), None)

    def values(self) -> dict[Path, str]:
        """For each key of the header its value as TOML writes it."""
        named = {
            "version": str(VERSION),
            "cipher": quoted(CIPHER),
            "id": quoted(to_word(self.file_id)),
            "key": quoted(to_word(self.commitment)),
        }
        lines = {one.name: quoted(f"{one.said} {to_word(one.mac)}") for one in self.accesses}
        return {(HEADER, name): value for name, value in named.items()} | {
            (*RECIPIENTS, name): line for name, line in lines.items()
        }


def new_header() -> tuple[Header, DataKey]:
    """A header of a new file that nobody may open yet, and its key."""
    key = DataKey.new(os.urandom(FILE_ID_BYTES))
    return Header(key.file_id, key.commitment), key


def with_access(header: Header, key: DataKey, name: str, who: Recipient, how: Stretching | None) -> Header | Refusal:
    """Let somebody open the file; whoever has that name already is replaced."""
    if not is_name(name):
        return Refusal("is no name for a recipient", "name it with letters, as ada@laptop")
    wrapped = who.wrap(key.bare(), _info(header, who))
    if wrapped is None:
        return Refusal("is no public key that anything can be encrypted for", "ask for it again")
    access = Access(name, who, wrapped, stretching=how)
    access = replace(access, mac=_mac(key, access))
    others = tuple(one for one in header.accesses if one.name != name)
    if len(others) == MOST_RECIPIENTS:
        return Refusal(f"would be recipient number {MOST_RECIPIENTS + 1}", "remove one that is not needed any more")
    if how is not None and sum(one.stretching is not None for one in others) == MOST_PASSPHRASES:
        return Refusal(f"would be passphrase number {MOST_PASSPHRASES + 1}", "remove one that is not needed any more")
    return replace(header, accesses=(*others, access))


def is_name(name: str) -> bool:
    """Whether a recipient may be called so: two that look alike could not be told apart."""
    return 0 < len(name) <= MOST_LETTERS and name.isprintable() and name == name.strip()


def parse_header(table: object) -> Header | Refusal:
    """Read the table `[wellkept]` of a file, without believing anything that it says."""
    if not isinstance(table, Mapping) or not table:
        return Refusal("has no header [wellkept]", "start one with wellkept init")
    known = cast("Mapping[str, object]", table)
    if known.get("version") != VERSION or isinstance(known.get("version"), bool):
        return Refusal(f"is not of version {VERSION}", f"open it with the wellkept that wrote it, or {_RESTORE}")
    if known.get("cipher") != CIPHER:
        return Refusal(f"is not encrypted with {CIPHER}", _RESTORE)
    file_id, commitment = _bytes(known.get("id"), FILE_ID_BYTES), _bytes(known.get("key"), KEY_BYTES)
    lines = known.get("recipients")
    if file_id is None or commitment is None or not isinstance(lines, Mapping) or set(known) != set(KEYS):
        return Refusal("has a header that is not complete", _RESTORE)
    accesses = _accesses(cast("Mapping[str, object]", lines))
    return accesses if isinstance(accesses, Refusal) else Header(file_id, commitment, accesses)


def unlock(header: Header, identities: Sequence[Identity]) -> DataKey | Refusal:
    """The data key, if one of the identities may have it and all of the header is as it was written."""
    mine = {str(one.recipient): one for one in identities}
    pairs = [(access, mine[str(access.recipient)]) for access in header.accesses if str(access.recipient) in mine]
    if not pairs:
        return _not_for(header, identities)
    access, identity = pairs[0]
    bare = identity.unwrap(access.wrapped, _info(header, access.recipient))
    key = None if bare is None or len(bare) != KEY_BYTES else DataKey(bare, header.file_id)
    if key is None or not hmac.compare_digest(key.commitment, header.commitment):
        return Refusal(f"has a header that was changed: the line of {access.name} does not fit to it", _RESTORE)
    odd = next((one for one in header.accesses if not hmac.compare_digest(one.mac, _mac(key, one))), None)
    if odd is not None:
        fact = f"has a recipient that nobody added who could open it: {odd.name}"
        return Refusal(
            fact, f"wellkept recipients remove {quote(odd.name)}; after a merge with a rekey, add them again"
        )
    return key


def _not_for(header: Header, identities: Sequence[Identity]) -> Refusal:
    otherwise = ", or set WELLKEPT_PASSPHRASE" if any(passphrases(header)) else ""
    if not identities:
        fix = f"set WELLKEPT_IDENTITY or WELLKEPT_IDENTITY_FILE, or make an identity with wellkept init{otherwise}"
        return Refusal("is encrypted, and there is no identity to open it with", fix, Kind.DENIED)
    own = ", ".join(one.recipient.fingerprint for one in identities)
    names = " or ".join(one.name for one in header.accesses[:MOST_NAMES]) or "somebody"
    fix = f"send {names} the line of wellkept identity, for wellkept recipients add{otherwise}"
    return Refusal(f"is not encrypted for the identity at hand ({own})", fix, Kind.DENIED)


def _accesses(lines: Mapping[str, object]) -> tuple[Access, ...] | Refusal:
    if len(lines) > MOST_RECIPIENTS:
        return Refusal(f"has more than {MOST_RECIPIENTS} recipients", _RESTORE)
    accesses: list[Access] = []
    for name, line in lines.items():
        access = _access(name, line)
        if isinstance(access, str):
            fix = f"remove it, if it was meant as a secret; otherwise {_RESTORE}"
            return Refusal(f"has a recipient {_shown(name)} whose line {access}", fix)
        accesses.append(access)
    stretched = [one.stretching for one in accesses if one.stretching is not None]
    if len(stretched) > MOST_PASSPHRASES or sum(one.work for one in stretched) > MOST_WORK:
        return Refusal("has passphrases that take more work to try than any honest file asks for", _RESTORE)
    return tuple(accesses)


def _access(name: str, line: object) -> Access | str:
    words = line.split(" ") if isinstance(line, str) else []
    if len(words) not in {3, 4}:  # a key, the wrapped data key and the MAC, behind what stretches a passphrase
        return "is no recipient"
    stretching = parse_stretching(words[0]) if len(words) == 4 else None  # noqa: PLR2004 as above
    if isinstance(stretching, str):
        return stretching
    recipient, wrapped, mac = parse_recipient(words[-3]), from_word(words[-2]), _bytes(words[-1], MAC_BYTES)
    if isinstance(recipient, str):
        return recipient
    if wrapped is None or mac is None or not name.isprintable():
        return "is no recipient"
    return Access(name, recipient, wrapped, mac, stretching)


def _info(header: Header, recipient: Recipient) -> bytes:
    """What binds a wrapped key to its file and its owner (RFC 9180 §5.1, info)."""
    return joined(PURPOSE + b"data key", header.file_id, str(recipient).encode())


def _mac(key: DataKey, access: Access) -> bytes:
    return key.mac(b"recipient", str(VERSION).encode(), CIPHER.encode(), access.name.encode(), access.said.encode())


def _bytes(word: object, length: int) -> bytes | None:
    data = from_word(word) if isinstance(word, str) else None
    return data if data is not None and len(data) == length else None


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def passphrases(header: Header) -> Iterable[Stretching]:
    """How the passphrases that open a file are stretched."""
    return (one.stretching for one in header.accesses if one.stretching is not None)
