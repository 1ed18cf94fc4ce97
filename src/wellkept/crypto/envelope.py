"""One value as a word that only its own place in its own file decrypts. This file does no I/O.

docs/reference/secrets-toml.md specifies it. All keys come from the data key of a file by HKDF
(RFC 5869) with the file's id as salt: one for values, one for the header, and the commitment
that stands in the header and says which data key is the right one.
"""

import hmac
import os
from collections.abc import Iterable
from functools import cached_property

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wellkept._dataclasses import dataclass
from wellkept._names import canonical
from wellkept.crypto.encoding import from_word, joined, to_word
from wellkept.crypto.xaes import KEY_BYTES, NONCE_BYTES, TAG_BYTES, XAES

VERSION = 1
CIPHER = "XAES-256-GCM"
PURPOSE = b"wellkept Secrets.toml 1 "
KEY_ID_BYTES = 4
FILE_ID_BYTES = 16
_HEAD = KEY_ID_BYTES + NONCE_BYTES


@dataclass(frozen=True, slots=True)
class Sealed:
    """A word taken apart.

    Attributes:
        key_id: the first 4 bytes of the commitment of the data key that made it.
        nonce: 24 bytes.
        ciphertext: the value with its tag of 16 bytes behind it.
    """

    key_id: bytes
    nonce: bytes
    ciphertext: bytes


def take_apart(word: str) -> Sealed | None:
    """The parts of a word, or None where it is none."""
    data = from_word(word)
    if data is None or len(data) <= _HEAD + TAG_BYTES:
        return None
    return Sealed(data[:KEY_ID_BYTES], data[KEY_ID_BYTES:_HEAD], data[_HEAD:])


class DataKey:
    """The key of all values of one file. It is never written anywhere but wrapped, see header.py."""

    def __init__(self, key: bytes, file_id: bytes) -> None:
        """Take the key.

        Args:
            key: 32 bytes.
            file_id: the 16 bytes that name the file.
        """
        self._key = key
        self.file_id: bytes = file_id

    @classmethod
    def new(cls, file_id: bytes) -> "DataKey":
        """Draw a key."""
        return cls(os.urandom(KEY_BYTES), file_id)

    @cached_property
    def commitment(self) -> bytes:
        """32 bytes that no other data key has, and that say nothing of this one."""
        return self._derived(b"commitment")

    @property
    def key_id(self) -> bytes:
        """4 bytes that stand in each word."""
        return self.commitment[:KEY_ID_BYTES]

    def seal(self, path: Iterable[str], plaintext: bytes, nonce: bytes | None = None) -> str:
        """Encrypt a value for its place.

        Args:
            path: the steps of its key.
            plaintext: the value, see plaintext.py.
            nonce: 24 bytes, for test vectors only; None draws them.
        """
        nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
        return to_word(self.key_id + nonce + self._values.seal(nonce, plaintext, self._associated(path)))

    def open(self, path: Iterable[str], sealed: Sealed) -> bytes | None:
        """Decrypt a value, or None where it was changed, or belongs to another place, file or key."""
        if sealed.key_id != self.key_id:
            return None
        return self._values.open(sealed.nonce, sealed.ciphertext, self._associated(path))

    def mac(self, *parts: bytes) -> bytes:
        """Authenticate a part of the header: 32 bytes (HMAC-SHA-256, RFC 2104)."""
        return hmac.digest(self._header, joined(PURPOSE, self.file_id, self.commitment, *parts), "sha256")

    def bare(self) -> bytes:
        """The key itself, to be wrapped."""
        return self._key

    @cached_property
    def _values(self) -> XAES:
        return XAES(self._derived(b"values"))

    @cached_property
    def _header(self) -> bytes:
        return self._derived(b"header")

    @cached_property
    def _bound(self) -> bytes:
        """What the associated data of all values of this file begin with."""
        return joined(PURPOSE + b"value", self.file_id, self.key_id)

    def _associated(self, path: Iterable[str]) -> bytes:
        return self._bound + joined(*(canonical(step).encode() for step in path))

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, self.file_id, PURPOSE + purpose).derive(self._key)
