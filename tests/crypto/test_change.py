"""Changes to the text: one line, and every other one as a person wrote it."""

import tomllib
from difflib import unified_diff

import pytest

from wellkept.crypto.change import spaced, with_header, with_secret, with_words, without_secret
from wellkept.crypto.spelling import quoted, spelt
from wellkept.crypto.text import read_text

A, B, C, NEW = ('"${enc:1:' + letter * 4 + '}"' for letter in "ABCN")

FILE = f"""\
# the head

# dbPassword
dbPassword = {A}

db.user   =   {B}   # who

  zebra = {C}


# about the partner
[partner]   # theirs
# about the key
apiKey = {C}

[partner.test]
# partner.test.apiKey
apiKey = {A}
# the end
"""


def diff(before: str, after: str) -> list[str]:
    """What a diff shows: the lines that are gone, and the new ones but the empty."""
    return [
        line
        for line in unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@")) and line != "+"
    ]


def changed(text: str, *path: str) -> list[str]:
    return diff(text, with_secret(read_text(text), path, "NNNN"))


def line_above(text: str, new: str) -> str:
    """The nearest line that is not empty above a block."""
    lines = text.splitlines()
    return next(line for line in reversed(lines[: lines.index(new) - 1]) if line)


# A value in its own line


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (("dbPassword",), [f"-dbPassword = {A}", f"+dbPassword = {NEW}"]),
        (("db_password",), [f"-dbPassword = {A}", f"+dbPassword = {NEW}"]),
        (("db", "user"), [f"-db.user   =   {B}   # who", f"+db.user   =   {NEW}   # who"]),
        (("ZEBRA",), [f"-  zebra = {C}", f"+  zebra = {NEW}"]),
    ],
)
def test_a_new_value_changes_its_line_and_nothing_else_of_it(path: tuple[str, ...], lines: list[str]) -> None:
    assert changed(FILE, *path) == lines


def test_a_key_of_two_tables_is_changed_in_its_own() -> None:
    text = with_secret(read_text(FILE), ("partner", "test", "apiKey"), "NNNN")
    assert text == FILE.replace(f"# partner.test.apiKey\napiKey = {A}", f"# partner.test.apiKey\napiKey = {NEW}")


def test_the_same_value_leaves_the_text_as_it_is() -> None:
    assert with_secret(read_text(FILE), ("dbPassword",), "AAAA") == FILE


def test_of_a_key_that_stands_twice_one_line_is_left() -> None:
    text = f"a = {A} # first\nb = {B}\na = {C} # second\n"
    assert with_secret(read_text(text), ("a",), "NNNN") == f"a = {NEW} # first\nb = {B}\n"


def test_many_values_change_at_once() -> None:
    found = read_text(FILE)
    entries = [entry for entries in found.secrets.values() for entry in entries]
    text = with_words(found, dict.fromkeys(entries, "NNNN"))
    assert text == FILE.replace(A, NEW).replace(B, NEW).replace(C, NEW)


# A value in a new block


@pytest.mark.parametrize(
    ("path", "line", "above"),
    [
        pytest.param(("db", "password"), f"db.password = {NEW}", f"db.user   =   {B}   # who", id="by its neighbour"),
        pytest.param(("other",), f"other = {NEW}", f"  zebra = {C}", id="behind the last of the top"),
        pytest.param(("partner", "user"), f"user = {NEW}", f"apiKey = {C}", id="in its table"),
        pytest.param(("PARTNER", "us_er"), f"us_er = {NEW}", f"apiKey = {C}", id="in its table, spelt otherwise"),
        pytest.param(("partner", "test", "user"), f"user = {NEW}", f"apiKey = {A}", id="in the nearest table"),
        pytest.param(("partner", "live", "a b"), f'live."a b" = {NEW}', f"apiKey = {C}", id="below a table"),
        pytest.param(("new", "key"), f"new.key = {NEW}", f"  zebra = {C}", id="of a table that is not there"),
    ],
)
def test_a_new_key_is_one_block_at_its_place(path: tuple[str, ...], line: str, above: str) -> None:
    assert changed(FILE, *path) == [f"+# {spelt(path)}", f"+{line}"]
    text = with_secret(read_text(FILE), path, "NNNN")
    assert line_above(text, line) == above
    assert read_text(text).flaws == []
    tomllib.loads(text)


def test_a_block_has_an_empty_line_around_it() -> None:
    assert with_secret(read_text(f"b = {B}\nc = {C}\n"), ("b", "a"), "NNNN") == (
        f"b = {B}\n\n# b.a\nb.a = {NEW}\n\nc = {C}\n"
    )
    assert with_secret(read_text(f"b = {B}\n\nc = {C}\n"), ("b", "a"), "NNNN") == (
        f"b = {B}\n\n# b.a\nb.a = {NEW}\n\nc = {C}\n"
    )


def test_a_new_key_is_found_at_its_path_again() -> None:
    for path in (("a.b", "c"), ("é",), ('"',), ("a\\b", "\t"), ("#",), ("partner", "x y"), ("",), ("a\nb",)):
        found = read_text(with_secret(read_text(FILE), path, "NNNN"))
        assert [entry.path for many in found.secrets.values() for entry in many if entry.value == "NNNN"] == [path]
        assert found.flaws == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"# a\na = {NEW}\n\n", id="nothing"),
        pytest.param("# head\n", f"# head\n\n# a\na = {NEW}\n\n", id="a comment"),
        pytest.param("# head\n\n[wellkept]\n", f"# head\n\n# a\na = {NEW}\n\n[wellkept]\n", id="a header"),
        pytest.param(f"[t]\nb = {B}\n", f"# a\na = {NEW}\n\n[t]\nb = {B}\n", id="a table at the top"),
        pytest.param(f"b = {B}", f"b = {B}\n\n# a\na = {NEW}\n\n", id="a last line without its end"),
        pytest.param(f"b = {B}\n\n\n[t]\n", f"b = {B}\n\n# a\na = {NEW}\n\n\n[t]\n", id="empty lines before a table"),
    ],
)
def test_a_first_key_stands_in_front_of_all_tables(before: str, after: str) -> None:
    assert with_secret(read_text(before), ("a",), "NNNN") == after


def test_a_new_key_of_an_empty_table_stands_below_its_name() -> None:
    text = f"a = {A}\n[t] # empty\n# to come\n[u]\n"
    after = f"a = {A}\n[t] # empty\n\n# t.b\nb = {NEW}\n\n# to come\n[u]\n"
    assert with_secret(read_text(text), ("t", "b"), "NNNN") == after


def test_a_new_key_of_a_table_that_stands_twice_goes_to_its_nearest_neighbour() -> None:
    text = f"[t]\na.b = {A}\n[u]\nx = {B}\n[t]\nc = {C}\n"
    assert line_above(with_secret(read_text(text), ("t", "a", "d"), "NNNN"), f"a.d = {NEW}") == f"a.b = {A}"


def test_ten_keys_of_one_table_stand_in_the_order_in_which_they_were_set() -> None:
    text = FILE
    for number in range(10):
        text = with_secret(read_text(text), ("partner", f"k{number}"), "NNNN")
    assert [line.split(" ")[0] for line in text.splitlines() if line.endswith(NEW)] == [f"k{n}" for n in range(10)]


def test_a_key_that_comes_back_stands_where_it_was() -> None:
    gone = without_secret(read_text(FILE), ("dbPassword",))
    assert with_secret(read_text(gone), ("dbPassword",), "AAAA") == FILE


# A key that goes


def test_a_key_is_removed_with_its_line_only_and_its_comment_stays() -> None:
    assert without_secret(read_text(FILE), ("db_password",)) == FILE.replace(f"dbPassword = {A}\n", "")


def test_all_lines_of_a_key_that_stands_twice_are_removed() -> None:
    assert without_secret(read_text(f"a = {A}\nb = {B}\nA = {C}\n"), ("a",)) == f"b = {B}\n"


def test_the_last_key_of_a_table_leaves_the_table() -> None:
    assert without_secret(read_text(f"[t]\na = {A}\n# end\n"), ("t", "a")) == "[t]\n# end\n"


def test_a_key_that_is_not_there_changes_nothing() -> None:
    assert without_secret(read_text(FILE), ("partner",)) == FILE


# Lines that stand too close for merges


def test_each_value_gets_a_comment_before_it_and_an_empty_line_behind() -> None:
    text = f"a = {A}\nb.c = {B}\n# mine\nd = {C}\n[t]\n"
    after = f"# a\na = {A}\n\n# b.c\nb.c = {B}\n\n# mine\nd = {C}\n\n[t]\n"
    assert spaced(read_text(text)) == after
    assert spaced(read_text(after)) == after


# The header

HEADER = {("wellkept", "version"): "1", ("wellkept", "id"): '"x"', ("wellkept", "recipients", "ada@laptop"): '"one"'}
BLOCK = '# ada@laptop\n"ada@laptop" = "one"\n\n'
WRITTEN = f'[wellkept]\nversion = 1\nid = "x"\n\n[wellkept.recipients]\n{BLOCK}'


def test_a_header_is_written_behind_what_is_there() -> None:
    assert with_header(read_text(""), HEADER) == WRITTEN
    assert with_header(read_text(FILE), HEADER) == f"{FILE}\n{WRITTEN}"
    assert read_text(with_header(read_text(FILE), HEADER)).flaws == []


def test_the_same_header_changes_nothing() -> None:
    text = f"{FILE}\n{WRITTEN.replace('version = 1', 'version   = 1 # first')}# end\n"
    assert with_header(read_text(text), HEADER) == text


def test_only_the_lines_that_differ_change() -> None:
    text = WRITTEN.replace('"x"', '"x" # mine') + "# end\n"
    changed_id = with_header(read_text(text), HEADER | {("wellkept", "id"): '"y"'})
    assert changed_id == text.replace('"x" # mine', '"y" # mine')


def test_a_recipient_is_one_new_block_behind_the_last() -> None:
    text = f"{WRITTEN}# end\n[t]\na = {A}\n"
    new = HEADER | {("wellkept", "recipients", "bob"): '"two"'}
    assert with_header(read_text(text), new) == text.replace(BLOCK, f'{BLOCK}# bob\nbob = "two"\n\n')


def test_a_recipient_that_left_takes_their_line_along() -> None:
    text = WRITTEN + '# bob\nbob = "two"\n\n# end\n'
    assert with_header(read_text(text), HEADER) == WRITTEN + "# bob\n\n# end\n"


def test_the_first_recipient_after_the_last_one_left_goes_into_the_table() -> None:
    text = WRITTEN.replace(BLOCK, "")
    assert with_header(read_text(text), HEADER) == WRITTEN


def test_a_line_of_the_header_that_stands_twice_is_left_once() -> None:
    text = WRITTEN.replace('id = "x"\n', 'id = "x"\nid = "y"\n')
    assert with_header(read_text(text), HEADER) == WRITTEN


def test_a_header_that_is_spelt_with_dots_stays_so() -> None:
    text = f'wellkept.version = 1\nwellkept.id = "w"\nwellkept.recipients."ada@laptop" = "one"\na = {A}\n'
    assert with_header(read_text(text), HEADER) == text.replace('"w"', '"x"')


# Spelling


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a", "b-1", "_c"), "a.b-1._c"),
        (("a.b",), '"a.b"'),
        (("a b", "c"), '"a b".c'),
        (("é",), '"é"'),
        (("",), '""'),
        (('"', "\\"), '"\\""."\\\\"'),
        (("\n\t\x00\x1b\u202e",), '"\\n\\t\\U00000000\\U0000001B\\U0000202E"'),
    ],
)
def test_a_key_is_spelt_as_toml_writes_it(path: tuple[str, ...], text: str) -> None:
    assert spelt(path) == text
    found: object = tomllib.loads(f"{text} = 1")
    for step in path:
        assert isinstance(found, dict)
        found = found[step]
    assert found == 1


@pytest.mark.parametrize("text", ["", "plain", 'a "b" \\ c', "\r\n\t\x00\x7f\u2028", "☃🔑", "'''"])
def test_a_text_is_quoted_on_one_line_and_comes_back(text: str) -> None:
    assert "\n" not in quoted(text)
    assert quoted(text).isprintable()
    assert tomllib.loads(f"v = {quoted(text)}")["v"] == text
