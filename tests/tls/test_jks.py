"""JKS, byte by byte: stores that this file writes as Java does, and what is said of broken ones."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wellkept import Secret
from wellkept.errors import BundleError
from wellkept.tls.enrol import KEYS, self_signed
from wellkept.tls.keystore import KeyEntry, read_identity, read_stored, read_trust

PASSWORD = "store-CANARY-ü𝄞"
KEY_PASSWORD = "key-CANARY-2"
STORE = Secret(PASSWORD)
SUN = bytes.fromhex("300e060a2b060104012a021101010500")  # its algorithm identifier, as keytool writes it
OTHER = bytes.fromhex("300e060a2b060104012a021101020500")


@dataclass
class Entry:
    """One entry, as it is written."""

    kind: int
    alias: bytes
    body: bytes


def digest(data: bytes) -> bytes:
    return sha1(data).digest()  # noqa: S324 the format's own


def text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def block(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def store(*entries: Entry, version: int = 2, password: str = PASSWORD, count: int | None = None) -> bytes:
    """A whole file, with the digest that its password makes."""
    data = struct.pack(">III", 0xFEEDFEED, version, len(entries) if count is None else count)
    for one in entries:
        data += struct.pack(">I", one.kind) + text(one.alias) + bytes(8) + one.body
    return data + digest(password.encode("utf-16-be") + b"Mighty Aphrodite" + data)


def certificate(entry: KeyEntry, version: int = 2, kind: bytes = b"X.509") -> bytes:
    return (text(kind) if version > 1 else b"") + block(entry.certificate.public_bytes(Encoding.DER))


def der(tag: int, value: bytes) -> bytes:
    size = len(value)
    return bytes([tag, 0x84]) + struct.pack(">I", size) + value


def seal(key: bytes, password: str = KEY_PASSWORD, algorithm: bytes = SUN) -> bytes:
    """Sun's protector, written as in the JDK."""
    secret, salt = password.encode("utf-16-be"), bytes(range(20))
    stream, piece = b"", salt
    while len(stream) < len(key):
        piece = digest(secret + piece)
        stream += piece
    hidden = bytes(one ^ other for one, other in zip(key, stream, strict=False))
    return der(0x30, algorithm + der(0x04, salt + hidden + digest(secret + key)))


def own() -> KeyEntry:
    return self_signed("x", KEYS["p256"](), "a.test", ["a.test"], now=datetime.now(UTC), days=9)


def key_of(entry: KeyEntry) -> bytes:
    return entry.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_entry(entry: KeyEntry, *, chain: bytes | None = None, sealed: bytes | None = None) -> Entry:
    whole = certificate(entry) if chain is None else chain
    count = 0 if chain == b"" else 1
    return Entry(1, b"server", block(sealed or seal(key_of(entry))) + struct.pack(">I", count) + whole)


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_are_read(version: int) -> None:
    entry = own()
    data = store(Entry(2, b"ca", certificate(entry, version)), version=version)
    assert read_trust(data, STORE, place="x.jks") == (entry.certificate,)


def test_a_key_is_opened_with_its_own_password() -> None:
    entry = own()
    read = read_identity(store(key_entry(entry)), STORE, place="x.jks", key_password=Secret(KEY_PASSWORD))
    assert (read.alias, read.certificate) == ("server", entry.certificate)
    assert key_of(read) == key_of(entry)


def test_aliases_are_in_the_utf_8_of_java() -> None:
    alias = b"\xc0\x80\xc3\xbc\xed\xa0\xb4\xed\xb4\x9e"  # NUL in two bytes, and a pair of surrogates
    stored = read_stored(store(Entry(2, alias, certificate(own()))), STORE, place="x.jks")
    assert stored.trusted[0][0] == "\0ü𝄞"
    stored = read_stored(store(Entry(2, b"\xff", certificate(own()))), STORE, place="x.jks")
    assert stored.trusted[0][0] == "\ufffd"


def test_an_alias_cannot_move_the_cursor_of_who_reads_the_message() -> None:
    data = store(*[Entry(1, bytes([27, 65 + at]), key_entry(own()).body) for at in range(12)])
    with pytest.raises(BundleError) as caught:
        read_identity(data, STORE, place="x.jks")
    assert caught.value.message.isprintable()
    assert caught.value.message.endswith("and 2 more")


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (store(version=3), "is JKS of version 3, which is not known"),
        (store(Entry(3, b"secret", b"")), "is damaged or cut off"),
        (store(count=2_000_000_000), "is damaged or cut off"),
        (store(count=0)[:-20] + b"more" + bytes(20), "is damaged or cut off"),
        (store()[:14], "is damaged or cut off"),
        (store(Entry(2, b"ca", certificate(own(), kind=b"PGP"))), "holds a certificate that is not X.509"),
        (store(Entry(2, b"ca", text(b"X.509") + block(b"CANARY"))), "holds a certificate ca that cannot be read"),
        (store(), "holds no private key"),
    ],
    ids=["version", "kind", "count", "more", "short", "pgp", "garbage", "empty"],
)
def test_what_cannot_be_read_is_told_in_words(data: bytes, fact: str) -> None:
    with pytest.raises(BundleError) as caught:
        read_identity(data, STORE, place="x.jks")
    assert caught.value.message == f"x.jks: {fact}"


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        (lambda one: key_entry(one, chain=b""), "holds the key server without a certificate"),
        (
            lambda one: key_entry(one, chain=certificate(own())),
            "holds a key server that is not that of its certificate",
        ),
        (lambda one: key_entry(one, sealed=seal(key_of(one), "x-CANARY")), "holds the key server, which this password"),
        (lambda one: key_entry(one, sealed=seal(b"CANARY")), "holds a key server that is damaged or cut off"),
        (lambda one: key_entry(one, sealed=seal(b"")), "is damaged or cut off"),
        (lambda one: key_entry(one, sealed=seal(b"x", algorithm=OTHER)), "protects its key in a way that is not known"),
        (lambda one: key_entry(one, sealed=seal(bytes(1 << 16))), "is damaged or cut off"),
    ],
    ids=["no chain", "other chain", "password", "garbage", "empty", "algorithm", "large"],
)
def test_a_key_that_cannot_be_used_is_told_in_words(broken: object, fact: str) -> None:
    data = store(broken(own()))  # type: ignore[operator] # parametrize knows no types
    with pytest.raises(BundleError) as caught:
        read_identity(data, STORE, place="x.jks", key_password=Secret(KEY_PASSWORD))
    assert caught.value.message.startswith(f"x.jks: {fact}")
    assert "CANARY" not in str(caught.value)


def test_a_truststore_without_a_certificate_is_told() -> None:
    with pytest.raises(BundleError, match=r"x\.jks: holds no certificate"):
        read_trust(store(), STORE, place="x.jks")
