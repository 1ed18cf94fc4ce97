"""One value as a word that only its own place in its own file decrypts."""

import hmac

import pytest

from wellkept.crypto.encoding import from_word, joined, to_word
from wellkept.crypto.envelope import PURPOSE, DataKey, Sealed, take_apart

KEY, FILE_ID = bytes(range(32)), bytes(range(16))
DATA_KEY = DataKey(KEY, FILE_ID)
PATH = ("db", "password")


def sealed(word: str) -> Sealed:
    found = take_apart(word)
    assert found is not None
    return found


def data_of(word: str) -> bytes:
    data = from_word(word)
    assert data is not None
    return data


def test_a_value_comes_back_at_its_place() -> None:
    assert DATA_KEY.open(PATH, sealed(DATA_KEY.seal(PATH, b"CANARY"))) == b"CANARY"


@pytest.mark.parametrize("path", [("dB", "pass_word"), ("D_B", "PASSWORD"), ["_db_", "Password"]])
def test_another_spelling_of_its_key_is_the_same_place(path: tuple[str, ...]) -> None:
    assert DATA_KEY.open(path, sealed(DATA_KEY.seal(PATH, b"CANARY"))) == b"CANARY"


@pytest.mark.parametrize(
    "path",
    [("db",), ("password",), ("db", "password", "old"), ("db.password",), ("dbpassword",), ("db", "passwort"), ()],
)
def test_at_another_key_it_does_not_decrypt(path: tuple[str, ...]) -> None:
    assert DATA_KEY.open(path, sealed(DATA_KEY.seal(PATH, b"CANARY"))) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(DataKey(KEY, bytes(16)), id="another file"),
        pytest.param(DataKey(bytes(32), FILE_ID), id="another data key"),
    ],
)
def test_in_another_file_it_does_not_decrypt_even_with_that_ones_key_id(other: DataKey) -> None:
    word = DATA_KEY.seal(PATH, b"CANARY")
    assert other.open(PATH, sealed(word)) is None
    assert other.open(PATH, sealed(to_word(other.key_id + data_of(word)[4:]))) is None


def test_every_bit_of_a_word_counts() -> None:
    data = data_of(DATA_KEY.seal(PATH, b"CANARY"))
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        assert DATA_KEY.open(PATH, sealed(to_word(bytes(changed)))) is None


def test_a_word_is_a_key_id_a_nonce_the_ciphertext_and_its_tag() -> None:
    nonce = bytes(range(24))
    data = data_of(DATA_KEY.seal(PATH, b"CANARY", nonce))
    assert data[:28] == DATA_KEY.key_id + nonce
    assert len(data) == 4 + 24 + len(b"CANARY") + 16


def test_the_same_value_is_never_the_same_word() -> None:
    words = {DATA_KEY.seal(PATH, b"CANARY") for _ in range(100)}
    assert len(words) == 100


@pytest.mark.parametrize("length", [0, 4, 28, 43, 44])
def test_a_word_without_a_ciphertext_is_none(length: int) -> None:
    assert take_apart(to_word(bytes(length))) is None


@pytest.mark.parametrize("word", ["A" * 61, "A" * 61 + "B", "not a word", "A" * 60 + "=="])
def test_a_word_that_is_not_canonical_is_none(word: str) -> None:
    assert take_apart(word) is None


def test_keys_are_derived_as_rfc_5869_says() -> None:
    extracted = hmac.digest(FILE_ID, KEY, "sha256")

    def expanded(purpose: bytes) -> bytes:
        return hmac.digest(extracted, b"wellkept Secrets.toml 1 " + purpose + b"\1", "sha256")

    assert DATA_KEY.commitment == expanded(b"commitment")
    assert DATA_KEY._derived(b"values") == expanded(b"values")
    assert DATA_KEY.key_id == expanded(b"commitment")[:4]
    told = joined(PURPOSE, FILE_ID, DATA_KEY.commitment, b"recipient", b"")
    assert DATA_KEY.mac(b"recipient", b"") == hmac.digest(expanded(b"header"), told, "sha256")


def test_no_key_stands_for_another() -> None:
    keys = {DATA_KEY.commitment, DATA_KEY._derived(b"values"), DATA_KEY._derived(b"header"), DATA_KEY.bare()}
    assert len(keys) == 4


def test_the_commitment_is_that_of_one_data_key_in_one_file() -> None:
    others = [DataKey(KEY, bytes(16)), DataKey(bytes(32), FILE_ID), DataKey.new(FILE_ID), DataKey.new(FILE_ID)]
    assert len({one.commitment for one in (DATA_KEY, *others)}) == 5


def test_parts_of_a_mac_cannot_be_shifted() -> None:
    assert DATA_KEY.mac(b"a", b"b") != DATA_KEY.mac(b"ab", b"")
    assert DATA_KEY.mac(b"a") != DATA_KEY.mac(b"a", b"")


def test_the_repr_of_a_data_key_shows_nothing_of_it() -> None:
    assert KEY.hex() not in repr(DATA_KEY)
    assert repr(KEY) not in repr(DATA_KEY)
