"""`wellkept set`: where the value may come from, and all the places where it never stands."""

import subprocess
import sys

import pytest

from tests.cli.shelf import CommandLine

KEY = "shelf:prod/db#password"
NO_VALUE = "hint: type the value, pipe it in, or name a file with --from-file\n"


def test_a_piped_value_is_written_and_its_version_told(wellkept: CommandLine) -> None:
    done = wellkept("set", KEY, given=b"CANARY-piped")
    assert (done.out, done.err, done.code) == ("", f"set {KEY}, now version 1\n", 0)
    assert wellkept.newest("prod/db") == {"password": "CANARY-piped"}
    assert wellkept("set", KEY, given=b"CANARY-second").err == f"set {KEY}, now version 2\n"


def test_the_other_keys_of_the_secret_stay(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"user": "app", "password": "CANARY-old"})
    assert wellkept("set", KEY, given=b"CANARY-new").code == 0
    assert wellkept.newest("prod/db") == {"user": "app", "password": "CANARY-new"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"CANARY\n", "CANARY"),
        (b"CANARY\r\n", "CANARY"),
        (b"CANARY\n\n", "CANARY\n"),
        (b"\nCANARY ", "\nCANARY "),
        ("CANARY-ü".encode(), "CANARY-ü"),
    ],
)
def test_one_final_newline_of_stdin_or_a_file_is_no_part_of_the_value(
    wellkept: CommandLine, given: bytes, kept: str
) -> None:
    assert wellkept("set", KEY, given=given).code == 0
    assert wellkept.newest("prod/db") == {"password": kept}
    (wellkept.folder / "value.secret").write_bytes(given)
    assert wellkept("set", "shelf:file/db#password", "--from-file", "value.secret").code == 0
    assert wellkept.newest("file/db") == {"password": kept}


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        (b"", "holds no value"),
        (b"\n", "holds no value"),
        (b"CANARY-\xff", "holds no UTF-8 text"),
        (b"CANARY" * 200_000, "holds more than 1 MiB"),
    ],
)
def test_what_can_be_no_value_is_refused_and_nothing_written(wellkept: CommandLine, given: bytes, fact: str) -> None:
    done = wellkept("set", KEY, given=given)
    assert (done.out, done.err, done.code) == ("", f"error: stdin: {fact}\n{NO_VALUE}", 2)
    assert wellkept.newest("prod/db") is None


def test_a_closed_stdin_is_told(wellkept: CommandLine) -> None:
    words = [sys.executable, "-m", "wellkept", "set", KEY]
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&-', "sh", *words],
        cwd=wellkept.folder,
        env=wellkept.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.startswith("error: stdin: is closed\n")
    assert done.returncode == 2


@pytest.mark.parametrize("word", ["CANARY-value", "--CANARY-value", "-CANARY", "password=CANARY"])
def test_a_value_on_the_command_line_is_refused_with_the_reason_and_not_repeated(
    wellkept: CommandLine, word: str
) -> None:
    done = wellkept("set", KEY, word, given=b"CANARY-piped")
    assert "the process list and the shell's history show it" in done.err
    assert "CANARY" not in done.out + done.err
    assert done.code == 2
    assert wellkept.newest("prod/db") is None


def test_a_value_behind_the_key_is_refused_and_not_repeated(wellkept: CommandLine) -> None:
    done = wellkept("set", f"{KEY}=CANARY", given=b"CANARY-piped")
    assert done.err.startswith("error: KEY: holds a =, as if a value followed\n")
    assert "CANARY" not in done.err
    assert wellkept("set", "shelf:prod/db#a%3Db", given=b"CANARY").err == "set shelf:prod/db#a=b, now version 1\n"


def test_a_misspelt_option_gets_the_right_one(wellkept: CommandLine) -> None:
    done = wellkept("set", KEY, "--from-files=x", given=b"CANARY")
    assert (done.err, done.code) == ("error: set: has no such option\nhint: did you mean --from-file?\n", 2)


def test_a_conflict_writes_nothing_and_says_where_to_look(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY-1"})
    wellkept.put("prod/db", {"password": "CANARY-2"})
    done = wellkept("set", KEY, "--if-version", "1", given=b"CANARY-mine")
    assert (done.out, done.code) == ("", 1)
    fact, hint = done.err.splitlines()
    assert fact == f"error: {KEY}: is at version 2, not at the expected one"
    assert hint == f"hint: look with wellkept get '{KEY}', and run it again"
    assert wellkept.newest("prod/db") == {"password": "CANARY-2"}
    assert wellkept("set", KEY, "--if-version", "2", given=b"CANARY-mine").code == 0


def test_a_denial_is_77_and_a_source_out_of_reach_69(wellkept: CommandLine) -> None:
    assert wellkept("set", "shelf:denied/db#password", given=b"CANARY").code == 77
    assert wellkept("set", KEY, given=b"CANARY", environ={"SHELF_IS_DOWN": "1"}).code == 69


def test_the_key_and_its_version_are_one_json_document(wellkept: CommandLine) -> None:
    done = wellkept("set", KEY, "--json", given=b"CANARY")
    assert (done.document, done.err) == ({"key": KEY, "version": "1"}, "")


def test_a_key_is_written_as_config_toml_holds_it(wellkept: CommandLine) -> None:
    done = wellkept("set", "${shelf:prod/db?optional=true&side=a#password}", given=b"CANARY")
    assert done.err == f"set {KEY}, now version 1\n"
