"""Keys and certificates as PKCS#12 or PEM text, as keytool and OpenSSL read them. No I/O here.

JKS is never written: its protection is a SHA-1 of the password, once.
"""

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PBES,
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)

from wellkept.secret import Secret
from wellkept.tls.keystore import KeyEntry
from wellkept.tls.pem import PrivateKey

# As keytool. More would not slow down who guesses: the MAC beside it has 2048, whatever `cryptography` is asked for.
ROUNDS: Final = 10_000
MIN_PASSWORD: Final = 6  # characters; keytool opens nothing with fewer


def as_pkcs12(entry: KeyEntry, password: Secret[str]) -> bytes:
    """A keystore with one key and its chain, which Java calls a PrivateKeyEntry."""
    return serialize_key_and_certificates(
        entry.alias.encode(), entry.key, entry.certificate, entry.chain or None, _encryption(password)
    )


def as_truststore(certificates: Sequence[tuple[str, x509.Certificate]], password: Secret[str]) -> bytes:
    """A truststore of certificates under their aliases, each of which Java calls a trustedCertEntry."""
    held = [PKCS12Certificate(certificate, alias.encode()) for alias, certificate in certificates]
    return serialize_java_truststore(held, _encryption(password))


def key_as_pem(key: PrivateKey, password: Secret[str] | None) -> bytes:
    """A private key in PKCS#8, encrypted where there is a password."""
    cover: KeySerializationEncryption = NoEncryption()
    if password is not None:
        cover = BestAvailableEncryption(password.reveal().encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cover)


def certificates_as_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    """Certificates one after another."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def _encryption(password: Secret[str]) -> KeySerializationEncryption:
    """PBES2 with AES-256 and a MAC of SHA-256: what keytool writes since Java 8u301."""
    return (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(password.reveal().encode())
    )
