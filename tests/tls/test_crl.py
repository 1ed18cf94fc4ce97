"""Revocation lists: what is read, what is named before it hurts, and that OpenSSL sees it the same way."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.tls.pki import CA, DAY, HOUR, Key, Leaf, chain_of
from wellkept.errors import BundleError
from wellkept.tls.crl import Crl, CrlFault, CrlProblem, is_revoked, judge, read_crls

NOW = datetime.now(UTC)
SOME_REASONS = frozenset([x509.ReasonFlags.key_compromise])
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")


def point(
    *,
    user_certs: bool = False,
    ca_certs: bool = False,
    attribute_certs: bool = False,
    indirect: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
) -> x509.IssuingDistributionPoint:
    """What a list says that it is a part of."""
    return x509.IssuingDistributionPoint(None, None, user_certs, ca_certs, reasons, indirect, attribute_certs)


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_crl(pem).public_bytes(Encoding.DER)


def crl_of(
    ca: CA, *extensions: x509.ExtensionType, age: timedelta = HOUR, key: Key | None = None, revoked: Sequence[Leaf] = ()
) -> bytes:
    """A list with critical extensions of a test's choice, or signed by another key in the name of the CA."""
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.certificate.public_key())  # type: ignore[arg-type]  # a key that signs
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(NOW - age).next_update(NOW + DAY)
    builder = builder.add_extension(own, critical=False).add_extension(x509.CRLNumber(1), critical=False)
    for one in extensions:
        builder = builder.add_extension(one, critical=True)
    for leaf in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(leaf.certificate.serial_number)
        builder = builder.add_revoked_certificate(entry.revocation_date(NOW - HOUR).build())
    return builder.sign(key or ca.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def read(*pems: bytes) -> tuple[Crl, ...]:
    return tuple(one for pem in pems for one in read_crls(pem, place="ca.crl"))


def faults(ca: CA | Sequence[CA], *pems: bytes) -> list[CrlFault]:
    cas = [ca] if isinstance(ca, CA) else ca
    # Not the moment of the import: a long run would be minutes behind the lists that it makes.
    return judge(read(*pems), [one.certificate for one in cas], now=datetime.now(UTC))


def kinds(ca: CA | Sequence[CA], *pems: bytes) -> list[CrlProblem]:
    return [one.kind for one in faults(ca, *pems)]


def what_openssl_says(leaf: Leaf, trust: CA | Sequence[CA], folder: Path, *pems: bytes) -> str:
    """What a client says that checks lists: empty, or OpenSSL's reason."""
    cas = [trust] if isinstance(trust, CA) else trust
    file = folder / "trust.pem"
    file.write_bytes(b"".join([*(one.pem for one in cas), *pems]))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*leaf.write(folder / "secrets").pair)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(file)
    client.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_X509_STRICT
    out, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = client.wrap_bio(back, out, server_hostname="localhost"), server.wrap_bio(out, back, server_side=True)
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return str(error.verify_message)
    return ""


def test_a_file_may_hold_several_lists_in_pem() -> None:
    one, other = CA("One"), CA("Other")
    found = read_crls(b"# lists\n" + one.crl() + b"\n" + other.crl(), place="ca.crl")
    assert [crl.issuer for crl in found] == [one.certificate.subject, other.certificate.subject]
    assert {crl.place for crl in found} == {"ca.crl"}


def test_a_list_may_be_in_der_and_comes_out_in_pem() -> None:
    pem = CA().crl()
    (found,) = read_crls(der(pem), place="ca.crl")
    assert found.pem == pem
    assert found.next_update is not None
    assert found.last_update < NOW < found.next_update


def test_a_list_without_an_entry_can_be_read() -> None:
    assert len(read(CA().crl())[0].crl) == 0


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "it is empty"),
        (b"hello", "it holds something else"),
        (CA().pem, "it holds a certificate"),
        (b"\x30\x03\x02\x01\x01", "it is binary, and damaged or something else"),
        (CA().certificate.public_bytes(Encoding.DER), "it is a certificate in DER, not PEM"),
        (der(CA().crl())[:-9], "it is binary, and damaged or something else"),
        (CA().issue("localhost").p12("CANARY"), "it is a PKCS#12 keystore"),
    ],
)
def test_what_is_no_list_is_named_with_what_it_is(data: bytes, fact: str) -> None:
    with pytest.raises(BundleError) as caught:
        read_crls(data, place="ca.crl")
    assert caught.value.message == f"ca.crl: holds no revocation list: {fact}"
    assert caught.value.hint is not None
    assert "BEGIN X509 CRL" in caught.value.hint


def test_a_private_key_in_place_of_a_list_is_not_shown() -> None:
    key = CA().issue("localhost").key_pem
    with pytest.raises(BundleError, match=r"ca\.crl: holds no revocation list: it holds a private key") as caught:
        read_crls(key, place="ca.crl")
    frame = caught.tb.tb_next
    while frame is not None:
        assert key not in frame.tb_frame.f_locals.values()
        frame = frame.tb_next


def test_a_damaged_list_is_named_with_its_line() -> None:
    good = CA().crl()
    lines = CA().crl().splitlines(keepends=True)
    bad = b"".join([*lines[:2], *lines[3:]])
    with pytest.raises(BundleError) as caught:
        read_crls(good + bad, place="ca.crl")
    line = len(good.splitlines()) + 1
    assert caught.value.message == f"ca.crl:{line}: this revocation list is damaged or cut off"


def test_a_list_that_is_cut_off_is_named() -> None:
    with pytest.raises(BundleError, match=r"ca\.crl:1: a revocation list is cut off"):
        read_crls(CA().crl()[:-30], place="ca.crl")


def test_a_delta_is_refused_because_openssl_lets_it_hide_the_full_list(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    full, delta = crl_of(ca, revoked=[leaf]), crl_of(ca, x509.DeltaCRLIndicator(1), age=HOUR / 2)
    assert what_openssl_says(leaf, ca, tmp_path, full) == "certificate revoked"
    assert what_openssl_says(leaf, ca, tmp_path, full, delta) == ""
    with pytest.raises(BundleError, match=r"ca\.crl:1: is a delta"):
        read_crls(delta, place="ca.crl")


def test_good_lists_have_no_faults(tmp_path: Path) -> None:
    root, below = chain_of("Root", "Intermediate")
    assert faults([root, below], root.crl(), below.crl()) == []
    assert what_openssl_says(below.issue("localhost"), root, tmp_path, root.crl(), below.crl()) == ""


def test_a_ca_without_a_list_is_named_because_openssl_refuses_its_certificates(tmp_path: Path) -> None:
    ca, other = CA("Mine"), CA("Yours")
    (fault,) = faults([ca, other], other.crl())
    assert fault.kind is CrlProblem.MISSING
    assert fault.is_fatal
    assert fault.place == "ca.crl"
    assert fault.message.startswith("holds no revocation list of the CA Mine")
    assert (
        what_openssl_says(ca.issue("localhost"), [ca, other], tmp_path, other.crl()) == "unable to get certificate CRL"
    )


def test_a_missing_list_among_several_files_is_told_of_the_setting() -> None:
    ca = CA("Mine")
    lists = [*read_crls(CA("A").crl(), place="a.crl"), *read_crls(CA("B").crl(), place="b.crl")]
    found = judge(lists, [ca.certificate], now=NOW)
    assert [(one.kind.value, one.place) for one in found] == [
        ("missing", "crl"),
        ("foreign", "a.crl"),
        ("foreign", "b.crl"),
    ]
    assert judge([], [ca.certificate], now=NOW)[0].place == "crl"


def test_an_expired_list_is_named_because_openssl_refuses_all(tmp_path: Path) -> None:
    ca = CA("Mine")
    old = ca.crl(last_update=-2 * DAY, next_update=-DAY)
    (fault,) = faults(ca, old)
    assert (fault.kind, fault.is_fatal) == (CrlProblem.EXPIRED, True)
    assert "the revocation list of the CA Mine has expired: it was valid until" in fault.message
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, old) == "CRL has expired"


def test_an_expired_list_beside_a_current_one_does_no_harm(tmp_path: Path) -> None:
    ca = CA()
    lists = ca.crl(last_update=-2 * DAY, next_update=-DAY), ca.crl()
    assert kinds(ca, *lists) == []
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, *lists) == ""


def test_a_list_of_the_future_is_named(tmp_path: Path) -> None:
    ca = CA()
    early = ca.crl(last_update=HOUR, next_update=DAY)
    assert kinds(ca, early) == [CrlProblem.NOT_YET_VALID]
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, early) == "CRL is not yet valid"


@pytest.mark.parametrize(("left", "is_told"), [(HOUR, True), (3.9 * HOUR, True), (4.1 * HOUR, False), (DAY, False)])
def test_a_list_with_less_than_a_third_of_its_period_left_ends_soon(left: timedelta, is_told: bool) -> None:
    ca = CA()
    found = faults(ca, ca.crl(last_update=left - DAY / 2, next_update=left) if left < DAY else ca.crl())
    assert [one.kind for one in found] == [CrlProblem.SOON] * is_told
    assert not any(one.is_fatal for one in found)


def test_a_list_of_another_key_is_named_with_the_ca_whose_name_it_has(tmp_path: Path) -> None:
    ca = CA("Mine")
    forged = crl_of(ca, key=CA().key, age=HOUR / 2)
    assert kinds(ca, ca.crl(), forged) == [CrlProblem.WRONG_SIGNATURE]
    assert kinds(ca, forged) == [CrlProblem.MISSING, CrlProblem.WRONG_SIGNATURE]
    assert "in the name of the CA Mine, and not signed by its key" in faults(ca, forged)[1].message
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, ca.crl(), forged) == "CRL signature failure"


def test_a_list_of_nobody_that_is_trusted_is_told_and_does_no_harm(tmp_path: Path) -> None:
    ca, other = CA("Mine"), CA("Yours")
    (fault,) = faults(ca, ca.crl(), other.crl())
    assert (fault.kind, fault.is_fatal) == (CrlProblem.FOREIGN, False)
    assert fault.message == "is a revocation list of Yours, which is none of the trusted CAs"
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, ca.crl(), other.crl()) == ""


def test_two_cas_of_one_name_each_need_their_list() -> None:
    old, new = CA("Mine"), CA("Mine")
    assert kinds([old, new], old.crl(), new.crl()) == []
    assert kinds([old, new], new.crl()) == [CrlProblem.MISSING]


@pytest.mark.parametrize(
    "extension",
    [
        point(indirect=True),
        point(reasons=SOME_REASONS),
        point(ca_certs=True),
        point(attribute_certs=True),
        STRANGE,
    ],
)
def test_a_list_of_a_part_does_not_count_for_all(extension: x509.ExtensionType, tmp_path: Path) -> None:
    ca = CA()
    part = crl_of(ca, extension)
    assert kinds(ca, part) == [CrlProblem.MISSING, CrlProblem.PARTIAL]
    assert kinds(ca, part, ca.crl()) == [CrlProblem.PARTIAL]
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, part) != ""


def test_a_list_of_user_certificates_counts(tmp_path: Path) -> None:
    ca = CA()
    part = crl_of(ca, point(user_certs=True))
    assert kinds(ca, part) == []
    assert what_openssl_says(ca.issue("localhost"), ca, tmp_path, part) == ""


def test_a_ca_that_may_not_sign_lists_is_named(tmp_path: Path) -> None:
    ca = CA("Mine")
    usage = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    subject = ca.certificate.subject
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(ca.certificate.public_key())
    )
    builder = builder.serial_number(7).not_valid_before(NOW - HOUR).not_valid_after(NOW + DAY)
    for one in ca.certificate.extensions:
        value = usage if isinstance(one.value, x509.KeyUsage) else one.value
        builder = builder.add_extension(value, one.critical)
    ca.certificate = builder.sign(ca.key, hashes.SHA256())
    assert kinds(ca, ca.crl()) == [CrlProblem.MAY_NOT_SIGN]
    said = what_openssl_says(ca.issue("localhost"), ca, tmp_path, ca.crl())
    assert said == "key usage does not include CRL signing"


def test_a_leaf_that_is_trusted_itself_needs_the_list_of_its_issuer() -> None:
    ca = CA("Mine")
    leaf = ca.issue("localhost")
    (fault,) = judge([], [leaf.certificate], now=NOW)
    assert fault.kind is CrlProblem.MISSING
    assert "the issuer of localhost" in fault.message
    assert [one.kind for one in judge(read(ca.crl()), [leaf.certificate], now=NOW)] == [CrlProblem.FOREIGN]


def test_a_ca_whose_key_cannot_sign_has_signed_no_list() -> None:
    ca, key = CA("Mine"), X25519PrivateKey.generate().public_key()
    subject = ca.certificate.subject
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key).serial_number(7)
    made = builder.not_valid_before(NOW - HOUR).not_valid_after(NOW + DAY).sign(ca.key, hashes.SHA256())
    found = judge(read(ca.crl()), [made], now=NOW)
    assert [one.kind for one in found] == [CrlProblem.MISSING, CrlProblem.WRONG_SIGNATURE]


def test_every_fault_has_a_fix() -> None:
    ca = CA("Mine")
    pems = [
        crl_of(ca, key=CA().key),
        CA("Yours").crl(),
        crl_of(ca, STRANGE),
        ca.crl(last_update=-DAY, next_update=HOUR),
    ]
    found = faults([ca, CA("Third")], *pems)
    assert {one.kind for one in found} == set(CrlProblem) - {"expired", "not yet valid", "may not sign"}
    assert all(one.hint and "\n" not in one.hint and one.message[0].islower() for one in found)
    assert [one.is_fatal for one in found] == sorted((one.is_fatal for one in found), reverse=True)


def test_a_certificate_on_the_list_is_revoked_and_others_are_not() -> None:
    ca = CA()
    bad, good = ca.issue("bad.test"), ca.issue("good.test")
    lists = read(ca.crl(bad))
    assert is_revoked(bad.certificate, lists)
    assert not is_revoked(good.certificate, lists)
    assert not is_revoked(bad.certificate, read(ca.crl()))
    assert not is_revoked(bad.certificate, ())


def test_a_serial_number_is_that_of_one_ca_only() -> None:
    mine, same_name, other = CA("Mine"), CA("Mine"), CA("Yours")
    lists = read(mine.crl(mine.issue("bad.test", serial=7)))
    assert not is_revoked(same_name.issue("good.test", serial=7).certificate, lists)
    assert not is_revoked(other.issue("good.test", serial=7).certificate, lists)
    assert is_revoked(mine.issue("bad.test", serial=7, aki=False).certificate, lists)
