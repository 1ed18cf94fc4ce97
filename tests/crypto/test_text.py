"""The text of Secrets.toml, read line by line; the grammar of one line stands in test_format.py."""

import pytest

from wellkept.crypto.text import Entry, SecretsText, read_text

A, B, C = ('"${enc:1:' + letter * 4 + '}"' for letter in "ABC")

FILE = f"""\
# the head

dbPassword = {A}
db.user = {B}   # who

[partner]
# about the key
apiKey = {C}

[wellkept]
version = 1
cipher = "XAES-256-GCM"

[wellkept.recipients]
"ada@laptop" = "one two three"
"""


def paths(found: SecretsText) -> list[tuple[str, ...]]:
    return [entry.path for entries in found.secrets.values() for entry in entries]


def facts(text: str) -> list[tuple[int, str]]:
    return [(flaw.line, flaw.fact) for flaw in read_text(text).flaws]


# What is found


def test_the_keys_are_found_with_their_tables_and_lines() -> None:
    found = read_text(FILE)
    assert found.flaws == []
    assert [(one.path, one.table, one.value, one.line) for many in found.secrets.values() for one in many] == [
        (("dbPassword",), (), "AAAA", 2),
        (("db", "user"), (), "BBBB", 3),
        (("partner", "apiKey"), ("partner",), "CCCC", 7),
    ]
    assert found.tables == {("partner",): (5, 7), ("wellkept",): (9, 11), ("wellkept", "recipients"): (13, 14)}


def test_the_header_is_found_by_its_own_spelling() -> None:
    assert read_text(FILE).header_table() == {
        "version": 1,
        "cipher": "XAES-256-GCM",
        "recipients": {"ada@laptop": "one two three"},
    }


def test_a_file_without_a_header_has_an_empty_one() -> None:
    assert read_text(f"a = {A}\n").header_table() == {}
    assert read_text("").header_table() == {}


@pytest.mark.parametrize(
    "text",
    [
        'wellkept.version = 1\nwellkept.recipients."ada@laptop" = "one two three"\n',
        '[wellkept]\nversion = 1\nrecipients.ada@laptop = "one two three"\n'.replace("ada@laptop", "'ada@laptop'"),
        '  [ wellkept ]  # mine\n\tversion=1# one\n["wellkept".recipients]\n"ada\\u0040laptop"="one two three"\n',
    ],
)
def test_a_header_may_be_written_as_toml_allows(text: str) -> None:
    assert read_text(text).header_table() == {"version": 1, "recipients": {"ada@laptop": "one two three"}}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"a = {A}", A),
        (f"a={A}", A),
        (f' "a b" . c =\t{A}  # "x"', A),
        (f"'a' = {A}", A),
        ('wellkept.id = "x y" # z', '"x y"'),
        ("wellkept.version = 12", "12"),
    ],
)
def test_an_entry_knows_where_its_value_stands(line: str, value: str) -> None:
    found = read_text(f"# first\n{line}\n")
    (entries,) = (found.secrets or found.header).values()
    assert [line[one.start : one.end] for one in entries] == [value]
    assert entries[0].line == 1


def test_two_spellings_of_a_key_are_one_key() -> None:
    found = read_text(f"dbPassword = {A}\ndb_password = {B}\n[DB]\nUser = {A}\n[d_b]\nuser = {B}\n")
    assert list(found.secrets) == [("dbpassword",), ("db", "user")]
    assert [name for name, _ in found.repeated()] == ["dbPassword", "DB.User"]


def test_a_dot_in_quotes_is_no_step() -> None:
    found = read_text(f'"a.b" = {A}\na.b = {B}\n')
    assert list(found.secrets) == [("a.b",), ("a", "b")]
    assert list(found.repeated()) == []


@pytest.mark.parametrize("text", ["", "\n", "\n\n", "# only a comment", " \t\n#\n"])
def test_a_text_without_keys_has_none_and_no_flaw(text: str) -> None:
    found = read_text(text)
    assert (found.secrets, found.header, found.tables, found.flaws) == ({}, {}, {}, [])


@pytest.mark.parametrize("text", ["", f"a = {A}\n", f"a = {A}\n\n\n", FILE])
def test_the_text_comes_back_as_it_was(text: str) -> None:
    assert str(read_text(text)) == text


def test_a_last_line_without_its_end_gets_one() -> None:
    found = read_text(f"a = {A}")
    assert str(found) == f"a = {A}\n"
    assert paths(found) == [("a",)]


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_newline_ends_a_line(end: str) -> None:
    found = read_text(f"# a{end}b = {A}\n")
    assert (len(found.lines), found.secrets) == (1, {})


# What a merge leaves


def test_a_key_that_stands_twice_is_told_with_both_of_its_lines() -> None:
    found = read_text(f"a = {A}\nb = {B}\na = {C}\n[wellkept]\nkey = 'x'\n".replace("'", '"') + 'key = "y"\n')
    repeated = {name: [one.line for one in entries] for name, entries in found.repeated()}
    assert repeated == {"a": [0, 2], "wellkept.key": [4, 5]}
    assert found.header_table()["key"] == "x"


def test_a_table_that_stands_twice_goes_on_and_is_told() -> None:
    found = read_text(f"[db]\nuser = {A}\n[x]\ny = {B}\n[db]\npassword = {C}\n")
    assert paths(found) == [("db", "user"), ("x", "y"), ("db", "password")]
    assert found.tables[("db",)] == (0, 5)
    assert [(one.line, one.fact) for one in found.flaws] == [(4, "opens [db] again")]


def test_a_key_below_another_with_a_value_is_told() -> None:
    found = read_text(f"db = {A}\n[DB]\nuser = {B}\nold.user = {C}\n")
    pairs: list[tuple[Entry, Entry]] = list(found.covered())
    assert [(above.path, below.path) for above, below in pairs] == [
        (("db",), ("DB", "user")),
        (("db",), ("DB", "old", "user")),
    ]


def test_keys_beside_each_other_do_not_cover() -> None:
    assert list(read_text(f"db.user = {A}\ndb.userName = {B}\ndbUser = {C}\n").covered()) == []


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "||||||| 1a2b3c", "=======", ">>>>>>> other"])
def test_a_mark_of_a_conflict_is_called_one(mark: str) -> None:
    assert facts(f"a = {A}\n{mark}\n") == [(1, "is a conflict mark of git")]


# What may not stand there


def test_a_value_in_plain_text_is_told_by_its_key_and_not_quoted() -> None:
    found = read_text('[db]\npassword = "CANARY"\n')
    assert facts('[db]\npassword = "CANARY"\n') == [(1, "gives password a value that is not encrypted")]
    assert found.flaws[0].hint == "remove it, and run wellkept set password"
    assert "CANARY" not in repr(found.flaws)
    assert found.secrets == {}


@pytest.mark.parametrize(
    "line", ["CANARY", "CANARY = ", '"CANARY\\u0007" = 1', "[CANARY", "[[CANARY]]", '"CANARY', "\x07"]
)
def test_what_cannot_be_told_by_a_key_is_told_by_its_line(line: str) -> None:
    told = facts(f"a = {A}\n{line}\n")
    assert [number for number, _ in told] == [1]
    assert all(fact.isprintable() for _, fact in told)


def test_behind_a_table_that_is_none_the_one_before_goes_on() -> None:
    found = read_text(f"[db]\n[[more]]\nuser = {A}\n")
    assert paths(found) == [("db", "user")]
    assert [flaw.line for flaw in found.flaws] == [1]


def test_a_plain_value_in_the_header_is_no_secret() -> None:
    found = read_text(f"[wellkept]\nid = {A}\n")
    assert found.secrets == {}
    assert found.header_table()["id"] == "${enc:1:AAAA}"


@pytest.mark.parametrize(
    "line",
    ["a" + " " * 200_000 + "=", "a." * 100_000, "a = " + '"' * 200_000, "[" + " " * 200_000, '"' + "\\\\" * 100_000],
    ids=["spaces", "steps", "quotes", "a table", "backslashes"],
)
@pytest.mark.timeout(5)
def test_a_long_line_takes_no_time(line: str) -> None:
    assert len(read_text(line).flaws) == 1
