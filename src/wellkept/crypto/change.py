"""Changes to the text of Secrets.toml that leave every other line as it is. No I/O here.

A new key is a block of three lines: a comment that names it, its value, and an empty line. git
takes changes on lines that touch for one conflict, and `merge=union` then keeps both sides
whole: what one branch removed would come back. A line that no other key has stands between
any two values; and where a key is removed its comment stays, so that a merge finds the place.
Of the changes that two branches can make to three neighbours, dense lines got 36 of 69
pairs wrong, and these blocks none (tests/crypto/test_git.py, ADR 10).
"""

from collections.abc import Iterable, Mapping, Sequence

from wellkept._names import canonical_path
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import RECIPIENTS, Entry, Path, SecretsText, sealed, text_of


def with_secret(found: SecretsText, path: Path, word: str) -> str:
    """The text with a value at a key: in its own line, or in a new block beside its neighbours."""
    value = sealed(word)
    entries = found.secrets.get(canonical_path(path))
    if entries:
        return _changed(found, {entries[0]: value}, entries[1:])
    table, before = _place_of_new(found, path)
    line = f"{spelt(path[len(table) :])} = {value}"
    mark = mark_of(path)
    at = _marked(found, mark, table)
    if at is not None:  # it was here before
        return text_of([*found.lines[: at + 1], line, *found.lines[at + 1 :]])
    block = _block(found, before, mark, line)
    return text_of([*found.lines[:before], *block, *found.lines[before:]])


def with_words(found: SecretsText, words: Mapping[Entry, str]) -> str:
    """The text with other words at some of its entries."""
    return _changed(found, {entry: sealed(word) for entry, word in words.items()})


def without_secret(found: SecretsText, path: Path) -> str:
    """The text without a key; the comment that names it stays, for merges."""
    return _changed(found, {}, found.secrets.get(canonical_path(path), ()))


def spaced(found: SecretsText) -> str:
    """The text with an empty line behind each value, and a comment before it where there is none."""
    lines: list[str] = []
    values = {one.line: one for entries in found.secrets.values() for one in entries}
    for number, line in enumerate(found.lines):
        if number in values and not (lines and lines[-1].lstrip().startswith("#")):
            lines.append(mark_of(values[number].path))
        lines.append(line)
        is_last = number + 1 == len(found.lines)
        if number in values and (is_last or found.lines[number + 1].strip()):
            lines.append("")
    return text_of(lines)


def with_header(found: SecretsText, values: Mapping[Path, str]) -> str:
    """The text with another header; only the lines whose value differs change.

    Args:
        found: the text.
        values: for each path that begins with `wellkept` its value as TOML writes it.
    """
    changes = {entries[0]: values[path] for path, entries in found.header.items() if path in values}
    gone = [one for path, entries in found.header.items() for one in entries[path in values :]]
    new: dict[Path, list[str]] = {}
    for path in values:
        if path not in found.header:
            new.setdefault(path[:-1], []).extend(_header_lines(path, values[path]))
    behind = {_last_line(found, table): lines for table, lines in new.items() if table in found.tables}
    lines = _lines(found, changes, gone, behind)
    for table, added in new.items():
        if table not in found.tables:
            is_apart = not lines or not lines[-1].strip()
            lines += [*([] if is_apart else [""]), f"[{spelt(table)}]", *added]
    return text_of(lines)


def _header_lines(path: Path, value: str) -> list[str]:
    line = f"{spelt(path[-1:])} = {value}"
    return [f"# {path[-1]}", line, ""] if path[:-1] == RECIPIENTS else [line]


def _last_line(found: SecretsText, table: Path) -> int:
    """The last line that belongs to a table, with the empty one behind it."""
    last = found.tables[table][1]
    is_empty = last + 1 < len(found.lines) and not found.lines[last + 1].strip()
    return last + 1 if is_empty and table == RECIPIENTS else last


def mark_of(path: Path) -> str:
    """The comment that names a key."""
    return f"# {spelt(path)}"


def _marked(found: SecretsText, mark: str, table: Path) -> int | None:
    """The line of a table that is this comment."""
    openings = dict(found.openings)
    here: Path = ()
    for number, line in enumerate(found.lines):
        here = openings.get(number, here)
        if line == mark and here == table:
            return number
    return None


def _block(found: SecretsText, before: int, mark: str, line: str) -> list[str]:
    """The lines of a new key, apart from what stands above it."""
    is_apart = before == 0 or not found.lines[before - 1].strip()
    return [*([] if is_apart else [""]), mark, line, ""]


def _place_of_new(found: SecretsText, path: Path) -> tuple[Path, int]:
    """Where a new key goes: into which table, and before which line."""
    form = canonical_path(path)
    around = [one for one in found.tables if len(one) < len(path) and canonical_path(one) == form[: len(one)]]
    table = max(around, key=len, default=())
    inside = [one for entries in found.secrets.values() for one in entries if one.table == table]
    if inside:
        near = max(inside, key=lambda one: (_shared(canonical_path(one.path), form), one.line))
        return table, _behind(found, near.line + 1)
    if table:
        return table, _behind(found, found.tables[table][0] + 1)
    line = found.openings[0][0] if found.openings else len(found.lines)
    while line > 0 and found.openings and found.lines[line - 1].lstrip().startswith("#"):
        line -= 1  # a comment right above a table is about the table
    return table, line


def _behind(found: SecretsText, line: int) -> int:
    """That line, or the one behind it where it is empty."""
    return line + 1 if line < len(found.lines) and not found.lines[line].strip() else line


def _shared(one: Path, other: Path) -> int:
    """How many steps two paths have in common."""
    return next((at for at, (first, second) in enumerate(zip(one, other, strict=False)) if first != second), len(one))


def _changed(found: SecretsText, values: Mapping[Entry, str], gone: Iterable[Entry] = ()) -> str:
    return text_of(_lines(found, values, gone, {}))


def _lines(
    found: SecretsText, values: Mapping[Entry, str], gone: Iterable[Entry], behind: Mapping[int, Sequence[str]]
) -> list[str]:
    """The lines with other values, without some, and with new ones behind others."""
    by_line = {entry.line: (entry, value) for entry, value in values.items()}
    dropped = {entry.line for entry in gone}
    lines: list[str] = []
    for number, line in enumerate(found.lines):
        if number in by_line:
            entry, value = by_line[number]
            lines.append(line[: entry.start] + value + line[entry.end :])
        elif number not in dropped:
            lines.append(line)
        lines += behind.get(number, ())
    return lines
