"""A bundle: one TLS identity and the trust around it, as they were at one moment. Nothing here changes, or reads."""

from collections.abc import Mapping
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wellkept._dataclasses import dataclass, field
from wellkept.tls.certificates import day, fingerprint, label
from wellkept.tls.crl import Crl
from wellkept.tls.pem import PrivateKey
from wellkept.tls.policy import Policy


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are.

    Attributes:
        certificates: ours first, then its issuers as they are sent.
        key: its private key; not in the repr.
        place: the file or reference that the certificate came from.
        key_place: that of the key.
        is_key_exposed: whether other users of the machine can read the key's file.
    """

    certificates: tuple[x509.Certificate, ...]
    key: PrivateKey = field(repr=False)
    place: str
    key_place: str
    is_key_exposed: bool = False

    @property
    def certificate(self) -> x509.Certificate:
        """Our own."""
        return self.certificates[0]

    @property
    def chain_pem(self) -> bytes:
        """All certificates, PEM."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.certificates)

    def key_pem(self) -> bytes:
        """The private key, PKCS#8 in PEM, in plain: for memory only."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Anchor:
    """A CA that is trusted.

    Attributes:
        certificate: the CA's.
        place: the file or reference that it came from.
    """

    certificate: x509.Certificate
    place: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What a bundle is made of, before anybody has judged it.

    Attributes:
        identity: who we are, or None for a client that shows no certificate.
        trust: whom we trust, beside the system's CAs where the policy wants them.
        crls: revocation lists.
    """

    identity: Identity | None = None
    trust: tuple[Anchor, ...] = ()
    crls: tuple[Crl, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Parts that were found good, and how they are used.

    Attributes:
        parts: identity, trust and revocation lists.
        policy: what is demanded of the other side.
        generation: 1 for the first bundle of a context, one more with each swap.
        loaded_at: when it was read.
        fingerprints: of each anchor of the trust; an open connection asks whether its own is still there.
    """

    parts: Parts
    policy: Policy
    generation: int
    loaded_at: datetime
    fingerprints: frozenset[str] = frozenset()

    @property
    def identity(self) -> Identity | None:
        """Who we are."""
        return self.parts.identity

    @property
    def not_after(self) -> datetime | None:
        """When our own certificate ends."""
        return None if self.identity is None else self.identity.certificate.not_valid_after_utc

    def describe(self) -> Mapping[str, object]:
        """What a status page may show: names, places, fingerprints and dates; nothing private."""
        own = self.identity
        return {
            "generation": self.generation,
            "loaded_at": self.loaded_at,
            "certificate": None if own is None else described(own.certificate, own.place),
            "chain": [] if own is None else [described(one, own.place) for one in own.certificates[1:]],
            "trust": [described(one.certificate, one.place) for one in self.parts.trust],
            "system": self.policy.system is not None,
            "crls": [{"place": one.place, "next_update": one.next_update} for one in self.parts.crls],
        }

    def __str__(self) -> str:
        own = self.identity
        who = (
            "no certificate"
            if own is None
            else f"{label(own.certificate)} until {day(self.not_after or self.loaded_at)}"
        )
        count = len(self.parts.trust)
        return f"{who}, {count} trusted CA{'s' * (count != 1)}, generation {self.generation}"


def described(certificate: x509.Certificate, place: str) -> Mapping[str, object]:
    """The facts about one certificate."""
    return {
        "name": label(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "sha256": fingerprint(certificate),
        "place": place,
    }
