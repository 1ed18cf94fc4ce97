"""A new key, the first certificate that it signs itself, and the request that it sends to a CA. No I/O here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wellkept.errors import BundleError
from wellkept.tls.certificates import extension, key_usage
from wellkept.tls.keystore import KeyEntry
from wellkept.tls.names import is_address
from wellkept.tls.pem import PrivateKey

MAX_COMMON_NAME: Final = 64  # X.520 ub-common-name
_BACKDATED = timedelta(minutes=5)  # the clock of who reads it may be a little behind
_EXPONENT = 65537

KEYS: Final[Mapping[str, Callable[[], PrivateKey]]] = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa2048": lambda: rsa.generate_private_key(_EXPONENT, 2048),
    "rsa3072": lambda: rsa.generate_private_key(_EXPONENT, 3072),
}


def self_signed(
    alias: str, key: PrivateKey, common_name: str, names: Sequence[str], *, now: datetime, days: int
) -> KeyEntry:
    """A key with a certificate of its own: good until a CA has signed one, and trusted by nobody who was not told.

    Args:
        alias: what it is called in its keystore.
        key: the new key.
        common_name: who it is for, as the subject says.
        names: the host names and addresses that it is for.
        now: the moment from which it is valid.
        days: how long.

    Raises:
        BundleError: a name cannot stand in a certificate.
    """
    subject, alternatives = _subject(common_name), [_general(name) for name in names]
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # RSA may also take a key that was encrypted for it (RFC 5246 §7.4.2).
        .add_extension(
            key_usage(digital_signature=True, key_encipherment=isinstance(key, rsa.RSAPrivateKey)), critical=True
        )
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return KeyEntry(alias, key, builder.sign(key, _hash_for(key)), ())


def request_for(entry: KeyEntry) -> bytes:
    """The request to sign a certificate for this key, with the names of the one that it has; PEM (RFC 2986)."""
    builder = x509.CertificateSigningRequestBuilder(entry.certificate.subject)
    alternatives = extension(entry.certificate, x509.SubjectAlternativeName)
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(entry.key, _hash_for(entry.key)).public_bytes(Encoding.PEM)


def is_host(name: str) -> bool:
    """Whether a common name looks like a host name or an address, and so belongs among the names."""
    return is_address(name) or (("." in name or name == "localhost") and not set(name) & set(" /@,="))


def _subject(common_name: str) -> x509.Name:
    if not 0 < len(common_name) <= MAX_COMMON_NAME:
        hint = "name a shorter one, and the host names as --dns"
        raise BundleError(f"the common name: must have 1 to {MAX_COMMON_NAME} characters", hint=hint)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    if is_address(name):
        return x509.IPAddress(ip_address(name))
    if not name.isascii() or not name.isprintable() or " " in name or not name:
        raise BundleError("a host name: has characters that none may have", hint="write it in ASCII, as xn--…")
    return x509.DNSName(name)


def _hash_for(key: PrivateKey) -> SHA256 | None:
    return None if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)) else SHA256()
