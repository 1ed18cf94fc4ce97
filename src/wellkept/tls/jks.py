"""JKS, the keystore of Java before 9: its entries, and the keys that Sun's own protector seals. No I/O here.

Written after the JDK's `sun.security.provider.JavaKeyStore` and `KeyProtector`. The file: magic,
version, entries, and a SHA-1 of the password and all before it, which tells a wrong password.
A key lies under a keystream of SHA-1 of its password and the block before; a SHA-1 of
password and key stands behind it. Old as that is, it is only read here and never written.
"""

import struct
from hashlib import sha1
from hmac import compare_digest

from cryptography import x509

from wellkept.secret import Secret
from wellkept.tls.der import OCTET_STRING, read_element
from wellkept.tls.stored import (
    COPY_AGAIN,
    GIVE_PASSWORD,
    WRONG_PASSWORD,
    Stored,
    StoredKey,
    Unreadable,
    read_certificate,
)

MAGIC = b"\xfe\xed\xfe\xed"
FORM = "JKS"

_WHITENER = b"Mighty Aphrodite"  # stands between password and content, so that no other SHA-1 serves as this one
_DIGEST_BYTES = 20
_SUN_PROTECTOR = "1.3.6.1.4.1.42.2.17.1.1"
_MAX_KEY_BYTES = 1 << 16  # RSA of 16384 bits takes 9 KiB
_VERSIONS = frozenset({1, 2})  # a certificate of version 1 has no type before it
_KEY, _TRUSTED = 1, 2


def read_jks(data: bytes, password: Secret[str]) -> Stored:
    """What a JKS file holds; its keys stay sealed.

    The structure is judged before the password, so that a file that is cut off is not called a wrong password.

    Raises:
        Unreadable: it is damaged or cut off, or the password is not its own.
    """
    reader = _Reader(data[: max(len(data) - _DIGEST_BYTES, 0)])
    reader.take(len(MAGIC))
    version = reader.number()
    if version not in _VERSIONS:
        raise Unreadable(f"is JKS of version {version}, which is not known")
    keys: list[StoredKey] = []
    trusted: list[tuple[str, x509.Certificate]] = []
    for _ in range(reader.number()):  # each takes bytes, so what is left bounds it
        kind, alias = reader.number(), reader.text()
        reader.take(8)  # when it was made
        if kind == _KEY:
            sealed = reader.take(reader.number())
            chain = tuple(_certificate(reader, version, alias) for _ in range(reader.number()))
            keys.append(StoredKey(alias, sealed, chain))
        elif kind == _TRUSTED:
            trusted.append((alias, _certificate(reader, version, alias)))
        else:
            raise Unreadable
    if not reader.is_done:
        raise Unreadable
    if not _is_whole(data, password):
        raise Unreadable(WRONG_PASSWORD, hint=GIVE_PASSWORD)
    return Stored(FORM, tuple(keys), tuple(trusted))


def unseal(sealed: bytes, password: Secret[str]) -> bytes | None:
    """The key behind Sun's protector, in PKCS#8; None where the password is not its own.

    Raises:
        Unreadable: it is not sealed that way.
    """
    algorithm, body, *_ = read_element(sealed).parts(at_least=2)
    if algorithm.parts(at_least=1)[0].oid() != _SUN_PROTECTOR:
        raise Unreadable("protects its key in a way that is not known", hint=COPY_AGAIN)
    held = body.of(OCTET_STRING)
    salt, hidden, check = held[:_DIGEST_BYTES], held[_DIGEST_BYTES:-_DIGEST_BYTES], held[-_DIGEST_BYTES:]
    if not 2 * _DIGEST_BYTES < len(held) <= _MAX_KEY_BYTES:
        raise Unreadable
    stream = _stream(_encoded(password), salt, len(hidden))
    key = (int.from_bytes(hidden) ^ int.from_bytes(stream)).to_bytes(len(hidden))
    return key if compare_digest(sha1(_encoded(password) + key).digest(), check) else None  # noqa: S324 the format's


class _Reader:
    """Takes what Java's DataOutputStream wrote, from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        taken = self._data[self._at : self._at + size]
        if len(taken) < size:
            raise Unreadable
        self._at += size
        return taken

    def number(self) -> int:
        """The next whole number."""
        value: int = struct.unpack(">I", self.take(4))[0]
        return value

    def text(self) -> str:
        """The next text, in Java's modified UTF-8: NUL in two bytes, and surrogates one by one."""
        raw = self.take(int.from_bytes(self.take(2))).replace(b"\xc0\x80", b"\0")
        pairs = raw.decode(errors="surrogatepass" if _is_text(raw) else "replace")
        return pairs.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._data)


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _certificate(reader: _Reader, version: int, alias: str) -> x509.Certificate:
    if version > 1 and reader.text() != "X.509":
        raise Unreadable("holds a certificate that is not X.509")
    return read_certificate(reader.take(reader.number()), alias)


def _is_whole(data: bytes, password: Secret[str]) -> bool:
    content, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    return compare_digest(sha1(_encoded(password) + _WHITENER + content).digest(), digest)  # noqa: S324 the format's


def _encoded(password: Secret[str]) -> bytes:
    return password.reveal().encode("utf-16-be", "surrogatepass")


def _stream(password: bytes, salt: bytes, size: int) -> bytes:
    """The keystream: each block is the SHA-1 of the password and the block before."""
    made, block = bytearray(), salt
    while len(made) < size:
        block = sha1(password + block).digest()  # noqa: S324 the format's
        made += block
    return bytes(made[:size])
