"""`wellkept export`: the values in plain, in three formats, and only with --reveal."""

import json
import os
import shlex
import subprocess
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine, Done
from tests.secrets_files import environ_of, secrets_file
from wellkept.crypto.store import SecretsFile

VALUES: Mapping[str, object] = {
    "dbPassword": 'CANARY it\'s $5\n"two" \\ `x` ${HOME} $${vault:a#b}',
    "partner.apiKey": "CANARY-api",
    "partner.port": 5432,
    "partner.big": 2**70,
    "partner.ratio": Decimal("1.50"),
    "partner.far": Decimal("-Infinity"),
    "partner.is_on": True,
    "partner.at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "partner.day": date(2026, 1, 2),
    "partner.time": time(3, 4),
    "hosts": ["CANARY-a", [1, {"b c": Decimal("0.5"), "d": "${x"}]],
}


@pytest.fixture
def stored(wellkept: CommandLine) -> CommandLine:
    """A folder with a Secrets.toml of all types."""
    secrets_file(wellkept.folder / "Secrets.toml", VALUES)
    return wellkept


def export(wellkept: CommandLine, *words: str) -> Done:
    return wellkept("export", "--reveal", *words, environ=environ_of())


def values_of(file: Path) -> Mapping[str, object]:
    opened = SecretsFile(str(file), environ_of()).open()
    return {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}


def test_without_reveal_nothing_is_printed_and_the_reason_is_told(stored: CommandLine) -> None:
    done = stored("export", environ=environ_of())
    assert (done.out, done.code) == ("", 2)
    assert done.err == (
        "error: export: prints every value in plain, for whoever sees the output\n"
        "hint: say --reveal if that is meant, and write it to no file that is committed\n"
    )


def test_toml_has_one_line_a_key_in_the_order_of_the_file(stored: CommandLine) -> None:
    done = export(stored)
    assert (done.err, done.code) == ("", 0)
    read = tomllib.loads(done.out, parse_float=Decimal)
    assert read["dbPassword"] == str(VALUES["dbPassword"]).replace("${", "$${")  # as Config.toml holds it
    assert read["partner"]["ratio"] == Decimal("1.50")
    assert read["partner"]["at"] == VALUES["partner.at"]
    assert len(done.out.splitlines()) == len(VALUES)


def test_json_has_tables_and_typed_values(stored: CommandLine) -> None:
    done = export(stored, "--format", "json")
    assert json.loads(done.out) == {
        "dbPassword": VALUES["dbPassword"],
        "partner": {
            "apiKey": "CANARY-api",
            "port": 5432,
            "big": 2**70,
            "ratio": 1.5,
            "far": "-infinity",
            "is_on": True,
            "at": "2026-01-02T03:04:05+00:00",
            "day": "2026-01-02",
            "time": "03:04:00",
        },
        "hosts": ["CANARY-a", [1, {"b c": 0.5, "d": "${x"}]],
    }
    assert export(stored, "--json").out == done.out


def test_env_has_the_names_that_load_reads(stored: CommandLine) -> None:
    lines = export(stored, "--format", "env", "partner").out.splitlines()
    assert lines[:3] == ["PARTNER__API_KEY=CANARY-api", "PARTNER__PORT=5432", f"PARTNER__BIG={2**70}"]
    assert "PARTNER__IS_ON=true" in lines


def test_a_shell_reads_the_same_texts_from_env(stored: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "env.secret"
    file.write_text(export(stored, "--format", "env").out, encoding="utf-8")
    script = f'. {shlex.quote(str(file))}; printf %s "$DB_PASSWORD"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout == VALUES["dbPassword"]


@pytest.mark.parametrize("form", ["toml", "env"])
def test_import_reads_back_what_export_wrote(wellkept: CommandLine, form: str) -> None:
    texts = {key: value for key, value in VALUES.items() if form == "toml" or isinstance(value, str)}
    texts["dbPassword"] = str(texts["dbPassword"]).replace("vault:", "nowhere:")  # of env a reference would stay
    secrets_file(wellkept.folder / "Secrets.toml", texts)
    out = export(wellkept, "--format", form).out
    new = secrets_file(wellkept.folder / "Secrets-new.toml", {})
    words = ("import", "-", "--format", form, "--file", "Secrets-new.toml")
    done = wellkept(*words, given=out.encode(), environ=environ_of())
    assert done.code == 0
    assert values_of(new) == texts


def test_only_the_keys_and_tables_that_are_named_are_printed(stored: CommandLine) -> None:
    assert export(stored, "partner.port").out == "partner.port = 5432\n"
    assert (
        export(stored, "PARTNER.api_key", "partner.port").out == 'partner.apiKey = "CANARY-api"\npartner.port = 5432\n'
    )
    assert set(tomllib.loads(export(stored, "partner").out)["partner"]) == {
        key.partition(".")[2] for key in VALUES if key.startswith("partner.")
    }


def test_a_key_that_is_not_there_gets_the_near_one(stored: CommandLine) -> None:
    done = export(stored, "partner.port", "dbPasword")
    assert (done.out, done.code) == ("", 1)
    assert done.err == "error: dbPasword: is not in Secrets.toml\nhint: did you mean dbPassword?\n"


def test_a_value_that_does_not_decrypt_is_named_and_nothing_is_printed(stored: CommandLine) -> None:
    file = stored.folder / "Secrets.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    word = next(line for line in lines if line.startswith("hosts = ")).split(" = ")[1]
    moved = [f"partner.port = {word}" if line.startswith("partner.port = ") else line for line in lines]
    file.write_text("".join(moved), encoding="utf-8")
    done = export(stored)
    assert (done.out, done.code) == ("", 1)
    assert done.err.startswith("error: partner.port: does not decrypt")
    assert export(stored, "dbPassword").code == 0


def test_a_key_that_a_merge_left_twice_must_be_chosen_first(stored: CommandLine) -> None:
    file = stored.folder / "Secrets.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    line = next(line for line in lines if line.startswith("hosts = "))
    file.write_text("".join(lines).replace(line, line + line), encoding="utf-8")
    done = export(stored)
    assert (done.out, done.code) == ("", 1)
    assert "error: hosts: stands in lines" in done.err


@pytest.mark.parametrize("key", ['"a b"', "a__b", "größe", "balConfigVarX", "1a"])
def test_a_key_that_makes_no_variable_is_refused_for_env_only(wellkept: CommandLine, key: str) -> None:
    secrets_file(wellkept.folder / "Secrets.toml", {key.strip('"'): "CANARY"})
    done = export(wellkept, "--format", "env")
    assert (done.out, done.code) == ("", 2)
    assert done.err == f"error: {_spelt(key)}: makes no name of a variable\nhint: export it with --format toml\n"
    assert export(wellkept).code == 0


def _spelt(key: str) -> str:
    return key if key.isascii() else f'"{key}"'


def test_a_text_with_a_nul_is_refused_for_env_only(wellkept: CommandLine) -> None:
    secrets_file(wellkept.folder / "Secrets.toml", {"a": "CANARY\0", "b": "CANARY"})
    done = export(wellkept, "--format", "env")
    assert (done.out, done.code) == ("", 2)
    assert done.err.startswith("error: a: holds a NUL character, which no variable can\n")
    assert json.loads(export(wellkept, "--json").out) == {"a": "CANARY\0", "b": "CANARY"}


def test_two_formats_at_once_are_refused(stored: CommandLine) -> None:
    done = export(stored, "--format", "env", "--json")
    assert (done.out, done.code) == ("", 2)
    assert done.err.startswith("error: --json: says json, and --format env\n")


def test_nobody_without_an_identity_gets_anything(stored: CommandLine) -> None:
    done = stored("export", "--reveal")
    assert (done.out, done.code) == ("", 77)


def test_no_file_is_written(stored: CommandLine) -> None:
    before = set(os.listdir(stored.folder))  # noqa: PTH208 names
    export(stored)
    assert set(os.listdir(stored.folder)) == before  # noqa: PTH208 names
