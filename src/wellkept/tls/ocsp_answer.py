"""What an OCSP responder answered, verified whole (RFC 6960 §3.2, RFC 5019 §4): good, revoked or unknown. No I/O here.

The answer comes from anywhere, often over plain HTTP, so nothing in it is believed before its signature is
verified: by the certificate's issuer, or by a delegate that the issuer itself made for it.
Whether a delegate was revoked in its turn is not asked: RFC 6960 §4.2.2.2.1 leaves it to its short life.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from wellkept._dataclasses import dataclass
from wellkept.tls.certificates import day, extension, is_issued_by, is_valid_at, label

SKEW = timedelta(minutes=5)  # how far two clocks may be apart
# Where an answer does not say when it ends: Firefox takes it for so long (mozilla::pkix, pkixocsp.cpp).
_WITHOUT_END = timedelta(days=1)
_WEAK_HASHES = frozenset({"md5", "sha1"})  # anybody may prepare two texts of one such hash
_MIN_RSA_BITS = 2048  # SP 800-57 part 1: 112 bits of security
_MOST_CERTIFICATES = 8  # an answer brings one delegate; each one more costs a verification


class Status(StrEnum):
    """What is known of a certificate (RFC 6960 §2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is believed of an answer.

    Attributes:
        status: what is known.
        fact: the same in words that follow the name of the certificate.
        made_at: as of when it is known; None for unknown.
        ends_at: until when it counts; None for unknown.
    """

    status: Status
    fact: str
    made_at: datetime | None = None
    ends_at: datetime | None = None


def unknown(fact: str) -> Answer:
    """Nothing is known, and why."""
    return Answer(Status.UNKNOWN, fact)


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPRequest:
    """The question about one certificate, without a nonce: so that a store can answer it (RFC 5019 §2.1.1)."""
    builder = ocsp.OCSPRequestBuilder()
    # Only a name here, and the one that every responder knows (RFC 5019 §2.1.1); nothing rests on it.
    return builder.add_certificate(certificate, issuer, hashes.SHA1()).build()  # noqa: S303 see above


def read_answer(data: bytes, asked: ocsp.OCSPRequest, issuer: x509.Certificate, now: datetime) -> Answer:
    """Verify an answer.

    Args:
        data: DER, from anywhere.
        asked: the question.
        issuer: the CA whose name and key are in it.
        now: the time of day.
    """
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return unknown(f"names a responder that {_REFUSALS.get(response.response_status, 'refuses to answer')}")
        fault = _fault_of_signature(response, asked, issuer, now)
        return unknown(f"names a responder whose answer {fault}") if fault is not None else _read(response, asked, now)
    except (ValueError, UnsupportedAlgorithm):  # parts of it are read when they are looked at
        return unknown("names a responder whose answer cannot be read")


_REFUSALS = {
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST: "does not understand the question",
    ocsp.OCSPResponseStatus.INTERNAL_ERROR: "has an error inside",
    ocsp.OCSPResponseStatus.TRY_LATER: "asks to come back later",
    ocsp.OCSPResponseStatus.SIG_REQUIRED: "answers signed questions only",
    ocsp.OCSPResponseStatus.UNAUTHORIZED: "does not answer for this CA",
}


def _read(response: ocsp.OCSPResponse, asked: ocsp.OCSPRequest, now: datetime) -> Answer:
    """What an answer says whose signature is good."""
    about = [one for one in response.responses if _is_about(one, asked)]
    if len(about) != 1:
        return unknown(
            f"names a responder whose answer {'says two things' if about else 'is about another certificate'}"
        )
    found = about[0]
    begin, end = found.this_update_utc, found.next_update_utc or found.this_update_utc + _WITHOUT_END
    fault = _fault_of_dates(begin, end, now) or _fault_of_extensions(response)
    if fault is not None:
        return unknown(f"names a responder whose answer {fault}")
    if found.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        reason = "" if found.revocation_reason is None else f" ({found.revocation_reason.value})"
        return Answer(Status.REVOKED, f"was revoked on {day(found.revocation_time_utc or begin)}{reason}", begin, end)
    if found.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return Answer(Status.GOOD, "is not revoked", begin, end)
    return unknown("names a responder that does not know it")


def _fault_of_dates(begin: datetime, end: datetime, now: datetime) -> str | None:
    if begin > now + SKEW:
        return "begins in the future: one of the clocks is wrong"
    return f"has expired: it was valid until {day(end)}" if now > end + SKEW else None


def _fault_of_extensions(response: ocsp.OCSPResponse) -> str | None:
    """A critical extension that is not known makes an answer useless (RFC 6960 §4.4)."""
    # Those of one part can be read only where there are no others; nobody has ever defined a critical one.
    is_alone = sum(1 for _ in response.responses) == 1
    found = (*response.extensions, *(response.single_extensions if is_alone else ()))
    is_known = all(not one.critical or not isinstance(one.value, x509.UnrecognizedExtension) for one in found)
    return None if is_known else "has a critical extension that is not known"


def _is_about(one: ocsp.OCSPSingleResponse, asked: ocsp.OCSPRequest) -> bool:
    return (
        one.serial_number == asked.serial_number
        and one.hash_algorithm.name == asked.hash_algorithm.name
        and one.issuer_name_hash == asked.issuer_name_hash
        and one.issuer_key_hash == asked.issuer_key_hash
    )


def _fault_of_signature(
    response: ocsp.OCSPResponse, asked: ocsp.OCSPRequest, issuer: x509.Certificate, now: datetime
) -> str | None:
    """Why an answer is not the issuer's word, or None where it is."""
    used = response.signature_hash_algorithm
    if used is not None and used.name in _WEAK_HASHES:
        return f"has a weak signature: {used.name.upper()}"
    if _has_signed(issuer, response):
        return None
    for one in response.certificates[:_MOST_CERTIFICATES]:
        if _has_signed(one, response):
            fault = _fault_of_delegate(one, asked, issuer, now)
            return None if fault is None else f"is signed by {label(one)}, which {fault}"
    return "is signed neither by its CA nor by a responder of it"


def _fault_of_delegate(
    delegate: x509.Certificate, asked: ocsp.OCSPRequest, issuer: x509.Certificate, now: datetime
) -> str | None:
    """Why a signer may not speak for the issuer (RFC 6960 §4.2.2.2), or None where it may."""
    if not is_issued_by(delegate, issuer):  # nothing else in it is looked at
        return "the CA did not issue"
    key, used = delegate.public_key(), delegate.signature_hash_algorithm
    purposes, usage = extension(delegate, x509.ExtendedKeyUsage), extension(delegate, x509.KeyUsage)
    is_weak = isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS
    faults = (
        (purposes is None or ExtendedKeyUsageOID.OCSP_SIGNING not in purposes, "is not for it: OCSPSigning is missing"),
        (usage is not None and not usage.digital_signature, "is not for it: its key usage lacks digitalSignature"),
        (not is_valid_at(delegate, now), "has expired or is not yet valid"),
        (is_weak or (used is not None and used.name in _WEAK_HASHES), "is weak"),
        (delegate.serial_number == asked.serial_number, "is the certificate in question itself"),
    )
    return next((fact for is_wrong, fact in faults if is_wrong), None)


def _has_signed(signer: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key, used = signer.public_key(), response.signature_hash_algorithm
    signature, signed = response.signature, response.tbs_response_bytes
    try:
        if isinstance(key, rsa.RSAPublicKey) and used is not None:
            key.verify(signature, signed, padding.PKCS1v15(), used)
        elif isinstance(key, ec.EllipticCurvePublicKey) and used is not None:
            key.verify(signature, signed, ec.ECDSA(used))
        elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
            key.verify(signature, signed)
        else:
            return False
    except InvalidSignature:
        return False
    return True
