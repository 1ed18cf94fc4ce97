"""Reads TOML: a text or a file becomes data with places, or one clear fault.

What could cost too much is refused before tomllib sees it (`limits.py`). A fault tells what is
wrong in words of its own, and where. It never quotes the text, and no frame of its traceback
holds the text: below the public functions a `Mistake` is returned.
"""

import os
from decimal import Decimal, InvalidOperation

from wellkept._dataclasses import dataclass, field
from wellkept._files import FileFault, FilePath, read_file
from wellkept._imports import load_module
from wellkept._toml.limits import MAX_BYTES, MAX_DIGITS, find_excess
from wellkept._toml.lines import read_plain
from wellkept._toml.mistakes import Mistake, explain, explain_number, find_bad_character, find_long_key
from wellkept._toml.positions import KeyPath, Place, Positions, find_positions, place_in
from wellkept.errors import Kind, WellkeptError

_BYTE_ORDER_MARK = "\ufeff"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8 = "save it as UTF-8"
_TOO_LARGE = Mistake(f"is larger than {MAX_BYTES >> 20} MiB", "name the right file, or split it")


class TomlFault(WellkeptError):
    """A text that is no TOML, or a file that cannot be read as such.

    Attributes:
        name: what the text is called.
        fact: what is wrong, without name and place.
        line: the line, from 1, or None where the whole text is meant.
        column: the column in characters, from 1, or None.
        kind: absent, denied, or a matter of the text itself.
    """

    def __init__(self, name: str, fact: str, *, hint: str, place: Place | None = None, kind: Kind = Kind.FILE) -> None:
        self.name = name
        self.fact = fact
        self.line: int | None = None if place is None else place[0]
        self.column: int | None = None if place is None else place[1]
        self.kind = kind
        where = "" if place is None else f" ({name}:{self.line}:{self.column})"
        super().__init__(f"{name}: {fact}{where}", hint=hint)


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read.

    Attributes:
        name: what it is called in places.
        path: the absolute path of its file, or None.
        data: what it holds, with a Decimal for each float; not in the repr.
        positions: where its keys and values stand; not in the repr.
    """

    name: str
    path: str | None
    data: dict[str, object] = field(repr=False)
    positions: Positions = field(repr=False)

    def place(self, path: KeyPath) -> Place | None:
        """The line and column where a value begins, or None where none is written at this path."""
        return self.positions.value(path)

    def key_place(self, path: KeyPath) -> Place | None:
        """The line and column of the last key of a path, or None where none is written."""
        return self.positions.key(path)


def parse(text: str | bytes, name: str) -> Document:
    """Read a text.

    Args:
        text: TOML; a byte order mark and CRLF are accepted.
        name: what it is called in places.

    Raises:
        TomlFault: it is no TOML, or is too large, too deep or too crowded.
    """
    outcome = _parse(text, name, None)
    if isinstance(outcome, Mistake):
        text = ""  # a traceback may show the locals of this frame
        raise _fault(outcome, name)
    return outcome


def read(path: FilePath, name: str) -> Document:
    """Read a file.

    Args:
        path: where it is.
        name: what it is called in places.

    Raises:
        TomlFault: it cannot be read, is no TOML, or is too large, too deep or too crowded.
    """
    outcome = _read(path, name)
    if isinstance(outcome, Mistake):
        raise _fault(outcome, name)
    return outcome


def _read(path: FilePath, name: str) -> Document | Mistake:
    try:
        return _parse(read_file(path, max_bytes=MAX_BYTES), name, os.path.abspath(path))  # noqa: PTH100 hot
    except FileFault as fault:
        return Mistake(fault.fact, fault.hint or "name another file", kind=fault.kind)


def _parse(text: str | bytes, name: str, path: str | None) -> Document | Mistake:
    source = _source(text)
    if isinstance(source, Mistake):
        return source
    plain = read_plain(source)
    if plain is not None:
        return find_long_key(plain[1]) or Document(name, path, *plain)
    data = _load(source, name)
    if isinstance(data, Mistake):
        return data
    positions = find_positions(source)
    return find_long_key(positions) or Document(name, path, data, positions)


def _fault(mistake: Mistake, name: str) -> TomlFault:
    return TomlFault(name, mistake.fact, hint=mistake.hint, place=mistake.place, kind=mistake.kind)


def _source(text: str | bytes) -> str | Mistake:
    """The text as tomllib may have it: decoded, with LF line ends, and at a cost that can be borne."""
    if len(text) > MAX_BYTES:
        return _TOO_LARGE
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        return _TOO_LARGE
    source = _decode(raw)
    if isinstance(source, Mistake):
        return source
    source = source.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
    excess = find_excess(source)
    if excess is not None:
        return Mistake(excess.fact, excess.hint, place_in(source, excess.offset))
    return find_bad_character(source) or source


def _decode(raw: bytes) -> str | Mistake:
    if raw.startswith(_UTF16):
        return Mistake("is UTF-16, not UTF-8", _SAVE_AS_UTF8)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        at = error.start  # the error itself holds all of the text
    before = raw[:at].decode()
    return Mistake(f"is not UTF-8 at byte {at}", _SAVE_AS_UTF8, place_in(before, len(before)))


def _load(source: str, name: str) -> dict[str, object] | Mistake:
    tomllib = load_module("tomllib")  # by name: it takes 4 ms to load, and many a process has no TOML to read
    try:
        data: dict[str, object] = tomllib.loads(source, parse_float=_exact)
    except tomllib.TOMLDecodeError as error:
        complaint = str(error)
    except (ValueError, InvalidOperation):
        return explain_number(source)
    else:
        return data
    return explain(complaint, source, name)


def _exact(digits: str) -> Decimal:
    """A float as it is written; one that would be written out with too many digits is refused."""
    number = Decimal(digits)
    if number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError
    return number
