"""Secrets.toml with its values in it, as a person edits it, and the file that the edited text makes. No I/O here.

What somebody else changed meanwhile stays: where the text that was shown would still be shown, the
edited one takes its place with layout and comments; otherwise only the values that differ are taken over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from wellkept._dataclasses import dataclass, field
from wellkept._names import canonical_path
from wellkept.crypto.change import mark_of, spaced, with_secret, with_words, without_secret
from wellkept.crypto.opened import Opened
from wellkept.crypto.plaintext import to_literal, to_plaintext
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.statements import Statement
from wellkept.crypto.text import HEADER, Entry, Form, Path, SecretsText, read_text, sealed, text_of
from wellkept.errors import Conflict

NOTE = (
    "# The values in plain: this text stands in memory only, and goes when you leave.",
    "# Save it, and what you changed is encrypted; these two lines are left out.",
)
_OPAQUE = b"!"  # in front of a word that stays as it is; to_plaintext begins with other letters
_NUL = Refusal("holds a NUL character, which TOML cannot show", "wellkept get shows it")


@dataclass(frozen=True, slots=True)
class Hidden:
    """Lines of the header, which are not shown.

    Attributes:
        lines: the lines.
        tables: the tables whose lines come behind them, the next one first.
        gap: what stands between them and the next one, or the end of the file.
    """

    lines: tuple[str, ...]
    tables: tuple[Path, ...]
    gap: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as it is shown for an edit.

    Attributes:
        opened: the file.
        text: its lines with the values in them; not in the repr.
        contents: for each key its entries, each with its plaintext; not in the repr.
        hidden: what is not shown.
        kept: the keys whose ciphertexts are shown as they are, each with the reason.
    """

    opened: Opened
    text: str = field(repr=False)
    contents: Mapping[Form, Sequence[tuple[Entry, bytes]]] = field(repr=False)
    hidden: tuple[Hidden, ...]
    kept: tuple[tuple[str, Refusal], ...]

    def plaintexts(self, form: Form) -> list[bytes]:
        """What a key holds: nothing, a value, or several that a merge left."""
        return [content for _, content in self.contents.get(form, ())]


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that a key shall have.

    Attributes:
        path: the key as it is spelt.
        content: the plaintext, or the mark of a word that stays; not in the repr.
    """

    path: Path
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """The keys in which an edited text differs from the file."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited text, read.

    Attributes:
        draft: what was shown.
        statements: its statements, without the note.
        wishes: its keys and values; not in the repr.
    """

    draft: Draft
    statements: tuple[Statement, ...]
    wishes: Mapping[Form, Wish] = field(repr=False)

    def changes(self) -> Changes:
        """What it changes."""
        known, wished = self.draft.contents, self.wishes
        forms = [one for one in wished if [wished[one].content] != self.draft.plaintexts(one)]
        return Changes(
            added=tuple(spelt(wished[one].path) for one in forms if one not in known),
            changed=tuple(spelt(wished[one].path) for one in forms if one in known),
            removed=tuple(spelt(entries[0][0].path) for one, entries in known.items() if one not in wished),
        )

    def has_new_layout(self) -> bool:
        """Whether its lines are others than a `set` or `unset` of each changed key would make."""
        plain, typed = str(_merged(self, self.draft, _blank)), _laid_out(self, self.draft, _blank)
        return typed != plain and spaced(read_text(typed)) != spaced(read_text(plain))

    def onto(self, now: Draft) -> str | Conflict:
        """The text that the file shall have, or a conflict that names the keys that somebody else changed, too.

        Args:
            now: the file as it is by now.
        """
        if not self.is_as_shown(now):
            return _merged(self, now, now.opened.key.seal)
        text = _laid_out(self, now, now.opened.key.seal)
        # Lines that came or moved get what merges need around them; a new value alone is one line of a diff.
        return spaced(read_text(text)) if self.changes().added or self.has_new_layout() else text

    def is_as_shown(self, now: Draft) -> bool:
        """Whether the file would still be shown as it was."""
        return now.text == self.draft.text


_Seal = Callable[[Path, bytes], str]


def draft_of(opened: Opened) -> Draft:
    """Show a file."""
    lines = list(opened.text.lines)
    contents: dict[Form, list[tuple[Entry, bytes]]] = {}
    kept: list[tuple[str, Refusal]] = []
    for form, entries in opened.text.secrets.items():
        for entry in entries:
            shown = _shown(opened, entry)
            if isinstance(shown, Refusal):
                kept.append((spelt(entry.path), shown))
                content = _OPAQUE + entry.value.encode()
            else:
                literal, content = shown
                lines[entry.line] = lines[entry.line][: entry.start] + literal + lines[entry.line][entry.end :]
            contents.setdefault(form, []).append((entry, content))
    runs = list(_header_runs(opened.text))
    outside = {number for first, last in runs for number in range(first, last)}
    text = text_of(line for number, line in enumerate(lines) if number not in outside)
    hidden = tuple(_hidden(opened.text, first, last, outside) for first, last in runs)
    return Draft(opened, text, contents, hidden, tuple(kept))


def as_shown(draft: Draft) -> str:
    """The text for the editor, with a note on top."""
    return text_of(NOTE) + draft.text


def is_untouched(draft: Draft, typed: bytes) -> bool:
    """Whether an editor left the text as it was shown, and there is nothing in it to encrypt."""
    return not draft.opened.text.flaws and typed == as_shown(draft).encode()


def opaque(word: str) -> bytes:
    """The mark of a word that stays as it is."""
    return _OPAQUE + word.encode()


def with_all(text: SecretsText, words: Mapping[Path, str]) -> str:
    """The text with a word at each of some keys, as `with_secret` does it for one, in one go for each table."""
    known = {path: text.secrets.get(canonical_path(path), list[Entry]()) for path in words}
    text = read_text(with_words(text, {known[path][0]: words[path] for path in words if len(known[path]) == 1}))
    before = set(text.lines)
    groups: dict[tuple[bool, Form], list[Path]] = {}
    for path in words:
        is_new = not known[path] and mark_of(path) not in before  # that comment is where a key was removed
        if len(known[path]) != 1:
            groups.setdefault((is_new, canonical_path(path[:-1] if is_new else path)), []).append(path)
    for first, *others in groups.values():
        text = read_text(with_secret(text, first, words[first]))
        entry = text.secrets[canonical_path(first)][0]
        new = [f"{spelt(one[len(entry.table) :])} = {sealed(words[one])}" for one in others]
        lines = [*text.lines[: entry.line + 1], *new, *text.lines[entry.line + 1 :]]
        text = read_text(text_of(lines))
    return spaced(text)


def _shown(opened: Opened, entry: Entry) -> tuple[str, bytes] | Refusal:
    """A value as TOML writes it, and as it is encrypted; or why it is not shown."""
    value = opened.value(entry)
    if isinstance(value, Refusal):
        return value
    return _NUL if isinstance(value, str) and "\0" in value else (to_literal(value), to_plaintext(value))


def _header_runs(text: SecretsText) -> Iterator[tuple[int, int]]:
    """The first line of each part of the header, and the first one behind it and its empty line."""
    tables = dict(text.openings)
    marked = {entry.line for entries in text.header.values() for entry in entries}
    start, last, is_inside = -1, -1, False
    for number in range(len(text.lines)):
        is_inside = tables[number][0] == HEADER if number in tables else is_inside
        if number in marked or (number in tables and is_inside):
            start, last = number if start < 0 else start, number
        elif start >= 0 and not is_inside:
            yield start, _behind(text.lines, last)
            start = -1
    if start >= 0:
        yield start, _behind(text.lines, last)


def _behind(lines: Sequence[str], last: int) -> int:
    is_empty = last + 1 < len(lines) and not lines[last + 1].strip()
    return last + 2 if is_empty else last + 1


def _hidden(text: SecretsText, first: int, last: int, outside: set[int]) -> Hidden:
    tables = {number: table for number, table in text.openings if number >= last and number not in outside}
    until = next(iter(tables), len(text.lines))
    gap = [text.lines[number] for number in range(last, until) if number not in outside]
    return Hidden(tuple(text.lines[first:last]), tuple(tables.values()), tuple(gap))


def _laid_out(edited: Edited, now: Draft, seal: _Seal) -> str:
    """The edited text with ciphertexts, and each part of the header before the table that it stood before."""
    found = edited.statements
    tables = {one.table: number for number, one in enumerate(found) if one.table is not None}
    before: dict[int, list[str]] = {}
    for run in now.hidden:
        at = next((tables[table] for table in run.tables if table in tables), len(found))
        before.setdefault(_above_gap(found, at, run.gap), []).extend(run.lines)
    lines = list(before.pop(0, ()))
    for number, one in enumerate(found, 1):
        lines += [_line(one, edited, now, seal), *before.get(number, ())]
    return text_of(lines)


def _above_gap(found: Sequence[Statement], at: int, gap: Sequence[str]) -> int:
    """Where the header goes: above the same comments and empty lines, or above the comments of its table."""
    start = at - len(gap)
    if start >= 0 and all(one.is_plain and one.text == line for one, line in zip(found[start:at], gap, strict=True)):
        return start
    if at == len(found):
        return at
    while at > 0 and found[at - 1].comment is not None and found[at - 1].is_plain:
        at -= 1
    return at


def _line(one: Statement, edited: Edited, now: Draft, seal: _Seal) -> str:
    if one.path is None:
        return one.text
    form = canonical_path(one.path)
    content = edited.wishes[form].content
    word = next((entry.value for entry, held in now.contents.get(form, ()) if held == content), None)
    return one.with_value(sealed(word or seal(one.path, content)))


def _merged(edited: Edited, now: Draft, seal: _Seal) -> str | Conflict:
    """The file as it is now, with the values that were changed in the editor."""
    text, clashes = now.opened.text, list[str]()
    for form in dict.fromkeys((*edited.draft.contents, *edited.wishes)):
        wish = edited.wishes.get(form)
        before, here, there = edited.draft.plaintexts(form), now.plaintexts(form), [wish.content] if wish else []
        if there in (before, here):
            continue
        path = wish.path if wish is not None else edited.draft.contents[form][0][0].path
        if here != before:
            clashes.append(spelt(path))
        elif wish is None:
            text = read_text(without_secret(text, path))
        else:
            kept = next((entry.value for entry, held in now.contents.get(form, ()) if held == wish.content), None)
            text = read_text(with_secret(text, path, kept or seal(path, wish.content)))
    if clashes:
        names = ", ".join(clashes)
        hint = f"look with wellkept get {clashes[0]} --reveal, and edit it again"
        return Conflict(f"{names}: changed by somebody else meanwhile; nothing was written", hint=hint)
    return str(text)


def _blank(path: Path, content: bytes) -> str:
    """A word that stands for any new one, to compare two texts."""
    del path, content
    return "A"
