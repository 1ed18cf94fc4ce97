"""Secrets.toml holds any value at any key, changes no line but the ones it must, and reads any text in linear time."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta, timezone
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.secrets_files import IDENTITY
from wellkept._names import canonical, canonical_path
from wellkept._toml.limits import MAX_DIGITS
from wellkept.crypto.change import with_header, with_secret, without_secret
from wellkept.crypto.header import Header, is_name, new_header, parse_header, with_access
from wellkept.crypto.opened import Opened
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import HEADER, MOST_STEPS, Form, Path, SecretsText, read_text

WORD, OTHER = "AAAA", "BBBB"

# Any value

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DECIMALS = st.one_of(
    st.decimals(allow_nan=False).filter(lambda number: number.is_infinite() or abs(number.adjusted()) <= MAX_DIGITS),
    st.sampled_from([Decimal(text) for text in ("NaN", "-0", "0E+5", f"1E-{MAX_DIGITS}", f"-9.9E+{MAX_DIGITS}")]),
)
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(),
    st.integers(min_value=1 - 10**MAX_DIGITS, max_value=10 ** (MAX_DIGITS - 1) - 1),
    st.floats(),
    DECIMALS,
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=ZONES),
)
VALUES: st.SearchStrategy[object] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=15
)


def read_back(value: object) -> object:
    """A value as it is read: each float as a Decimal."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [read_back(one) for one in value]
    return {key: read_back(one) for key, one in value.items()} if isinstance(value, dict) else value


def kinds(value: object) -> object:
    """A value with the type of each part, and in the order of its keys; NaN is what it is."""
    if isinstance(value, list):
        return [kinds(one) for one in value]
    if isinstance(value, Decimal):
        return Decimal, value.as_tuple() if value.is_nan() else (value, value.is_signed())
    return [(key, kinds(one)) for key, one in value.items()] if isinstance(value, dict) else (type(value), value)


def opened(text: str) -> Opened:
    """A text as a file that is open."""
    header, key = new_header()
    return Opened("Secrets.toml", read_text(text), header, key)


@given(value=VALUES)
@example(value=[[[{"a\nb": {"": ["\x7f\x1f\u2028\ufeff"]}}]]])
def test_any_value_comes_out_as_it_went_in(value: object) -> None:
    file = opened("")
    word = file.seal(("db", "password"), value)
    again = Opened(file.name, read_text(f'db.password = "${{enc:1:{word}}}"\n'), file.header, file.key)
    entry = again.entry(("db", "password"))
    assert kinds(again.value(entry)) == kinds(read_back(value))  # type: ignore[arg-type]  # were it none, this fails


# Any key

STEPS = st.one_of(
    st.text("abAB_-", max_size=4),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.sampled_from(["a.b", 'q"q', "x'y", "tab\t", "two\nlines", "#", "=", "[", "\\", "\\u0041", "\ufeff", "K", "ß"]),
)
PATHS: st.SearchStrategy[Path] = (
    st.lists(STEPS, min_size=1, max_size=5).map(tuple).filter(lambda path: canonical(path[0]) != HEADER)
)


def at(data: Mapping[str, object], path: Sequence[str]) -> object:
    """What tomllib found at a path."""
    found: object = data
    for step in path:
        assert isinstance(found, dict)
        found = found[step]
    return found


def is_free(found: SecretsText, path: Path) -> bool:
    """Whether TOML allows a value there: nothing above it has one, and nothing below."""
    form = canonical_path(path)
    return all(form[: len(one)] != one and one[: len(form)] != form for one in found.secrets)


@given(paths=st.lists(PATHS, max_size=6))
@example(paths=[("a",) * MOST_STEPS])
def test_any_keys_are_read_as_they_were_written_and_tomllib_agrees(paths: list[Path]) -> None:
    found = read_text("# of a test\n")
    kept: list[Path] = []
    for path in paths:
        if is_free(found, path):
            kept.append(path)
            found = read_text(with_secret(found, path, f"{WORD}{len(kept)}"))
    assert not found.flaws
    assert not list(found.covered())
    assert {entry.path: entry.value for (entry,) in found.secrets.values()} == {
        path: f"{WORD}{number}" for number, path in enumerate(kept, 1)
    }
    data = tomllib.loads(str(found))
    assert [at(data, path) for path in kept] == [f"${{enc:1:{WORD}{number}}}" for number, _ in enumerate(kept, 1)]


# Any text, as people and merges leave it

COMMENTS = st.sampled_from(["# a comment", "  #", "# a", "# db.password", "#a = 1", "\t# [db]"])
PAIRS = st.tuples(PATHS, st.sampled_from(["", "  ", " # who"])).map(
    lambda pair: f'{spelt(pair[0])} = "${{enc:1:{WORD}}}"{pair[1]}'
)
TABLES = st.one_of(
    PATHS.map(lambda path: f"[{spelt(path)}]"),
    st.sampled_from(["[a]", "[db] # x", "[wellkept]", "[wellkept.recipients]"]),
)
NAMED = st.sampled_from(
    ["version = 1", 'id = "x"', '"ada@laptop" = "wk y z"', 'wellkept.key = "q"', "wellkept.cipher = 7"]
)
FLAWED = st.one_of(
    st.sampled_from(
        ["<<<<<<< HEAD", "=======", "a = 5", 'b = "CANARY', "[", "[[x]]", "= 1", 'wellKept.id = "x"', "[a.]"]
    ),
    st.text(max_size=30).map(lambda text: text.replace("\n", "")),
)
FILE_LINES = st.lists(st.one_of(st.just(""), COMMENTS, PAIRS, TABLES, NAMED, FLAWED), max_size=14)
FILES = FILE_LINES.map(lambda lines: "".join(f"{line}\n" for line in lines))


def held(found: SecretsText) -> Mapping[Form, list[str]]:
    """For each key its words."""
    return {form: [entry.value for entry in entries] for form, entries in found.secrets.items()}


def table_of(found: SecretsText, line: int) -> Path:
    """The table that a line stands in."""
    return next((table for opening, table in reversed(found.openings) if opening <= line), ())


@given(text=FILES, path=PATHS)
def test_a_changed_value_changes_one_line(text: str, path: Path) -> None:
    found = read_text(with_secret(read_text(text), path, WORD))
    after = read_text(with_secret(found, path, OTHER))
    differing = [
        number for number, (one, other) in enumerate(zip(found.lines, after.lines, strict=True)) if one != other
    ]
    (entry,) = after.secrets[canonical_path(path)]
    assert differing == [entry.line]
    assert after.lines[entry.line] == found.lines[entry.line].replace(WORD, OTHER)


@given(text=FILES, path=PATHS)
def test_a_new_key_adds_its_block_and_touches_no_other_line(text: str, path: Path) -> None:
    found = read_text(text)
    form = canonical_path(path)
    assume(form not in found.secrets)
    after = read_text(with_secret(found, path, WORD))
    assert held(after) == {**held(found), form: [WORD]}
    assert [flaw.fact for flaw in after.flaws] == [flaw.fact for flaw in found.flaws]
    lines, (entry,) = after.lines, after.secrets[form]
    blocks = [
        lines[entry.line - above : entry.line + below]
        for above, below in ((0, 1), (1, 2), (2, 2))
        if [*lines[: entry.line - above], *lines[entry.line + below :]] == found.lines
    ]
    mark, line = f"# {spelt(path)}", lines[entry.line]
    assert [line] in blocks or [mark, line, ""] in blocks or ["", mark, line, ""] in blocks
    is_marked = any(one == mark and table_of(found, at) == entry.table for at, one in enumerate(found.lines))
    assert ([line] in blocks) is is_marked


@given(text=FILES, path=PATHS)
def test_a_removed_key_takes_one_line_along_and_comes_back_to_its_place(text: str, path: Path) -> None:
    found = read_text(text)
    assume(canonical_path(path) not in found.secrets)
    before = read_text(with_secret(found, path, WORD))
    (entry,) = before.secrets[canonical_path(path)]
    after = read_text(without_secret(before, path))
    assert after.lines == [*before.lines[: entry.line], *before.lines[entry.line + 1 :]]
    assert held(after) == held(found)
    assert with_secret(after, path, WORD) == str(before)


NAMES = st.text("abc @.é", max_size=4).filter(is_name)
HEADERS = st.lists(NAMES, min_size=1, max_size=4, unique=True)


def header_of(names: Sequence[str]) -> Header:
    """A new header with these recipients."""
    header, key = new_header()
    for name in names:
        made = with_access(header, key, name, IDENTITY.recipient, None)
        assert isinstance(made, Header)
        header = made
    return header


@given(text=FILES, names=HEADERS)
def test_a_header_leaves_all_lines_that_are_not_its_own(text: str, names: list[str]) -> None:
    found, header = read_text(text), header_of(names)
    after = read_text(with_header(found, header.values()))
    own = {entry.line for entries in found.header.values() for entry in entries}
    rest = iter(after.lines)
    assert all(line in rest for number, line in enumerate(found.lines) if number not in own)  # in their order
    assert held(after) == held(found)
    assert parse_header(after.header_table()) == header
    assert not [name for name, entries in after.repeated() if entries[0].path[0] == HEADER]
    assert with_header(after, header.values()) == str(after)


@given(names=HEADERS, others=HEADERS)
def test_another_header_changes_only_the_lines_that_differ(names: list[str], others: list[str]) -> None:
    first = read_text(with_header(read_text("# of a test\n"), header_of(names).values()))
    second = read_text(with_header(first, header_of(others).values()))
    gone, new = set(names) - set(others), set(others) - set(names)
    assert len(second.lines) == len(first.lines) - len(gone) + 3 * len(new)
    comments = [line for line in first.lines if line.startswith("#")]
    more = [f"# {name}" for name in others if name in new]
    assert [line for line in second.lines if line.startswith("#")] == [*comments, *more]


# Any text, in linear time

SHAPES: Mapping[str, Callable[[int], str]] = {
    "values": lambda n: "".join(f'key{one} = "${{enc:1:{WORD}}}"\n' for one in range(n // 30)),
    "a value again and again": lambda n: f'a.b = "${{enc:1:{WORD}}}" # c\n' * (n // 30),
    "keys below keys": lambda n: "".join(f'{"a." * (one % 31)}a = "${{enc:1:{WORD}}}"\n' for one in range(n // 52)),
    "keys of too many steps": lambda n: f'{"a." * 40}a = "${{enc:1:{WORD}}}"\n' * (n // 100),
    "tables": lambda n: "".join(f'[t{one}]\na = "${{enc:1:{WORD}}}"\n' for one in range(n // 30)),
    "a table again and again": lambda n: "[db]\n" * (n // 5),
    "a header again and again": lambda n: "[wellkept.recipients]\n" + 'a = "x"\n' * (n // 8),
    "recipients": lambda n: "[wellkept.recipients]\n" + "".join(f'r{one} = "x"\n' for one in range(n // 12)),
    "pairs without keys": lambda n: "=\n" * (n // 2),
    "plain values": lambda n: "a = 1\n" * (n // 6),
    "conflict marks": lambda n: "<<<<<<<\n" * (n // 8),
    "comments": lambda n: "# a\n" * (n // 4),
    "nothing": lambda n: "\n" * n,
    "one long key": lambda n: "a" * n + " = 1",
    "one long dotted key": lambda n: "a." * (n // 2) + "a = 1",
    "one long quoted key": lambda n: '"' + "\\\\" * (n // 2) + '" = 1',
    "a quote that never ends": lambda n: '"' + "a" * n,
    "one long word": lambda n: 'a = "${enc:1:' + "A" * n + '}"',
    "a word that never ends": lambda n: 'a = "${enc:1:' + "A" * n,
    "one long value of the header": lambda n: '[wellkept]\nid = "' + "A" * n,
    "spaces": lambda n: " " * n + "x",
    "spaces around": lambda n: "a" + " " * n + "=" + " " * n + "b",
    "brackets": lambda n: "[" * n,
    "dots": lambda n: "." * n,
    "quotes": lambda n: '"' * n,
    "a comment that is none": lambda n: "#" * n + "\x00",
}
SMALL = 1 << 16  # characters: four times as much is a quarter of what a file may hold
MOST_TIMES = 9.0  # so much longer may four times the text take; by the square it is 16
LEAST_S = 0.001  # what takes less says more about the machine


def read_all(text: str) -> None:
    """All that a command does with a text before it looks for a key."""
    found = read_text(text)
    found.header_table()
    list(found.repeated())
    list(found.covered())


def seconds(text: str) -> float:
    """How long that takes: the best of three, without what other processes take."""
    best = float("inf")
    for _ in range(3):
        start = process_time()
        read_all(text)
        best = min(best, process_time() - start)
    return best


@given(text=st.one_of(st.text(), FILES, st.lists(st.sampled_from('[]=".#\\ \t\n\r\0aé${enc:1:A}')).map("".join)))
def test_any_text_is_read_and_written_as_it_was(text: str) -> None:
    read_all(text)
    assert str(read_text(text)) == (text if text.endswith("\n") or not text else f"{text}\n")


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_takes_four_times_as_long_for_four_times_as_much(shape: str) -> None:
    small, large = seconds(SHAPES[shape](SMALL)), seconds(SHAPES[shape](4 * SMALL))
    assert large <= MOST_TIMES * max(small, LEAST_S)
