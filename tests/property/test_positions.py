"""The finder of places agrees with tomllib, whatever way a document is written."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from wellkept._toml.positions import KeyPath, Positions, find_positions

T = TypeVar("T")
Node = str | list["Node"] | dict[str, "Node"]  # a str is a value as it is written in TOML


class Choice(Protocol):
    """What the writer wants of a random generator."""

    def choice(self, seq: Sequence[T], /) -> T: ...


SPACES = ("", "", " ", "  ", "\t")
COMMENTS = ("", "", "", " # a = [", "#'\"", "\t# \"\"\" '''", "#")
BLANKS = ("", "", "", "\n", "  # [x]\n", "\n\t\n# k = 1\n")

SIGNS = ["a", "ü", "😀", " ", "#", "=", "[", "]", "{", "}", ",", ".", "\t"]
ESCAPES = [r"\"", r"\\", r"\n", r"\t", r"\u00e9", r"\U0001F600"]
NUMBERS = ["0", "-17", "+1_000", "0xDEAD_beef", "0o17", "0b10", "1.5", "-0.1e10", "1e5", "inf", "-inf", "nan", "6e-34"]
TIMES = ["1979-05-27T07:32:00Z", "1979-05-27 07:32:00.99-07:00", "1979-05-27t07:32:00", "1979-05-27", "07:32:00"]


def joined(pieces: Sequence[str], opening: str, *, tails: Sequence[str] = ("",)) -> st.SearchStrategy[str]:
    """Strings in the given quotes, of pieces that may stand in them."""
    body = st.lists(st.sampled_from(pieces), max_size=6).map("".join)
    whole = st.tuples(body, st.sampled_from(tails)).map("".join)
    longest = opening if len(opening) > 1 else "\n"  # what may not stand inside
    return whole.filter(lambda text: longest not in text).map(lambda text: f"{opening}{text}{opening}")


STRINGS = st.one_of(
    joined([*SIGNS, *ESCAPES, "'"], '"'),
    joined([*SIGNS, '"', "\\"], "'"),
    joined([*SIGNS, *ESCAPES, "'", "'''", '"', '""', "\n", "\\\n  "], '"""', tails=["", '"', '""']),
    joined([*SIGNS, '"', '"""', "'", "''", "\n", "\\"], "'''", tails=["", "'", "''"]),
)
VALUES = st.one_of(STRINGS, st.sampled_from([*NUMBERS, *TIMES, "true", "false"]))
KEYS = st.one_of(
    st.text("ab01_-", min_size=1, max_size=3),
    st.sampled_from(["", "a.b", 'q"q', "x'y", "ü", "two\nlines", "tab\t", "#", " ", "=", "true", "]", "\\", "\\u0041"]),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)
DOCUMENTS = st.dictionaries(KEYS, TREES, max_size=6)


@dataclass
class Writer:
    """Writes a document in a way of its own, and takes down where it put each key and value."""

    choose: Choice
    text: str = ""
    keys: dict[KeyPath, int] = field(default_factory=dict)
    values: dict[KeyPath, int] = field(default_factory=dict)

    def any_of(self, *texts: str) -> None:
        self.text += self.choose.choice(texts)

    def key(self, key: str) -> None:
        """Write one step of a key in one of the ways that it allows."""
        escaped = "".join(f"\\u{ord(one):04X}" if one in '"\\' or not one.isprintable() else one for one in key)
        ways = [f'"{escaped}"', '"' + "".join(f"\\U{ord(one):08x}" for one in key) + '"']
        if re.fullmatch("[A-Za-z0-9_-]+", key):
            ways += [key, key, key]
        if "'" not in key and key.isprintable():
            ways.append(f"'{key}'")
        self.any_of(*ways)

    def dotted(self, steps: Sequence[KeyPath]) -> None:
        """Write a key of several steps; the last is new, the others may be known."""
        for number, path in enumerate(steps):
            if number:
                self.any_of(*SPACES)
                self.text += "."
                self.any_of(*SPACES)
            if number == len(steps) - 1:
                self.keys[path] = len(self.text)
            else:
                self.keys.setdefault(path, len(self.text))
            key = next(step for step in reversed(path) if isinstance(step, str))
            self.key(key)

    def value(self, path: KeyPath, node: Node) -> None:
        self.values[path] = len(self.text)
        if isinstance(node, str):
            self.text += node
        elif isinstance(node, list):
            self.array(path, node)
        else:
            self.inline(path, node)

    def array(self, path: KeyPath, nodes: list[Node]) -> None:
        gaps = ("", " ", "\n", " # ], [\n", "\n\t#'\n  ")
        self.text += "["
        for index, node in enumerate(nodes):
            self.any_of(*gaps)
            self.value((*path, index), node)
            self.any_of(*gaps)
            if index < len(nodes) - 1:
                self.text += ","
        if nodes:
            self.any_of("", ",")
        self.any_of(*gaps)
        self.text += "]"

    def inline(self, path: KeyPath, nodes: dict[str, Node]) -> None:
        self.text += "{"
        for number, (key, node) in enumerate(nodes.items()):
            self.text += "," if number else ""
            self.any_of(*SPACES)
            self.pairs(path, [(*path, key)], node)
            self.any_of(*SPACES)
        self.text += "}"

    def pairs(self, table: KeyPath, steps: list[KeyPath], node: Node, end: str = "") -> None:
        """Write a key with its value; a table of one key, or one on lines of its own, may become dots."""
        if isinstance(node, dict) and node and (end or len(node) == 1) and self.choose.choice((True, False)):
            for key, inner in node.items():
                self.pairs(table, [*steps, (*steps[-1], key)], inner, end)
            return
        if end:
            self.any_of(*BLANKS)
            self.any_of(*SPACES)
        self.dotted(steps)
        self.any_of(*SPACES)
        self.text += "="
        self.any_of(*SPACES)
        self.value(steps[-1], node)
        if end:
            self.any_of(*SPACES)
            self.any_of(*COMMENTS)
            self.text += end

    def header(self, steps: list[KeyPath], opening: str, closing: str) -> int:
        self.any_of(*BLANKS)
        self.any_of(*SPACES)
        at = len(self.text)
        self.text += opening
        self.any_of(*SPACES)
        self.dotted(steps)
        self.any_of(*SPACES)
        self.text += closing
        self.any_of(*COMMENTS)
        self.text += "\n"
        return at

    def table(self, steps: list[KeyPath], path: KeyPath, nodes: dict[str, Node], *, is_item: bool = False) -> None:
        """Write a table: its pairs below its header, and the tables in it as sections, before or after."""
        sections = [key for key, node in nodes.items() if may_be_section(node) and self.choose.choice((True, False))]
        pairs = {key: node for key, node in nodes.items() if key not in sections}
        is_late = bool(steps) and not is_item and self.choose.choice((True, False))
        if is_late:
            self.sections(steps, path, nodes, sections)
        if steps and not is_item and (pairs or not sections or self.choose.choice((True, False))):
            self.values[path] = self.header(steps, "[", "]")
        for key, node in pairs.items():
            self.pairs(path, [(*path, key)], node, "\n")
        if not is_late:
            self.sections(steps, path, nodes, sections)

    def sections(self, steps: list[KeyPath], path: KeyPath, nodes: dict[str, Node], keys: list[str]) -> None:
        for key in keys:
            node, inner = nodes[key], (*path, key)
            if isinstance(node, dict):
                self.table([*steps, inner], inner, node)
            for index, item in enumerate(node if isinstance(node, list) else []):
                first = self.keys.get(inner)
                at = self.header([*steps, inner], "[[", "]]")
                self.keys[(*inner, index)], self.values[(*inner, index)] = self.keys[inner], at
                if first is None:
                    self.values[inner] = at
                else:
                    self.keys[inner] = first
                if isinstance(item, dict):
                    self.table([*steps, (*inner, index)], (*inner, index), item, is_item=True)


def may_be_section(node: Node) -> bool:
    return isinstance(node, dict) or (
        isinstance(node, list) and bool(node) and all(isinstance(item, dict) for item in node)
    )


@st.composite
def written(draw: st.DrawFn) -> Writer:
    """Documents of random data in random style."""
    writer = Writer(draw(st.randoms(use_true_random=False)))
    writer.table([], (), draw(DOCUMENTS))
    writer.any_of(*BLANKS)
    return writer


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, counted the plain way."""
    before = text[:offset].split("\n")
    return len(before), len(before[-1]) + 1


def leaves(data: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """What tomllib read, down to values, empty tables and empty arrays."""
    if not isinstance(data, (dict, list)) or not data:
        yield path, data
        return
    for step, inner in data.items() if isinstance(data, dict) else enumerate(data):
        yield from leaves(inner, (*path, step))


def found_leaves(positions: Positions) -> set[KeyPath]:
    inner = {path[:-1] for path in (*positions.keys, *positions.values)}
    return set(positions.values) - inner


def read(text: str) -> dict[str, object] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


@settings(deadline=None)
@given(written())
def test_each_key_and_value_has_the_place_where_it_was_written(document: Writer) -> None:
    positions = find_positions(document.text)
    paths = {*document.keys, *document.values}
    assert {*positions.keys, *positions.values} == paths
    for path in paths:
        key, value = document.keys.get(path), document.values.get(path)
        assert positions.key(path) == (None if key is None else place(document.text, key))
        assert positions.value(path) == (None if value is None else place(document.text, value))


@settings(deadline=None)
@given(written())
def test_the_values_found_are_those_that_tomllib_reads(document: Writer) -> None:
    data = tomllib.loads(document.text)
    assert found_leaves(find_positions(document.text)) == {path for path, _ in leaves(data) if path}


@settings(deadline=None)
@given(written())
def test_the_text_at_the_place_of_a_value_reads_as_that_value(document: Writer) -> None:
    lines = document.text.split("\n")
    positions = find_positions(document.text)
    for path, value in leaves(tomllib.loads(document.text)):
        found = positions.value(path)
        if found is None or isinstance(value, dict):  # the value of an empty table is no text
            assert value == {}
            continue
        rest = "\n".join([lines[found[0] - 1][found[1] - 1 :], *lines[found[0] :]])
        assert any(repr(value) == repr(read_value(rest[:end])) for end in range(1, len(rest) + 1))


def read_value(text: str) -> object:
    data = read(f"v = {text}")
    return None if data is None else data["v"]


@settings(deadline=None)
@given(written())
def test_a_document_that_tomllib_accepts_repeats_no_key(document: Writer) -> None:
    assert find_positions(document.text).duplicates == ()


@settings(deadline=None)
@given(written(), st.data())
def test_the_beginning_of_a_document_has_the_places_of_the_whole(document: Writer, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(document.text)))
    whole, part = find_positions(document.text), find_positions(document.text[:end])
    assert part.values.items() <= whole.values.items()


@settings(deadline=None)
@given(written(), st.data())
def test_a_document_with_a_character_changed_is_found_as_tomllib_reads_it_or_not_at_all(
    document: Writer, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(document.text)))
    width = data.draw(st.integers(0, 2))
    put = data.draw(st.sampled_from(["", *"\"'\\#[]{}=,.\n a0-"]))
    text = document.text[:at] + put + document.text[at + width :]
    positions = find_positions(text)
    accepted = read(text)
    assume(accepted is not None)
    assert found_leaves(positions) == {path for path, _ in leaves(accepted) if path}
    assert positions.duplicates == ()


DEFINITIONS = st.lists(
    st.builds(
        str.format,
        st.sampled_from(["{0} = 1", "[{0}]", "[[{0}]]", "{0} = {{{1} = 1}}", "{0} = [{{{1} = 1}}]", "{0} = []"]),
        *[st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(".".join)] * 2,
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=1000)
@example(["[a.b]", "[a]", "b.a = 1"])  # a rare one: dots go on with a table that has a header
@example(["[a.b.a]", "[a]", "b.a.b = 1"])
@given(DEFINITIONS)
def test_keys_are_repeated_exactly_where_tomllib_refuses_to_define_them_again(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert bool(find_positions(text).duplicates) == (read(text) is None)
