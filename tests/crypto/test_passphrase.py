"""A passphrase as an identity: the same for the same text, and never too cheap or too dear."""

import unicodedata

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wellkept.crypto.keys import HYBRID
from wellkept.crypto.passphrase import (
    MOST_LANES,
    MOST_MEMORY_KIB,
    MOST_PASSES,
    SALT_BYTES,
    Stretching,
    parse_stretching,
)

SALT = "AAECAwQFBgcICQoLDA0ODw"
GOOD = f"argon2id:65536:3:4:{SALT}"
CHEAP = Stretching(8, 1, 1, bytes(range(SALT_BYTES)))  # no file may ask for so little; a test may


def test_argon2id_is_the_one_of_rfc_9106() -> None:
    """§5.3: so memory is counted in KiB, and the version is 0x13."""
    kdf = Argon2id(salt=b"\2" * 16, length=32, iterations=3, lanes=4, memory_cost=32, secret=b"\3" * 8, ad=b"\4" * 12)
    assert kdf.derive(b"\1" * 32).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_the_identity_is_what_argon2id_makes_of_the_passphrase() -> None:
    kdf = Argon2id(salt=CHEAP.salt, length=96, iterations=1, lanes=1, memory_cost=8)
    found = CHEAP.identity("CANARY passphrase")
    assert found._secret == kdf.derive(b"CANARY passphrase")
    assert found.recipient.algorithm == HYBRID


def test_a_passphrase_is_the_same_composed_and_decomposed() -> None:
    composed = unicodedata.normalize("NFC", "CANARY Frühstück")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert CHEAP.identity(composed).recipient == CHEAP.identity(decomposed).recipient


@pytest.mark.parametrize("other", ["CANARY passphras", "CANARY Passphrase", "CANARY passphrase ", ""])
def test_another_passphrase_is_another_identity(other: str) -> None:
    assert CHEAP.identity(other).recipient != CHEAP.identity("CANARY passphrase").recipient


def test_another_salt_is_another_identity() -> None:
    other = Stretching(8, 1, 1, bytes(SALT_BYTES))
    assert CHEAP.identity("CANARY passphrase").recipient != other.identity("CANARY passphrase").recipient


def test_a_new_stretching_costs_what_rfc_9106_advises_and_has_a_salt_of_its_own() -> None:
    one, other = Stretching.new(), Stretching.new()
    assert (one.memory_kib, one.passes, one.lanes, len(one.salt)) == (64 * 1024, 3, 4, 16)
    assert one.salt != other.salt


@pytest.mark.parametrize(
    "text",
    [GOOD, f"argon2id:65536:3:1:{SALT}", f"argon2id:{MOST_MEMORY_KIB}:{MOST_PASSES}:{MOST_LANES}:{SALT}"],
)
def test_a_text_of_fair_costs_comes_back_as_it_was(text: str) -> None:
    found = parse_stretching(text)
    assert isinstance(found, Stretching)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2i:65536:3:4:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:65536:3:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:065536:3:4:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:65536:-3:4:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:65536:3:0:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:65536:٣:4:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"argon2id:999999999:3:4:{SALT}", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (f"{GOOD}\n", "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (GOOD[:-1], "has a salt that is not 16 bytes"),
        (f"{GOOD}AA", "has a salt that is not 16 bytes"),
        (f"{GOOD[:-1]}x", "has a salt that is not 16 bytes"),
        (f"argon2id:65535:3:4:{SALT}", "asks for less work than protects a passphrase"),
        (f"argon2id:8:3:4:{SALT}", "asks for less work than protects a passphrase"),
        (f"argon2id:65536:2:4:{SALT}", "asks for less work than protects a passphrase"),
        (f"argon2id:262145:3:4:{SALT}", "asks for more work than any honest file does"),
        (f"argon2id:99999999:3:4:{SALT}", "asks for more work than any honest file does"),
        (f"argon2id:65536:11:4:{SALT}", "asks for more work than any honest file does"),
        (f"argon2id:65536:3:9:{SALT}", "asks for more work than any honest file does"),
    ],
)
def test_a_text_of_other_costs_is_refused_before_anything_is_computed(text: str, fact: str) -> None:
    assert parse_stretching(text) == fact
