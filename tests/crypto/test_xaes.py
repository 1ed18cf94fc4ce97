"""XAES-256-GCM against the vectors of its specification, and what it refuses."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from wellkept.crypto.xaes import NONCE_BYTES, TAG_BYTES, XAES

VECTORS: Any = json.loads((Path(__file__).parents[1] / "vectors/xaes-256-gcm.json").read_text(encoding="utf-8"))


class Stream:
    """SHAKE-128 of nothing, read piece by piece."""

    def __init__(self, length: int) -> None:
        self._bytes = hashlib.shake_128().digest(length)
        self._at = 0

    def read(self, length: int) -> bytes:
        self._at += length
        return self._bytes[self._at - length : self._at]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["key"][:2])
def test_the_vectors_of_c2sp_hold(vector: dict[str, str]) -> None:
    key, nonce, plaintext, associated, ciphertext = (
        bytes.fromhex(vector[name]) for name in ("key", "nonce", "plaintext", "associated", "ciphertext")
    )
    assert XAES(key).seal(nonce, plaintext, associated) == ciphertext
    assert XAES(key).open(nonce, ciphertext, associated) == plaintext


def test_the_accumulated_vector_of_c2sp_holds() -> None:
    told = VECTORS["accumulated"]
    longest = 32 + NONCE_BYTES + 2 * (1 + 255)
    stream, digest = Stream(told["iterations"] * longest), hashlib.shake_128()
    for _ in range(told["iterations"]):
        cipher, nonce = XAES(stream.read(32)), stream.read(NONCE_BYTES)
        plaintext = stream.read(stream.read(1)[0])
        associated = stream.read(stream.read(1)[0])
        ciphertext = cipher.seal(nonce, plaintext, associated)
        assert cipher.open(nonce, ciphertext, associated) == plaintext
        digest.update(ciphertext)
    assert digest.hexdigest(32) == told["digest"]


def test_both_signs_of_the_subkey_are_met() -> None:
    """The vectors have keys of both kinds: those whose doubled block overflows are reduced."""
    kinds = {XAES(bytes.fromhex(f"{number:064x}"))._subkey & 1 for number in range(8)}
    assert kinds == {0, 1}


@pytest.mark.parametrize("place", [0, 11, 12, 23])
def test_another_nonce_opens_nothing(place: int) -> None:
    cipher, nonce = XAES(bytes(32)), bytearray(NONCE_BYTES)
    ciphertext = cipher.seal(bytes(nonce), b"CANARY", b"")
    nonce[place] ^= 1
    assert cipher.open(bytes(nonce), ciphertext, b"") is None


def test_every_byte_of_a_ciphertext_and_its_tag_counts() -> None:
    cipher, nonce = XAES(bytes(32)), bytes(NONCE_BYTES)
    ciphertext = cipher.seal(nonce, b"CANARY", b"place")
    assert len(ciphertext) == len(b"CANARY") + TAG_BYTES
    for place in range(len(ciphertext)):
        changed = bytearray(ciphertext)
        changed[place] ^= 0x80
        assert cipher.open(nonce, bytes(changed), b"place") is None


@pytest.mark.parametrize("ciphertext", [b"", bytes(15), bytes(16)])
def test_what_is_too_short_for_a_tag_opens_nothing(ciphertext: bytes) -> None:
    assert XAES(bytes(32)).open(bytes(NONCE_BYTES), ciphertext, b"") is None


def test_other_associated_data_and_another_key_open_nothing() -> None:
    nonce = bytes(NONCE_BYTES)
    ciphertext = XAES(bytes(32)).seal(nonce, b"CANARY", b"one")
    assert XAES(bytes(32)).open(nonce, ciphertext, b"two") is None
    assert XAES(bytes(31) + b"\1").open(nonce, ciphertext, b"one") is None


def test_a_key_of_another_length_is_no_key() -> None:
    with pytest.raises(ValueError, match="key"):
        XAES(bytes(16))
