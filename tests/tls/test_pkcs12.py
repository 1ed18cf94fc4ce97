"""PKCS#12, element by element: what only a file that was made by hand has, and how much work one may ask for."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from wellkept import Secret
from wellkept.errors import BundleError
from wellkept.tls.der import Element, read_element
from wellkept.tls.enrol import KEYS, self_signed
from wellkept.tls.keystore import KeyEntry, read_identity, read_stored, read_trust
from wellkept.tls.stored import Unreadable

PASSWORD = "store-CANARY-1"
STORE = Secret(PASSWORD)
TEN_MILLIONS = 10_000_000


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size) + body


def number(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    coded = b""
    for arc in (first * 40 + second, *rest):
        part = bytes([arc & 0x7F])
        while arc := arc >> 7:
            part = bytes([0x80 | arc & 0x7F]) + part
        coded += part
    return der(6, coded)


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def octets(value: bytes) -> bytes:
    return der(4, value)


DATA = oid("1.2.840.113549.1.7.1")
BAG = "1.2.840.113549.1.12.10.1."
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"))
AES_256_CBC = "2.16.840.1.101.3.4.1.42"
HMAC_SHA256 = sequence(oid("1.2.840.113549.2.9"))


def data_part(content: bytes) -> bytes:
    return sequence(DATA, der(0xA0, octets(content)))


def file(*parts: bytes, mac: bytes = b"") -> bytes:
    return sequence(number(3), data_part(sequence(*parts)), mac)


def old_mac(rounds: int) -> bytes:
    return sequence(sequence(SHA256, octets(bytes(32))), octets(b"saltsalt"), number(rounds))


def pbkdf2(rounds: int, *more: bytes) -> bytes:
    return sequence(oid("1.2.840.113549.1.5.12"), sequence(octets(b"saltsalt"), number(rounds), *more))


def encrypted_part(algorithm: bytes, content: bytes = bytes(16)) -> bytes:
    info = sequence(DATA, algorithm, der(0x80, content))
    return sequence(oid("1.2.840.113549.1.7.6"), der(0xA0, sequence(number(0), info)))


def pbes2(
    rounds: int, *, cipher: str = "2.16.840.1.101.3.4.1.42", iv: bytes = bytes(16), prf: bytes = HMAC_SHA256
) -> bytes:
    scheme = sequence(pbkdf2(rounds, prf), sequence(oid(cipher), octets(iv)))
    return sequence(oid("1.2.840.113549.1.5.13"), scheme)


def old_scheme(rounds: int) -> bytes:
    return sequence(oid("1.2.840.113549.1.12.1.3"), sequence(octets(b"saltsalt"), number(rounds)))


def bag(kind: int, value: bytes, *attributes: bytes) -> bytes:
    return sequence(oid(f"{BAG}{kind}"), der(0xA0, value), der(0x31, *attributes) if attributes else b"")


def named(name: str) -> bytes:
    return sequence(oid("1.2.840.113549.1.9.20"), der(0x31, der(0x1E, name.encode("utf-16-be"))))


def certificate_bag(entry: KeyEntry, *attributes: bytes, kind: str = "1.2.840.113549.1.9.22.1") -> bytes:
    held = sequence(oid(kind), der(0xA0, octets(entry.certificate.public_bytes(Encoding.DER))))
    return bag(3, held, *attributes)


def key_bag(entry: KeyEntry, *attributes: bytes) -> bytes:
    return bag(1, entry.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), *attributes)


def own() -> KeyEntry:
    return self_signed("x", KEYS["p256"](), "a.test", ["a.test"], now=datetime.now(UTC), days=9)


def refusal(data: bytes, password: Secret[str] | None = STORE) -> str:
    with pytest.raises(BundleError) as caught:
        read_stored(data, password, place="x.p12")
    return caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        file(mac=old_mac(TEN_MILLIONS + 1)),
        file(encrypted_part(pbes2(TEN_MILLIONS + 1))),
        file(encrypted_part(old_scheme(TEN_MILLIONS // 3 + 1))),
        file(encrypted_part(pbes2(2**62))),
    ],
    ids=["mac", "pbes2", "3des", "huge"],
)
def test_a_file_that_asks_for_more_work_than_is_bearable_is_refused_at_once(data: bytes) -> None:
    assert "asks for more than 10,000,000 rounds of hashing" in refusal(data)


def test_the_work_of_a_sealed_key_is_bounded_too() -> None:
    entry = own()
    sealed = bag(2, sequence(pbes2(TEN_MILLIONS + 1), octets(bytes(16))), named("x"))
    with pytest.raises(BundleError, match="rounds of hashing"):
        read_identity(file(data_part(sequence(sealed, certificate_bag(entry, named("x"))))), STORE, place="x.p12")


def test_a_key_finds_its_certificate_by_itself_where_no_id_and_no_name_ties_them() -> None:
    first, second = own(), own()
    bags = sequence(key_bag(second), certificate_bag(first), certificate_bag(second))
    entry = read_identity(file(data_part(bags)), None, place="x.p12")
    assert (entry.alias, entry.certificate) == ("1", second.certificate)


@pytest.mark.parametrize(
    ("key", "fact"),
    [
        (
            x25519.X25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "holds a key x of a kind that TLS does not use",
        ),
        (sequence(number(0), octets(b"CANARY")), "holds a key x that is damaged or cut off"),
    ],
    ids=["x25519", "damaged"],
)
def test_a_key_that_tls_cannot_use_is_told(key: bytes, fact: str) -> None:
    data = file(data_part(sequence(bag(1, key, named("x")), certificate_bag(own(), named("x")))))
    with pytest.raises(BundleError) as caught:
        read_identity(data, None, place="x.p12")
    assert caught.value.message == f"x.p12: {fact}"


def test_bags_in_bags_are_read_as_deep_as_anybody_could_mean_it() -> None:
    entry = own()
    content = certificate_bag(entry, named("ca"))
    for _ in range(4):
        content = bag(6, sequence(content))
    assert read_trust(file(data_part(sequence(content))), None, place="x.p12") == (entry.certificate,)
    deeper = bag(6, sequence(content))
    assert refusal(file(data_part(sequence(deeper)))) == "x.p12: is damaged or cut off"


def test_a_file_may_not_hold_any_number_of_entries() -> None:
    crl = bag(4, sequence())
    assert "holds more than 2,000 entries" in refusal(file(data_part(sequence(*[crl] * 2001))))


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (sequence(number(3), sequence(oid("1.2.840.113549.1.7.2"), der(0xA0, b""))), "is signed with a key"),
        (file(sequence(oid("1.2.840.113549.1.7.3"), der(0xA0, b""))), "holds a part that is sealed with a key"),
        (file(encrypted_part(sequence(oid("1.2.3"), sequence()))), "is encrypted in a way that is not known (1.2.3)"),
        (file(encrypted_part(pbes2(1, cipher="1.2.4"))), "is encrypted with a cipher that is not known (1.2.4)"),
        (file(encrypted_part(pbes2(1, prf=sequence(oid("1.2.5"))))), "uses a hash that is not known (1.2.5)"),
        (file(encrypted_part(pbes2(1, iv=b""))), "is damaged or cut off"),
        (file(encrypted_part(pbes2(0))), "is damaged or cut off"),
        (file(encrypted_part(pbes2(1))), "cannot be opened: the password is wrong, or the file was changed"),
        (file(data_part(sequence(certificate_bag(own(), kind="1.2.6")))), "holds a certificate that is not X.509"),
        (b"0\x80\x02\x01\x030\x80", "is PKCS#12 in an older encoding (BER) that cannot be read here"),
    ],
    ids=["signed", "enveloped", "scheme", "cipher", "hash", "iv", "zero", "garbage", "sdsi", "ber"],
)
def test_what_cannot_be_read_is_told_in_words(data: bytes, fact: str) -> None:
    assert refusal(data).startswith(f"x.p12: {fact}")


@pytest.mark.parametrize("password", [PASSWORD, "wrong-CANARY"])
def test_the_mac_of_rfc_9579_is_verified(password: str) -> None:
    content = sequence(data_part(sequence(certificate_bag(own(), named("ca")))))
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"saltsalt", 2048, 32)
    kdf = pbkdf2(2048, number(32), HMAC_SHA256)
    algorithm = sequence(oid("1.2.840.113549.1.5.14"), sequence(kdf, HMAC_SHA256))
    mac = sequence(sequence(algorithm, octets(hmac.digest(key, content, "sha256"))), octets(b""), number(2))
    data = sequence(number(3), data_part(content), mac)
    if password == PASSWORD:
        assert len(load_pkcs12(data, password.encode()).additional_certs) == 1  # OpenSSL thinks so, too
        assert len(read_trust(data, Secret(password), place="x.p12")) == 1
    else:
        assert "the password is wrong" in refusal(data, Secret(password))


@pytest.mark.parametrize("name", ["1.2.840.113549.1.12.10.1.3", "2.16.840.1.113894.746875.1.1", "0.9", "1.39"])
def test_an_object_identifier_is_read_as_it_is_written(name: str) -> None:
    assert read_element(oid(name)).oid() == name


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x01", b"\x30\x85\0\0\0\0\0", b"\x3f\x01\0", b"\x02\0\x02\0"],
    ids=lambda data: data.hex(),
)
def test_what_is_no_element_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_element(data)


def test_an_element_is_only_what_it_says() -> None:
    for call in (
        lambda: Element(4, b"", b"").number(),
        lambda: Element(2, b"", b"").number(),
        lambda: Element(2, b"\x80", b"").number(),
        lambda: Element(6, b"\x80", b"").oid(),
        lambda: Element(0x30, b"", b"").only(4),
        lambda: Element(0x30, b"", b"").parts(at_least=1),
    ):
        with pytest.raises(Unreadable):
            call()
