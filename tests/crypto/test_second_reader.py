"""A second implementation, which knows the page of the format and nothing of ours, reads what we write."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from wellkept.crypto.change import with_header
from wellkept.crypto.encoding import to_word
from wellkept.crypto.envelope import DataKey
from wellkept.crypto.header import Header, new_header, with_access
from wellkept.crypto.keys import HYBRID, X25519, Identity
from wellkept.crypto.passphrase import Stretching
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.text import read_text
from wellkept.model import Reference

SCRIPT = Path(__file__).with_name("read_secrets.py")
FOLDER = Path(__file__).parents[1] / "vectors/secrets-toml"
EXPECTED: Mapping[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
# One of each form; the script takes no key with a dot in quotes.
READ = ("dbpassword", "text.empty", "text.lines", "number.port", "moment.offset", "many.things.table", "strasse 1")
VALUES = {".".join(told["canonical"]): bytes.fromhex(told["plaintext"])[1:] for told in EXPECTED["values"]}


def run(file: Path, key: str, identity: str) -> subprocess.CompletedProcess[bytes]:
    environ = {**os.environ, "WELLKEPT_IDENTITY": identity, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([sys.executable, SCRIPT, file, key], env=environ, capture_output=True, check=False)


def made(header: Header | Refusal) -> Header:
    assert isinstance(header, Header)
    return header


def new_file(folder: Path, algorithm: str) -> tuple[Path, Identity]:
    """A file that our code wrote a moment ago, with a recipient of each kind and two secrets."""
    header, key = new_header()
    me, how = Identity.new(algorithm), Stretching.new()
    header = made(with_access(header, key, "Ada & Söhne", me.recipient, None))
    header = made(with_access(header, key, "deploy", Identity.new(X25519).recipient, None))
    header = made(with_access(header, key, "safe", how.identity("CANARY passphrase").recipient, how))
    file = folder / "Secrets.toml"
    file.write_text(with_header(read_text("# mine\n"), header.values()), encoding="utf-8")
    source = SecretsSource({"WELLKEPT_IDENTITY": me.text()})
    source.write(Reference("enc", ("dbPassword",), base=str(file)), "CANARY-fresh-☃")
    source.write(Reference("enc", ("partner", "apiKey"), base=str(file)), "CANARY-fresh-key")
    return file, me


def test_the_second_reader_is_short_and_takes_nothing_from_us() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {one.module or "" if isinstance(one, ast.ImportFrom) else one.names[0].name for one in nodes}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"cryptography"}


@pytest.mark.parametrize("name", EXPECTED["identities"])
@pytest.mark.parametrize("key", READ)
def test_it_reads_the_file_of_the_vectors(key: str, name: str) -> None:
    done = run(FOLDER / "Secrets.toml", key, EXPECTED["identities"][name])
    assert (done.stdout, done.stderr) == (VALUES[key], b"")


@pytest.mark.parametrize("algorithm", [HYBRID, X25519])
def test_it_reads_a_file_that_our_code_just_wrote(tmp_path: Path, algorithm: str) -> None:
    file, me = new_file(tmp_path, algorithm)
    assert run(file, "db_password", me.text()).stdout.decode() == "CANARY-fresh-☃"
    assert run(file, "PARTNER.apikey", me.text()).stdout.decode() == "CANARY-fresh-key"


def with_name(text: str, _: Header) -> str:
    return text.replace("\ndeploy = ", "\noperator = ")


def with_other_id(text: str, _: Header) -> str:
    line = next(line for line in text.splitlines() if line.startswith("id = "))
    return text.replace(line, f'id = "{to_word(bytes(16))}"')


def with_other_commitment(text: str, other: Header) -> str:
    line = next(line for line in text.splitlines() if line.startswith("key = "))
    return text.replace(line, f'key = "{to_word(other.commitment)}"')


def with_other_version(text: str, _: Header) -> str:
    return text.replace("version = 1", "version = 2")


def with_other_cipher(text: str, _: Header) -> str:
    return text.replace("XAES-256-GCM", "AES-256-GCM")


def with_stranger(text: str, other: Header) -> str:
    line = other.accesses[0]
    return f'{text}mallory = "{line.said} {to_word(line.mac)}"\n'


def with_swapped_values(text: str, _: Header) -> str:
    first, second = (line.split(" = ")[1] for line in text.splitlines() if "${enc:1:" in line)
    return text.replace(first, "FIRST").replace(second, first).replace("FIRST", second)


@pytest.mark.parametrize(
    "change",
    [
        with_name,
        with_other_id,
        with_other_commitment,
        with_other_version,
        with_other_cipher,
        with_stranger,
        with_swapped_values,
    ],
    ids=lambda change: change.__name__.removeprefix("with_"),
)
def test_it_refuses_a_file_that_was_changed(tmp_path: Path, change: Callable[[str, Header], str]) -> None:
    file, me = new_file(tmp_path, X25519)
    key = DataKey.new(bytes(16))
    other = made(with_access(Header(key.file_id, key.commitment), key, "x", Identity.new(X25519).recipient, None))
    before = file.read_text(encoding="utf-8")
    after = change(before, other)
    assert after != before
    file.write_text(after, encoding="utf-8")
    done = run(file, "dbPassword", me.text())
    assert (done.stdout, done.returncode) == (b"", 1)


def test_it_opens_nothing_for_somebody_else(tmp_path: Path) -> None:
    file, _ = new_file(tmp_path, X25519)
    done = run(file, "dbPassword", Identity.new(X25519).text())
    assert (done.stdout, done.returncode) == (b"", 1)
