"""Identities and recipients: their text form, their fingerprints, and the wrapping of a data key by HPKE."""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wellkept.crypto.keys import (
    ALGORITHMS,
    HYBRID,
    X25519,
    Identity,
    Recipient,
    fingerprint_of,
    parse_identity,
    parse_recipient,
)

KINDS = [HYBRID, X25519]
DATA_KEY, INFO = bytes(range(32)), b"info"


def identity(kind: str, seed: int = 1) -> Identity:
    return Identity(kind, bytes([seed]) * ALGORITHMS[kind].secret_bytes)


def wrapped_for(recipient: Recipient) -> bytes:
    wrapped = recipient.wrap(DATA_KEY, INFO)
    assert wrapped is not None
    return wrapped


def with_other_letter(text: str, place: int) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


# Text forms


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_comes_back_from_its_text(kind: str) -> None:
    me = Identity.new(kind)
    found = parse_identity(me.text())
    assert isinstance(found, Identity)
    assert found.recipient == me.recipient
    assert found.text() == me.text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipient_comes_back_from_its_text(kind: str) -> None:
    recipient = identity(kind).recipient
    assert parse_recipient(str(recipient)) == recipient


@pytest.mark.parametrize(
    ("kind", "prefix", "secret_prefix", "public_bytes", "secret_bytes"),
    [
        (HYBRID, "wk-hybrid-", "WK-SECRET-HYBRID-", 1184 + 32, 64 + 32),
        (X25519, "wk-x25519-", "WK-SECRET-X25519-", 32, 32),
    ],
)
def test_a_text_is_a_prefix_the_key_and_a_checksum_over_both(
    kind: str, prefix: str, secret_prefix: str, public_bytes: int, secret_bytes: int
) -> None:
    me = identity(kind)
    for text, start, length in ((str(me.recipient), prefix, public_bytes), (me.text(), secret_prefix, secret_bytes)):
        assert text.startswith(start)
        word = text.removeprefix(start)
        data = urlsafe_b64decode(word + "=" * (-len(word) % 4))
        assert len(data) == length + 4
        assert data[-4:] == hashlib.sha256(start.encode() + data[:-4]).digest()[:4]


def test_the_default_kind_is_the_hybrid() -> None:
    assert Identity.new().recipient.algorithm == HYBRID
    assert Identity.new().text() != Identity.new().text()


@pytest.mark.parametrize("kind", KINDS)
def test_every_changed_letter_of_a_text_is_found(kind: str) -> None:
    recipient, secret = str(identity(kind).recipient), identity(kind).text()
    for place in range(0, len(recipient), 1 if kind == X25519 else 37):
        assert isinstance(parse_recipient(with_other_letter(recipient, place)), str)
    for place in range(len(secret)):
        assert isinstance(parse_identity(with_other_letter(secret, place)), str)


def test_two_letters_that_changed_places_are_found() -> None:
    text = str(identity(X25519).recipient)
    place = next(place for place in range(12, len(text)) if text[place] != text[place - 1])
    swapped = text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]
    assert "checksum" in str(parse_recipient(swapped))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "begins with none of wk-hybrid-, wk-x25519-"),
        ("age1qyqszqgp", "begins with none of wk-hybrid-, wk-x25519-"),
        ("WK-X25519-AAAA", "begins with none of"),
        ("wk-x25519-", "was cut, or has a character that does not belong to it"),
        ("wk-x25519-AAAA", "was cut, or has a character that does not belong to it"),
        (f"wk-x25519-{'A' * 48}", "has a checksum that does not fit: a character of it was changed"),
        (f"wk-hybrid-{'A' * 48}", "was cut, or has a character that does not belong to it"),
        (str(identity(X25519).recipient) + "\n", "was cut, or has a character that does not belong to it"),
        (str(identity(X25519).recipient).replace("x25519", "hybrid"), "was cut"),
        (identity(X25519).text(), "is an identity, which stays with its owner"),
    ],
)
def test_a_text_that_is_no_recipient_says_what_is_wrong(text: str, fact: str) -> None:
    assert str(parse_recipient(text)).startswith(fact)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "begins with none of WK-SECRET-HYBRID-, WK-SECRET-X25519-"),
        ("CANARY", "begins with none of WK-SECRET-HYBRID-, WK-SECRET-X25519-"),
        ("WK-SECRET-X25519-CANARY", "was cut"),
        (identity(X25519).text()[:-1], "was cut"),
        (identity(HYBRID).text().lower(), "is a public key"),
        (str(identity(X25519).recipient), "is a public key; an identity begins with WK-SECRET-"),
    ],
)
def test_a_text_that_is_no_identity_says_what_is_wrong_and_is_not_quoted(text: str, fact: str) -> None:
    found = str(parse_identity(text))
    assert found.startswith(fact)
    assert "CANARY" not in found


def test_the_repr_of_an_identity_shows_whose_it_is_and_no_key() -> None:
    me = identity(X25519)
    assert repr(me) == f"Identity({me.recipient.fingerprint})"
    assert repr(me.recipient) == "Recipient(algorithm='x25519')"


# Fingerprints


def test_a_fingerprint_is_25_letters_of_the_hash_in_base32() -> None:
    letters = b32encode(hashlib.sha256(b"x").digest()).decode().lower()
    assert fingerprint_of(b"x").replace("-", "") == letters[:25]
    assert [len(group) for group in fingerprint_of(b"x").split("-")] == [5] * 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_of_a_recipient_is_that_of_its_text(kind: str) -> None:
    recipient = identity(kind).recipient
    assert recipient.fingerprint == fingerprint_of(str(recipient).encode())
    assert recipient.fingerprint != identity(kind, 2).recipient.fingerprint


# Wrapping


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_wrapped_for_an_identity_opens_for_it(kind: str) -> None:
    me = identity(kind)
    wrapped = wrapped_for(me.recipient)
    assert me.unwrap(wrapped, INFO) == DATA_KEY
    assert len(wrapped) == {HYBRID: 1168, X25519: 80}[kind]
    assert wrapped_for(me.recipient) != wrapped


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_for_nobody_else_and_nowhere_else(kind: str) -> None:
    me = identity(kind)
    wrapped = wrapped_for(me.recipient)
    assert identity(kind, 2).unwrap(wrapped, INFO) is None
    assert me.unwrap(wrapped, b"another file") is None
    for place in range(0, len(wrapped), 7):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        assert me.unwrap(bytes(changed), INFO) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [0, 1, 31, 32, 48, 80, 1088, 1120, 1136, 1168, 5000])
def test_bytes_that_wrap_nothing_open_nothing(kind: str, length: int) -> None:
    assert identity(kind).unwrap(bytes(length), INFO) is None


@pytest.mark.parametrize(
    "recipient",
    [
        pytest.param(Recipient(X25519, bytes(32)), id="x25519 of small order"),
        pytest.param(Recipient(X25519, b"\1" + bytes(31)), id="x25519, another of small order"),
        pytest.param(Recipient(HYBRID, b"\xff" * 1216), id="an ML-KEM key that is out of range"),
        pytest.param(Recipient(HYBRID, identity(HYBRID).recipient.key[:-32] + bytes(32)), id="half a hybrid"),
    ],
)
def test_nothing_is_wrapped_for_a_key_that_is_none(recipient: Recipient) -> None:
    assert recipient.wrap(DATA_KEY, INFO) is None


# HPKE written down once more, from RFC 9180: so that it is that, and no dialect of it


def extract(salt: bytes, label: bytes, key: bytes, suite: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")


def expand(key: bytes, label: bytes, info: bytes, length: int, suite: bytes) -> bytes:
    told = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, told + b"\1", "sha256")[:length]


def open_by_rfc_9180(kem: int, shared: bytes, ciphertext: bytes) -> bytes:
    suite = b"HPKE" + kem.to_bytes(2, "big") + b"\0\1" + b"\0\2"  # HKDF-SHA256, AES-256-GCM
    context = b"\0" + extract(b"", b"psk_id_hash", b"", suite) + extract(b"", b"info_hash", INFO, suite)
    secret = extract(shared, b"secret", b"", suite)
    key, nonce = expand(secret, b"key", context, 32, suite), expand(secret, b"base_nonce", context, 12, suite)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def test_x25519_is_wrapped_as_rfc_9180_says() -> None:
    me = identity(X25519)
    wrapped = wrapped_for(me.recipient)
    sent, private = wrapped[:32], X25519PrivateKey.from_private_bytes(me._secret)
    suite = b"KEM" + b"\x00\x20"
    extracted = extract(b"", b"eae_prk", private.exchange(X25519PublicKey.from_public_bytes(sent)), suite)
    shared = expand(extracted, b"shared_secret", sent + me.recipient.key, 32, suite)
    assert open_by_rfc_9180(0x0020, shared, wrapped[32:]) == DATA_KEY


def test_the_hybrid_is_wrapped_as_x_wing_says() -> None:
    me = identity(HYBRID)
    wrapped = wrapped_for(me.recipient)
    of_mlkem, of_x25519, ciphertext = wrapped[:1088], wrapped[1088:1120], wrapped[1120:]
    first = MLKEM768PrivateKey.from_seed_bytes(me._secret[:64]).decapsulate(of_mlkem)
    private = X25519PrivateKey.from_private_bytes(me._secret[64:])
    second = private.exchange(X25519PublicKey.from_public_bytes(of_x25519))
    label = bytes.fromhex("5c2e2f2f5e5c")
    shared = hashlib.sha3_256(first + second + of_x25519 + me.recipient.key[1184:] + label).digest()
    assert open_by_rfc_9180(0x647A, shared, ciphertext) == DATA_KEY
