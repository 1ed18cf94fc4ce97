"""The format as its page specifies it: the vectors of tests/vectors/secrets-toml, read by our code."""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.frames import shown_by
from tests.vectors.make_secrets_toml import drawn, tagged
from wellkept._names import canonical_path
from wellkept._toml.document import parse
from wellkept.crypto.envelope import DataKey
from wellkept.crypto.keys import parse_identity, parse_recipient
from wellkept.crypto.opened import Opened
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import Entry, read_text
from wellkept.errors import Denied, Malformed, SourceError
from wellkept.model import Reference

FOLDER = Path(__file__).parents[1] / "vectors/secrets-toml"
FILE = FOLDER / "Secrets.toml"
EXPECTED: Mapping[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
BROKEN: Mapping[str, Any] = json.loads((FOLDER / "broken.json").read_text(encoding="utf-8"))
LINES = json.loads((FOLDER / "lines.json").read_text(encoding="utf-8"))["lines"]
KEYS = {name: bytes.fromhex(value) for name, value in EXPECTED["file"].items() if name != "fingerprint"}


def identity_of(name: str) -> dict[str, str]:
    return {"WELLKEPT_IDENTITY": EXPECTED["identities"][name]}


@pytest.fixture(scope="module")
def opened() -> Opened:
    return SecretsFile(str(FILE), identity_of("ada@laptop")).open()


def entry_of(opened: Opened, told: Mapping[str, Any]) -> Entry:
    entry = opened.entry(tuple(told["key"]))
    assert isinstance(entry, Entry)
    return entry


# A file as it should be


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(identity_of("ada@laptop"), id="hybrid"),
        pytest.param(identity_of("deploy"), id="x25519"),
        pytest.param({"WELLKEPT_PASSPHRASE": EXPECTED["passphrase"]}, id="passphrase"),
        pytest.param({"WELLKEPT_PASSPHRASE": unicodedata.normalize("NFD", EXPECTED["passphrase"])}, id="decomposed"),
        pytest.param({**identity_of("deploy"), "WELLKEPT_STORE": EXPECTED["file"]["fingerprint"]}, id="pinned"),
    ],
)
def test_the_file_opens_for_each_of_its_recipients(environ: Mapping[str, str]) -> None:
    found = SecretsFile(str(FILE), environ).open()
    assert found.key.bare() == KEYS["data_key"]
    assert found.text.flaws == []


def test_the_file_is_toml_and_holds_the_keys_that_are_expected() -> None:
    text = read_text(FILE.read_text(encoding="utf-8"))
    document = parse(FILE.read_bytes(), "Secrets.toml")
    expected = [tuple(told["key"]) for told in EXPECTED["values"]]
    assert [entries[0].path for entries in text.secrets.values()] == expected
    assert [path for path in expected if document.place(path) is None] == []


@pytest.mark.parametrize("told", EXPECTED["values"], ids=lambda told: "/".join(told["canonical"]))
def test_each_value_is_the_one_that_was_written(opened: Opened, told: Mapping[str, Any]) -> None:
    assert tagged(opened.value(entry_of(opened, told))) == told["value"]


@pytest.mark.parametrize("told", EXPECTED["values"], ids=lambda told: "/".join(told["canonical"]))
def test_each_value_is_encrypted_as_the_page_says(opened: Opened, told: Mapping[str, Any]) -> None:
    path = told["key"]
    assert list(canonical_path(path)) == told["canonical"]
    assert opened.key._associated(path).hex() == told["associated"]
    nonce = drawn(f"nonce of {'/'.join(told['canonical'])}", 24)
    assert opened.key.seal(path, bytes.fromhex(told["plaintext"]), nonce) == entry_of(opened, told).value


def test_all_keys_of_the_file_come_from_its_data_key(opened: Opened) -> None:
    key = DataKey(KEYS["data_key"], KEYS["id"])
    assert key.commitment == KEYS["commitment"] == opened.header.commitment
    assert key.key_id == KEYS["key_id"]
    assert key._derived(b"values") == KEYS["values_key"]
    assert key._derived(b"header") == KEYS["header_key"]


def test_the_fingerprints_are_the_ones_that_are_expected(opened: Opened) -> None:
    found = {
        one.name: {"text": str(one.recipient), "fingerprint": one.recipient.fingerprint}
        for one in opened.header.accesses
    }
    assert found == EXPECTED["recipients"]
    assert opened.header.fingerprint == EXPECTED["file"]["fingerprint"]


@pytest.mark.parametrize("name", EXPECTED["identities"])
def test_an_identity_is_the_private_key_of_its_recipient(name: str) -> None:
    identity, recipient = (
        parse_identity(EXPECTED["identities"][name]),
        parse_recipient(EXPECTED["recipients"][name]["text"]),
    )
    assert not isinstance(identity, str)
    assert identity.recipient == recipient


def test_a_copy_with_crlf_and_a_byte_order_mark_opens(tmp_path: Path) -> None:
    copy = tmp_path / "Secrets.toml"
    copy.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes().replace(b"\n", b"\r\n"))
    found = SecretsFile(str(copy), identity_of("deploy")).open()
    assert [tagged(found.value(entry_of(found, told))) for told in EXPECTED["values"]] == [
        told["value"] for told in EXPECTED["values"]
    ]


# Files that are broken


def test_the_file_that_the_broken_ones_come_from_opens() -> None:
    path = str(FOLDER / "broken/Secrets-whole.toml")
    source = SecretsSource({"WELLKEPT_IDENTITY": BROKEN["identity"]})
    assert source.fetch(Reference("enc", ("beta",), base=path)).value == "CANARY-beta"


def test_each_broken_file_has_its_refusal() -> None:
    files = {file.name for file in (FOLDER / "broken").iterdir()} - {"Secrets-whole.toml"}
    assert sorted(files) == sorted(case["file"] for case in BROKEN["cases"])


@pytest.mark.parametrize("case", BROKEN["cases"], ids=lambda case: case["file"].removesuffix(".toml")[8:])
def test_a_broken_file_is_refused_and_nothing_of_it_is_shown(case: Mapping[str, str | None]) -> None:
    path = str(FOLDER / f"broken/{case['file']}")
    with pytest.raises(SourceError) as caught:
        SecretsSource({"WELLKEPT_IDENTITY": BROKEN["identity"]}).fetch(
            Reference("enc", (case["key"] or "alpha",), base=path)
        )
    name = case["key"] or path
    assert isinstance(caught.value, (Malformed, Denied))
    assert str(case["says"]) in caught.value.message
    assert name.rsplit("/", 1)[-1] in caught.value.message.partition(": ")[0]
    assert "CANARY-beta" not in shown_by(caught.value)


@pytest.mark.parametrize(
    "case", [case for case in BROKEN["cases"] if case["key"]], ids=lambda case: case["file"].removesuffix(".toml")[8:]
)
def test_a_broken_value_leaves_the_others_readable(case: Mapping[str, str]) -> None:
    source = SecretsSource({"WELLKEPT_IDENTITY": BROKEN["identity"]})
    path = str(FOLDER / f"broken/{case['file']}")
    assert source.fetch(Reference("enc", ("alpha",), base=path)).value == "CANARY-alpha"


# The grammar of lines


@pytest.mark.parametrize("told", LINES, ids=lambda told: told["line"])
def test_a_line_is_what_the_page_says(told: Mapping[str, Any]) -> None:
    found = read_text(told["line"].replace("WORD", "AAAA") + "\n")
    secrets, header = ([one.path for many in part.values() for one in many] for part in (found.secrets, found.header))
    path = [tuple(told.get("path", ()))]
    kinds = {"secret": secrets == path, "header": header == path, "table": list(found.tables) == path}
    kinds["refused"] = [flaw.line for flaw in found.flaws] == [0]
    assert [kind for kind, holds in kinds.items() if holds] == ([told["is"]] if told["is"] != "nothing" else [])


def test_a_flaw_never_quotes_its_line() -> None:
    refused = "\n".join(told["line"] for told in LINES if told["is"] == "refused")
    assert "CANARY" not in repr(read_text(refused).flaws)
