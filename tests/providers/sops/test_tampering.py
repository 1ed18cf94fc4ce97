"""A file that was changed is refused, or it still says the same; it never says anything else."""

import re
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frames import shown_by
from tests.providers.sops.encrypting import Sops
from wellkept.errors import Denied, Malformed, SourceError

HELD = {"db": {"user": "CANARY-user", "password": "CANARY-pw"}, "port": 5432, "list": ["CANARY-1", "CANARY-2"]}
FILES = {
    "a.yaml": "db:\n  user: CANARY-user\n  password: CANARY-pw\nport: 5432\nlist: [CANARY-1, CANARY-2]\n",
    "a.json": '{"db":{"user":"CANARY-user","password":"CANARY-pw"},"port":5432,"list":["CANARY-1","CANARY-2"]}',
    "a.env": "USER=CANARY-user\nPASSWORD=CANARY-pw\n",
    "a.ini": "[db]\nuser = CANARY-user\npassword = CANARY-pw\n",
    "a.bin": "CANARY-blob",
}


def said(node: object) -> object:
    """A tree without what is null or empty: SOPS has no MAC over nothing, so nothing may be added."""
    if isinstance(node, dict):
        return {key: one for key, inner in node.items() if (one := said(inner)) not in (None, "", {}, [])}
    return [said(one) for one in node] if isinstance(node, list) else node


BITS = (0, 5, 7)  # a neighbour, the other case, no ASCII


def outcome(sops: Sops, name: str) -> object:
    """What is read of a file, or None where it is refused without a word of what it holds."""
    try:
        return said(sops.read(name))
    except SourceError as error:
        refused = error
    assert isinstance(refused, (Malformed, Denied))
    assert refused.message.startswith(f"{name}: ")
    assert "CANARY" not in shown_by(refused)
    return None


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FILES)
def test_no_changed_byte_changes_a_value(sops: Sops, name: str) -> None:
    path = sops.encrypt(name, FILES[name])
    whole, good = path.read_bytes(), sops.read(name)
    read = 0
    for index, bit in product(range(len(whole)), BITS):
        changed = bytearray(whole)
        changed[index] ^= 1 << bit
        path.write_bytes(changed)
        value = outcome(sops, name)
        assert value in (None, good), f"bit {bit} of byte {index}"
        read += value is not None
    assert read < len(whole) * len(BITS) / 3  # white space, the recipient's name, the version


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.ini", "a.env"])
def test_no_line_that_is_moved_doubled_or_gone_changes_a_value(sops: Sops, name: str, data: st.DataObject) -> None:
    path = sops.folder / name
    lines = (path if path.exists() else sops.encrypt(name, FILES[name])).read_bytes().splitlines(keepends=True)
    try:
        good = sops.read(name)
        changed = data.draw(changes(lines))
        path.write_bytes(b"".join(changed))
        assert outcome(sops, name) in (None, good)
    finally:
        path.write_bytes(b"".join(lines))


def changes(lines: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    places = st.integers(0, len(lines) - 1)
    swapped = st.tuples(places, places).map(lambda two: swap(lines, *two))
    gone = places.map(lambda at: lines[:at] + lines[at + 1 :])
    doubled = st.tuples(places, places).map(lambda two: [*lines[: two[0]], lines[two[1]], *lines[two[0] :]])
    short = places.map(lambda at: lines[:at])
    cut = places.map(lambda at: [*lines[:at], lines[at][: len(lines[at]) // 2]])
    return swapped | gone | doubled | short | cut


def swap(lines: list[bytes], one: int, other: int) -> list[bytes]:
    made = list(lines)
    made[one], made[other] = lines[other], lines[one]
    return made


WRONG_MAC = "does not match its MAC: a value was changed, added, removed or moved"
NO_MAC = "has a MAC that does not decrypt: it or lastmodified was changed"
IN_THE_CLEAR = "port is not encrypted, and the file's own rule says that it is"
NO_TYPE = "db.user is of a type that is not known"
RULE = "unencrypted_suffix: _unencrypted"

# what becomes of it: (what is replaced once in the file, by what, what is said)
CHANGES = {
    "a key renamed": ("user: ENC", "login: ENC", "db.login does not decrypt: it was changed, or moved here"),
    "a value emptied": ("password: .*", "password: ''", WRONG_MAC),
    "a value removed": (" +password: .*\n", "", WRONG_MAC),
    "a value in the clear": ("port: .*", "port: 5432", IN_THE_CLEAR),
    "a text in the clear": ("port: .*", "port: plain", IN_THE_CLEAR),
    "a value added": ("^", "x_unencrypted: added\n", WRONG_MAC),
    "elements swapped": (r"( +- ENC.*\n)( +- ENC.*\n)", r"\2\1", WRONG_MAC),
    "another type": ("type:str", "type:int", NO_TYPE),
    "a type that is none": ("type:str", "type:list", NO_TYPE),
    "a comment of a value": ("type:str", "type:comment", NO_TYPE),
    "another time": ("lastmodified: .*", "lastmodified: '2020-01-01T00:00:00Z'", NO_MAC),
    "no MAC": (" +mac: .*\n", "", "has no MAC, so nothing in it can be trusted"),
    "an empty MAC": ("mac: .*", "mac: ''", NO_MAC),
    "another MAC": (r"(port: )(.*)((?:.|\n)*mac: ).*", r"\1\2\3\2", NO_MAC),
    "less in the MAC": (RULE, f"{RULE}\n    mac_only_encrypted: true", WRONG_MAC),
    "two rules": (
        RULE,
        f"{RULE}\n    encrypted_regex: a",
        "has unencrypted_suffix and encrypted_regex, and one rule is all that SOPS knows",
    ),
    "no text for a rule": (RULE, "encrypted_regex: [a]", "has encrypted_regex, and no text there"),
    "an odd rule": (RULE, "encrypted_regex: (?m)^a", "has an encrypted_regex that is not supported"),
    "an endless rule": (
        RULE,
        "encrypted_regex: (((a?){99}){99}){99}",
        "has a rule whose regular expression takes too long",
    ),
    "another rule": (RULE, "encrypted_suffix: port", WRONG_MAC),
    "a short nonce": ("iv:[^,]*", "iv:QUJD", "db.user does not decrypt: it was changed, or moved here"),
    "no base64": ("iv:[^,]*", "iv:QUJDR", "db.user does not decrypt: it was changed, or moved here"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named(sops: Sops, change: str) -> None:
    old, new, fact = CHANGES[change]
    path = sops.encrypt("a.yaml", FILES["a.yaml"])
    changed, count = re.subn(old, new, path.read_text(), count=1)
    assert count
    path.write_text(changed)
    error = sops.refusal("a.yaml")
    assert isinstance(error, Malformed)
    assert error.message == f"a.yaml: {fact}"
    assert "CANARY" not in shown_by(error)


def test_a_type_is_not_bound_where_it_writes_the_same(sops: Sops) -> None:
    path = sops.encrypt("a.yaml", FILES["a.yaml"])
    path.write_text(path.read_text().replace("type:int", "type:str"))
    assert sops.read("a.yaml") == HELD | {"port": "5432"}


def test_values_of_another_file_with_the_same_key_are_refused_by_the_mac(sops: Sops) -> None:
    path = sops.encrypt("a.yaml", "a: CANARY-old\nb: CANARY\n")
    old = path.read_text().splitlines()[0]
    sops.run("set", str(path), '["a"]', '"CANARY-new"')
    path.write_text("\n".join([old, *path.read_text().splitlines()[1:]]))
    assert sops.refusal("a.yaml").message.startswith("a.yaml: does not match its MAC")


def test_a_binary_file_stays_bytes_whatever_type_is_written_there(sops: Sops) -> None:
    path = sops.encrypt("a.bin", "5432")
    path.write_text(path.read_text().replace("type:str", "type:int", 1))
    assert sops.read("a.bin") == b"5432"
