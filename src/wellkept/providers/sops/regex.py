"""The regular expressions of SOPS rules, matched in bounded time. This file does no I/O.

They are Go's (RE2), and they come with the file, so whoever can write it chooses them: Python's
`re` would need exponential time for some. Here an expression is a function from the places where
a match may have come so far to the places where it may come next, and every step is counted.

What RE2 has beside is refused, not misread: Unicode and POSIX classes, word boundaries, flags
within, named groups.
"""

import re
from collections.abc import Callable

from wellkept._patterns import pattern

Places = frozenset[int]
Move = Callable[[str, Places], Places]

MAX_STEPS = 5_000_000  # a second or two, in all, for one file
_MAX_LENGTH = 1_000
_MAX_REPEATS = 100
_MAX_GROUPS = 20  # in each other

_HEAD = pattern(r"(?:\(\?([is]+)\))?")
_ATOM = pattern(
    r"""(?P<one>
        \\[dDwWsStnrfv] | \\x[0-9A-Fa-f]{2} | \\[^A-Za-z0-9]            # an escape
      | \[\^?\]?(?:\\[dDwWsStnrfv] | \\x[0-9A-Fa-f]{2} | \\[^A-Za-z0-9] | [^\]\\\[])*\]
      | [^\\\[\]()|*+?^$]                                              # a plain character, or the dot
    )|(?P<start>\^|\\A)|(?P<end>\$|\\z)|(?P<open>\((?:\?:)?(?!\?))""",
    re.VERBOSE | re.DOTALL,
)
_REPEAT = pattern(r"(?:(?P<sign>[*+?])|\{(?P<least>[0-9]{1,3})(?P<comma>,)?(?P<most>[0-9]{1,3})?\})\??")
_ODD_CLASS = pattern(r"--|&&|~~|\|\|")  # what a later Python may read as an operation on sets


class _Unsupported(Exception):
    """An expression that is not read here; it never leaves this file."""


class Regex:
    """A compiled expression.

    Attributes:
        is_exhausted: whether it took too long; what it answered since is wrong.
    """

    def __init__(self, move: Move, counter: "_Counter") -> None:
        self._move = move
        self._counter = counter

    @property
    def is_exhausted(self) -> bool:
        """Whether it took too long."""
        return self._counter.left <= 0

    def is_in(self, text: str) -> bool:
        """Whether it matches somewhere in a text, as Go's `regexp.Match`."""
        return bool(self._move(text, frozenset(range(len(text) + 1))))


def compile_regex(text: str) -> Regex | None:
    """The expression, or None where it is none that is read here."""
    counter = _Counter()
    try:
        return Regex(_Parser(text, counter).whole(), counter)
    except (_Unsupported, re.error):
        return None


class _Counter:
    """How many steps are left."""

    def __init__(self) -> None:
        self.left: int = MAX_STEPS

    def spend(self, steps: int) -> bool:
        """Whether that many were left."""
        self.left -= steps
        return self.left > 0


class _Parser:
    """Goes through an expression from left to right."""

    def __init__(self, text: str, counter: _Counter) -> None:
        flags = _HEAD.match(text)
        letters = (flags[1] or "") if flags else ""
        if len(text) > _MAX_LENGTH or ("i" in letters and not text.isascii()):  # Go folds all of Unicode
            raise _Unsupported
        self._text = text
        self._at = flags.end() if flags else 0
        self._groups = 0
        self._counter = counter
        self._flags = re.ASCII | (re.IGNORECASE if "i" in letters else 0) | (re.DOTALL if "s" in letters else 0)

    def whole(self) -> Move:
        move = self._either()
        if self._at < len(self._text):
            raise _Unsupported
        return move

    def _either(self) -> Move:
        moves = [self._row()]
        while self._text.startswith("|", self._at):
            self._at += 1
            moves.append(self._row())
        return moves[0] if len(moves) == 1 else _union(moves)

    def _row(self) -> Move:
        moves: list[Move] = []
        while (found := _ATOM.match(self._text, self._at)) is not None:
            self._at = found.end()
            moves.append(self._repeated(self._atom(found)))
        return _sequence(moves, self._counter)

    def _atom(self, found: re.Match[str]) -> Move:
        if found["open"] is not None:
            self._groups += 1
            if self._groups > _MAX_GROUPS:
                raise _Unsupported
            move = self._either()
            if not self._text.startswith(")", self._at):
                raise _Unsupported
            self._groups -= 1
            self._at += 1
            return move
        if found["start"] is not None:
            return lambda _text, places: places & {0}
        if found["end"] is not None:
            return lambda text, places: places & {len(text)}
        one = found["one"]
        if one.startswith("[") and _ODD_CLASS.search(one):
            raise _Unsupported
        return _single(re.compile(one, self._flags), self._counter)

    def _repeated(self, move: Move) -> Move:
        found = _REPEAT.match(self._text, self._at)
        if found is None:
            return move
        self._at = found.end()
        if _REPEAT.match(self._text, self._at):  # `a**`: RE2 refuses some of these and reads others
            raise _Unsupported
        least, most = _bounds(found)
        if max(least, most or 0) > _MAX_REPEATS or (most is not None and most < least):
            raise _Unsupported
        tail = _star(move, self._counter) if most is None else _sequence([_maybe(move)] * (most - least), self._counter)
        return _sequence([*[move] * least, tail], self._counter)


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    """How often at least, and how often at most."""
    if found["sign"] is not None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found["sign"]]
    least = int(found["least"])
    if found["most"] is not None and found["comma"] is None:
        raise _Unsupported
    return least, int(found["most"]) if found["most"] else None if found["comma"] else least


def _single(one: re.Pattern[str], counter: _Counter) -> Move:
    def move(text: str, places: Places) -> Places:
        if not counter.spend(len(places) + 1):
            return frozenset()
        return frozenset(place + 1 for place in places if one.match(text, place))

    return move


def _sequence(moves: list[Move], counter: _Counter) -> Move:
    def move(text: str, places: Places) -> Places:
        for one in moves:
            if not places or not counter.spend(len(places)):  # what is done with the places costs each of them
                return frozenset()
            places = one(text, places)
        return places

    return move


def _union(moves: list[Move]) -> Move:
    def move(text: str, places: Places) -> Places:
        none: Places = frozenset()
        return none.union(*(one(text, places) for one in moves))

    return move


def _maybe(move: Move) -> Move:
    return lambda text, places: places | move(text, places)


def _star(move: Move, counter: _Counter) -> Move:
    def repeated(text: str, places: Places) -> Places:
        seen = new = places
        while new and counter.spend(len(seen)):
            new = move(text, new) - seen
            seen |= new
        return seen

    return repeated
