"""Reads the text that a person edited: the values that its keys shall have, or one mistake with its place. No I/O here.

Secrets.toml has one line a key, and its comments are for everybody to read. So a value that needs
more is refused, and so is a comment that holds a value: a line that is commented out is not encrypted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from wellkept._dataclasses import dataclass, field
from wellkept._names import canonical, canonical_path
from wellkept._patterns import pattern
from wellkept._toml.document import TomlFault, parse
from wellkept.crypto.edit import NOTE, Draft, Edited, Wish, opaque
from wellkept.crypto.plaintext import from_plaintext, to_literal, to_plaintext
from wellkept.crypto.spelling import spelt
from wellkept.crypto.statements import Statement, statements
from wellkept.crypto.text import HEADER, OPENING, Form, Path
from wellkept.secret import leaves

NAME = "the edited text"
SHORTEST = 6  # characters of a value that is looked for in comments: `app` or `8080` may stand in one

_SEALED = pattern(r"\$\{enc:1:([A-Za-z0-9_-]+)\}")


@dataclass(slots=True)
class _Reader:
    """What was read so far; no values in the repr."""

    draft: Draft
    data: Mapping[str, object] = field(repr=False)
    wishes: dict[Form, Wish] = field(default_factory=dict[Form, Wish], repr=False)
    lines: dict[Form, int] = field(default_factory=dict[Form, int])


def read_edited(draft: Draft, typed: bytes) -> Edited | TomlFault:
    """Read an edited text.

    Args:
        draft: what was shown.
        typed: what the editor left.
    """
    try:
        document = parse(typed, NAME)
    except TomlFault as fault:
        return fault.with_traceback(None)
    text = typed.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    if draft.contents and not text.strip():
        return TomlFault(NAME, "is empty", hint="wellkept unset removes a key")
    found = [one for one in statements(text) if one.text not in NOTE]
    reader = _Reader(draft, document.data)
    wrong = next((wrong for one in found if (wrong := _take(reader, one)) is not None), None)
    return wrong or _shown_value(reader, found) or Edited(draft, tuple(found), reader.wishes)


def _take(reader: _Reader, one: Statement) -> TomlFault | None:
    """Take one statement in, or say what is wrong with it."""
    path = one.path or one.table
    if path is None:
        return None
    if one.is_item:
        return _fault(
            one, "has an array of tables, which has no line of its own", f"write {spelt(path)} = [ … ] on one line"
        )
    if canonical(path[0]) == HEADER:
        return _fault(one, f"has the key {HEADER}, which is the header of the file", "leave it out: the header stays")
    if not all(step and step.isprintable() for step in path):
        return _fault(one, "has a key that is empty or cannot be printed", "name it with letters and digits")
    return None if one.path is None else _take_pair(reader, one, one.path)


def _take_pair(reader: _Reader, one: Statement, path: Path) -> TomlFault | None:
    form, value = canonical_path(path), _value(reader.data, path)
    if form in reader.wishes:
        earlier = f"{spelt(reader.wishes[form].path)} in line {reader.lines[form]}"
        return _fault(one, f"repeats {spelt(path)}, which is {earlier} already", "keep one of the two")
    if isinstance(value, dict):
        inner = (*path, *list(cast("dict[str, object]", value))[:1])
        return _fault(one, f"gives {spelt(path)} a table in braces", f"write {spelt(inner)} = … on a line of its own")
    if one.has_inner_comment:
        return _fault(one, f"has a comment inside the value of {spelt(path)}", "put it on a line above")
    if value == "":
        return _fault(one, f"gives {spelt(path)} no value", "write one, or delete the line to remove the key")
    content = _content(reader.draft, form, value)
    if content is None:
        return _fault(
            one, f"gives {spelt(path)} the ciphertext of another key", "type the value: a ciphertext fits its own key"
        )
    reader.wishes[form], reader.lines[form] = Wish(path, content), one.place[0]
    return None


def _content(draft: Draft, form: Form, value: object) -> bytes | None:
    """A value as it is encrypted, or the mark of a word that stays; None for a word that stood elsewhere."""
    content = to_plaintext(value)
    sealed = _SEALED.fullmatch(value) if isinstance(value, str) else None
    if sealed is None or content in draft.plaintexts(form):
        return content
    mark = opaque(sealed[1])
    return mark if mark in draft.plaintexts(form) else None


def _value(data: Mapping[str, object], path: Sequence[str]) -> object:
    table = data
    for step in path[:-1]:
        table = cast("Mapping[str, object]", table[step])
    return table[path[-1]]


def _shown_value(reader: _Reader, found: Sequence[Statement]) -> TomlFault | None:
    """Find a comment that would show a value to everybody; those that stood there before are left alone."""
    before = {one.comment for one in statements(reader.draft.text)}
    new: list[tuple[Statement, str, Path]] = []
    table: Path = ()
    for one in found:
        table = one.table or table
        if one.comment is not None and one.comment not in before:
            new.append((one, one.comment, table))
    known = list(_known(reader)) if new else ()
    for one, comment, around in new:
        path = _commented_key(reader, comment, around)
        path = path or next((path for path, text in known if text in comment), None)
        if path is not None:
            hint = "delete it: comments are not encrypted, and are committed as they are"
            return _fault(one, f"has a comment that holds a value of {spelt(path)}", hint)
    return None


def _known(reader: _Reader) -> Iterator[tuple[Path, str]]:
    """The texts of all values, old ones and new ones, as they are and as TOML writes them."""
    held = [(entry.path, content) for entries in reader.draft.contents.values() for entry, content in entries]
    held += [(wish.path, wish.content) for wish in reader.wishes.values()]
    for path, content in dict.fromkeys(held):
        for text in map(str, leaves(from_plaintext(content))):
            if len(text) >= SHORTEST:
                yield path, text
                if not text.isalnum():
                    yield path, to_literal(text)[1:-1]


def _commented_key(reader: _Reader, comment: str, table: Path) -> Path | None:
    """The key of a line that was commented out with its value, where there is or was such a key."""
    line = comment.lstrip("# \t")
    one = next(statements(line), None)
    if one is None or one.path is None or one.start == one.end or line.startswith(OPENING, one.start):
        return None
    candidates = ((*table, *one.path), one.path)
    return next((path for path in candidates if _is_known(reader, canonical_path(path))), None)


def _is_known(reader: _Reader, form: Form) -> bool:
    return form in reader.draft.contents or form in reader.wishes


def _fault(one: Statement, fact: str, hint: str) -> TomlFault:
    return TomlFault(NAME, fact, hint=hint, place=one.place)
