"""KEY on the command line: its grammar, and which sources can do what is asked."""

from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine
from wellkept.cli.key import parse_key
from wellkept.errors import UsageError
from wellkept.model import Reference


@pytest.mark.parametrize(
    "text", ["vault:secret/prod/db#password", "${vault:secret/prod/db#password}", "vault:secret/prod/%64b#password"]
)
def test_a_key_is_a_reference_with_or_without_its_braces(text: str) -> None:
    assert parse_key(text) == Reference("vault", ("secret", "prod", "db"), ("password",))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("CANARY a", "is neither a key of Secrets.toml nor a reference"),
        ("CANARY=b", "is neither a key of Secrets.toml nor a reference"),
        ("CANARY.", "is neither a key of Secrets.toml nor a reference"),
        ("wellkept.CANARY", "begins with wellkept, which holds the header of the file"),
        ("CANARY{}:x", "is neither a key of Secrets.toml nor a reference"),
        ("vault:CANARY#a#b", "is no reference"),
        ("${vault:CANARY", "is neither a key of Secrets.toml nor a reference"),
        ("vault:CANARY/../x", "holds a reference with an empty, . or .. segment"),
        ("vault:CANARY/%2fx", "holds a reference with a character that no path may hold"),
        ("vault:CANARY#", "holds a reference with a broken #key"),
        ("enc:CANARY", "enc: stands in Secrets.toml only"),
        ("vault:", "holds a reference with an empty, . or .. segment"),
    ],
)
def test_what_is_no_key_is_refused_and_not_quoted(text: str, fact: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_key(text)
    assert caught.value.message == f"KEY: {fact}"
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [("dbPassword", ("dbPassword",)), ("db.password", ("db", "password")), ('"a:b".c', ("a:b", "c"))],
)
def test_a_key_without_a_scheme_is_one_of_the_secrets_file(text: str, path: tuple[str, ...]) -> None:
    assert parse_key(text) == Reference("enc", path, base=str(Path.cwd() / "Secrets.toml"))
    assert parse_key(text, ["other.toml"]).base == str(Path.cwd() / "other.toml")


def test_without_a_secrets_file_every_command_says_how_to_start_one(wellkept: CommandLine) -> None:
    for words in (["set"], ["get"], ["unset"], ["list"]):
        done = wellkept(*words, "dbPassword", given=b"CANARY")
        assert done.err == "error: Secrets.toml: does not exist\nhint: start one with wellkept init\n"
        assert done.code == 1


def test_a_source_that_cannot_is_named_with_those_that_can(wellkept: CommandLine) -> None:
    for words, fact in (
        (["set", "file:x#a"], "file: cannot be written"),
        (["unset", "env:X#a"], "env: cannot be written"),
        (["list", "env:X"], "env: cannot be listed"),
    ):
        done = wellkept(*words, given=b"CANARY")
        fault, hint = done.err.splitlines()
        assert fault == f"error: {fact}"
        assert hint.startswith("hint: those that can: ")
        assert "shelf" in hint
        assert done.code == 2


def test_an_unknown_scheme_is_told(wellkept: CommandLine) -> None:
    done = wellkept("get", "shlf:prod/db#x")
    assert done.err == "error: shlf: is no known scheme\nhint: did you mean shelf?\n"
    assert done.code == 2


def test_a_key_that_is_changed_pins_no_version(wellkept: CommandLine) -> None:
    for words in (["set"], ["unset"], ["list"]):
        done = wellkept(*words, "shelf:prod/db?version=1", given=b"CANARY")
        assert done.code == 2
    done = wellkept("unset", "shelf:prod/db?version=1#a")
    assert done.err.startswith("error: KEY: pins a version, and only the newest one can be changed\n")


def test_an_unknown_option_is_told(wellkept: CommandLine) -> None:
    done = wellkept("get", "shelf:prod/db?versions=1#a")
    assert done.err == "error: KEY: shelf has no option versions\nhint: did you mean version?\n"
    done = wellkept("get", "shelf:prod/db?xyz=CANARY#a")
    assert done.err.splitlines()[1] == "hint: options are max_stale, optional, plain, side, ttl, version"
    assert "CANARY" not in done.err


def test_a_whole_secret_cannot_be_set(wellkept: CommandLine) -> None:
    done = wellkept("set", "shelf:prod/db", given=b"CANARY")
    assert done.err.startswith("error: shelf:prod/db: names no key to set\n")
    assert done.code == 2


def test_where_no_source_can_an_example_is_given(tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("set", "env:X#a", given=b"CANARY")
    assert done.err == (
        "error: env: cannot be written\nhint: name a provider that can, as in vault:secret/prod/db#password\n"
    )


def test_a_table_of_a_file_names_a_scheme(wellkept: CommandLine) -> None:
    (wellkept.folder / "Config.other.toml").write_text(
        '[wellkept.providers.partner]\nprovider = "vault"\naddress = "https://127.0.0.1:1"\ntoken = "CANARY"\n',
        encoding="utf-8",
    )
    for words in (["get"], ["set"], ["unset"], ["list", "partner:secret"]):
        key = [] if len(words) > 1 else ["partner:secret/prod/db#password"]
        done = wellkept(*words, *key, "--file", "Config.other.toml", given=b"CANARY")
        assert "CANARY" not in done.err
        assert done.code == 69, done.err
    assert wellkept("get", "partner:secret/prod/db").code == 2
