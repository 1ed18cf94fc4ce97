"""One encrypted value, and the bytes by which a value counts in the MAC. This file does no I/O.

    ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]

AES-256-GCM with nonces of 32 bytes (`aes/cipher.go` of SOPS). The type is not authenticated, so
it is the typed value that counts in the MAC, as SOPS would write it, and not the text.
"""

import base64
import math
from binascii import Error
from collections.abc import Callable, Mapping
from decimal import Decimal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wellkept._patterns import pattern

DATA_KEY_BYTES = 32

_BASE64 = r"[A-Za-z0-9+/]+={0,2}"
_CELL = pattern(rf"ENC\[AES256_GCM,data:({_BASE64}),iv:({_BASE64}),tag:({_BASE64}),type:([a-z]+)\]")
_NONCE_BYTES = range(8, 129)  # what the library takes; SOPS writes 32
_TAG_BYTES = 16
_INT = pattern(r"[+-]?[0-9]{1,19}")
_FLOAT = pattern(r"[+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?|[+-]Inf|NaN")
_EXACT = 1 << 53  # up to here a whole number that was a float in between is the one that was meant


class Cipher:
    """Opens the values of one file."""

    def __init__(self, data_key: bytes) -> None:
        self._aes = AESGCM(data_key)

    def open(self, text: str, bound_to: str) -> tuple[str, bytes] | None:
        """The type and the bytes of an encrypted value, or None where it is not what was encrypted.

        Args:
            text: `ENC[…]`.
            bound_to: the keys that lead to it, each followed by a colon; for the MAC, the time.
        """
        cell = _CELL.fullmatch(text)
        if cell is None:
            return None
        try:
            data, nonce, tag = (base64.b64decode(cell[number], validate=True) for number in (1, 2, 3))
            if len(nonce) not in _NONCE_BYTES or len(tag) != _TAG_BYTES:
                return None
            return cell[4], self._aes.decrypt(nonce, data + tag, bound_to.encode("utf-8", "replace"))
        except (Error, InvalidTag):
            return None


def is_cell(text: str) -> bool:
    """Whether a text looks like an encrypted value."""
    return _CELL.fullmatch(text) is not None


def typed(kind: str, data: bytes) -> object:
    """The value of decrypted bytes; None where the type is not known, or they are none of it."""
    if kind == "bytes":
        return data
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data if kind == "str" else None  # a binary file
    read = _READERS.get(kind)
    return None if read is None else read(text)


def number(value: float) -> float:
    """A float, or the whole number that it is: SOPS writes the numbers of JSON as floats."""
    is_whole = abs(value) <= _EXACT and value.is_integer() and str(value) != "-0.0"
    return int(value) if is_whole else value


_READERS: Mapping[str, Callable[[str], object]] = {
    "str": str,
    "time": str,
    "bool": {"True": True, "False": False}.get,
    "int": lambda text: int(text) if _INT.fullmatch(text) else None,
    "float": lambda text: number(float(text)) if _FLOAT.fullmatch(text) else None,
}


def as_bytes(value: object) -> bytes:
    """The bytes of a value in the MAC (`ToBytes` of SOPS)."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"True" if value else b"False"
    return (_digits(value) if isinstance(value, float) else str(value)).encode("utf-8", "replace")


def _digits(value: float) -> str:
    """A float as Go's `FormatFloat(value, 'f', -1, 64)`: the shortest digits that are it, without an exponent."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else format(Decimal(repr(value)), "f").removesuffix(".0")
