"""Encryption and integrity under a password, as PKCS#12 and PKCS#5 have them, within a bound of work. No I/O here.

RFC 7292 appendix B (the old derivation, still the usual one for the MAC) and RFC 8018 (PBES2,
PBKDF2), RFC 9579 (PBMAC1). How often a password is hashed stands in the file, so a hostile
file could keep us busy for hours: all of it is counted before any of it is done.
"""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from wellkept._dataclasses import dataclass, field
from wellkept.secret import Secret
from wellkept.tls.der import INTEGER, OCTET_STRING, Element
from wellkept.tls.stored import Unreadable

MAX_ITERATIONS: Final = 10_000_000  # some 10 s; keytool writes 10,000, OWASP's advice of 2023 is 600,000

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_PBMAC1 = "1.2.840.113549.1.5.14"
_SHA1_3DES = "1.2.840.113549.1.12.1.3"
_SHA1_RC2 = frozenset({"1.2.840.113549.1.12.1.5", "1.2.840.113549.1.12.1.6"})  # of 128 and of 40 bits
_CIPHERS: Final[dict[str, tuple[type[AES | TripleDES], int]]] = {
    "2.16.840.1.101.3.4.1.2": (AES, 16),
    "2.16.840.1.101.3.4.1.22": (AES, 24),
    "2.16.840.1.101.3.4.1.42": (AES, 32),
    "1.2.840.113549.3.7": (TripleDES, 24),
}
_HMACS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_KEY_ID, _IV_ID, _MAC_ID = 1, 2, 3  # what a derivation is for (RFC 7292 §B.3)
_MAX_KEY_BYTES = 64
_ANEW = "make it anew: wellkept tls convert from the PEM files, or keytool of Java 9 and later"
_EMPTY = ("", None)  # no password is either an empty text or nothing at all: writers differ


@dataclass(frozen=True, slots=True)
class Scheme:
    """How something is encrypted.

    Attributes:
        oid: which scheme.
        salt: of the derivation.
        iterations: how often the password is hashed.
        digest: the hash of PBKDF2; empty for the old derivation.
        cipher: the OID of the cipher of PBES2; empty for the old schemes.
        iv: of that cipher.
    """

    oid: str
    salt: bytes = field(repr=False)
    iterations: int
    digest: str = ""
    cipher: str = ""
    iv: bytes = field(default=b"", repr=False)

    @property
    def is_rc2(self) -> bool:
        """Whether it is RC2, which Java before 8u301 and OpenSSL before 3.0 took for certificates."""
        return self.oid in _SHA1_RC2


@dataclass(frozen=True, slots=True)
class Seal:
    """How the integrity of a file is protected.

    Attributes:
        scheme: how the key of the MAC is derived.
        digest: the hash of the MAC.
        value: the MAC.
        key_bytes: how long its key is.
    """

    scheme: Scheme
    digest: str
    value: bytes = field(repr=False)
    key_bytes: int


class Work:
    """Counts how often passwords are to be hashed for one file."""

    def __init__(self) -> None:
        self._left = MAX_ITERATIONS

    def spend(self, iterations: int) -> None:
        """Take some of it.

        Raises:
            Unreadable: it is more than one file may ask for.
        """
        self._left -= iterations
        if self._left < 0:
            fact = (
                f"asks for more than {MAX_ITERATIONS:,} rounds of hashing its password, which would block the program"
            )
            raise Unreadable(fact, hint="make the keystore anew with fewer: keytool takes 10,000")


def read_scheme(algorithm: Element, work: Work) -> Scheme:
    """How something is encrypted; its work is counted.

    Raises:
        Unreadable: it is not known, or takes too much work.
    """
    name, *more = algorithm.parts(at_least=2)
    oid = name.oid()
    if oid == _PBES2:
        kdf, cipher = more[0].parts(at_least=2)[:2]
        cipher_name, iv = cipher.parts(at_least=2)[:2]
        scheme = _pbkdf2(kdf, work)
        return Scheme(oid, scheme.salt, scheme.iterations, scheme.digest, cipher_name.oid(), iv.body)
    if oid != _SHA1_3DES and oid not in _SHA1_RC2:
        raise Unreadable(f"is encrypted in a way that is not known ({oid})", hint=_ANEW)
    salt, iterations = more[0].parts(at_least=2)[:2]
    scheme = Scheme(oid, salt.of(OCTET_STRING), iterations.number())
    work.spend(3 * scheme.iterations)  # two blocks for the key, one for the IV
    return scheme


def read_seal(mac: Element, work: Work) -> Seal:
    """How the integrity of a file is protected; its work is counted.

    Raises:
        Unreadable: it is not known, or takes too much work.
    """
    info, salt, *rest = mac.parts(at_least=2)
    algorithm, value = info.parts(at_least=2)[:2]
    name, *more = algorithm.parts(at_least=1)
    if name.oid() == _PBMAC1:
        kdf, by = (more or (Element(0, b"", b""),))[0].parts(at_least=2)[:2]
        digest = _known(_HMACS, by.parts(at_least=1)[0].oid())
        return Seal(_pbkdf2(kdf, work), digest, value.of(OCTET_STRING), _key_bytes(kdf))
    digest = _known(_DIGESTS, name.oid())
    iterations = rest[0].number() if rest else 1
    work.spend(iterations)
    scheme = Scheme("", salt.of(OCTET_STRING), iterations)
    return Seal(scheme, digest, value.of(OCTET_STRING), hashlib.new(digest).digest_size)


def is_intact(seal: Seal, content: bytes, password: Secret[str] | None) -> bool:
    """Whether a file is as it was written under this password."""
    return any(hmac.compare_digest(_mac(seal, content, one, password), seal.value) for one in _tries(password))


def decrypt(scheme: Scheme, content: bytes, password: Secret[str] | None) -> bytes | None:
    """What was encrypted; None where the password is not the one.

    Raises:
        Unreadable: the cipher is not known, or its parameters do not fit it.
    """
    cipher, size = _CIPHERS.get(scheme.cipher, (TripleDES, 24)) if scheme.cipher == "" else _cipher(scheme.cipher)
    for one in _tries(password):
        plain = _decrypted(scheme, content, (cipher, size), one, password)
        if plain is not None:
            return plain
    return None


def _pbkdf2(kdf: Element, work: Work) -> Scheme:
    name, parameters = kdf.parts(at_least=2)[:2]
    if name.oid() != _PBKDF2:
        raise Unreadable(f"derives its key in a way that is not known ({name.oid()})", hint=_ANEW)
    salt, iterations, *more = parameters.parts(at_least=2)
    prf = next((one for one in more if one.tag != INTEGER), None)
    digest = "sha1" if prf is None else _known(_HMACS, prf.parts(at_least=1)[0].oid())
    work.spend(iterations.number())
    if not iterations.number():
        raise Unreadable
    return Scheme(_PBKDF2, salt.of(OCTET_STRING), iterations.number(), digest)


def _key_bytes(kdf: Element) -> int:
    """The length of a key that PBKDF2 names itself; RFC 9579 §5 demands it."""
    named = [one.number() for one in kdf.parts()[1].parts()[2:] if one.tag == INTEGER]
    if not named or not 0 < named[0] <= _MAX_KEY_BYTES:
        raise Unreadable
    return named[0]


def _known(table: dict[str, str], oid: str) -> str:
    if oid not in table:
        raise Unreadable(f"uses a hash that is not known ({oid})", hint=_ANEW)
    return table[oid]


def _cipher(oid: str) -> tuple[type[AES | TripleDES], int]:
    if oid not in _CIPHERS:
        raise Unreadable(f"is encrypted with a cipher that is not known ({oid})", hint=_ANEW)
    return _CIPHERS[oid]


def _tries(password: Secret[str] | None) -> tuple[str | None, ...]:
    """What stands for no password; one try where there is one."""
    return _EMPTY if password is None else ("",)


def _decrypted(
    scheme: Scheme,
    content: bytes,
    cipher: tuple[type[AES | TripleDES], int],
    empty: str | None,
    password: Secret[str] | None,
) -> bytes | None:
    make, size = cipher
    if scheme.digest:
        key, iv = _by_pbkdf2(scheme, size, password), scheme.iv
    else:
        key = _by_pkcs12(scheme, "sha1", (_KEY_ID, size), _bmp(password, empty))
        iv = _by_pkcs12(scheme, "sha1", (_IV_ID, 8), _bmp(password, empty))
    algorithm: BlockCipherAlgorithm = make(key)
    if len(iv) * 8 != algorithm.block_size or not content or len(content) % len(iv):
        raise Unreadable
    decryptor, unpadder = Cipher(algorithm, CBC(iv)).decryptor(), PKCS7(algorithm.block_size).unpadder()
    try:
        return unpadder.update(decryptor.update(content) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        return None


def _mac(seal: Seal, content: bytes, empty: str | None, password: Secret[str] | None) -> bytes:
    scheme = seal.scheme
    if scheme.digest:
        key = _by_pbkdf2(scheme, seal.key_bytes, password)
    else:
        key = _by_pkcs12(scheme, seal.digest, (_MAC_ID, seal.key_bytes), _bmp(password, empty))
    return hmac.digest(key, content, seal.digest)


def _by_pbkdf2(scheme: Scheme, size: int, password: Secret[str] | None) -> bytes:
    text = b"" if password is None else password.reveal().encode(errors="surrogatepass")
    return hashlib.pbkdf2_hmac(scheme.digest, text, scheme.salt, scheme.iterations, size)


def _bmp(password: Secret[str] | None, empty: str | None) -> bytes:
    """A password as RFC 7292 §B.1 writes it: UTF-16, most significant byte first, and a NUL behind it."""
    if password is not None:
        return password.reveal().encode("utf-16-be", "surrogatepass") + b"\0\0"
    return b"" if empty is None else b"\0\0"


def _by_pkcs12(scheme: Scheme, digest: str, wanted: tuple[int, int], password: bytes) -> bytes:
    """The derivation of RFC 7292 §B.2, step by step."""
    purpose, size = wanted
    make = getattr(hashlib, digest)  # twice as fast as hashlib.new, and called up to ten million times
    block = make().block_size
    diversifier = bytes([purpose]) * block
    filled = _filled(scheme.salt, block) + _filled(password, block)
    made = b""
    while len(made) < size:
        hashed: bytes = make(diversifier + filled).digest()
        for _ in range(scheme.iterations - 1):
            hashed = make(hashed).digest()
        made += hashed
        added = int.from_bytes(_filled(hashed, block)[:block]) + 1
        parts = [int.from_bytes(filled[at : at + block]) + added for at in range(0, len(filled), block)]
        filled = b"".join((part % (1 << 8 * block)).to_bytes(block) for part in parts)
    return made[:size]


def _filled(text: bytes, block: int) -> bytes:
    """A text, repeated until it fills whole blocks."""
    size = -(-len(text) // block) * block
    return (text * (size // len(text) + 1))[:size] if text else b""
