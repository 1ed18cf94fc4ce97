"""A TOML text taken apart into its statements, each with where its value stands. No I/O here.

It is for text that tomllib has read: what is no TOML is not found here. A statement is what stands
between two line ends, or more where an array or a long string goes over several lines.
"""

import re
from collections.abc import Iterator

from wellkept._dataclasses import dataclass, field
from wellkept._patterns import pattern
from wellkept._toml.limits import QUOTED
from wellkept._toml.positions import find_key, place_in

_EQUALS = pattern(r"[ \t]*+=[ \t]*+")
_TOKEN = pattern(rf"{QUOTED}|[^\[\]{{}}\"'#\n]++|.", re.DOTALL)
_DEPTHS = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Statement:
    """A comment, nothing, the line of a table, or a key with its value.

    Attributes:
        text: all of it, without the line end; not in the repr.
        place: the line, from 1, and the column where it begins.
        table: the steps of the table that it opens, or None.
        is_item: whether that is one of an array of tables.
        path: the steps of the key that gets a value, with those of its table, or None.
        start: where its value begins in the text.
        end: where its value ends.
        comment: what stands behind the # on its last line, or None; not in the repr.
        has_inner_comment: whether there is a comment inside its value.
    """

    text: str = field(repr=False)
    place: tuple[int, int]
    table: tuple[str, ...] | None = None
    is_item: bool = False
    path: tuple[str, ...] | None = None
    start: int = 0
    end: int = 0
    comment: str | None = field(default=None, repr=False)
    has_inner_comment: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but a comment, or not even that."""
        return self.table is None and self.path is None

    def with_value(self, value: str) -> str:
        """The text of it with another value."""
        return self.text[: self.start] + value + self.text[self.end :]


def statements(text: str) -> Iterator[Statement]:
    """Take a text apart.

    Args:
        text: TOML with LF line ends.
    """
    at = 0
    table: tuple[str, ...] = ()
    while at < len(text):
        one, at = _statement(text, at, table)
        if one.table is not None:
            table = one.table
        yield one


def _statement(text: str, at: int, table: tuple[str, ...]) -> tuple[Statement, int]:
    """The statement that begins there, and where the next one does."""
    begin = at
    while text.startswith((" ", "\t"), begin):
        begin += 1
    place = place_in(text, begin)
    if text.startswith("[", begin):
        is_item = text.startswith("[[", begin)
        key = find_key(text, begin + 1 + is_item)
        if key is not None:
            _, end, comment, _ = _value_end(text, key[1] + 1 + is_item)
            return Statement(text[at:end], place, key[0], is_item, comment=comment), end + 1
    key = None if text.startswith(("#", "\n"), begin) else find_key(text, begin)
    equals = None if key is None else _EQUALS.match(text, key[1])
    if key is None or equals is None:
        _, end, comment, _ = _value_end(text, begin)
        return Statement(text[at:end], place, comment=comment), end + 1
    start = equals.end()
    stop, end, comment, has_inner = _value_end(text, start)
    return Statement(
        text[at:end],
        place,
        path=(*table, *key[0]),
        start=start - at,
        end=stop - at,
        comment=comment,
        has_inner_comment=has_inner,
    ), end + 1


def _value_end(text: str, at: int) -> tuple[int, int, str | None, bool]:
    """Where a value ends, where its line does, the comment behind it, and whether there is one inside."""
    depth, start, has_inner = 0, at, False
    while at < len(text):
        found = _TOKEN.match(text, at)
        piece = "\n" if found is None else found[0]
        if depth <= 0 and piece == "\n":
            break
        if piece.startswith("#"):
            if depth <= 0:
                return start + len(text[start:at].rstrip(" \t")), at + len(piece), piece[1:], has_inner
            has_inner = True
        depth += _DEPTHS.get(piece, 0)
        at += len(piece)
    return start + len(text[start:at].rstrip(" \t")), at, None, has_inner
