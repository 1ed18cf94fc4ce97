"""Where keys and values stand in a TOML text, as line and column: tomllib does not tell.

The finder follows TOML 1.0 (and the freer inline tables of 1.1) as far as places need it. It judges
nothing but repeated keys: whether the text is TOML at all is tomllib's to say. Where the text
stops to be TOML the finder stops, and keeps what it found. What it returns holds keys, never values.

- A key's place is where it is written; a value's place is where the value begins.
- The value of a table with a header begins at its `[`; so does an item of an array of tables.
- A table that only stands inside other keys (`a` of `[a.b]` or `a.b = 1`) has the place of that
  key, and no place of a value.

This file does no I/O.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern

KeyPath = tuple[str | int, ...]  # keys, and indexes of array items: ("backends", 2, "port")
Place = tuple[int, int]  # line and column, from 1; a column is a character

_MAX_DEPTH = 64  # brackets in brackets, steps in a key; limits.py refuses 32, this only guards the stack


class Repeat(NamedTuple):
    """A key that stands twice where TOML wants it once."""

    path: KeyPath
    first: Place
    second: Place


@dataclass(frozen=True, slots=True)
class Positions:
    """The places of one text.

    Attributes:
        keys: where each key begins, as an offset.
        values: where each value begins, as an offset.
        lines: where each line begins, as an offset.
        duplicates: keys that are repeated, in the order of the text.
    """

    keys: Mapping[KeyPath, int]
    values: Mapping[KeyPath, int]
    lines: Sequence[int]
    duplicates: tuple[Repeat, ...]

    def key(self, path: KeyPath) -> Place | None:
        """The place of a key, or None for an item of a plain array or an unknown path."""
        offset = self.keys.get(path)
        return None if offset is None else _place_at(self.lines, offset)

    def value(self, path: KeyPath) -> Place | None:
        """The place where a value begins, or None where none is written."""
        offset = self.values.get(path)
        return None if offset is None else _place_at(self.lines, offset)


def place_in(text: str, offset: int) -> Place:
    """The line and column of one offset in a text."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def find_key(text: str, at: int) -> tuple[tuple[str, ...], int] | None:
    """The steps of a dotted key that begins there, and where it ends; None where none does."""
    try:
        steps, end = _Finder(text).read_key(at)
    except _NoToml:
        return None
    return tuple(name for name, _ in steps), end


def find_positions(text: str) -> Positions:
    """Find the places of all keys and values, in time linear to the text.

    Args:
        text: TOML with LF line ends.
    """
    finder = _Finder(text)
    with suppress(_NoToml):  # what was found until there is the answer
        finder.read_document()
    lines = array("I", [0])  # not a list: a text of newlines would take forty times its size
    lines.extend(newline.end() for newline in _NEWLINE.finditer(text))
    repeats = (
        Repeat(path, _place_at(lines, finder.keys[path]), _place_at(lines, second)) for path, second in finder.repeats
    )
    return Positions(finder.keys, finder.values, lines, tuple(repeats))


def _place_at(lines: Sequence[int], offset: int) -> Place:
    line = bisect_right(lines, offset)
    return line, offset - lines[line - 1] + 1


_NEWLINE = pattern("\n")
_SPACE = r"[ \t]*+"
_GAP = r"(?:[ \t\n]++|\#[^\n]*+)*+"
_BARE = r"[A-Za-z0-9_-]++"
_BASIC = r'"(?:[^"\\\n]++|\\.)*+"'
_LITERAL = r"'[^'\n]*+'"
# Up to two quotes may stand before the three that end a multi-line string.
_LONG_BASIC = r'"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"""(?:""?)?+'
_LONG_LITERAL = r"'''(?:[^']++|'{1,2}+(?!'))*+'''(?:''?)?+"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_WORD = rf"(?:{_DATE}\ [0-9][0-9:.+Zz-]*+|[A-Za-z0-9+.-][A-Za-z0-9+.:_-]*+)"  # a space may stand before a time

_PAIR = pattern(  # the fast way: a bare key and a plain value that have a line to themselves
    rf"{_GAP} ({_BARE}) {_SPACE}={_SPACE} () (?:\"[^\"\\\n]*+\"|'[^'\n]*+'|{_WORD})"
    rf"{_SPACE} (?:\#[^\n]*+)?+ (?=\n|\Z)",
    re.VERBOSE,
)
_SKIP = pattern(_GAP)
_STEP = pattern(rf"{_SPACE} () (?:({_BARE})|({_BASIC})|({_LITERAL})) {_SPACE} (\.?)", re.VERBOSE)
_SCALAR = pattern(rf"{_LONG_BASIC}|{_LONG_LITERAL}|{_BASIC}|{_LITERAL}|{_WORD}", re.VERBOSE | re.DOTALL)
_REST = pattern(rf"{_SPACE}(?:\#[^\n]*+)?+(?:\n|\Z)")
_ESCAPE = pattern(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}
_LAST_CHARACTER = 0x10FFFF


class _NoToml(Exception):
    """The text is not TOML from here on."""


class _Made(Enum):
    """What made a table, which decides who may add to it."""

    BY_SUBTABLE = "a header below it: its own header may follow"
    BY_DOTS = "dotted keys: more of them may follow"
    BY_HEADER = "its own header: only another section may not"


class _Finder:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.repeats: list[tuple[KeyPath, int]] = []
        self._tables: dict[KeyPath, _Made] = {}
        self._counts: dict[KeyPath, int] = {}  # of items, for each array of tables
        self._section: KeyPath = ()
        self._depth = 0

    def read_document(self) -> None:
        """Read all statements.

        Raises:
            _NoToml: one of them is none.
        """
        text, keys, values = self.text, self.keys, self.values
        at = 0
        while at < len(text):
            found = _PAIR.match(text, at)
            path = self._section if found is None else (*self._section, found[1])
            if found is None or path in keys:
                at = self._statement(at)
            else:
                keys[path], values[path] = found.start(1), found.start(2)
                at = found.end()

    def _statement(self, at: int) -> int:
        at = self._skip(at)
        if at == len(self.text):
            return at
        end = self._header(at) if self.text[at] == "[" else self._pair(self._section, at)
        rest = _REST.match(self.text, end)
        if rest is None:
            raise _NoToml
        return rest.end()

    def _header(self, at: int) -> int:
        is_item = self.text.startswith("[[", at)
        closing = "]]" if is_item else "]"
        steps, end = self.read_key(at + len(closing))
        end = self._expect(closing, end)
        path: KeyPath = ()
        for name, offset in steps[:-1]:
            path = self._enter((*path, name), offset)
        name, offset = steps[-1]
        open_section = self._open_item if is_item else self._open_table
        self._section = open_section((*path, name), offset, at)
        return end

    def _enter(self, path: KeyPath, offset: int) -> KeyPath:
        """Go into a table on the way to another; of an array of tables, into the last item."""
        if path in self._counts:
            return (*path, self._counts[path] - 1)
        if path not in self.keys:
            self.keys[path] = offset
            self._tables[path] = _Made.BY_SUBTABLE
        elif path not in self._tables:
            self.repeats.append((path, offset))
        return path

    def _open_table(self, path: KeyPath, offset: int, at: int) -> KeyPath:
        if path in self.keys and self._tables.get(path) is not _Made.BY_SUBTABLE:
            self.repeats.append((path, offset))
        else:
            self.keys[path], self.values[path] = offset, at
            self._tables[path] = _Made.BY_HEADER
        return path

    def _open_item(self, path: KeyPath, offset: int, at: int) -> KeyPath:
        count = self._counts.get(path, 0)
        if path not in self.keys:
            self.keys[path], self.values[path] = offset, at
        elif count == 0:
            self.repeats.append((path, offset))
        self._counts[path] = count + 1
        item = (*path, count)
        self.keys[item], self.values[item] = offset, at
        self._tables[item] = _Made.BY_HEADER
        return item

    def _pair(self, table: KeyPath, at: int) -> int:
        steps, end = self.read_key(at)
        at = self._skip(self._expect("=", end))
        path = self._new_key(table, steps)
        if path is not None:
            return self._value(path, at)
        aside = _Finder(self.text)  # what a repeated key holds has no place, but an end
        aside._depth = self._depth
        return aside._value((), at)

    def _new_key(self, table: KeyPath, steps: Sequence[tuple[str, int]]) -> KeyPath | None:
        """Take a key with the tables that its dots make; None where it is a repetition."""
        path = table
        for name, offset in steps[:-1]:
            path = (*path, name)
            if path not in self.keys:
                self.keys[path] = offset
            elif self._tables.get(path, _Made.BY_HEADER) is _Made.BY_HEADER:
                self.repeats.append((path, offset))
                return None
            self._tables[path] = _Made.BY_DOTS
        name, offset = steps[-1]
        path = (*path, name)
        if path in self.keys:
            self.repeats.append((path, offset))
            return None
        self.keys[path] = offset
        return path

    def read_key(self, at: int) -> tuple[list[tuple[str, int]], int]:
        """Read a dotted key: its steps with their offsets, and where it ends."""
        steps: list[tuple[str, int]] = []
        while len(steps) < _MAX_DEPTH:
            found = _STEP.match(self.text, at)
            if found is None:
                break
            bare, basic, literal = found.group(2, 3, 4)
            steps.append((bare or (_unescape(basic[1:-1]) if basic else literal[1:-1]), found.start(1)))
            at = found.end()
            if not found[5]:
                return steps, at
        raise _NoToml

    def _value(self, path: KeyPath, at: int) -> int:
        if self.text.startswith(("[", "{"), at):
            self.values[path] = at
            return self._enclosed(path, at)
        found = _SCALAR.match(self.text, at)
        if found is None:
            raise _NoToml
        self.values[path] = at
        return found.end()

    def _enclosed(self, path: KeyPath, at: int) -> int:
        """Read an array or an inline table."""
        closing = "]" if self.text[at] == "[" else "}"
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _NoToml
        at, index = self._skip(at + 1), 0
        while not self.text.startswith(closing, at):
            at = self._skip(self._pair(path, at) if closing == "}" else self._value((*path, index), at))
            if not self.text.startswith(closing, at):
                at = self._skip(self._expect(",", at))
            index += 1
        self._depth -= 1
        return at + 1

    def _skip(self, at: int) -> int:
        """Go over spaces, newlines and comments."""
        found = _SKIP.match(self.text, at)
        return at if found is None else found.end()

    def _expect(self, what: str, at: int) -> int:
        if not self.text.startswith(what, at):
            raise _NoToml
        return at + len(what)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    """The character that an escape writes; one that is none stays as it is."""
    digits = escape[1] or escape[2] or escape[3]
    if digits is None:
        return _ESCAPED.get(escape[4], escape[4])
    return chr(number) if (number := int(digits, 16)) <= _LAST_CHARACTER else escape[0]
