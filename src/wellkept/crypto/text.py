"""The text of Secrets.toml, read line by line. No I/O here.

The format is TOML of which each line stands for itself: `key = "${enc:1:…}"`, a `[table]`, a
comment, or nothing. So a merge of lines is a merge of values, every line stays as a person wrote
it, and a key that two branches changed can be told with both of its lines. tomlkit reads no text
in which a key stands twice, and takes 70 ms for 1,000 keys (ADR 10).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote

from wellkept._dataclasses import dataclass, field
from wellkept._names import canonical, canonical_path
from wellkept._patterns import pattern
from wellkept._toml.document import TomlFault, parse
from wellkept._toml.limits import MAX_KEY_LENGTH
from wellkept._toml.positions import find_key
from wellkept.crypto.spelling import spelt

Form = tuple[str, ...]  # the canonical path of a setting, see _names.py
Path = tuple[str, ...]  # the path of a key as it is spelt

HEADER = "wellkept"
RECIPIENTS = (HEADER, "recipients")
MOST_STEPS = 32  # of a key: nobody nests so deep, and what is compared with every step must end
OPENING, CLOSING = '"${enc:1:', '}"'

_SPACE = r"[ \t]*+"
_END = rf"{_SPACE}(?:\#[^\x00-\x08\x0b-\x1f\x7f]*+)?"
_SEALED = rf'"\$\{{enc:1:([A-Za-z0-9_-]++)\}}"{_END}'
_BARE = r"[A-Za-z0-9_-]++"
_PLAIN_LINE = pattern(rf"({_BARE}(?:\.{_BARE}){{0,{MOST_STEPS - 1}}}+){_SPACE}={_SPACE}{_SEALED}")
_EMPTY_LINE = pattern(_END)
_EQUALS = pattern(rf"{_SPACE}={_SPACE}")
_SEALED_VALUE = pattern(_SEALED)
_HEADER_VALUE = pattern(rf'(?:"([^"\\\x00-\x1f\x7f]*+)"|(0|[1-9][0-9]{{0,8}})){_END}')
_CLOSED = pattern(rf"\]{_END}")
_CONFLICT = ("<<<<<<<", ">>>>>>>", "=======", "|||||||")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line with a key and a value.

    Attributes:
        path: the steps of its key.
        table: the steps of the table that it stands in, the first ones of the path.
        value: the word of a secret, or the text of a value of the header.
        line: the number of its line, from 0.
        start: where its value begins in the line, with its quotes.
        end: where the value ends.
    """

    path: Path
    table: Path
    value: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a line cannot be used.

    Attributes:
        line: its number, from 0.
        fact: what is wrong.
        hint: what to do.
    """

    line: int
    fact: str
    hint: str


@dataclass(slots=True)
class SecretsText:
    """A text, read.

    Attributes:
        lines: all lines, without their ends.
        secrets: for each canonical path its entries: more than one where a merge left more.
        header: the entries of `[wellkept]`, likewise, by their own spelling.
        tables: for each table that has a line of its own, the numbers of its first and last line.
        openings: the lines that open a table, in order, each with the table.
        flaws: what is wrong with it.
        has_long_text: whether a text of several lines begins somewhere in it.
    """

    lines: list[str]
    secrets: dict[Form, list[Entry]] = field(default_factory=dict[Form, list[Entry]])
    header: dict[Path, list[Entry]] = field(default_factory=dict[Path, list[Entry]])
    tables: dict[Path, tuple[int, int]] = field(default_factory=dict[Path, tuple[int, int]])
    openings: list[tuple[int, Path]] = field(default_factory=list[tuple[int, Path]])
    flaws: list[Flaw] = field(default_factory=list[Flaw])
    has_long_text: bool = False

    def __str__(self) -> str:
        return text_of(self.lines)

    def header_table(self) -> Mapping[str, object]:
        """The table `[wellkept]`: of a key that stands twice, the first."""
        table: dict[str, object] = {}
        recipients: dict[str, object] = {}
        for path, entries in self.header.items():
            value = entries[0].value
            if path[:-1] == RECIPIENTS:
                recipients[path[-1]] = value
            else:
                is_number = entries[0].end - entries[0].start == len(value)  # a text has its quotes there
                table[".".join(path[1:])] = int(value) if is_number else value
        return {"recipients": recipients, **table} if table or recipients else {}

    def repeated(self) -> Iterator[tuple[str, Sequence[Entry]]]:
        """The keys that stand more than once, each with its entries."""
        for entries in (*self.header.values(), *self.secrets.values()):
            if len(entries) > 1:
                yield spelt(entries[0].path), entries

    def covered(self) -> Iterator[tuple[Entry, Entry]]:
        """Two keys of which one is below the other: TOML allows only one of them a value."""
        for form, entries in self.secrets.items():
            for length in range(1, len(form)):
                if form[:length] in self.secrets:
                    yield self.secrets[form[:length]][0], entries[0]


def sealed(word: str) -> str:
    """A word as it stands behind its key."""
    return f"{OPENING}{word}{CLOSING}"


def text_of(lines: Iterable[str]) -> str:
    """Lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def read_text(text: str) -> SecretsText:
    """Read a text; what is wrong with it is told in its flaws.

    Args:
        text: with LF line ends.
    """
    found = SecretsText(text.removesuffix("\n").split("\n") if text else [])
    table: Path = ()
    for number, line in enumerate(found.lines):
        plain = _PLAIN_LINE.fullmatch(line)
        path = (*table, *(() if plain is None else plain[1].split(".")))
        if plain is not None and canonical(path[0]) != HEADER and len(plain[1]) <= MAX_KEY_LENGTH:
            start, end = plain.span(2)
            entry = Entry(path, table, plain[2], number, start - len(OPENING), end + len(CLOSING))
            found.secrets.setdefault(canonical_path(path), []).append(entry)
        elif _EMPTY_LINE.fullmatch(line):
            continue
        elif line.lstrip(" \t").startswith("["):
            table = _table(found, table, number)
        else:
            _take_pair(found, table, number)
        if table:
            found.tables[table] = (found.tables.get(table, (number, number))[0], number)
    return found


def _table(found: SecretsText, before: Path, number: int) -> Path:
    """The table that a line opens; where it opens none, the one before goes on."""
    line = found.lines[number]
    key = find_key(line, line.index("[") + 1)
    if key is not None and _CLOSED.fullmatch(line, key[1]):
        if key[0] in found.tables:
            found.flaws.append(Flaw(number, f"opens [{spelt(key[0])}] again", "move its keys to the first one"))
        found.openings.append((number, key[0]))
        return key[0]
    _refuse(found, number)
    return before


def _take_pair(found: SecretsText, table: Path, number: int) -> None:
    line = found.lines[number]
    entry = _entry(table, number, line)
    if entry is None:
        _refuse(found, number)
    elif entry.path[0] == HEADER:
        found.header.setdefault(entry.path, []).append(entry)
    else:
        found.secrets.setdefault(canonical_path(entry.path), []).append(entry)


def _entry(table: Path, number: int, line: str) -> Entry | None:
    key = find_key(line, 0)
    equals = None if key is None else _EQUALS.match(line, key[1])
    if key is None or equals is None:
        return None
    path, at = (*table, *key[0]), equals.end()
    if not _is_fit(path):
        return None
    if path[0] != HEADER:
        value = _SEALED_VALUE.fullmatch(line, at)
        return None if value is None else Entry(path, table, value[1], number, at, value.end(1) + len(CLOSING))
    value = _HEADER_VALUE.fullmatch(line, at)
    if value is None:
        return None
    if value[1] is None:
        return Entry(path, table, value[2], number, at, value.end(2))
    return Entry(path, table, value[1], number, at, value.end(1) + 1)


def _is_fit(path: Path) -> bool:
    """Whether a key may stand here."""
    if len(path) > MOST_STEPS or any(len(step) > MAX_KEY_LENGTH for step in path):
        return False
    if any("\ud800" <= one <= "\udfff" for step in path for one in step):
        return False  # half of a surrogate pair cannot be written down
    return path[0] == HEADER or canonical(path[0]) != HEADER  # another spelling would be another header beside it


def _refuse(found: SecretsText, number: int) -> None:
    """Take a line for a flaw. Its key is named only where nothing else can stand there than a key."""
    line = found.lines[number]
    if line.startswith(_CONFLICT):
        flaw = Flaw(number, "is a conflict mark of git", "remove the marks, and keep one line of each key")
    else:
        key = None if found.has_long_text else _plain_key(line)
        found.has_long_text |= '"""' in line or "'''" in line
        flaw = Flaw(number, "is no key with an encrypted value", "remove it: secrets come in by wellkept set")
        if key is not None:
            name = spelt(key)
            fix = f"remove it, and run wellkept set {quote(name)}"
            flaw = Flaw(number, f"gives {name} a value that is not encrypted", fix)
    found.flaws.append(flaw)


def _plain_key(line: str) -> Path | None:
    """The key of a line that is a whole pair of TOML by itself; a piece of a long text may look like a key."""
    key = find_key(line, 0)
    if key is None or not _is_fit(key[0]):
        return None
    try:
        parse(line, "a line")
    except TomlFault:
        return None
    return key[0]
