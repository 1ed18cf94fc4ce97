"""Identities and recipients: key pairs in one readable text form with a checksum. This file does no I/O.

    wk-hybrid-…          a recipient: a public key of MLKEM768-X25519, the default
    wk-x25519-…          a recipient: a public key of X25519
    WK-SECRET-HYBRID-…   an identity: the private key
    WK-SECRET-X25519-…   an identity: the private key

Behind the prefix stands one word of base64url: the key, and the first 4 bytes of the SHA-256 of
prefix and key. A data key is wrapped by HPKE (RFC 9180, single-shot, mode base).
"""

import hashlib
import hmac
import os
from base64 import b32encode
from collections.abc import Mapping
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from wellkept._dataclasses import dataclass, field
from wellkept.crypto.encoding import from_word, to_word

CHECKSUM_BYTES = 4
PUBLIC, SECRET = "wk-", "WK-SECRET-"
_MLKEM_SEED_BYTES = 64
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32


class Algorithm(Protocol):
    """One kind of key pair.

    Attributes:
        name: as it stands in texts.
        secret_bytes: the length of an identity.
        public_bytes: the length of a recipient.
    """

    name: str
    secret_bytes: int
    public_bytes: int

    def public_of(self, secret: bytes) -> bytes:
        """The public key of a private one."""
        ...

    def wrap(self, public: bytes, data: bytes, info: bytes) -> bytes | None:
        """Encrypt for a public key; None where it is none."""
        ...

    def unwrap(self, secret: bytes, wrapped: bytes, info: bytes) -> bytes | None:
        """Decrypt; None where it was not encrypted for this key, or was changed."""
        ...


class _Hybrid:
    """MLKEM768-X25519: safe while one of the two is. Key material is that of ML-KEM, then that of X25519."""

    name = "hybrid"
    secret_bytes = _MLKEM_SEED_BYTES + _X25519_BYTES
    public_bytes = _MLKEM_PUBLIC_BYTES + _X25519_BYTES

    def __init__(self) -> None:
        self._suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

    def public_of(self, secret: bytes) -> bytes:
        """As in `Algorithm`."""
        seed, rest = secret[:_MLKEM_SEED_BYTES], secret[_MLKEM_SEED_BYTES:]
        first = MLKEM768PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
        return first + X25519PrivateKey.from_private_bytes(rest).public_key().public_bytes_raw()

    def wrap(self, public: bytes, data: bytes, info: bytes) -> bytes | None:
        """As in `Algorithm`."""
        try:
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC_BYTES:]),
            )
            return self._suite.encrypt(data, key, info)
        except ValueError:
            return None

    def unwrap(self, secret: bytes, wrapped: bytes, info: bytes) -> bytes | None:
        """As in `Algorithm`."""
        key = MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(secret[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(secret[_MLKEM_SEED_BYTES:]),
        )
        try:
            return self._suite.decrypt(wrapped, key, info)
        except (InvalidTag, ValueError):
            return None


class _X25519:
    """X25519 alone: shorter lines, and no protection from whoever keeps the file for a quantum computer."""

    name = "x25519"
    secret_bytes = public_bytes = _X25519_BYTES

    def __init__(self) -> None:
        self._suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

    def public_of(self, secret: bytes) -> bytes:
        """As in `Algorithm`."""
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()

    def wrap(self, public: bytes, data: bytes, info: bytes) -> bytes | None:
        """As in `Algorithm`."""
        try:
            return self._suite.encrypt(data, X25519PublicKey.from_public_bytes(public), info)
        except ValueError:
            return None

    def unwrap(self, secret: bytes, wrapped: bytes, info: bytes) -> bytes | None:
        """As in `Algorithm`."""
        try:
            return self._suite.decrypt(wrapped, X25519PrivateKey.from_private_bytes(secret), info)
        except (InvalidTag, ValueError):
            return None


HYBRID: Final = "hybrid"
X25519: Final = "x25519"
ALGORITHMS: Final[Mapping[str, Algorithm]] = {HYBRID: _Hybrid(), X25519: _X25519()}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody's public key.

    Attributes:
        algorithm: its kind, `hybrid` or `x25519`.
        key: the key itself.
    """

    algorithm: str
    key: bytes = field(repr=False)

    def __str__(self) -> str:
        prefix = f"{PUBLIC}{self.algorithm}-"
        return prefix + to_word(self.key + _checksum(prefix, self.key))

    @property
    def fingerprint(self) -> str:
        """Five groups of five letters that no other key has: what two people compare."""
        return fingerprint_of(str(self).encode())

    def wrap(self, data: bytes, info: bytes) -> bytes | None:
        """Encrypt a key for its owner; None where this is no key that can be used."""
        return ALGORITHMS[self.algorithm].wrap(self.key, data, info)


class Identity:
    """A person's or a machine's private key. Its repr shows whose it is, never the key."""

    __slots__ = ("_secret", "recipient")

    def __init__(self, algorithm: str, secret: bytes) -> None:
        """Take a private key.

        Args:
            algorithm: its kind.
            secret: 96 bytes for `hybrid` (the seed of ML-KEM, then X25519), 32 for `x25519`.
        """
        self._secret = secret
        self.recipient: Recipient = Recipient(algorithm, ALGORITHMS[algorithm].public_of(secret))

    @classmethod
    def new(cls, algorithm: str = HYBRID) -> "Identity":
        """Draw a key."""
        return cls(algorithm, os.urandom(ALGORITHMS[algorithm].secret_bytes))

    def __repr__(self) -> str:
        return f"Identity({self.recipient.fingerprint})"

    def text(self) -> str:
        """The text form, which is the secret itself."""
        prefix = f"{SECRET}{self.recipient.algorithm.upper()}-"
        return prefix + to_word(self._secret + _checksum(prefix, self._secret))

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes | None:
        """Decrypt a key; None where it was not encrypted for this identity, or was changed."""
        return ALGORITHMS[self.recipient.algorithm].unwrap(self._secret, wrapped, info)


def parse_recipient(text: str) -> Recipient | str:
    """A public key from its text, or what is wrong with the text."""
    if text.startswith(SECRET):
        return "is an identity, which stays with its owner; what is shared begins with wk-"
    found = _parsed(text, {f"{PUBLIC}{one.name}-": (one.name, one.public_bytes) for one in ALGORITHMS.values()})
    return found if isinstance(found, str) else Recipient(*found)


def parse_identity(text: str) -> Identity | str:
    """A private key from its text, or what is wrong with the text."""
    if text.startswith(PUBLIC):
        return f"is a public key; an identity begins with {SECRET}"
    forms = {f"{SECRET}{one.name.upper()}-": (one.name, one.secret_bytes) for one in ALGORITHMS.values()}
    found = _parsed(text, forms)
    return found if isinstance(found, str) else Identity(*found)


def fingerprint_of(data: bytes) -> str:
    """Five groups of five letters of a hash: 125 bits, which are enough to tell whether two are the same."""
    letters = b32encode(hashlib.sha256(data).digest()).decode().lower()[:25]
    return "-".join(letters[at : at + 5] for at in range(0, 25, 5))


def _parsed(text: str, forms: Mapping[str, tuple[str, int]]) -> tuple[str, bytes] | str:
    prefix = next((one for one in forms if text.startswith(one)), None)
    if prefix is None:
        return f"begins with none of {', '.join(forms)}"
    name, length = forms[prefix]
    data = from_word(text.removeprefix(prefix))
    if data is None or len(data) != length + CHECKSUM_BYTES:
        return "was cut, or has a character that does not belong to it"
    if not hmac.compare_digest(_checksum(prefix, data[:length]), data[length:]):
        return "has a checksum that does not fit: a character of it was changed"
    return name, data[:length]


def _checksum(prefix: str, key: bytes) -> bytes:
    return hashlib.sha256(prefix.encode() + key).digest()[:CHECKSUM_BYTES]
