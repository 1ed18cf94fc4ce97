"""`wellkept get`: what is there, and the value only when it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine

KEY = "shelf:prod/db#password"


def test_version_kind_and_answer_are_told_and_no_value(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    done = wellkept("get", KEY)
    head, row = done.out.splitlines()
    assert head.split() == ["key", "kind", "version", "answer"]
    assert row.split() == [KEY, "text", "1", "memory", "prod/db"]
    assert (done.err, done.code) == ("", 0)


def test_a_table_is_told_by_its_keys(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"user": "CANARY", "password": "CANARY"})
    assert "table with keys user, password" in wellkept("get", "shelf:prod/db").out
    wellkept.put("prod/db", {})
    assert "table without keys" in wellkept("get", "shelf:prod/db").out


@pytest.mark.parametrize(
    ("value", "kind"),
    [(5, "number"), (0.5, "number"), (True, "true or false"), (["CANARY"], "list"), (None, "nothing")],
)
def test_each_kind_of_json_has_its_word(wellkept: CommandLine, value: object, kind: str) -> None:
    wellkept.put("prod/db", {"x": value})
    document = wellkept("get", "shelf:prod/db#x", "--json").document
    assert document == {
        "key": "shelf:prod/db#x",
        "kind": kind,
        "keys": None,
        "version": "1",
        "answer": "memory prod/db",
        "note": None,
    }


def test_json_has_the_keys_of_a_table_and_its_value_only_with_reveal(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY", "port": 5432})
    facts = {
        "key": "shelf:prod/db",
        "kind": "table",
        "keys": ["password", "port"],
        "version": "1",
        "answer": "memory prod/db",
        "note": None,
    }
    assert wellkept("get", "shelf:prod/db", "--json").document == facts
    revealed = wellkept("get", "shelf:prod/db", "--json", "--reveal").document
    assert revealed == facts | {"value": {"password": "CANARY", "port": 5432}}


@pytest.mark.parametrize("text", ["CANARY", "CANARY\n", "CANARY-ü\r\n\n"])
def test_a_revealed_text_is_printed_exactly(wellkept: CommandLine, text: str) -> None:
    wellkept.put("prod/db", {"password": text})
    assert wellkept("get", KEY, "--reveal").out == text


@pytest.mark.parametrize(
    ("value", "shown"), [(5432, "5432"), (0.5, "0.5"), (True, "true"), (None, "null"), ([1, "a"], '[1, "a"]')]
)
def test_what_is_no_text_is_revealed_as_json(wellkept: CommandLine, value: object, shown: str) -> None:
    wellkept.put("prod/db", {"x": value})
    assert wellkept("get", "shelf:prod/db#x", "--reveal").out == shown


def test_a_table_is_revealed_as_json(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY", "inner": {"a": [0.5]}})
    assert wellkept("get", "shelf:prod/db", "--reveal").document == {"password": "CANARY", "inner": {"a": [0.5]}}


def test_a_number_inside_a_json_text_is_revealed_as_a_number(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", '{"rate": 0.5}')
    assert wellkept("get", "shelf:prod/db#rate", "--reveal").out == "0.5"
    assert wellkept("get", "shelf:prod/db#rate").out.splitlines()[1].split()[1] == "number"


def test_bytes_are_printed_as_they_are_and_are_no_json(wellkept: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "secrets-folder").mkdir()
    (tmp_path / "secrets-folder" / "key").write_bytes(b"CANARY-\xff")
    assert "bytes" in wellkept("get", "file:secrets-folder#key").out
    assert wellkept("get", "file:secrets-folder#key", "--reveal").out == "CANARY-\udcff"
    done = wellkept("get", "file:secrets-folder", "--reveal")
    assert done.err.startswith("error: KEY: holds bytes that are no text\n")
    assert (done.out, done.code) == ("", 1)
    (tmp_path / "secrets-folder" / "key").write_bytes(b"CANARY")
    assert wellkept("get", "file:secrets-folder", "--reveal").document == {"key": "CANARY"}


def test_a_pinned_version_is_got(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY-1"})
    wellkept.put("prod/db", {"password": "CANARY-2"})
    assert wellkept("get", "shelf:prod/db?version=1#password", "--reveal").out == "CANARY-1"
    assert wellkept("get", "${shelf:prod/db?optional=true#password}", "--reveal").out == "CANARY-2"


def test_absent_denied_and_unreachable_have_their_codes(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    assert wellkept("get", "shelf:absent#x").code == 1
    assert wellkept("get", "shelf:prod/db#pasword").err == (
        "error: shelf:prod/db#pasword: no such key\nhint: did you mean password?\n"
    )
    assert wellkept("get", "shelf:denied/db#x").code == 77
    assert wellkept("get", KEY, environ={"SHELF_IS_DOWN": "1"}).code == 69


def test_a_fault_of_a_provider_is_told_without_its_text(wellkept: CommandLine) -> None:
    done = wellkept("get", "shelf:broken/db#x")
    assert done.err.startswith("error: RuntimeError at ")
    assert "CANARY" not in done.err
    assert done.code == 2


def test_a_slow_source_is_named_once(wellkept: CommandLine) -> None:
    wellkept.put("slow/db", {"password": "CANARY"})
    done = wellkept("get", "shelf:slow/db#password", "--reveal")
    assert (done.out, done.err, done.waits) == ("CANARY", "", "waiting for shelf …\n")


def test_names_of_a_source_do_not_move_the_cursor(wellkept: CommandLine) -> None:
    wellkept.put("prod/\x1b[2J", {"a\nb": "CANARY"})
    assert wellkept("list", "shelf:prod").out == "\\x1b[2J\n"
    wellkept.put("prod/db", {"a\nb": "CANARY"})
    assert "table with keys a\\nb" in wellkept("get", "shelf:prod/db").out


def test_a_reader_that_goes_away_is_no_fault(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY" * 100_000})
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" | head -c 6', "sh", sys.executable, "-m", "wellkept", "get", KEY, "--reveal"],
        cwd=wellkept.folder,
        env=wellkept.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("CANARY", "")
