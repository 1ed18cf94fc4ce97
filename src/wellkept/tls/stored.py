"""What a keystore holds, whatever its format, and why one cannot be read. No I/O here."""

from collections.abc import Sequence
from contextlib import suppress

from cryptography import x509

from wellkept._dataclasses import dataclass, field
from wellkept.tls.certificates import is_issued_by, is_readable
from wellkept.tls.names import printable

DAMAGED = "is damaged or cut off"
COPY_AGAIN = "copy the file again, and compare its size with the original"
WRONG_PASSWORD = "cannot be opened: the password is wrong, or the file was changed"  # noqa: S105 a message
GIVE_PASSWORD = "give the password that it was made with"  # noqa: S105 a message
_MAX_CHAIN = 10  # each step may try many certificates
MAX_BYTES = 4 << 20  # the JDK's own trust store, with 140 CAs, has 0.2 MiB


class Unreadable(Exception):
    """Why a keystore cannot be read; raised by its readers only, so its text never holds what stood in it.

    Attributes:
        fact: what is wrong, in words that follow the name of the file.
        hint: what to do.
    """

    def __init__(self, fact: str = DAMAGED, *, hint: str = COPY_AGAIN) -> None:
        self.fact = fact
        self.hint = hint
        super().__init__(fact)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A private key as it lies in a keystore, not opened yet.

    Attributes:
        alias: what it is called there.
        sealed: the key, encrypted as the format does it.
        chain: its certificate, and those above it as far as the format says which; empty where there is none.
        is_plain: whether it lies there without encryption.
    """

    alias: str
    sealed: bytes = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What one keystore holds.

    Attributes:
        form: `PKCS#12` or `JKS`.
        keys: its private keys.
        trusted: its trusted certificates, each with its alias.
        loose: all certificates of a format that does not say which belong to a key.
    """

    form: str
    keys: tuple[StoredKey, ...]
    trusted: tuple[tuple[str, x509.Certificate], ...]
    loose: tuple[x509.Certificate, ...] = ()


def read_certificate(der: bytes, alias: str) -> x509.Certificate:
    """One certificate of a keystore.

    Raises:
        Unreadable: it is none, or of a kind that cannot be read.
    """
    made: x509.Certificate | None = None
    with suppress(ValueError, x509.InvalidVersion):  # the latter is no ValueError; raised below, without either's text
        made = x509.load_der_x509_certificate(der)
    if made is not None and is_readable(made):
        return made
    raise Unreadable(f"holds a certificate {printable(alias)} that cannot be read", hint="leave it out of the file")


def find_alias(wanted: str, aliases: Sequence[str]) -> int | None:
    """The place of an alias; Java writes them in lower case and compares them without case."""
    if wanted in aliases:
        return aliases.index(wanted)
    near = [place for place, alias in enumerate(aliases) if alias.casefold() == wanted.casefold()]
    return near[0] if len(near) == 1 else None


def chain_of(leaf: x509.Certificate, pool: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """A certificate and those of a pool that are above it, in order, as far as they are there."""
    chain = [leaf]
    while len(chain) < _MAX_CHAIN and chain[-1].issuer != chain[-1].subject:
        above = next((one for one in pool if one not in chain and _is_above(one, chain[-1])), None)
        if above is None:
            break
        chain.append(above)
    return tuple(chain)


def _is_above(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    return issuer.subject == certificate.issuer and is_issued_by(certificate, issuer)
