"""How bytes stand in Secrets.toml, and how several become one input of a cryptographic function. No I/O here."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

LENGTH_BYTES = 4


def to_word(data: bytes) -> str:
    """Bytes as one word of base64url without padding (RFC 4648 §5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_word(word: str) -> bytes | None:
    """The bytes of a word, or None where it is none.

    One sequence of bytes has one word: unused bits that are not zero are refused, so that no
    two files that differ say the same.
    """
    try:
        data = urlsafe_b64decode(word + "=" * (-len(word) % 4))
    except (Error, ValueError):
        return None
    return data if to_word(data) == word else None


def joined(*parts: bytes) -> bytes:
    """Parts as one sequence that no other parts have: each behind its length as 4 bytes, the highest first."""
    return b"".join(len(part).to_bytes(LENGTH_BYTES, "big") + part for part in parts)
