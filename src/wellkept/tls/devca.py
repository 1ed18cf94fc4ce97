"""A CA for development and tests: it issues short-lived certificates, for local names where nobody says otherwise.

The one place in `src` that makes certificates. What it makes passes OpenSSL's strict checks
(X509_V_FLAG_X509_STRICT, the default of Python 3.13), which home-made CAs often fail: critical basic
constraints, key usage, both key identifiers (RFC 5280 §4.2.1).

A CA that a developer trusts is a key to every site for whoever steals it. So the one of `wellkept tls
dev-ca` is constrained, critically, to names that no other host can have: `localhost` (RFC 6761 §6.3),
`.test` (§6.2), `.internal` (reserved by ICANN in 2024) and the loopback addresses.
This file does no I/O; devca_files.py keeps the files.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wellkept._dataclasses import dataclass, field
from wellkept._patterns import pattern
from wellkept.errors import UsageError
from wellkept.tls.certificates import day, extension, key_usage
from wellkept.tls.names import printable

CA_LIFETIME = timedelta(days=365)
LEAF_LIFETIME = timedelta(days=7)  # too short to be forgotten in an image
CRL_LIFETIME = timedelta(days=7)
EARLIER = timedelta(hours=1)  # clocks of containers and virtual machines run behind

LOCAL_NAMES = ("localhost", "test", "internal")  # each with all below it (RFC 5280 §4.2.1.10)
LOCAL_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
LOCAL_HINT = "use localhost, a name below .localhost, .test or .internal, or a loopback address"

_ORGANIZATION = "wellkept development"
_MAX_COMMON_NAME = 64  # ub-common-name of RFC 5280, appendix A
_MAX_NAME = 253  # octets of a host name as text (RFC 1035 §2.3.4)
_MAX_SPIFFE = 2048  # bytes (SPIFFE-ID §2.3)
_HOST = pattern(
    r"(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
)
_SPIFFE = pattern(r"spiffe://[a-z0-9._-]{1,255}(?:/[A-Za-z0-9._-]+)+")  # SPIFFE-ID §2.1, §2.2

Name = str | IPv4Address | IPv6Address


class Purpose(StrEnum):
    """What a certificate is for; one that is for both lets a stolen server key log in elsewhere."""

    SERVER = "server"
    CLIENT = "client"


_PURPOSES = {Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH, Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for.

    Attributes:
        names: host names and addresses.
        spiffe: a SPIFFE id, or None.
        purpose: server or client.
    """

    names: tuple[Name, ...]
    spiffe: str | None = None
    purpose: Purpose = Purpose.SERVER

    @property
    def stem(self) -> str:
        """How its files are called: the first name, else the last segment of the SPIFFE id."""
        first = str(next(iter(self.names), "")) or (self.spiffe or "").rpartition("/")[2]
        return first.replace("*", "_wildcard").replace(":", "_")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key.

    Attributes:
        certificate: the certificate.
        key: its private key; not in the repr.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def cert_pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self) -> bytes:
        """The private key, PKCS#8 without a password."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA.

    Attributes:
        own: its certificate and its private key.
    """

    own: Issued

    @property
    def certificate(self) -> x509.Certificate:
        """Its certificate."""
        return self.own.certificate

    @property
    def is_local(self) -> bool:
        """Whether its certificate says that it signs for local names only."""
        return extension(self.certificate, x509.NameConstraints) is not None

    def issue(
        self, subject: Subject, *, now: datetime, not_before: datetime | None = None, not_after: datetime | None = None
    ) -> Issued:
        """Issue a certificate with a new key.

        Args:
            subject: whom it is for.
            now: the time, aware.
            not_before: from when on it holds; an hour ago.
            not_after: until when it holds; in seven days, and never longer than the CA itself.

        Raises:
            UsageError: the CA may not sign for one of the names.
        """
        for name in subject.names if self.is_local else ():
            if not is_local(name):
                raise UsageError(f"{name}: is no local name, and this CA signs for no other", hint=LOCAL_HINT)
        key = ec.generate_private_key(ec.SECP256R1())
        start = not_before or now - EARLIER
        end = not_after or min(now + LEAF_LIFETIME, self.certificate.not_valid_after_utc)
        builder = _started(_name_of(subject), self.certificate.subject, key, start, end)
        purpose = x509.ExtendedKeyUsage([_PURPOSES[subject.purpose]])
        for one, is_critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage(digital_signature=True), True),
            (purpose, False),
            (x509.SubjectAlternativeName(_alternatives(subject)), False),
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.own.key.public_key()), False),
        ):
            builder = builder.add_extension(one, is_critical)
        return Issued(builder.sign(self.own.key, hashes.SHA256()), key)

    def revocations(self, revoked: Sequence[x509.Certificate], *, now: datetime, number: int) -> bytes:
        """The revocation list of this CA, PEM (RFC 5280 §5).

        Args:
            revoked: what it revokes.
            now: the time, aware.
            number: higher than that of the list before it.
        """
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now - EARLIER).next_update(now + CRL_LIFETIME)
        builder = builder.add_extension(x509.CRLNumber(number), critical=False).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.own.key.public_key()), critical=False
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now - EARLIER)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.own.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def new_authority(*, now: datetime, is_local: bool, lifetime: timedelta = CA_LIFETIME) -> Authority:
    """Make a CA of its own name, so that an old one beside it confuses nobody.

    Args:
        now: the time, aware.
        is_local: whether it signs for local names only, as one that people trust must.
        lifetime: how long it is valid.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _name(f"{_ORGANIZATION} CA {identifier.digest[:4].hex()}")
    builder = _started(name, name, key, now - EARLIER, now + lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True).add_extension(
        identifier, critical=False
    )
    if is_local:
        permitted = [*map(x509.DNSName, LOCAL_NAMES), *map(x509.IPAddress, LOCAL_NETWORKS)]
        builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    return Authority(Issued(builder.sign(key, hashes.SHA256()), key))


def parse_subject(names: Sequence[str], spiffe: str | None, purpose: Purpose) -> Subject:
    """Whom a certificate is for, from what a person wrote.

    Raises:
        UsageError: a name is none, or there is none at all.
    """
    if spiffe is not None and not _is_spiffe(spiffe):
        raise UsageError(
            f"{printable(spiffe)}: is no SPIFFE id",
            hint="write it as spiffe://TRUST-DOMAIN/PATH, as spiffe://dev/orders",
        )
    if not names and spiffe is None:
        raise UsageError("the certificate: is for no name", hint="name a host, an address or a SPIFFE id")
    return Subject(tuple(dict.fromkeys(map(_parsed, names))), spiffe, purpose)


def is_local(name: Name) -> bool:
    """Whether the constrained CA may sign for a name."""
    if not isinstance(name, str):
        return any(name in network for network in LOCAL_NETWORKS)
    return any(name == one or name.endswith(f".{one}") for one in LOCAL_NAMES)


def is_development(certificate: x509.Certificate) -> bool:
    """Whether a certificate was issued here, so that a newer one may take its place."""
    organizations = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [one.value for one in organizations] == [_ORGANIZATION]


def fault_of_dates(certificate: x509.Certificate, now: datetime) -> str | None:
    """What is wrong with the dates of a certificate, in words that follow its name; None when they are good."""
    if now > certificate.not_valid_after_utc:
        return f"expired on {day(certificate.not_valid_after_utc)}"
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {day(certificate.not_valid_before_utc)}"
    return None


def _parsed(text: str) -> Name:
    """A name as a certificate holds it.

    Raises:
        UsageError: it is no host name and no address.
    """
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is not None and "%" not in text:  # a zone means nothing on another host (RFC 4007 §6)
        return address
    if not text.isascii():
        raise UsageError(f"{printable(text)}: is no host name in ASCII", hint="write it as xn--… (punycode)")
    name = text.lower()
    if len(name) > _MAX_NAME or not _HOST.fullmatch(name) or name.rpartition(".")[2].isdecimal():
        raise UsageError(
            f"{printable(text)}: is neither a host name nor an address", hint="write localhost, api.test or 127.0.0.1"
        )
    if name.startswith("*.") and name.count(".") == 1:
        raise UsageError(
            f"{name}: no client accepts a * right below a top-level name", hint=f"write *.api{name.removeprefix('*')}"
        )
    return name


def _is_spiffe(text: str) -> bool:
    steps = text.removeprefix("spiffe://").split("/")
    return len(text) <= _MAX_SPIFFE and _SPIFFE.fullmatch(text) is not None and not {".", ".."} & set(steps)


def _started(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return builder.not_valid_before(start).not_valid_after(end)


def _name_of(subject: Subject) -> x509.Name:
    """The subject's name. OpenSSL holds a common name to the constraints of host names, so nothing else goes there."""
    first = next((one for one in subject.names if isinstance(one, str)), "")
    return _name(first if len(first) <= _MAX_COMMON_NAME else "")


def _name(common: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION)]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else parts)


def _alternatives(subject: Subject) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [
        x509.DNSName(one) if isinstance(one, str) else x509.IPAddress(one) for one in subject.names
    ]
    return names if subject.spiffe is None else [*names, x509.UniformResourceIdentifier(subject.spiffe)]
