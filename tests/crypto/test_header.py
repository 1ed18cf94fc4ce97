"""The header: who may open the file, and that nobody else can say so."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from wellkept._dataclasses import replace
from wellkept.crypto.change import with_header
from wellkept.crypto.encoding import to_word
from wellkept.crypto.envelope import DataKey
from wellkept.crypto.header import (
    MOST_RECIPIENTS,
    Access,
    Header,
    new_header,
    parse_header,
    passphrases,
    unlock,
    with_access,
)
from wellkept.crypto.keys import HYBRID, X25519, Identity, Recipient
from wellkept.crypto.passphrase import Stretching
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.text import read_text
from wellkept.errors import Denied, Kind, Malformed

ADA, BOB, MALLORY = (Identity(X25519, bytes([seed]) * 32) for seed in (1, 2, 3))
FILE_ID = bytes(range(16))
KEY = DataKey(bytes(range(32)), FILE_ID)
BARE = Header(FILE_ID, KEY.commitment)


def added(header: Header, name: str, who: Recipient, key: DataKey = KEY, how: Stretching | None = None) -> Header:
    found = with_access(header, key, name, who, how)
    assert isinstance(found, Header)
    return found


HEADER = added(added(BARE, "ada@laptop", ADA.recipient), "bob", BOB.recipient)


def table_of(header: Header) -> dict[str, Any]:
    """The table as it is read from the text."""
    table = read_text(with_header(read_text(""), header.values())).header_table()
    return {**table, "recipients": dict(table["recipients"])}  # type: ignore[call-overload]  # it is a table


def refusal(found: object) -> Refusal:
    assert isinstance(found, Refusal)
    return found


# A header as it should be


def test_a_header_comes_back_from_its_text() -> None:
    assert parse_header(table_of(HEADER)) == HEADER


def test_a_new_header_is_for_nobody_and_has_an_id_of_its_own() -> None:
    (header, key), (other, _) = new_header(), new_header()
    assert header.accesses == ()
    assert (header.file_id, header.commitment) == (key.file_id, key.commitment)
    assert len(header.file_id) == 16
    assert header.file_id != other.file_id
    assert header.commitment != other.commitment


@pytest.mark.parametrize("identity", [ADA, BOB], ids=["ada", "bob"])
def test_it_unlocks_for_each_recipient(identity: Identity) -> None:
    found = unlock(HEADER, [MALLORY, identity])
    assert isinstance(found, DataKey)
    assert (found.bare(), found.file_id) == (KEY.bare(), FILE_ID)


def test_it_unlocks_for_a_hybrid_identity_and_a_passphrase() -> None:
    me, how = Identity.new(HYBRID), Stretching(64 << 10, 3, 4, bytes(16))
    header = added(added(HEADER, "me", me.recipient), "safe", how.identity("CANARY").recipient, how=how)
    parsed = parse_header(table_of(header))
    assert isinstance(parsed, Header)
    assert list(passphrases(parsed)) == [how]
    assert isinstance(unlock(parsed, [me]), DataKey)
    assert isinstance(unlock(parsed, [how.identity("CANARY")]), DataKey)


def test_the_order_of_recipients_says_nothing() -> None:
    turned = replace(HEADER, accesses=HEADER.accesses[::-1])
    assert isinstance(unlock(turned, [ADA]), DataKey)


def test_recipients_that_two_branches_added_are_both_authentic() -> None:
    one, other = added(BARE, "ada", ADA.recipient), added(BARE, "bob", BOB.recipient)
    merged = replace(BARE, accesses=one.accesses + other.accesses)
    assert isinstance(unlock(merged, [ADA]), DataKey)
    assert isinstance(unlock(merged, [BOB]), DataKey)


def test_who_has_a_name_already_is_replaced() -> None:
    header = added(HEADER, "bob", MALLORY.recipient)
    assert [one.name for one in header.accesses] == ["ada@laptop", "bob"]
    assert refusal(unlock(header, [BOB])).kind is Kind.DENIED
    found = header.access("bob")
    assert found is not None
    assert found.recipient == MALLORY.recipient
    assert header.access("nobody") is None


def test_nothing_is_wrapped_for_a_key_that_is_none() -> None:
    found = refusal(with_access(BARE, KEY, "zero", Recipient(X25519, bytes(32)), None))
    assert found.fact == "is no public key that anything can be encrypted for"


def test_the_fingerprint_of_a_file_is_that_of_its_id_and_data_key() -> None:
    assert HEADER.fingerprint == BARE.fingerprint
    assert replace(BARE, file_id=bytes(16)).fingerprint != BARE.fingerprint
    assert replace(BARE, commitment=bytes(32)).fingerprint != BARE.fingerprint


# How many


def test_200_recipients_are_enough() -> None:
    assert MOST_RECIPIENTS == 200
    ada = HEADER.accesses[0]
    full = replace(BARE, accesses=tuple(replace(ada, name=f"n{number}") for number in range(MOST_RECIPIENTS)))
    assert isinstance(parse_header(table_of(full)), Header)
    assert refusal(with_access(full, KEY, "one more", BOB.recipient, None)).fact == "would be recipient number 201"
    assert isinstance(with_access(full, KEY, "n7", BOB.recipient, None), Header)
    crowded = replace(full, accesses=(*full.accesses, replace(ada, name="one more")))
    assert refusal(parse_header(table_of(crowded))).fact == "has more than 200 recipients"


# What is not believed


@pytest.mark.parametrize("table", [None, {}, [], "text", 1])
def test_a_file_without_a_header_says_how_to_start_one(table: object) -> None:
    assert parse_header(table) == Refusal("has no header [wellkept]", "start one with wellkept init")


@pytest.mark.parametrize("version", [0, 2, -1, True, "1", 1.5, None, [1]])
def test_another_version_is_refused_and_the_known_one_named(version: object) -> None:
    found = refusal(parse_header({**table_of(HEADER), "version": version}))
    assert found.fact == "is not of version 1"


@pytest.mark.parametrize("cipher", ["AES-256-GCM", "xaes-256-gcm", "XAES-256-GCM ", "", None, 1])
def test_another_cipher_is_refused(cipher: object) -> None:
    found = refusal(parse_header({**table_of(HEADER), "cipher": cipher}))
    assert found.fact == "is not encrypted with XAES-256-GCM"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": None}, id="no id"),
        pytest.param({"id": to_word(FILE_ID[:15])}, id="short id"),
        pytest.param({"id": to_word(FILE_ID) + "="}, id="id with padding"),
        pytest.param({"id": to_word(FILE_ID)[:-1] + "x"}, id="id with odd bits"),
        pytest.param({"key": to_word(bytes(31))}, id="short commitment"),
        pytest.param({"key": 5}, id="commitment that is a number"),
        pytest.param({"recipients": "ada"}, id="recipients that are a text"),
        pytest.param({"recipients": None}, id="no recipients"),
        pytest.param({"mac": "AAAA"}, id="one key more"),
    ],
)
def test_a_header_of_another_form_is_refused(changes: Mapping[str, object]) -> None:
    found = refusal(parse_header({**table_of(HEADER), **changes}))
    assert found.fact == "has a header that is not complete"


@pytest.mark.parametrize("key", ["id", "key", "recipients"])
def test_a_header_that_lacks_a_key_is_refused(key: str) -> None:
    table = {name: value for name, value in table_of(HEADER).items() if name != key}
    assert refusal(parse_header(table)).fact == "has a header that is not complete"


def line(words: Callable[[str, str, str], Sequence[str]]) -> str:
    """The line of ada with other words."""
    access = HEADER.accesses[0]
    return " ".join(words(str(access.recipient), to_word(access.wrapped), to_word(access.mac)))


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (5, "is no recipient"),
        ("", "is no recipient"),
        (line(lambda who, _, mac: [who, mac]), "is no recipient"),
        (line(lambda who, wrapped, mac: ["x", "x", who, wrapped, mac]), "is no recipient"),
        (line(lambda who, wrapped, mac: [who, wrapped, mac[:-2]]), "is no recipient"),
        (line(lambda who, wrapped, mac: [who, wrapped + "=", mac]), "is no recipient"),
        (line(lambda who, wrapped, mac: ["", who, wrapped, mac]), "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (line(lambda who, wrapped, mac: [who, wrapped, mac, ""]), "is not argon2id:MEMORY:PASSES:LANES:SALT"),
        (line(lambda who, wrapped, mac: [who[:-1], wrapped, mac]), "was cut"),
        (line(lambda who, wrapped, mac: [who.upper(), wrapped, mac]), "begins with none of"),
        (line(lambda _, wrapped, mac: [ADA.text(), wrapped, mac]), "is an identity"),
        (
            line(lambda who, wrapped, mac: ["argon2id:9999999:3:4:AAAAAAAAAAAAAAAAAAAAAA", who, wrapped, mac]),
            "asks for more work than any honest file does",
        ),
    ],
)
def test_a_line_that_is_no_recipient_is_refused_by_its_name(value: object, fact: str) -> None:
    table = table_of(HEADER)
    table["recipients"]["ada@laptop"] = value
    assert refusal(parse_header(table)).fact.startswith(f"has a recipient ada@laptop whose line {fact}")


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\u202eb", "a\u2028b"])
def test_a_name_that_would_change_what_a_terminal_shows_is_refused(name: str) -> None:
    table = table_of(HEADER)
    table["recipients"][name] = table["recipients"].pop("ada@laptop")
    found = refusal(parse_header(table))
    assert found.fact.endswith("whose line is no recipient")
    assert found.fact.isprintable()


# What is authenticated


def with_ada(**changes: Any) -> Header:  # noqa: ANN401 fields of an access
    first, *others = HEADER.accesses
    return replace(HEADER, accesses=(replace(first, **changes), *others))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(with_ada(name="admin"), id="another name"),
        pytest.param(with_ada(mac=bytes(32)), id="another MAC"),
        pytest.param(with_ada(stretching=Stretching.new()), id="a passphrase in front"),
        pytest.param(with_ada(recipient=MALLORY.recipient), id="another public key"),
        pytest.param(with_ada(wrapped=HEADER.accesses[1].wrapped), id="another wrapped key"),
        pytest.param(with_ada(mac=HEADER.accesses[1].mac), id="the MAC of another line"),
    ],
)
def test_a_changed_line_is_refused_for_everybody_else_too(changed: Header) -> None:
    found = refusal(unlock(changed, [BOB]))
    assert found.fact.startswith("has a recipient that nobody added who could open it: ")
    assert found.kind is Kind.INVALID


def test_a_stranger_cannot_add_themselves() -> None:
    other = DataKey(bytes(32), FILE_ID)
    guest = added(Header(FILE_ID, other.commitment), "mallory", MALLORY.recipient, other).accesses
    forged = replace(HEADER, accesses=(*HEADER.accesses, *guest))
    fact = "has a recipient that nobody added who could open it: mallory"
    assert refusal(unlock(forged, [ADA])).fact == fact
    assert "does not fit" in refusal(unlock(forged, [MALLORY])).fact


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(HEADER, file_id=bytes(16)), id="another file id"),
        pytest.param(replace(HEADER, commitment=bytes(32)), id="another commitment"),
        pytest.param(with_ada(wrapped=HEADER.accesses[1].wrapped), id="a key that was wrapped for another"),
        pytest.param(with_ada(wrapped=b""), id="no wrapped key"),
    ],
)
def test_a_changed_header_does_not_unlock(changed: Header) -> None:
    found = refusal(unlock(changed, [ADA]))
    assert found.fact == "has a header that was changed: the line of ada@laptop does not fit to it"
    assert found.kind is Kind.INVALID


def test_a_wrapped_key_of_another_file_does_not_unlock() -> None:
    other = DataKey(KEY.bare(), bytes(16))
    foreign = added(Header(other.file_id, other.commitment), "ada@laptop", ADA.recipient, other).accesses[0]
    assert "does not fit" in refusal(unlock(replace(HEADER, accesses=(foreign,)), [ADA])).fact


def test_a_line_from_before_the_last_rekey_is_refused() -> None:
    new = DataKey.new(FILE_ID)
    rekeyed = added(Header(FILE_ID, new.commitment), "bob", BOB.recipient, new)
    back = replace(rekeyed, accesses=(*rekeyed.accesses, HEADER.accesses[0]))
    assert refusal(unlock(back, [BOB])).fact == "has a recipient that nobody added who could open it: ada@laptop"


def test_a_data_key_that_does_not_give_the_commitment_is_refused() -> None:
    """Whoever makes a file can wrap another key for each reader: the commitment says which is right."""
    other = DataKey(bytes(32), FILE_ID)
    wrapped = added(Header(FILE_ID, other.commitment), "bob", BOB.recipient, other).accesses[0]
    two_faced = replace(HEADER, accesses=(HEADER.accesses[0], wrapped))
    assert "does not fit" in refusal(unlock(two_faced, [BOB])).fact


# Who is not let in


def test_who_is_no_recipient_is_denied_and_told_whom_to_ask() -> None:
    found = refusal(unlock(HEADER, [MALLORY]))
    assert found.fact == f"is not encrypted for the identity at hand ({MALLORY.recipient.fingerprint})"
    assert "ada@laptop" in found.hint
    assert isinstance(found.error("Secrets.toml"), Denied)


def test_without_an_identity_it_is_denied_and_told_where_one_is_looked_for() -> None:
    found = refusal(unlock(HEADER, []))
    assert found.fact == "is encrypted, and there is no identity to open it with"
    assert "WELLKEPT_IDENTITY" in found.hint
    assert found.kind is Kind.DENIED


def test_a_header_for_nobody_is_denied() -> None:
    assert refusal(unlock(BARE, [ADA])).kind is Kind.DENIED


def test_what_was_changed_is_malformed_and_not_denied() -> None:
    assert isinstance(refusal(unlock(with_ada(wrapped=b""), [ADA])).error("Secrets.toml"), Malformed)


def test_the_repr_of_a_header_shows_no_wrapped_key() -> None:
    access = HEADER.accesses[0]
    assert isinstance(access, Access)
    assert repr(access) == "Access(name='ada@laptop', recipient=Recipient(algorithm='x25519'), stretching=None)"
