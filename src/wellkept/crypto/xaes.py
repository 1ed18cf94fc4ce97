"""XAES-256-GCM: AES-256-GCM with nonces of 24 bytes, which may be drawn at random without counting.

C2SP, https://c2sp.org/XAES-256-GCM: each nonce chooses a key of its own by CMAC (SP 800-108r1
§4.1), so that the key is good for 2^80 values. This file does no I/O.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
_HALF = NONCE_BYTES // 2
_BLOCK_BITS = 128
_REDUCTION = 0x87  # of GF(2^128), SP 800-38B §5.3


class XAES:
    """One key."""

    def __init__(self, key: bytes) -> None:
        """Take the key.

        Args:
            key: 32 bytes.
        """
        self._key = AES256(key)
        block = int.from_bytes(self._encrypt(bytes(16)), "big") << 1
        self._subkey = (block & ((1 << _BLOCK_BITS) - 1)) ^ (_REDUCTION if block >> _BLOCK_BITS else 0)

    def seal(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Encrypt: the ciphertext with its tag of 16 bytes behind it.

        Args:
            nonce: 24 bytes, drawn at random for each call.
            plaintext: what is encrypted.
            associated: what is authenticated with it.
        """
        return self._of(nonce).encrypt(nonce[_HALF:], plaintext, associated)

    def open(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
        """Decrypt, or None where anything differs from what was sealed."""
        try:
            return self._of(nonce).decrypt(nonce[_HALF:], ciphertext, associated)
        except InvalidTag:
            return None

    def _of(self, nonce: bytes) -> AESGCM:
        """The key that a nonce chooses."""
        first = int.from_bytes(b"\x00\x01X\x00" + nonce[:_HALF], "big") ^ self._subkey
        second = int.from_bytes(b"\x00\x02X\x00" + nonce[:_HALF], "big") ^ self._subkey
        return AESGCM(self._encrypt(first.to_bytes(16, "big") + second.to_bytes(16, "big")))

    def _encrypt(self, blocks: bytes) -> bytes:
        """AES of single blocks: CMAC is made of it, and no plaintext comes here."""
        return Cipher(self._key, ECB()).encryptor().update(blocks)  # noqa: S305 CMAC of one block is AES of it
