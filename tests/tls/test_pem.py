"""PEM: whatever a file holds, it is read, or refused with `BundleError`; nothing else, and never for long."""

import time
from base64 import b64decode
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tls.bad import der_of, pem
from tests.tls.pki import CA, Leaf, new_key
from wellkept.errors import BundleError
from wellkept.secret import Secret
from wellkept.tls.judge import findings_of
from wellkept.tls.pem import content_of, is_pem, read_blocks, read_certificates, read_key
from wellkept.tls.policy import Policy
from wellkept.tls.source import read_parts

PASSWORD = Secret("right-CANARY")
LINES = st.sampled_from(
    [
        b"-----BEGIN CERTIFICATE-----",
        b"-----END CERTIFICATE-----",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----END PRIVATE KEY-----",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
        b"-----BEGIN RSA PRIVATE KEY-----",
        b"-----END RSA PRIVATE KEY-----",
        b"-----BEGIN X509 CRL-----",
        b"-----BEGIN -----",
        b"-----BEGIN \xff-----",
        b"Proc-Type: 4,ENCRYPTED",
        b"DEK-Info: AES-256-CBC,00",
        b"MIIB",
        b"AAAA",
        b"",
        b"\xef\xbb\xbf",
    ]
)


@cache
def good() -> Leaf:
    return CA().issue("localhost")


@cache
def texts() -> tuple[bytes, ...]:
    leaf = good()
    return (
        leaf.cert_pem,
        leaf.key_pem,
        leaf.cert_pem + leaf.key_pem,
        leaf.key_pem_as("sec1"),
        leaf.key_pem_as("pkcs8", PASSWORD.reveal()),
        leaf.key_pem_as("sec1", PASSWORD.reveal()),
    )


def read_all(data: bytes) -> None:
    """Read data in every way; only a `BundleError` may come out, and it names the place."""
    for read in (
        lambda: read_blocks(data, place="file"),
        lambda: read_certificates(data, place="file"),
        lambda: read_key(data, None, place="file"),
        lambda: read_key(data, PASSWORD, place="file"),
        lambda: judged(data),
    ):
        fault: BundleError | None = None
        try:
            read()
        except BundleError as refused:
            fault = refused
        if fault is not None:
            assert fault.message.startswith("file")
            assert fault.hint
            assert "CANARY" not in str(fault)
            assert fault.__context__ is None
    assert isinstance(content_of(data), str)
    assert isinstance(is_pem(data), bool)


def judged(data: bytes) -> None:
    """What becomes of data as the certificate and the trust of a server."""
    parts = read_parts(certificate=data, key=good().key_pem, trust=data, place="file")
    findings_of(parts, Policy(is_server=True), now=datetime.now(UTC))


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_all(data)


@given(st.lists(LINES, max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r", b""]))
def test_any_lines_of_pem_are_read_or_refused(lines: list[bytes], end: bytes) -> None:
    read_all(end.join(lines))


@given(data=st.data(), which=st.integers(0, 5))
def test_a_file_with_a_changed_piece_is_read_or_refused(data: st.DataObject, which: int) -> None:
    text = texts()[which]
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 40))
    piece = data.draw(st.binary(max_size=40))
    read_all(text[:at] + piece + text[at + length :])


@given(data=st.data(), which=st.integers(0, 5))
def test_a_file_that_is_cut_off_is_read_or_refused(data: st.DataObject, which: int) -> None:
    text = texts()[which]
    read_all(text[: data.draw(st.integers(0, len(text)))])


@given(data=st.data())
def test_a_certificate_with_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    der = bytearray(der_of(good()))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    read_all(pem(bytes(der)))


def test_a_certificate_with_any_one_byte_changed_is_read_or_refused() -> None:
    der = der_of(good())
    for at in range(len(der)):
        changed = bytearray(der)
        changed[at] ^= 0x55
        read_all(pem(bytes(changed)))


@given(data=st.data())
def test_a_key_with_a_changed_byte_is_read_or_refused(data: st.DataObject) -> None:
    der = bytearray(good().key_pem_as("der"))
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    read_all(pem(bytes(der), "PRIVATE KEY"))


@given(st.binary(max_size=500), st.sampled_from(["CERTIFICATE", "PRIVATE KEY", "EC PRIVATE KEY", "X509 CRL"]))
@example(b"", "CERTIFICATE")
def test_any_bytes_in_a_block_are_read_or_refused(der: bytes, label: str) -> None:
    read_all(pem(der, label))


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN CERTIFICATE-----\n" * 20_000,
        b"-----END CERTIFICATE-----\n" * 20_000,
        b"-----BEGIN A-----\n-----END A-----\n" * 15_000,
        b"-----BEGIN " + b"A" * 1_000_000,
        b"-" * 1_000_000,
        b"\n" * 1_000_000,
        b"-----BEGIN CERTIFICATE-----" + b" " * 1_000_000,
    ],
    ids=["begins", "ends", "blocks", "a long label", "dashes", "empty lines", "blanks"],
)
def test_a_large_file_takes_no_long_time(data: bytes) -> None:
    began = time.thread_time()  # what other work the machine has does not count
    with pytest.raises(BundleError):
        read_certificates(data, place="file")
    assert time.thread_time() - began < 5


def test_a_file_with_many_certificates_says_that_they_are_too_many() -> None:
    with pytest.raises(BundleError, match="more than 1000"):
        read_certificates(good().pem * 1001, place="file")


def test_a_key_whose_password_takes_too_long_to_derive_is_refused_soon() -> None:
    leaf = good()
    der = pem_body(leaf.key_pem_as("pkcs8", PASSWORD.reveal()))
    slow = with_iterations(der, 100_000_000)
    began = time.thread_time()
    with pytest.raises(BundleError):
        read_key(pem(slow, "ENCRYPTED PRIVATE KEY"), PASSWORD, place="file")
    assert time.thread_time() - began < 5


def pem_body(text: bytes) -> bytes:
    return b64decode(b"".join(text.splitlines()[1:-1]))


def with_iterations(der: bytes, count: int) -> bytes:
    """The same PBES2 with another count of iterations; the lengths of all that is around it are mended."""
    salt = der.index(bytes.fromhex("2a864886f70d01050c")) + 9  # PBKDF2
    at = salt + 2 + 2 + der[salt + 3]  # SEQUENCE, OCTET STRING of the salt
    assert der[at] == 0x02
    old = der[at : at + 2 + der[at + 1]]
    body = count.to_bytes(4, "big")
    new = b"\x02" + bytes([len(body)]) + body
    grown = len(new) - len(old)
    made = bytearray(der[:at] + new + der[at + len(old) :])
    for start in enclosing(der, at):
        bump(made, start, grown)
    return bytes(made)


def enclosing(der: bytes, at: int) -> list[int]:
    """Where the elements begin that hold a place."""
    found: list[int] = []
    start, end = 0, len(der)
    while start < end:
        size, head = length(der, start)
        if start < at < start + head + size:
            found.append(start)
            start, end = start + head, start + head + size
        else:
            start += head + size
    return found


def length(der: bytes, start: int) -> tuple[int, int]:
    first = der[start + 1]
    if first < 0x80:
        return first, 2
    count = first & 0x7F
    return int.from_bytes(der[start + 2 : start + 2 + count], "big"), 2 + count


def bump(der: bytearray, start: int, by: int) -> None:
    first = der[start + 1]
    if first < 0x80:
        der[start + 1] += by
        assert der[start + 1] < 0x80
        return
    count = first & 0x7F
    size = int.from_bytes(der[start + 2 : start + 2 + count], "big") + by
    der[start + 2 : start + 2 + count] = size.to_bytes(count, "big")


def test_a_block_begins_where_its_line_says() -> None:
    blocks = read_blocks(b"text\n\n" + good().pem + b"more\n" + good().key_pem, place="file")
    assert [(one.label, one.line) for one in blocks] == [
        ("CERTIFICATE", 3),
        ("PRIVATE KEY", 4 + good().pem.count(b"\n")),
    ]


@pytest.mark.parametrize("label", ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"])
def test_the_old_labels_of_certificates_are_read(label: str) -> None:
    text = good().pem.replace(b"CERTIFICATE", label.encode())
    assert read_certificates(text, place="file") == (good().certificate,)


def test_nothing_of_a_block_stands_in_its_repr() -> None:
    (block,) = read_blocks(good().key_pem, place="file")
    assert "MIG" not in repr(block)
    assert block.is_key


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384", "ed25519", "ed448"])
def test_every_kind_of_key_is_read(kind: str) -> None:
    key = new_key(kind)
    leaf = Leaf(good().certificate, key)
    assert read_key(leaf.key_pem, None, place="file").public_key() == key.public_key()


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"x", "holds something else"),
        (b"-----BEGIN CERT", "perhaps cut off"),
        (b"\xfe\xed\xfe\xed", "is a Java keystore"),
        (b"\x30\x00", "is binary (DER), not PEM"),
    ],
)
def test_what_a_file_holds_is_said_in_words(data: bytes, fact: str) -> None:
    assert fact in content_of(data)


def test_what_a_good_file_holds_is_said_in_words() -> None:
    leaf = good()
    assert content_of(leaf.cert_pem + leaf.key_pem) == "holds a certificate and a private key"
    assert content_of(leaf.certificate.public_bytes(Encoding.DER)) == "is a certificate in DER, not PEM"
    assert content_of(leaf.p12("store-CANARY")) == "is a PKCS#12 keystore"
