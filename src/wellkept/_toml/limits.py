"""What a TOML text may cost: caps that are judged in one linear scan, before tomllib sees it.

tomllib recurses for each bracket, takes memory by the square of the steps in a key and time for
each key, so that a small file could hold up a process. The scan follows a text as long as it is
TOML. Behind the first mistake it may miss something, but tomllib does not get there either.

This file does no I/O.
"""

import re

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_KEY_LENGTH = 256
MAX_DIGITS = 4300  # what int() takes, see sys.set_int_max_str_digits


@dataclass(frozen=True, slots=True)
class Excess:
    """What a text has too much of.

    Attributes:
        fact: what it is.
        hint: what to do.
        offset: where the cap is passed.
    """

    fact: str
    hint: str
    offset: int


_CAPS = {  # how often each mark may stand outside strings and comments, and what it is called
    "=": (10_000, "keys"),
    "[": (20_000, "brackets"),
    "]": (20_000, "brackets"),
    "{": (10_000, "inline tables"),
    "}": (10_000, "inline tables"),
    ",": (20_000, "commas between items"),
    ".": (20_000, "dots in keys and numbers"),
    "\n": (50_000, "lines"),
}
# Strings and comments. A long string that is never closed goes on to the end: no character is looked at twice.
QUOTED = (
    r'"""(?:[^"\\]++|\\.?|"{1,2}+(?!"))*+(?:"""(?:""?)?+|\Z)'
    r"|'''(?:[^']++|'{1,2}+(?!'))*+(?:'''(?:''?)?+|\Z)"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"'
    r"|'[^'\n]*+'"
    r"|\#[^\n]*+"
)
_MARK = pattern(rf"(?:[^]\[{{}}.,=\n\"'#]++|{QUOTED})*+(.|\Z)", re.DOTALL)
_DIGITS = rf"(?<![0-9A-Za-z_])[0-9][0-9A-Fa-fox_]{{{MAX_DIGITS},}}+"
_LONG_RUN = pattern(_DIGITS)
_LONG_NUMBER = rf"(?s:{QUOTED}|({_DIGITS}))"  # compiled where it is needed, which is hardly ever


def find_excess(text: str) -> Excess | None:
    """Say what a text has too much of, or None.

    Args:
        text: TOML with LF line ends, of at most `MAX_BYTES`.
    """
    return _find_long_number(text) or _find_crowd(text)


def _find_long_number(text: str) -> Excess | None:
    if _LONG_RUN.search(text):  # mostly there is none, quoted or not
        for found in re.finditer(_LONG_NUMBER, text):
            if found[1] is not None:
                fact = f"holds a number of more than {MAX_DIGITS:,} digits"
                return Excess(fact, "shorten it, or put it in quotes", found.start(1))
    return None


def _find_crowd(text: str) -> Excess | None:
    """Count the marks, and how deep brackets and the steps of keys nest."""
    seen = dict.fromkeys(_CAPS, 0)
    depth = 0
    opened: list[int] = []
    at = 0
    # What is no mark is the end, or a quote that is not closed on its line.
    while (found := _MARK.match(text, at)) and (mark := found[1]) in seen:
        at = found.end()
        seen[mark] += 1
        most, what = _CAPS[mark]
        if seen[mark] > most:
            return Excess(f"holds more than {most:,} {what}", "name the right file, or split it", at - 1)
        depth = _depth_after(mark, depth, opened)
        if depth > MAX_DEPTH:
            hint = "nest less, or close a bracket that is still open"
            return Excess(f"nests more than {MAX_DEPTH} levels deep", hint, at - 1)
    return None


def _depth_after(mark: str, depth: int, opened: list[int]) -> int:
    """The depth behind a mark; each open bracket remembers the depth outside of it."""
    if mark == ".":
        return depth + 1
    if mark in "[{":
        opened.append(depth)
        return depth + 1
    if mark in "]}":
        return opened.pop() if opened else 0
    if mark == "=":
        return depth
    return opened[-1] + 1 if opened else 0  # behind a comma or a line begins a new key or item
