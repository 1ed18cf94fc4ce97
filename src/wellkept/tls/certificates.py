"""What a certificate says of itself, in words and facts. No I/O here."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from wellkept.tls.names import Names, printable


def names_of(certificate: x509.Certificate) -> Names:
    """The names that a certificate is for."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    common_name = str(common[0].value) if common else ""
    alternatives = extension(certificate, x509.SubjectAlternativeName)
    if alternatives is None:
        return Names(common_name=common_name)
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return Names(
        tuple(alternatives.get_values_for_type(x509.DNSName)),
        tuple(one for one in addresses if isinstance(one, (IPv4Address, IPv6Address))),
        tuple(alternatives.get_values_for_type(x509.UniformResourceIdentifier)),
        common_name,
    )


def label(certificate: x509.Certificate) -> str:
    """A short name for messages: its first host name, URI or address, else its common name."""
    try:
        names = names_of(certificate)
    except ValueError:  # an extension that cannot be read
        names = Names()
    first = next(iter((*names.uris, *names.dns, *map(str, names.ips))), names.common_name)
    return printable(first or certificate.subject.rfc4514_string() or "a certificate without a name")


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of the whole certificate, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def public_bytes(certificate: x509.Certificate) -> bytes:
    """The public key as it stands in a certificate: two keys are one when these are equal."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_type(certificate: x509.Certificate) -> str:
    """What kind of key it has: `RSA 2048`, `EC secp256r1`, `Ed25519`."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether it may sign others (RFC 5280 §4.2.1.9)."""
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name and key are behind a certificate's signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 a key or a signature that cannot be used signs nothing
        return False
    return True


def is_readable(certificate: x509.Certificate) -> bool:
    """Whether all of it can be read: the rest of the house looks at its parts without a thought of errors.

    A certificate is parsed bit by bit, when somebody asks for a part of it.
    """
    try:
        parts = (
            certificate.public_key(),
            certificate.subject.rfc4514_string(),
            certificate.issuer.rfc4514_string(),
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.signature_hash_algorithm,
            [one.value for one in certificate.extensions],
            names_of(certificate),
        )
    except Exception:  # noqa: BLE001 ValueError, UnsupportedAlgorithm, DuplicateExtension …: each part has its own
        return False
    return len(parts) > 0


def key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    """What a key is for, and nothing else (RFC 5280 §4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def is_valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether a moment lies within its dates, both included (RFC 5280 §4.1.2.5)."""
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def day(moment: datetime) -> str:
    """A moment as it is shown: to the minute, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


_E = TypeVar("_E", bound=x509.ExtensionType)


def extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    """One extension, or None where it is not there.

    Raises:
        ValueError: the extensions cannot be read.
    """
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
