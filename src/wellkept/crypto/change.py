"""Changes to the text of Secrets.toml that leave every other line as it is. No I/O here."""

from collections.abc import Iterable, Mapping, Sequence

from wellkept._names import canonical_path
from wellkept._patterns import pattern
from wellkept.crypto.text import CLOSING, OPENING, Entry, Path, SecretsText

_BARE_STEP = pattern(r"[A-Za-z0-9_-]+")


def spelt(path: Sequence[str]) -> str:
    """A dotted key as TOML writes it."""
    return ".".join(step if _BARE_STEP.fullmatch(step) else quoted(step) for step in path)


def quoted(text: str) -> str:
    """A text as TOML writes it, on one line."""
    marks = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(marks.get(one) or (one if one.isprintable() else f"\\U{ord(one):08X}") for one in text) + '"'


def with_secret(found: SecretsText, path: Path, word: str) -> str:
    """The text with a value at a key: in its own line, or in a new one beside its neighbours."""
    value = f"{OPENING}{word}{CLOSING}"
    entries = found.secrets.get(canonical_path(path))
    if entries:
        return _changed(found, {entries[0]: value}, entries[1:])
    table, line = _place_of_new(found, path)
    return _joined([*found.lines[:line], f"{spelt(path[len(table) :])} = {value}", *found.lines[line:]])


def with_words(found: SecretsText, words: Mapping[Entry, str]) -> str:
    """The text with other words at some of its entries."""
    return _changed(found, {entry: f"{OPENING}{word}{CLOSING}" for entry, word in words.items()})


def without_secret(found: SecretsText, path: Path) -> str:
    """The text without a key."""
    return _changed(found, {}, found.secrets.get(canonical_path(path), ()))


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
            new.setdefault(path[:-1], []).append(f"{spelt(path[-1:])} = {values[path]}")
    behind = {found.tables[table][1]: lines for table, lines in new.items() if table in found.tables}
    lines = _lines(found, changes, gone, behind)
    for table, added in new.items():
        if table not in found.tables:
            lines += [*([""] if lines else []), f"[{spelt(table)}]", *added]
    return _joined(lines)


def _place_of_new(found: SecretsText, path: Path) -> tuple[Path, int]:
    """Where a new key goes: into which table, and before which line."""
    form = canonical_path(path)
    around = [one for one in found.tables if len(one) < len(path) and canonical_path(one) == form[: len(one)]]
    table = max(around, key=len, default=())
    inside = [one for entries in found.secrets.values() for one in entries if one.table == table]
    if inside:
        return table, max(inside, key=lambda one: (_shared(canonical_path(one.path), form), one.line)).line + 1
    if table:
        return table, found.tables[table][0] + 1
    line = min((first for first, _ in found.tables.values()), default=len(found.lines))
    while line > 0 and not found.lines[line - 1].strip():
        line -= 1
    return table, line


def _shared(one: Path, other: Path) -> int:
    """How many steps two paths have in common."""
    return next((at for at, (first, second) in enumerate(zip(one, other, strict=False)) if first != second), len(one))


def _changed(found: SecretsText, values: Mapping[Entry, str], gone: Iterable[Entry] = ()) -> str:
    return _joined(_lines(found, values, gone, {}))


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


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
