"""A keystore (PKCS#12 or JKS) into an identity or a trust, or into words about why not. No I/O here."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from wellkept._dataclasses import dataclass, field
from wellkept.errors import BundleError
from wellkept.secret import Secret
from wellkept.tls import jks, pkcs12
from wellkept.tls.certificates import public_bytes
from wellkept.tls.jks import FORM as JKS
from wellkept.tls.jks import MAGIC, read_jks
from wellkept.tls.names import printable
from wellkept.tls.pbe import Scheme
from wellkept.tls.pem import PrivateKey, content_of, is_pem
from wellkept.tls.pkcs12 import NEEDS_PASSWORD, is_pkcs12, read_pkcs12
from wellkept.tls.stored import (
    COPY_AGAIN,
    DAMAGED,
    GIVE_PASSWORD,
    MAX_BYTES,
    Stored,
    StoredKey,
    Unreadable,
    chain_of,
    find_alias,
)

T = TypeVar("T")

_JCEKS_MAGIC: Final = b"\xce\xce\xce\xce"
_UNUSABLE: Final = "a key that cannot be used"
_WRONG: Final = "a wrong password"
_MAX_LISTED = 10  # aliases in a message


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A private key of a keystore, opened, with its certificates.

    Attributes:
        alias: what it is called there.
        key: the private key.
        certificate: its own.
        chain: those above its own, in order, as far as they are there.
    """

    alias: str
    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


def is_keystore(data: bytes) -> bool:
    """Whether data begins as a keystore does, be it one that can be read here or not."""
    return data[:4] in {MAGIC, _JCEKS_MAGIC} or is_pkcs12(data)


def read_identity(
    data: bytes,
    password: Secret[str] | None,
    *,
    place: str,
    alias: str | None = None,
    key_password: Secret[str] | None = None,
) -> KeyEntry:
    """The private key of a keystore and its certificates.

    Args:
        data: the file.
        password: of the keystore; None for one without.
        place: the name of the file, for errors.
        alias: which key; None where there is but one.
        key_password: of the key, where it is not that of the keystore.

    Raises:
        BundleError: there is no such key, or it cannot be read.
    """
    answer = _told(lambda: _entry(_stored(data, password, place), alias, key_password or password))
    data = b""  # a traceback may show the locals of this frame
    if isinstance(answer, Unreadable):
        raise BundleError(f"{place}: {answer.fact}", hint=answer.hint)
    return answer


def read_trust(data: bytes, password: Secret[str] | None, *, place: str) -> tuple[x509.Certificate, ...]:
    """The trusted certificates of a keystore; there is one at least.

    A certificate that belongs to a key is not trusted for that, as it is not in Java.

    Args:
        data: the file.
        password: of the keystore; None for one without.
        place: the name of the file, for errors.

    Raises:
        BundleError: there is none, or the file cannot be read.
    """
    answer = _told(lambda: _trusted(_stored(data, password, place)))
    data = b""  # a traceback may show the locals of this frame
    if isinstance(answer, Unreadable):
        raise BundleError(f"{place}: {answer.fact}", hint=answer.hint)
    return answer


def read_stored(data: bytes, password: Secret[str] | None, *, place: str) -> Stored:
    """All that a keystore holds, its keys still sealed.

    Raises:
        BundleError: it cannot be read.
    """
    answer = _told(lambda: _stored(data, password, place))
    data = b""  # a traceback may show the locals of this frame
    if isinstance(answer, Unreadable):
        raise BundleError(f"{place}: {answer.fact}", hint=answer.hint)
    return answer


def _told(read: Callable[[], T]) -> T | Unreadable:
    """What was read, or why not, without the frames that it came through."""
    try:
        return read()
    except Unreadable as refusal:
        return refusal.with_traceback(None)


def _stored(data: bytes, password: Secret[str] | None, place: str) -> Stored:
    if len(data) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES >> 20} MiB", hint="name the right file")
    if data[:4] == _JCEKS_MAGIC:
        raise Unreadable("is a keystore of the kind JCEKS, which only Java reads", hint=_conversion(place))
    if data[:4] == MAGIC:
        if password is None:
            raise Unreadable(NEEDS_PASSWORD, hint=GIVE_PASSWORD)
        return read_jks(data, password)
    if is_pkcs12(data):
        return read_pkcs12(data, password)
    raise _no_keystore(data)


def _conversion(place: str) -> str:
    """The command that makes PKCS#12 of it; keytool asks for the passwords."""
    return f"keytool -importkeystore -srckeystore {place} -destkeystore {place}.p12 -deststoretype PKCS12"


def _no_keystore(data: bytes) -> Unreadable:
    if is_pem(data):
        hint = "name it as certFile and keyFile, or as cert, without a password for a keystore"
        return Unreadable(f"is PEM, not a keystore: it {content_of(data)}", hint=hint)
    if not data:
        return Unreadable("is empty")
    return Unreadable("is neither a PKCS#12 nor a JKS keystore", hint="name the right file")


def _entry(stored: Stored, alias: str | None, password: Secret[str] | None) -> KeyEntry:
    found = _chosen(stored, alias)
    key = _opened(found, stored.form, password)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    chain = _chain(found, public, stored.loose)
    if not chain:
        raise Unreadable(
            f"holds the key {printable(found.alias)} without a certificate", hint="import its certificate first"
        )
    if _public(chain[0]) != public:
        raise Unreadable(
            f"holds a key {printable(found.alias)} that is not that of its certificate", hint="make the keystore anew"
        )
    return KeyEntry(found.alias, key, chain[0], chain[1:])


def _chosen(stored: Stored, alias: str | None) -> StoredKey:
    """The key that is meant."""
    aliases = [one.alias for one in stored.keys]
    if not aliases:
        fact = "holds certificates and no private key: it is a truststore" if stored.trusted else "holds no private key"
        raise Unreadable(fact, hint="name the keystore with the private key here, and the truststore as cert")
    if alias is None:
        if len(aliases) == 1:
            return stored.keys[0]
        raise Unreadable(f"holds {len(aliases)} private keys: {_listed(aliases)}", hint="name one of them as alias")
    at = find_alias(alias, aliases)
    if at is not None:
        return stored.keys[at]
    if find_alias(alias, [name for name, _ in stored.trusted]) is not None:
        fact = (
            f"holds {printable(alias)} as a trusted certificate, without a private key; its keys are {_listed(aliases)}"
        )
        raise Unreadable(fact, hint="name one of the keys as alias")
    fact = f"holds no private key {printable(alias)}; it holds {_listed(aliases)}"
    raise Unreadable(fact, hint="name one of them as alias")


def _opened(stored: StoredKey, form: str, password: Secret[str] | None) -> PrivateKey:
    """The private key itself."""
    name = printable(stored.alias)
    key = _unsealed(stored, form, password)
    if isinstance(key, PrivateKey):
        return key
    if key is _WRONG:
        fact = f"holds the key {name}, which this password does not open: it has one of its own"
        raise Unreadable(fact, hint="give keyPassword, as a reference")
    if key is None:
        raise Unreadable(f"holds a key {name} that {DAMAGED}", hint=COPY_AGAIN)
    hint = "use an EC P-256 key, or RSA of 2048 bits or more"
    raise Unreadable(f"holds a key {name} of a kind that TLS does not use", hint=hint)


def _unsealed(stored: StoredKey, form: str, password: Secret[str] | None) -> object:
    """A private key of any kind; None where it is damaged, `_WRONG` where the password is not its own."""
    if stored.is_plain:
        return _loaded(stored.sealed, None)
    if form == JKS:
        plain = jks.unseal(stored.sealed, password) if password is not None else None
    else:
        unsealed = pkcs12.unseal(stored.sealed, password)
        if isinstance(unsealed, Scheme):  # RC2, which only OpenSSL knows, and it has no word for no password
            return _WRONG if password is None else _loaded(stored.sealed, password) or _WRONG
        plain = unsealed
    return _WRONG if plain is None else _loaded(plain, None)


def _loaded(der: bytes, password: Secret[str] | None) -> object:
    """A private key of any kind; None where it cannot be read with this password."""
    try:
        return load_der_private_key(der, None if password is None else password.reveal().encode(errors="surrogatepass"))
    except (ValueError, TypeError):
        return None
    except Exception:  # noqa: BLE001 UnsupportedAlgorithm and its like: there is a key, and nobody here can use it
        return _UNUSABLE


def _chain(stored: StoredKey, public: bytes, loose: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The certificates of a key; where the format ties them loosely, by the key itself."""
    if not loose:
        return stored.chain
    leaf = next((one for one in (*stored.chain, *loose) if _public(one) == public), None)
    return stored.chain if leaf is None else chain_of(leaf, loose)


def _public(certificate: x509.Certificate) -> bytes | None:
    try:
        return public_bytes(certificate)
    except Exception:  # noqa: BLE001 ValueError, UnsupportedAlgorithm and its like: it is then nobody's
        return None


def _trusted(stored: Stored) -> tuple[x509.Certificate, ...]:
    if stored.trusted:
        return tuple(certificate for _, certificate in stored.trusted)
    if not stored.keys:
        raise Unreadable("holds no certificate", hint="import the certificate of the CA that shall be trusted")
    fact = f"holds {_keys(stored)} and no trusted certificate: it is no truststore"
    raise Unreadable(fact, hint="make a truststore with wellkept tls keystore trust, from the CA's certificate")


def _keys(stored: Stored) -> str:
    return f"{len(stored.keys)} private keys" if len(stored.keys) > 1 else "a private key"


def _listed(aliases: Sequence[str]) -> str:
    more = len(aliases) - _MAX_LISTED
    names = ", ".join(map(printable, aliases[:_MAX_LISTED]))
    return f"{names} and {more} more" if more > 0 else names
