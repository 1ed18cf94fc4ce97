"""What is wrong with a TOML text, in plain words.

tomllib quotes the text in its complaints, so only their kind and their place are taken over. What
is said here may name a key, and never a value. This file does no I/O.
"""

import re
from collections.abc import Sequence

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern
from wellkept._toml.limits import MAX_KEY_LENGTH, QUOTED
from wellkept._toml.positions import KeyPath, Place, Positions, Repeat, find_positions, place_in
from wellkept.errors import Kind


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong.

    Attributes:
        fact: what it is, in words that follow the name of the text.
        hint: what to do.
        place: where, or None where the whole text is meant.
        kind: absent, denied, or a matter of the text itself.
    """

    fact: str
    hint: str
    place: Place | None = None
    kind: Kind = Kind.FILE


_UNCLOSED = ("has a string that is not closed", "close it with the quotes that open it")
# How a complaint of tomllib begins, and what it means: before Python 3.14 it has nothing else to go by.
_COMPLAINTS = {
    "Invalid value": ("has a value that is not TOML", 'put text in quotes: key = "text"'),
    "Invalid statement": ("has a line that is neither a key with a value nor a [table]", 'write key = "value"'),
    "Invalid initial character": ("has no key where one must stand", 'write key = "value"'),
    "Expected '=' after a key": ("has a key without a value", 'write key = "value"'),
    "Expected newline or end": ("has something behind a value", "begin a new line, or a # comment"),
    "Expected ']": ("has the name of a table that is not closed", "write [table], or [[table]] for one of several"),
    "Unclosed array": ("has an array that is not closed", "write a comma between items, and ] behind the last"),
    "Unclosed inline table": ("has an inline table that is not closed", "close it with } on the same line"),
    "Unescaped '\\' in a string": ("has a backslash that begins no escape", r"write \\, or put the text in 'quotes'"),
    "Invalid hex value": ("has an escape without its hex digits", r"write \\ for a backslash"),
    "Escaped character is not": ("has an escape that stands for no character", r"write \\ for a backslash"),
    "Invalid date or datetime": ("has a date or time that does not exist", "correct it, or put it in quotes"),
    "Unterminated string": _UNCLOSED,
    "Expected \"'": _UNCLOSED,
    "Found invalid character": _UNCLOSED,  # other control characters are found before tomllib is asked
    "Illegal character": _UNCLOSED,
}
_ESCAPES = ("Unescaped", "Invalid hex", "Escaped character")
_REPETITIONS = (
    "Cannot overwrite a value",
    "Cannot declare",
    "Cannot redefine namespace",
    "Cannot mutate immutable namespace",
    "Duplicate inline table key",
)
# Only what is sought in every text is compiled on import; re keeps the others from their first use on.
_AT = r"\(at line (\d+), column (\d+)\)$"
_STRING = rf"(?s:{QUOTED}|([\"']))"
_LONG_QUOTES = ('"""', "'''")
_CONTROL = pattern(r"[\x00-\x08\x0b-\x1f\x7f]")
_BAD = {
    "\0": ("has a NUL character", "save it as UTF-8 text without NUL"),
    "\r": ("has a carriage return without a line feed", "end lines with LF or CRLF"),
}
_NUL_ESCAPES = (r"\u0000", r"\U00000000")
_BARE = r"[A-Za-z0-9_-]+"
_EXPONENT = r"[+-]?[0-9][0-9_]*(?:\.[0-9_]+)?[eE][+-]?[0-9_]{5}"


def explain(complaint: str, text: str, name: str) -> Mistake:
    """Say what a complaint of tomllib means.

    Args:
        complaint: the text of its error.
        text: the text that it read.
        name: what that is called in places.
    """
    repeats = find_positions(text).duplicates if complaint.startswith(_REPETITIONS) else ()
    if repeats:
        return _repetition(repeats, name)
    fact, hint = next(
        (meant for beginning, meant in _COMPLAINTS.items() if complaint.startswith(beginning)),
        ("is not TOML", "correct it there"),
    )
    if (fact, hint) == _UNCLOSED:
        return Mistake(fact, hint, _place_of_unclosed_string(text))
    offset = _offset(complaint, text)
    if complaint.startswith(_ESCAPES):
        offset = text.rfind("\\", 0, offset)  # tomllib tells where it read on to
    return Mistake(fact, hint, place_in(text, offset))


def explain_number(text: str) -> Mistake:
    """Say where the number is whose exponent goes too far."""
    is_far = re.compile(_EXPONENT).match
    offsets = find_positions(text).values.values()
    place = next((place_in(text, offset) for offset in offsets if is_far(text, offset)), None)
    return Mistake("has a number that is out of range", "correct its exponent, or put it in quotes", place)


def find_bad_character(text: str) -> Mistake | None:
    """Find a character that may not stand in TOML, or a NUL, which no setting can use.

    Args:
        text: TOML with LF line ends.
    """
    found = _CONTROL.search(text)
    if found is not None:
        fact, hint = _BAD.get(found[0], ("has a control character", "remove it, or write it as an escape"))
        return Mistake(fact, hint, place_in(text, found.start()))
    if any(escape in text for escape in _NUL_ESCAPES):
        for string in re.finditer(_STRING, text):
            escapes = string[0].replace(r"\\", "") if string[0].startswith('"') else ""
            if any(escape in escapes for escape in _NUL_ESCAPES):
                return Mistake(*_BAD["\0"], place_in(text, string.start()))
    return None


def find_long_key(positions: Positions) -> Mistake | None:
    """Find a key that is longer than any name of a setting."""
    for path in positions.keys:
        if isinstance(path[-1], str) and len(path[-1]) > MAX_KEY_LENGTH:
            hint = "is it a value without a key?"
            return Mistake(f"has a key of more than {MAX_KEY_LENGTH} characters", hint, positions.key(path))
    return None


def _offset(complaint: str, text: str) -> int:
    """Where a complaint points to; at the end, behind the last character that can be seen."""
    found = re.search(_AT, complaint)
    if found is None:
        return len(text.rstrip())
    start = 0
    for _ in range(int(found[1]) - 1):
        start = text.index("\n", start) + 1
    return start + int(found[2]) - 1


def _repetition(repeats: Sequence[Repeat], name: str) -> Mistake:
    path, (line, column), second = repeats[0]
    more = len(repeats) - 1
    others = f"; {more} more {'keys are' if more > 1 else 'key is'} repeated" if more else ""
    fact = f"repeats {_dotted(path)}, which stands at {name}:{line}:{column} already"
    return Mistake(fact, f"keep one of the two{others}", second)


def _dotted(path: KeyPath) -> str:
    """A path as one may write it, on one line and no longer than a key may be."""
    steps = (step if isinstance(step, int) or re.fullmatch(_BARE, step) else ascii(step) for step in path)
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)[1:]
    return text if len(text) <= MAX_KEY_LENGTH else f"{text[:MAX_KEY_LENGTH]}…"


def _place_of_unclosed_string(text: str) -> Place:
    """The place of its opening quotes: tomllib tells where it gave up."""
    opened = (
        string.start()
        for string in re.finditer(_STRING, text)
        if string[1] or (string[0].startswith(_LONG_QUOTES) and string.end() == len(text))
    )
    return place_in(text, next(opened, len(text)))
