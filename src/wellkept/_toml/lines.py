"""Reads the plain part of TOML in one pass: most files are nothing else, and tomllib reads letter by letter.

Plain is a text of which every line is empty, a comment, `[table]`, or `key = value` with bare keys,
dotted or not, or one in quotes, and with a text without escapes, a whole number, or true or false. What is more, and
what could be a mistake, is left to tomllib. This file does no I/O.
"""

from array import array
from enum import Enum

from wellkept._patterns import pattern
from wellkept._toml.positions import KeyPath, Positions

_SPACE = r"[ \t]*+"
_BARE = r"[A-Za-z0-9_-]++"
_KEY = rf"({_BARE}(?:\.{_BARE})*+)"
_LINE = pattern(
    rf"{_SPACE}(?:(?:{_KEY}|\"([^\"\\\n]++)\"){_SPACE}={_SPACE}()(?:\"([^\"\\\n]*+)\"|(-?(?:0|[1-9][0-9]{{0,17}}))(?![0-9.:eE_-])|(true|false))"
    rf"|\[{_SPACE}{_KEY}{_SPACE}\])?+{_SPACE}(?:\#[^\n]*+)?+(?:\n|\Z)"
)


class _Made(Enum):
    """What made a path, which decides what may follow."""

    BY_SUBTABLE = 1
    BY_HEADER = 2
    BY_DOTS = 3
    BY_VALUE = 4


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data: dict[str, object] = {}
        self.keys: dict[KeyPath, int] = {}
        self.values: dict[KeyPath, int] = {}
        self.lines = array("I", [0])
        self._made: dict[KeyPath, _Made] = {}
        self._tables: dict[KeyPath, dict[str, object]] = {(): self.data}
        self._section: KeyPath = ()

    def read(self) -> bool:
        """Read all lines; False where one of them is not plain."""
        text, match, at = self.text, _LINE.match, 0
        while at < len(text):
            line = match(text, at)
            if line is None:
                return False
            key, quoted, string, number, word, table = line.group(1, 2, 4, 5, 6, 7)
            if key is not None or quoted is not None:
                value = string if string is not None else int(number) if number is not None else word == "true"
                steps, offset = ([quoted], line.start(2) - 1) if key is None else (key.split("."), line.start(1))
                if not self._pair(steps, offset, value, line.start(3)):
                    return False
            elif table is not None and not self._header(table, line.start(7), text.index("[", at)):
                return False
            at = line.end()
            if text[at - 1] == "\n":
                self.lines.append(at)
        return True

    def _pair(self, steps: list[str], offset: int, value: object, value_offset: int) -> bool:
        path, table = self._section, self._tables[self._section]
        *above, last = steps
        for step in above:
            path = (*path, step)
            made = self._made.get(path)
            if made is None:
                table[step] = self._tables[path] = {}
                self._made[path], self.keys[path] = _Made.BY_DOTS, offset
            elif made is not _Made.BY_DOTS:
                return False
            table = self._tables[path]
            offset += len(step) + 1
        path = (*path, last)
        if path in self._made:
            return False
        self._made[path], self.keys[path], self.values[path] = _Made.BY_VALUE, offset, value_offset
        table[last] = value
        return True

    def _header(self, key: str, offset: int, bracket: int) -> bool:
        path: KeyPath = ()
        table = self.data
        *above, last = key.split(".")
        for step in above:
            path = (*path, step)
            made = self._made.get(path)
            if made is None:
                table[step] = self._tables[path] = {}
                self._made[path], self.keys[path] = _Made.BY_SUBTABLE, offset
            elif made in {_Made.BY_DOTS, _Made.BY_VALUE}:
                return False
            table = self._tables[path]
            offset += len(step) + 1
        path = (*path, last)
        made = self._made.get(path)
        if made is None:
            table[last] = self._tables[path] = {}
        elif made is not _Made.BY_SUBTABLE:
            return False
        self._made[path], self.keys[path], self.values[path] = _Made.BY_HEADER, offset, bracket
        self._section = path
        return True


def read_plain(text: str) -> tuple[dict[str, object], Positions] | None:
    """What a plain text holds and where, or None where it is not plain.

    Args:
        text: with LF line ends, and without characters that TOML forbids.
    """
    reader = _Reader(text)
    return (reader.data, Positions(reader.keys, reader.values, reader.lines, ())) if reader.read() else None
