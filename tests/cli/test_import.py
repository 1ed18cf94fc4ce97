"""`wellkept import`: which values come in under which keys, which stay, and that it is all or nothing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.shelf import CommandLine, Done
from tests.secrets_files import environ_of, secrets_file
from wellkept.cli.incoming import path_of
from wellkept.crypto.store import SecretsFile

ENV = """\
# of the old service
DB_PASSWORD="CANARY-db"
export BAL_CONFIG_VAR_DB__HOST=CANARY-host # where
GREETING='CANARY $HOME'
"""


class Importing:
    """A Secrets.toml with one key, and files to import."""

    def __init__(self, wellkept: CommandLine) -> None:
        self.wellkept = wellkept
        self.file = secrets_file(wellkept.folder / "Secrets.toml", {"apiKey": "CANARY-api"})
        self.before = self.file.read_bytes()

    def __call__(self, *words: str, given: str = "") -> Done:
        done = self.wellkept("import", *words, given=given.encode(), environ=environ_of())
        assert "CANARY" not in done.out + done.err
        return done

    def write(self, text: str, name: str = "env.secret") -> str:
        (self.wellkept.folder / name).write_text(text, encoding="utf-8")
        return name

    def values(self) -> Mapping[str, object]:
        opened = SecretsFile(str(self.file), environ_of()).open()
        assert not opened.text.flaws
        return {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}


@pytest.fixture
def importing(wellkept: CommandLine) -> Importing:
    """A Secrets.toml with one key."""
    return Importing(wellkept)


# What comes in


def test_variables_come_in_under_the_keys_that_they_set(importing: Importing) -> None:
    done = importing(importing.write(ENV))
    assert (done.out, done.code) == ("", 0)
    assert done.err.splitlines() == [
        "Secrets.toml: 3 secrets came in from env.secret (3 new)",
        "env.secret still holds them: delete it, and if it was ever committed, change them at their origin",
    ]
    assert importing.values() == {
        "apiKey": "CANARY-api",
        "dbPassword": "CANARY-db",
        "db.host": "CANARY-host",
        "greeting": "CANARY $HOME",
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("DB_PASSWORD", ("dbPassword",)),
        ("dbPassword", ("dbPassword",)),
        ("BAL_CONFIG_VAR_DB__PASSWORD", ("db", "password")),
        ("BAL_CONFIG_VAR_DBPASSWORD", ("dbpassword",)),
        ("A__B_C__D", ("a", "bC", "d")),
        ("_A", ("a",)),
        ("_", None),
        ("__A", None),
        ("BAL_CONFIG_VAR_", None),
    ],
)
def test_the_key_of_a_variable(name: str, path: tuple[str, ...] | None) -> None:
    assert path_of(name) == path


def test_values_of_toml_keep_their_keys_and_types(importing: Importing) -> None:
    text = """
name = "CANARY-$${HOME}"
[db]
port = 5432
ratio = 1.50
on = true
since = 2026-01-02
hosts = ["CANARY-a", ["b"]]
users = [{ name = "CANARY", age = 1 }]
[db.inner]
inline = { key = "CANARY-inline" }
"""
    assert importing(importing.write(text, "Config-old.toml")).code == 0
    assert importing.values() == {
        "apiKey": "CANARY-api",
        "name": "CANARY-${HOME}",
        "db.port": 5432,
        "db.ratio": Decimal("1.50"),
        "db.on": True,
        "db.since": date(2026, 1, 2),
        "db.hosts": ["CANARY-a", ["b"]],
        "db.users": [{"name": "CANARY", "age": 1}],
        "db.inner.inline.key": "CANARY-inline",
    }


def test_stdin_is_a_file_too_of_the_format_that_is_said(importing: Importing) -> None:
    done = importing("-", given=ENV)
    assert done.err == "Secrets.toml: 3 secrets came in from stdin (3 new)\n"
    assert importing("-", "--format", "toml", given='more = "CANARY"').code == 0
    assert importing.values()["more"] == "CANARY"


def test_line_ends_and_the_mark_of_another_system_are_read(importing: Importing) -> None:
    assert importing("-", given="\ufeffA=CANARY-a\r\nB='CANARY\r\nb'\r\n").code == 0
    assert importing.values() == {"apiKey": "CANARY-api", "a": "CANARY-a", "b": "CANARY\nb"}


def test_only_some_may_be_chosen_by_their_name_or_key(importing: Importing) -> None:
    assert importing(importing.write(ENV), "--only", "DB_*", "--only", "db.*").code == 0
    assert set(importing.values()) == {"apiKey", "dbPassword", "db.host"}
    done = importing("env.secret", "--only", "NONE*")
    assert done.err.startswith("error: --only: NONE* names nothing in the file\n")
    assert done.code == 2


def test_each_new_key_gets_the_lines_that_merges_need(importing: Importing) -> None:
    importing("-", given="B=CANARY\nA=CANARY\n")
    lines = importing.file.read_text(encoding="utf-8").splitlines()
    at = lines.index("# b")
    assert [line.split(" = ")[0] for line in lines[at : at + 6]] == ["# b", "b", "", "# a", "a", ""]


# What stays


def test_references_stay_where_they_are(importing: Importing) -> None:
    text = """
[wellkept.providers.shop]
kind = "vault"
[db]
password = "${vault:secret/prod/db#password}"
url = "postgresql://app:${shop:prod/db#password}@db/app"
list = ["${env:X}"]
own = "CANARY-own"
empty = ""
"""
    done = importing(importing.write(text, "Config-old.toml"))
    assert done.code == 0
    assert done.err.splitlines()[1:6] == [
        "wellkept stays in Config-old.toml: it is about wellkept itself",
        "db.password stays in Config-old.toml: it is a reference, and no secret",
        "db.url stays in Config-old.toml: it is a reference, and no secret",
        "db.list stays in Config-old.toml: it is a reference, and no secret",
        "db.empty stays in Config-old.toml: it has no value",
    ]
    assert importing.values() == {"apiKey": "CANARY-api", "db.own": "CANARY-own"}


def test_of_a_env_file_too_references_and_what_is_about_wellkept_stay(importing: Importing) -> None:
    text = "A='${vault:secret/a#b}'\nWELLKEPT_IDENTITY=CANARY\nB=\nC=${D}\nBAL_CONFIG_VAR_WELLKEPT__X=CANARY\n"
    done = importing("-", given=text)
    assert done.err.splitlines() == [
        "Secrets.toml: 1 secret came in from stdin (1 new)",
        "A stays in stdin: it is a reference, and no secret",
        "WELLKEPT_IDENTITY stays in stdin: it is about wellkept itself",
        "B stays in stdin: it has no value",
        "BAL_CONFIG_VAR_WELLKEPT__X stays in stdin: it is about wellkept itself",
        "warning: C: the $ in it is taken as it stands; nothing is filled in",
    ]
    assert importing.values()["c"] == "${D}"


def test_a_file_with_nothing_to_bring_in_says_so_and_changes_nothing(importing: Importing) -> None:
    done = importing("-", given="# nothing\nA=\n")
    assert done.err.splitlines()[0] == "stdin: has nothing to bring in"
    assert (done.code, importing.file.read_bytes()) == (0, importing.before)


# What is refused, as a whole


def test_keys_that_are_there_are_refused_with_their_names_and_nothing_comes_in(importing: Importing) -> None:
    done = importing("-", given="API_KEY=CANARY-new\nA=CANARY\n")
    assert done.err.splitlines() == [
        "error: apiKey: is there already; nothing was written",
        "hint: say --replace to take the new values, or --only GLOB to leave some out",
    ]
    assert (done.code, importing.file.read_bytes()) == (1, importing.before)


def test_replace_takes_the_new_values_and_leaves_equal_ones_alone(importing: Importing) -> None:
    done = importing("-", "--replace", given="API_KEY=CANARY-api\nA=CANARY\n")
    assert done.err == "Secrets.toml: 2 secrets came in from stdin (1 new, 1 unchanged)\n"
    line = next(one for one in importing.before.splitlines() if one.startswith(b"apiKey"))
    assert line in importing.file.read_bytes().splitlines()
    done = importing("-", "--replace", given="API_KEY=CANARY-new\nA=CANARY\n")
    assert done.err == "Secrets.toml: 2 secrets came in from stdin (1 replaced, 1 unchanged)\n"
    assert importing.values() == {"apiKey": "CANARY-new", "a": "CANARY"}


def test_of_two_values_that_a_merge_left_replace_leaves_one(importing: Importing) -> None:
    line = next(one for one in importing.before.splitlines(keepends=True) if one.startswith(b"apiKey"))
    importing.file.write_bytes(importing.before.replace(line, line + line))
    assert importing("-", "--replace", given="API_KEY=CANARY-api\n").code == 0
    assert importing.values() == {"apiKey": "CANARY-api"}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("A=1\nCANARY\n", "stdin: line 2 is neither NAME=VALUE nor a comment"),
        ("A='CANARY\n", "stdin: line 1 has a quote that is not closed"),
        ("__A=CANARY\n", "stdin: line 1 has a name that makes no key"),
        ("DB_A=CANARY\ndbA=CANARY\n", "stdin: dbA is the same key as DB_A (stdin:1 and stdin:2)"),
        ("A=CANARY\nA__B=CANARY\n", "Secrets.toml: a.b would stand below a, which has a value itself; nothing was"),
    ],
)
def test_a_env_file_that_is_not_clear_is_refused(importing: Importing, given: str, error: str) -> None:
    done = importing("-", given=given)
    assert done.err.startswith(f"error: {error}")
    assert (done.code, importing.file.read_bytes()) == (1, importing.before)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("a = CANARY", "stdin: has a value that is not TOML (stdin:1:5)"),
        ('a = "CANARY ${x"', "a: holds ${ without its } (stdin:1:5)"),
        ('a = ["CANARY ${x:y}"]', "a: holds ${ that begins no reference to a known scheme (stdin:1:5)"),
        ('db_a = "CANARY"\ndbA = "CANARY"', "stdin: dbA is the same key as db_a (stdin:1:8 and stdin:2:7)"),
        ('"" = "CANARY"', "stdin: has a key that is empty or cannot be printed (stdin:1:6)"),
        ("[wellkept]\nversion = 1\nid = 'x'", "stdin: is encrypted already"),
    ],
)
def test_a_toml_file_that_is_not_clear_is_refused(importing: Importing, given: str, error: str) -> None:
    done = importing("-", "--format", "toml", given=given)
    assert done.err.startswith(f"error: {error}\n")
    assert (done.code, importing.file.read_bytes()) == (1, importing.before)


def test_bytes_that_are_no_text_and_too_many_are_refused(importing: Importing) -> None:
    (importing.wellkept.folder / "bytes.secret").write_bytes(b"A=CANARY\xff")
    assert importing("bytes.secret").err.startswith("error: bytes.secret: is not UTF-8\n")
    assert importing("-", given="A=" + "CANARY" * 200_000).err.startswith("error: stdin: holds more than 1 MiB\n")
    assert importing("none.secret").err.startswith("error: none.secret: does not exist\n")


def test_without_secrets_toml_the_way_to_one_is_told(wellkept: CommandLine) -> None:
    done = wellkept("import", "-", given=b"A=CANARY", environ=environ_of())
    assert done.err == "error: Secrets.toml: does not exist\nhint: start one with wellkept init\n"


# What a program gets


def test_what_became_of_each_is_one_json_document_of_names(importing: Importing) -> None:
    done = importing("-", "--replace", "--json", given="API_KEY=CANARY-new\nA=CANARY\nB=\n")
    assert done.document == {
        "file": "Secrets.toml",
        "source": "stdin",
        "added": ["a"],
        "replaced": ["apiKey"],
        "unchanged": [],
        "staying": [{"name": "B", "reason": "has no value"}],
    }
    assert done.err == ""


def test_nothing_plain_is_left_beside_the_file(importing: Importing, tmp_path: Path) -> None:
    importing("-", given=ENV)
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]  # what a writer would leave
