"""Certificates, keys and signed tokens of a CA that lives as long as the tests."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOST: Final = "127.0.0.1"
ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "vault"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, as files.

    Attributes:
        cert_file: PEM, the whole chain.
        key_file: PEM, mode 0600.
    """

    cert_file: Path
    key_file: Path

    @property
    def pem(self) -> str:
        """The chain as text."""
        return self.cert_file.read_text("ascii")

    def server_context(self) -> ssl.SSLContext:
        """What a server needs that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context


class Authority:
    """A CA, and the files that it issued.

    Attributes:
        ca_file: PEM path: who trusts this file trusts the CA.
        folder: where all its files are; keys in them have mode 0600.
    """

    def __init__(self, folder: Path) -> None:
        """Make the CA, and write its certificate into the folder."""
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(self.ca_file)
        self._issued = 0

    @property
    def pem(self) -> str:
        """The certificate of the CA as text."""
        return self.ca_file.read_text("ascii")

    def server(self, *names: str) -> Certificate:
        """A good certificate for a server of this machine, or of the names given."""
        return self._write(self._ca.issue_cert(*(names or (HOST, "localhost", "::1"))))

    def expired(self) -> Certificate:
        """A server's certificate that ended yesterday."""
        now = datetime.now(UTC)
        begin, end = now - timedelta(days=30), now - timedelta(days=1)
        return self._write(self._ca.issue_cert(HOST, "localhost", not_before=begin, not_after=end))

    def not_yet_valid(self) -> Certificate:
        """A server's certificate that begins tomorrow."""
        now = datetime.now(UTC)
        begin, end = now + timedelta(days=1), now + timedelta(days=30)
        return self._write(self._ca.issue_cert(HOST, "localhost", not_before=begin, not_after=end))

    def wrong_name(self) -> Certificate:
        """A server's certificate for another machine."""
        return self._write(self._ca.issue_cert("elsewhere.test"))

    def of_unknown_ca(self) -> Certificate:
        """A server's certificate for this machine that another CA signed."""
        return self._write(trustme.CA().issue_cert(HOST, "localhost"))

    def client(self, name: str = "orders") -> Certificate:
        """A client's certificate, with its name as the common name."""
        return self._write(self._ca.issue_cert(f"{name}.test", common_name=name))

    def client_context(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """What a client needs that trusts this CA, and shows a certificate where one is given."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if certificate is not None:
            context.load_cert_chain(certificate.cert_file, certificate.key_file)
        return context

    def _write(self, leaf: trustme.LeafCert) -> Certificate:
        self._issued += 1
        found = Certificate(self.folder / f"{self._issued}.crt", self.folder / f"{self._issued}.key")
        found.cert_file.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
        found.key_file.touch(0o600)
        found.key_file.write_bytes(leaf.private_key_pem.bytes())
        return found


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs JSON Web Tokens with ES256, each with a canary in its `jti`.

    Attributes:
        issuer: what stands in `iss` where the claims do not say so.
    """

    issuer: str = ISSUER
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    @property
    def public_pem(self) -> str:
        """The public key as text: one of `jwt_validation_pubkeys`."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, claims: Mapping[str, Any] | None = None, *, ttl_s: float = 600) -> str:
        """A token of these claims; `iss`, `aud`, `sub`, `iat`, `exp` and `jti` are good unless they are given."""
        now = time.time()
        usual = {"iss": self.issuer, "aud": AUDIENCE, "sub": "orders", "iat": int(now), "exp": int(now + ttl_s)}
        return jwt.encode({**usual, "jti": "jti-CANARY", **(claims or {})}, self._key, algorithm="ES256")

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of a token of this signer that has not ended; its audience is for the caller to look at.

        Raises:
            jwt.InvalidTokenError: it is another's, or has ended.
        """
        return jwt.decode(token, self.public_pem, algorithms=["ES256"], options={"verify_aud": False})
