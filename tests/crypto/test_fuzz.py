"""Secrets.toml after anything was done to it: a key answers what was set there, or is refused, and nothing else.

What a value needs to open is its own word, at its own key, under the data key that made it: `judge` holds each
case to exactly that, in both directions. A case is cheap, and there are more than 20,000 of them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import islice, product
from pathlib import Path

import pytest

from tests.secrets_files import environ_of
from wellkept._files import shown
from wellkept.crypto.change import with_header, with_secret
from wellkept.crypto.header import Access, Header, new_header, parse_header, unlock, with_access
from wellkept.crypto.keys import HYBRID, X25519, Identity
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.rekey import rekeyed
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import Form, SecretsText, read_text
from wellkept.errors import SourceError
from wellkept.model import Reference

VALUES: Mapping[tuple[str, ...], object] = {
    ("dbPassword",): "CANARY-password",
    ("motto",): 'CANARY in "two"\nlines, ½',
    ("pin",): 900_913,
    ("a b", "c.d"): -(2**70),
    ("ratio",): Decimal("-1.5e300"),
    ("limit",): Decimal("inf"),
    ("isStrict",): True,
    ("db", "user"): "CANARY-user",
    ("db", "birthday"): date(1912, 6, 23),
    ("db", "made"): datetime(1954, 6, 7, 1, 2, 3, tzinfo=UTC),
    ("db", "local"): datetime(1954, 6, 7, 1, 2, 3),  # noqa: DTZ001 TOML has such a type
    ("db", "daily"): time(3, 4, 5),
    ("db", "pool", "hosts"): ["CANARY-host", 900_913, ["deep"]],
    ("db", "pool", "login"): {"user": "CANARY-login", "admin": False},
}
TOLD = ("CANARY", "900913", str(2**70), "1.5e", "1912", "1954")  # what no message may hold
START = "# of a test\n\n[db]   # a table\n\n[db.pool]\n"
OTHER_BYTES = b'\x00\n\r\t "#$.=[\\]_{}-0Aa\x7f\x80\xff'  # what a byte is replaced by, in turn
LEAST_CASES = 20_000
SAMPLE = 25  # one of so many cases goes through a file, and through what answers `enc`

Case = tuple[str, bytes]  # what was done, and the content


@dataclass(frozen=True)
class Known:
    """What one data key made.

    Attributes:
        accesses: the recipients that it authenticated.
        values: for each key and word the value.
    """

    accesses: set[Access] = field(default_factory=set)
    values: dict[tuple[Form, str], object] = field(default_factory=dict)


@dataclass(frozen=True)
class Store:
    """A file, what it became, and another one.

    Attributes:
        identity: what opens all of them.
        text: the file.
        more: the same, with a recipient more.
        renewed: the same, under a new data key.
        foreign: another file with the same keys.
        known: what was made, by the commitment of its data key.
    """

    identity: Identity
    text: str
    more: str
    renewed: str
    foreign: str
    known: Mapping[bytes, Known]

    @property
    def content(self) -> bytes:
        return self.text.encode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@cache
def store(algorithm: str) -> Store:
    """The files of one algorithm; their lengths are the same in each process."""
    identity = Identity.new(algorithm)
    opened = started(identity, "ada@laptop", "bob")
    foreign = started(identity, "ada@laptop", "bob")
    renewed = reopened(str(rekeyed(opened)), identity)
    header = with_access(opened.header, opened.key, "eve", Identity.new(algorithm).recipient, None)
    assert not isinstance(header, Refusal)
    more = reopened(with_header(opened.text, header.values()), identity)
    known: dict[bytes, Known] = {}
    for one in (opened, foreign, renewed, more):
        made = known.setdefault(one.header.commitment, Known())
        made.accesses.update(one.header.accesses)
        made.values.update({(form, entry.value): one.value(entry) for form, (entry,) in one.text.secrets.items()})
    return Store(identity, str(opened.text), str(more.text), str(renewed.text), str(foreign.text), known)


def started(identity: Identity, *names: str) -> Opened:
    """A new file with all values, for an identity and for others."""
    header, key = new_header()
    for name in names:
        who = identity if name == names[0] else Identity.new(identity.recipient.algorithm)
        made = with_access(header, key, name, who.recipient, None)
        assert not isinstance(made, Refusal)
        header = made
    text = read_text(with_header(read_text(START), header.values()))
    for path, value in VALUES.items():
        text = read_text(with_secret(text, path, Opened("", text, header, key).seal(path, value)))
    return reopened(str(text), identity)


def reopened(text: str, identity: Identity) -> Opened:
    """A text that is as it was written, opened."""
    read = read_text(text)
    header = parse_header(read.header_table())
    assert isinstance(header, Header)
    key = unlock(header, [identity])
    assert not isinstance(key, Refusal)
    opened = Opened("Secrets.toml", read, header, key)
    assert {entry.path for (entry,) in read.secrets.values()} == set(VALUES)
    assert all(opened.value(entry) == VALUES[entry.path] for (entry,) in read.secrets.values())
    return opened


# What is done to it


def flipped(made: Store) -> Iterator[Case]:
    """One bit of each byte."""
    for at, byte in enumerate(made.content):
        yield f"a bit of byte {at}", spliced(made.content, at, bytes([byte ^ 1 << at % 8]))


def replaced(made: Store) -> Iterator[Case]:
    """Each byte by another that means something, or is no text."""
    for at, byte in enumerate(made.content):
        other = OTHER_BYTES[at % len(OTHER_BYTES)]
        if other != byte:
            yield f"byte {at} by {other}", spliced(made.content, at, bytes([other]))


def left_out(made: Store) -> Iterator[Case]:
    """Each byte left out, or written twice."""
    for at, byte in enumerate(made.content):
        yield f"without byte {at}", spliced(made.content, at, b"")
        yield f"byte {at} twice", spliced(made.content, at, bytes([byte, byte]))


def cut(made: Store) -> Iterator[Case]:
    """The end from each byte on."""
    for at in range(len(made.content)):
        yield f"cut at {at}", made.content[:at]


def swapped(made: Store) -> Iterator[Case]:
    """Each pair of lines."""
    for one, other in product(range(len(made.lines)), repeat=2):
        if one < other:
            lines = made.lines
            lines[one], lines[other] = lines[other], lines[one]
            yield f"lines {one} and {other}", joined(lines)


def repeated(made: Store) -> Iterator[Case]:
    """Each line at each place once more, and each line gone."""
    for one, place in product(range(len(made.lines)), repeat=2):
        lines = made.lines
        yield f"line {one} before {place}", joined([*lines[:place], lines[one], *lines[place:]])
    for one in range(len(made.lines)):
        yield f"without line {one}", joined([*made.lines[:one], *made.lines[one + 1 :]])


def moved(made: Store) -> Iterator[Case]:
    """Each value at each other key, and at each key those of the other files."""
    for name, other in (("this", made.text), ("the foreign", made.foreign), ("the renewed", made.renewed)):
        words = words_of(read_text(other))
        for path, from_path in product(VALUES, repeat=2):
            own = words_of(read_text(made.text))[path]
            if words[from_path] != own:
                text = made.text.replace(own, words[from_path])
                yield f"{spelt(from_path)} of {name} file at {spelt(path)}", text.encode()


def mixed(made: Store) -> Iterator[Case]:
    """Headers of which some lines come from another file, or from another time of this one, in both directions."""
    texts = {"old": made.text, "more": made.more, "renewed": made.renewed, "foreign": made.foreign}
    for (name, text), (other_name, other) in product(texts.items(), repeat=2):
        theirs = read_text(other).header
        names = sorted(path for path in read_text(text).header if path in theirs)
        for chosen in product([False, True], repeat=len(names)):
            taken = [path for path, is_taken in zip(names, chosen, strict=True) if is_taken]
            if name != other_name and taken:
                mine = read_text(text)
                for path in taken:
                    mine.lines[mine.header[path][0].line] = read_text(other).lines[theirs[path][0].line]
                yield f"{name} with {'.'.join(map(spelt, taken))} of {other_name}", str(mine).encode()


def spelt_otherwise(made: Store) -> Iterator[Case]:
    """The same words, written as nobody writes them."""
    found = read_text(made.text)
    words = [word for entries in found.header.values() for word in entries[0].value.split(" ")]
    words += list(words_of(found).values())
    for number, word in enumerate(words):
        for other in (*other_spellings(word), *other_keys(word)):
            if other != word:
                yield f"word {number} as {other[:8]}… of {len(other)}", made.text.replace(word, other).encode()
    for before, after in (
        ('"${enc:1:', "'${enc:1:"),
        ('"${enc:1:', '"${ENC:1:'),
        ('"${enc:1:', '"${enc:01:'),
        ('"${enc:1:', '"${enc:2:'),
        ('"${enc:1:', '"\\u0024{enc:1:'),
        ('"${enc:1:', '"$${enc:1:'),
        ('"${enc:1:', '"""${enc:1:'),
        ('}"', '} "'),
        ('}"', '?ttl=1s}"'),
        ("version = 1", "version = 01"),
        ("version = 1", "version = 1.0"),
        ("version = 1", "version = true"),
        ("version = 1", 'version = "1"'),
        ("version = 1", "version = 0x1"),
        ('"XAES-256-GCM"', '"xaes-256-gcm"'),
    ):
        yield f"{before} as {after}", made.text.replace(before, after).encode()


def other_spellings(word: str) -> Iterator[str]:
    """Texts that a lenient decoder takes for the same bytes."""
    yield from (word + "=" * count for count in (1, 2, 3))
    yield word.replace("-", "+").replace("_", "/")
    yield from (f" {word}", f"{word} ", f"{word[:4]} {word[4:]}", f"{word[:4]}\\n{word[4:]}", f"{word}A", f"{word}AA")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = letters.find(word[-1])
    for bits in range(1, {2: 16, 3: 4}.get(len(word) % 4, 1)):  # the last letter has so many bits to spare
        yield word[:-1] + letters[at ^ bits]


def other_keys(word: str) -> Iterator[str]:
    """Words with a part of the bytes taken away, or with more."""
    data = urlsafe_b64decode(word + "=" * (-len(word) % 4)) if len(word) % 4 != 1 and word.isascii() else b""
    for changed in (data[:-1], data[1:], data + b"\0", b"\0" + data, data[:28], data[:44], data[::-1], b""):
        yield urlsafe_b64encode(changed).rstrip(b"=").decode()


def spliced(content: bytes, at: int, other: bytes) -> bytes:
    return content[:at] + other + content[at + 1 :]


def joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def words_of(text: SecretsText) -> dict[tuple[str, ...], str]:
    return {entries[0].path: entries[0].value for entries in text.secrets.values()}


# What may become of it


def judge(made: Store, content: bytes) -> None:
    """Hold one content to what is promised."""
    try:
        text = content.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:  # the file is refused as a whole, see `judge_file`
        return
    found = read_text(text)
    for flaw in found.flaws:
        judge_message(flaw.fact, flaw.hint)
    header = parse_header(found.header_table())
    key = header if isinstance(header, Refusal) else unlock(header, [made.identity])
    if isinstance(header, Refusal) or isinstance(key, Refusal):
        refusal = header if isinstance(header, Refusal) else key
        assert isinstance(refusal, Refusal)
        judge_message(refusal.error("Secrets.toml").message, refusal.hint)
        assert found.header_table() != read_text(made.text).header_table(), "a header as it was is refused"
        return
    assert (key.commitment, key.file_id) == (header.commitment, header.file_id), "a header that is not the key's"
    known = made.known[key.commitment]
    assert set(header.accesses) <= known.accesses, "a recipient that nobody added"
    judge_values(Opened("Secrets.toml", found, header, key), known)
    judge_lines(made, found)


def judge_values(opened: Opened, known: Known) -> None:
    """A value opens where its word stands at its key under its data key, and nowhere else."""
    for form, entries in opened.text.secrets.items():
        if len(entries) > 1:
            refusal = opened.entry(entries[0].path)
            assert isinstance(refusal, Refusal)
            assert all(str(entry.line + 1) in refusal.fact for entry in entries)
        for entry in entries:
            value = opened.value(entry)
            if (form, entry.value) in known.values:
                assert is_same(value, known.values[form, entry.value]), f"line {entry.line} has another value"
            else:
                assert isinstance(value, Refusal), f"line {entry.line} opens"
                judge_message(value.fact, value.hint)


def judge_lines(made: Store, found: SecretsText) -> None:
    """No line that is as it was is left out."""
    read = {entry.line for entries in found.secrets.values() for entry in entries}
    values = {line for line in made.lines if "${enc:1:" in line}
    assert all(number in read for number, line in enumerate(found.lines) if line in values), "a line is not read"


def judge_file(made: Store, content: bytes, file: Path) -> None:
    """Each key of the file answers what was set, or an error that names the key or the file."""
    file.write_bytes(content)
    paths = list(VALUES)
    references = [Reference("enc", path, base=str(file)) for path in paths]
    for path, answer in zip(paths, SecretsSource(environ_of(made.identity)).fetch_many(references), strict=True):
        if isinstance(answer, SourceError):
            judge_message(answer.message, answer.hint or "")
            assert answer.message.startswith((f"{spelt(path)}: ", f"{shown(str(file))}: ")), answer.message
        else:
            assert is_same(answer.value, VALUES[path]), f"{spelt(path)} has another value"


def judge_message(*texts: str) -> None:
    assert not any(word in text for text in texts for word in TOLD), "a message holds a value"


def is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


PIECES: Sequence[tuple[str, Callable[[Store], Iterator[Case]], int, int]] = [
    (algorithm, change, part, parts)
    for algorithm, change, parts in (
        (X25519, flipped, 1),
        (X25519, replaced, 1),
        (X25519, left_out, 1),
        (X25519, cut, 1),
        (X25519, swapped, 1),
        (X25519, repeated, 1),
        (X25519, moved, 1),
        (X25519, mixed, 1),
        (X25519, spelt_otherwise, 1),
        (HYBRID, flipped, 4),
        (HYBRID, replaced, 4),
        (HYBRID, cut, 2),
        (HYBRID, mixed, 1),
    )
    for part in range(parts)
]


def cases(algorithm: str, change: Callable[[Store], Iterator[Case]], part: int, parts: int) -> Iterator[Case]:
    """The cases of one piece."""
    return islice(change(store(algorithm)), part, None, parts)


@pytest.mark.parametrize(
    ("algorithm", "change", "part", "parts"), PIECES, ids=[f"{one[0]}-{one[1].__name__}-{one[2]}" for one in PIECES]
)
def test_a_key_answers_its_own_value_or_is_refused_whatever_was_done_to_the_file(
    algorithm: str, change: Callable[[Store], Iterator[Case]], part: int, parts: int, tmp_path: Path
) -> None:
    made = store(algorithm)
    for number, (done, content) in enumerate(cases(algorithm, change, part, parts)):
        try:
            judge(made, content)
            if number % SAMPLE == 0:
                judge_file(made, content, tmp_path / "Secrets.toml")
        except Exception as error:
            error.add_note(f"in the case: {done}")
            raise


def test_the_cases_of_all_pieces_are_as_many_as_the_issue_asks_for() -> None:
    assert sum(sum(1 for _ in cases(*piece)) for piece in PIECES) >= LEAST_CASES
