"""Makes the vectors of Secrets.toml: `python -m tests.vectors.make_secrets_toml`, from the top of the tree.

All keys are made up: they come out of a hash of their name, and protect nothing. HPKE draws a key
of its own for each recipient, so a second run writes other lines of recipients, and the
values as they were.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from wellkept._dataclasses import replace
from wellkept._names import canonical, canonical_path
from wellkept.crypto.change import with_header
from wellkept.crypto.encoding import from_word, joined, to_word
from wellkept.crypto.envelope import PURPOSE, DataKey
from wellkept.crypto.header import Header, with_access
from wellkept.crypto.keys import HYBRID, X25519, Identity
from wellkept.crypto.passphrase import LANES, MEMORY_KIB, PASSES, Stretching
from wellkept.crypto.plaintext import to_plaintext
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.text import read_text

FOLDER = Path(__file__).with_name("secrets-toml")
PASSPHRASE = "CANARY Frühstück um halb zehn"
NOTE = "Made-up keys and values: they come from tests/vectors/make_secrets_toml.py, and protect nothing."

HEAD = """\
# Made-up keys and values, for tests of the format: see docs/reference/secrets-toml.md.
# What they open and hold stands in expected.json.

"""
# The lines, with the value of a key in place of its ciphertext.
LINES: Sequence[str | tuple[str, tuple[str, ...], object, str]] = (
    ("dbPassword", ("dbPassword",), "CANARY-db-pässwörd-☃", ""),
    ("api_key", ("api_key",), "CANARY-api-key", " # a comment behind a value stays"),
    ("text.empty", ("text", "empty"), "", ""),
    ("text.lines", ("text", "lines"), 'CANARY\nand "more"\r\n\twith a \\ and a NUL: \0', ""),
    ("text.literal", ("text", "literal"), "t5432 CANARY", ""),
    '# A dot in quotes is no step: "a.b" and a.b are two keys.',
    ('"a.b"', ("a.b",), "CANARY-one-step", ""),
    ("a.b", ("a", "b"), "CANARY-two-steps", ""),
    ("'Straße 1'", ("Straße 1",), "CANARY-street", ""),
    ("number.port", ("number", "port"), 5432, ""),
    ("number.negative", ("number", "negative"), -17, ""),
    ("number.largest", ("number", "largest"), 9223372036854775807, ""),
    ("number.exact", ("number", "exact"), Decimal("0.1"), ""),
    ("number.whole", ("number", "whole"), Decimal("5.0"), ""),
    ("number.exponent", ("number", "exponent"), Decimal("6.02214076e+23"), ""),
    ("number.infinite", ("number", "infinite"), Decimal("-Infinity"), ""),
    ("number.none", ("number", "none"), Decimal("NaN"), ""),
    ("flag.on", ("flag", "on"), True, ""),
    ("flag.off", ("flag", "off"), False, ""),
    "",
    "[moment]",
    ("offset", ("moment", "offset"), datetime(1979, 5, 27, 7, 32, 0, 999000, timezone(timedelta(hours=-7))), ""),
    ("local", ("moment", "local"), datetime.fromisoformat("1979-05-27T07:32:00"), ""),
    ("day", ("moment", "day"), date(1979, 5, 27), ""),
    ("time", ("moment", "time"), time(7, 32, 0, 500000), ""),
    "",
    "  [ many . things ]   # spaces where TOML allows them",
    ("  list", ("many", "things", "list"), [1, "CANARY-item", [True], {"a b": Decimal("2.5")}], ""),
    ("\ttable", ("many", "things", "table"), {"user": "CANARY-ada", "port": 5432, "hosts": ["one", "two"]}, ""),
    ("nothing.list", ("many", "things", "nothing", "list"), [], ""),
    ("nothing.table", ("many", "things", "nothing", "table"), {}, ""),
    "",
    '[clients."Ada & Söhne"]',
    ("token", ("clients", "Ada & Söhne", "token"), "CANARY-token", ""),
)


def drawn(name: str, length: int) -> bytes:
    """Bytes that nobody would call random."""
    return hashlib.shake_256(f"wellkept test vector: {name}".encode()).digest(length)


def made(header: Header | Refusal) -> Header:
    """The header; nothing refuses these."""
    assert isinstance(header, Header)
    return header


def sealed(key: DataKey, path: Sequence[str], plaintext: bytes) -> str:
    """A value of TOML that is a ciphertext, with a nonce that comes from the key's name."""
    nonce = drawn(f"nonce of {'/'.join(map(canonical, path))}", 24)
    return f'"${{enc:1:{key.seal(path, plaintext, nonce)}}}"'


def tagged(value: object) -> object:
    """A value of TOML in JSON, as the test suite of TOML (toml-test) writes it."""
    if isinstance(value, Mapping):
        return {key: tagged(one) for key, one in value.items()}
    if isinstance(value, list):
        return [tagged(one) for one in value]
    if isinstance(value, bool):
        return {"type": "bool", "value": str(value).lower()}
    if isinstance(value, datetime):
        return {"type": "datetime" if value.tzinfo else "datetime-local", "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {"type": "float", "value": str(value).lower().replace("infinity", "inf")}
    names = {str: "string", int: "integer", date: "date-local", time: "time-local"}
    return {"type": names[type(value)], "value": str(value)}


def complete() -> None:
    """Write the file that is as it should be, and what stands in it."""
    key = DataKey(drawn("data key", 32), drawn("file id", 16))
    hybrid, short = Identity(HYBRID, drawn("ada", 96)), Identity(X25519, drawn("deploy", 32))
    stretching = Stretching(MEMORY_KIB, PASSES, LANES, drawn("salt", 16))
    header = Header(key.file_id, key.commitment)
    header = made(with_access(header, key, "ada@laptop", hybrid.recipient, None))
    header = made(with_access(header, key, "deploy", short.recipient, None))
    header = made(with_access(header, key, "the safe", stretching.identity(PASSPHRASE).recipient, stretching))
    lines = "".join(
        f"{one}\n" if isinstance(one, str) else f"{one[0]} = {sealed(key, one[1], to_plaintext(one[2]))}{one[3]}\n"
        for one in LINES
    )
    write("Secrets.toml", with_header(read_text(HEAD + lines), header.values()))
    write_json("expected.json", expected(key, header, {"ada@laptop": hybrid, "deploy": short}))


def expected(key: DataKey, header: Header, identities: Mapping[str, Identity]) -> object:
    """All that a second implementation may want to compare."""
    bound = (PURPOSE + b"value", key.file_id, key.key_id)
    return {
        "note": NOTE,
        "identities": {name: one.text() for name, one in identities.items()},
        "passphrase": PASSPHRASE,
        "recipients": {
            one.name: {"text": str(one.recipient), "fingerprint": one.recipient.fingerprint} for one in header.accesses
        },
        "file": {
            "id": key.file_id.hex(),
            "data_key": key.bare().hex(),
            "commitment": key.commitment.hex(),
            "key_id": key.key_id.hex(),
            "values_key": key._derived(b"values").hex(),
            "header_key": key._derived(b"header").hex(),
            "fingerprint": header.fingerprint,
        },
        "values": [
            {
                "key": path,
                "canonical": canonical_path(path),
                "associated": joined(*bound, *(step.encode() for step in canonical_path(path))).hex(),
                "plaintext": to_plaintext(value).hex(),
                "value": tagged(value),
            }
            for _, path, value, _ in (one for one in LINES if not isinstance(one, str))
        ],
    }


class Broken:
    """A small file, what is done to it, and what is said of it then."""

    def __init__(self) -> None:
        self.key = DataKey(drawn("data key of the broken", 32), drawn("file id of the broken", 16))
        self.other = DataKey(drawn("another data key", 32), drawn("another file id", 16))
        self.bob, self.mallory = (Identity(X25519, drawn(name, 32)) for name in ("bob", "mallory"))
        self.bare = Header(self.key.file_id, self.key.commitment)
        self.header = made(with_access(self.bare, self.key, "bob", self.bob.recipient, None))
        self.access = self.header.accesses[0]
        self.found: list[dict[str, object]] = []

    def text(self, header: Header | None = None, **values: str) -> str:
        """The file, with another header or other values where they are given."""
        told = {one: sealed(self.key, [one], f"sCANARY-{one}".encode()) for one in ("alpha", "beta")} | values
        lines = "".join(f"{name} = {value}\n" for name, value in told.items())
        return with_header(read_text(f"# Made-up keys, broken on purpose\n{lines}"), (header or self.header).values())

    def with_line(self, line: str) -> str:
        """The file with another text at its only recipient."""
        return swapped(self.text(), f"{self.access.said} {to_word(self.access.mac)}", line)

    def case(self, name: str, text: str, says: str, key: str | None = None) -> None:
        """Write a file. It is refused, or where a key is named that key, with a text that begins with what is said."""
        write(f"broken/Secrets-{name}.toml", text)
        self.found.append({"file": f"Secrets-{name}.toml", "key": key, "says": says})

    def beta(self, name: str, value: bytes, says: str) -> None:
        """Write a file with another ciphertext at `beta`."""
        self.case(name, self.text(beta=f'"${{enc:1:{to_word(value)}}}"'), says, "beta")


def broken() -> None:
    """Write the files that are refused, and why."""
    file = Broken()
    write("broken/Secrets-whole.toml", file.text())
    header_cases(file)
    recipient_cases(file)
    cost_cases(file)
    value_cases(file)
    plaintext_cases(file)
    write_json("broken.json", {"note": NOTE, "identity": file.bob.text(), "cases": file.found})


def header_cases(file: Broken) -> None:
    """Headers that are not as they were written."""
    good, key, other = file.text(), file.key, file.other
    fits = "has a header that was changed: the line of bob does not fit to it"
    is_less = "has a header that is not complete"
    own_id, own_key = to_word(key.file_id), to_word(key.commitment)
    file.case("no-header", good.split("\n[wellkept]")[0], "has no header [wellkept]")
    file.case("version-2", swapped(good, "version = 1", "version = 2"), "is not of version 1")
    file.case("no-version", swapped(good, "version = 1\n", ""), "is not of version 1")
    file.case("other-cipher", swapped(good, "XAES-256-GCM", "AES-128-ECB"), "is not encrypted with XAES-256-GCM")
    file.case("no-id", swapped(good, "id = ", "# id = "), is_less)
    file.case("one-more-key", swapped(good, "version = 1\n", "version = 1\nflags = 0\n"), is_less)
    file.case("short-id", swapped(good, own_id, to_word(key.file_id[:15])), is_less)
    file.case("id-with-odd-bits", swapped(good, own_id, with_odd_bits(own_id)), is_less)
    file.case("other-id", swapped(good, own_id, to_word(other.file_id)), fits)
    file.case("other-key", swapped(good, own_key, to_word(other.commitment)), fits)
    twice = swapped(good, "version = 1\n", f'version = 1\nkey = "{to_word(other.commitment)}"\n')
    file.case("key-twice", twice, "has wellkept.key in lines 7 and 10: two branches changed it")
    foreign = made(with_access(file.bare, other, "bob", file.bob.recipient, None)).accesses[0]
    file.case("wrapped-elsewhere", file.with_line(f"{foreign.said} {to_word(foreign.mac)}"), fits)
    without = made(with_access(file.bare, key, "mallory", file.mallory.recipient, None))
    mine = file.bob.recipient.fingerprint
    file.case("not-for-bob", file.text(without), f"is not encrypted for the identity at hand ({mine})")


def recipient_cases(file: Broken) -> None:
    """Lines of recipients that are not as they were written, or that a stranger wrote."""
    access = file.access
    slipped = "has a recipient that nobody added who could open it"
    guest = made(with_access(file.bare, file.other, "mallory", file.mallory.recipient, None)).accesses[0]
    file.case("stranger", file.text(replace(file.bare, accesses=(access, guest))), f"{slipped}: mallory")
    file.case("renamed", swapped(file.text(), "\nbob = ", "\nalice = "), f"{slipped}: alice")
    file.case("other-mac", file.with_line(f"{access.said} {to_word(flipped(access.mac, 0))}"), f"{slipped}: bob")
    who = "has a recipient bob whose line"
    recipient, wrapped, mac = str(access.recipient), to_word(access.wrapped), to_word(access.mac)
    letter = recipient[20]
    other = swapped(recipient, recipient[10:21], recipient[10:20] + ("B" if letter == "A" else "A"))
    file.case("other-letter", file.with_line(f"{other} {wrapped} {mac}"), f"{who} has a checksum that does not fit")
    file.case("cut-recipient", file.with_line(f"{recipient[:-4]} {wrapped} {mac}"), f"{who} was cut")
    file.case("other-kind", file.with_line(f"wk-rsa-{recipient[10:]} {wrapped} {mac}"), f"{who} begins with none of")
    file.case("no-mac", file.with_line(access.said), f"{who} is no recipient")
    file.case("short-mac", file.with_line(f"{access.said} {to_word(access.mac[:16])}"), f"{who} is no recipient")


def cost_cases(file: Broken) -> None:
    """Passphrases that would be stretched too little, or that cost whoever opens the file too much."""
    salt = drawn("salt", 16)
    little, much = "asks for less work than protects a passphrase", "asks for more work than any honest file does"
    is_none, is_short = "is not argon2id:MEMORY:PASSES:LANES:SALT", "has a salt that is not 16 bytes"
    for name, how, says in (
        ("little-memory", f"argon2id:65535:3:4:{to_word(salt)}", little),
        ("few-passes", f"argon2id:65536:2:4:{to_word(salt)}", little),
        ("much-memory", f"argon2id:262145:3:4:{to_word(salt)}", much),
        ("many-passes", f"argon2id:65536:11:4:{to_word(salt)}", much),
        ("many-lanes", f"argon2id:65536:3:9:{to_word(salt)}", much),
        ("zero-in-front", f"argon2id:065536:3:4:{to_word(salt)}", is_none),
        ("other-stretching", f"scrypt:65536:3:4:{to_word(salt)}", is_none),
        ("short-salt", f"argon2id:65536:3:4:{to_word(salt[:15])}", is_short),
        ("salt-with-odd-bits", f"argon2id:65536:3:4:{with_odd_bits(to_word(salt))}", is_short),
    ):
        line = f"{how} {file.access.said} {to_word(file.access.mac)}"
        file.case(name, file.with_line(line), f"has a recipient bob whose line {says}")


def value_cases(file: Broken) -> None:
    """Values that are not where, or as, they were written."""
    key, other = file.key, file.other
    is_changed = "does not decrypt: it was changed, or moved here from another key or file"
    is_older = "was encrypted with a data key that the file has no more"
    is_cut = "is not a whole word: it was cut or changed"
    whole, foreign = as_bytes(key, b"sCANARY-beta"), as_bytes(other, b"sCANARY-beta")
    file.case("moved", file.text(beta=sealed(key, ["alpha"], b"sCANARY-alpha")), is_changed, "beta")
    file.case("other-path", file.text(beta=sealed(key, ["be", "ta"], b"sCANARY-beta")), is_changed, "beta")
    file.beta("other-file", foreign, is_older)
    file.beta("other-file-own-key-id", key.key_id + foreign[4:], is_changed)
    file.beta("flipped-key-id", flipped(whole, 0), is_older)
    file.beta("flipped-nonce", flipped(whole, 4), is_changed)
    file.beta("flipped-nonce-end", flipped(whole, 27), is_changed)
    file.beta("flipped-ciphertext", flipped(whole, 28), is_changed)
    file.beta("flipped-tag", flipped(whole, len(whole) - 1), is_changed)
    file.beta("cut-tag", whole[:-1], is_changed)
    file.beta("no-ciphertext", whole[:28] + whole[-16:], is_cut)
    odd = with_odd_bits(to_word(whole))
    file.case("value-with-odd-bits", file.text(beta=f'"${{enc:1:{odd}}}"'), is_cut, "beta")
    twice = sealed(key, ["beta"], b"sCANARY-beta")
    text = file.text(beta=f"{twice}\nBE_TA = {twice}")
    file.case("twice", text, "stands in lines 3 and 4: two branches gave it a value", "beta")


def plaintext_cases(file: Broken) -> None:
    """Plaintexts that are no value, though somebody with the data key wrote them."""
    says = "holds something that is no value"
    for name, plaintext in (
        ("no-form", b"xCANARY-beta"),
        ("no-utf-8", b"sCANARY\xff"),
        ("no-toml", b"tCANARY"),
        ("two-values", b't"CANARY"\nw = 1'),
    ):
        file.beta(name, as_bytes(file.key, plaintext), says)


def as_bytes(key: DataKey, plaintext: bytes) -> bytes:
    """The ciphertext of `beta`."""
    return known(from_word(key.seal(["beta"], plaintext, drawn("nonce of beta", 24))))


def flipped(data: bytes, place: int) -> bytes:
    """The bytes with one bit of one of them flipped."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def with_odd_bits(word: str) -> str:
    """A word that differs in bits that stand for nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(word) % 4 in {2, 3}
    return word[:-1] + letters[letters.index(word[-1]) + 1]


def swapped(text: str, old: str, new: str) -> str:
    """The text with one part of it replaced, which stands there once."""
    assert text.count(old) == 1
    return text.replace(old, new)


def known(data: bytes | None) -> bytes:
    """What is there for sure."""
    assert data is not None
    return data


def write(name: str, text: str) -> None:
    """Write a file."""
    (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


def write_json(name: str, data: object) -> None:
    """Write a file of JSON."""
    write(name, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    (FOLDER / "broken").mkdir(parents=True, exist_ok=True)
    complete()
    broken()
