"""A Secrets.toml that was opened: its entries, and what they decrypt to. No I/O here."""

from collections.abc import Sequence
from shlex import quote

from wellkept._dataclasses import dataclass, field
from wellkept._names import canonical_path
from wellkept.crypto.envelope import DataKey, take_apart
from wellkept.crypto.header import Header
from wellkept.crypto.plaintext import from_plaintext, to_plaintext
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import Entry, Path, SecretsText
from wellkept.errors import Kind

_IS_OLDER = "was encrypted with a data key that the file has no more"
_IS_CHANGED = "does not decrypt: it was changed, or moved here from another key or file"
_AGAIN = "take the line from git as it was, or set it again"


@dataclass(frozen=True, slots=True)
class Opened:
    """One file as it was read, and its key.

    Attributes:
        name: what it is called in messages.
        text: its lines.
        header: who may open it.
        key: what opens its values; not in the repr.
    """

    name: str
    text: SecretsText
    header: Header
    key: DataKey = field(repr=False)

    def entry(self, path: Path, line: int | None = None) -> Entry | Refusal:
        """The one entry of a key, or why there is none.

        Args:
            path: the steps of the key.
            line: which of several, by the number of its line from 1; None where there must be one.
        """
        entries = self.text.secrets.get(canonical_path(path), ())
        if not entries:
            return Refusal("is not in it", "wellkept list names what is", Kind.ABSENT)
        if line is not None:
            chosen = [one for one in entries if one.line + 1 == line]
            places = " and ".join(f"line {one.line + 1}" for one in entries)
            return chosen[0] if chosen else Refusal(f"does not stand in line {line}", f"it stands in {places}")
        if len(entries) > 1:
            return twice(spelt(path), entries)
        return entries[0]

    def value(self, entry: Entry) -> object | Refusal:
        """The value of an entry, or why it does not decrypt."""
        plaintext = self._plaintext(entry)
        if isinstance(plaintext, Refusal):
            return plaintext
        value = from_plaintext(plaintext)
        return Refusal("holds something that is no value", "set it again") if value is None else value

    def resealed(self, entry: Entry, key: DataKey) -> str | Refusal:
        """The value of an entry as a word of another key, or why it does not decrypt."""
        plaintext = self._plaintext(entry)
        return plaintext if isinstance(plaintext, Refusal) else key.seal(entry.path, plaintext)

    def seal(self, path: Path, value: object) -> str:
        """A value as the word that stands at a key."""
        return self.key.seal(path, to_plaintext(value))

    def _plaintext(self, entry: Entry) -> bytes | Refusal:
        sealed = take_apart(entry.value)
        if sealed is None:
            return Refusal("is not a whole word: it was cut or changed", _AGAIN)
        plaintext = self.key.open(entry.path, sealed)
        if plaintext is None:
            is_older = sealed.key_id != self.key.key_id
            return Refusal(_IS_OLDER, "set it again") if is_older else Refusal(_IS_CHANGED, _AGAIN)
        return plaintext


def twice(name: str, entries: Sequence[Entry]) -> Refusal:
    """The refusal of a key that a merge left more than once."""
    lines = " and ".join(str(one.line + 1) for one in entries)
    look, keep = (
        f"wellkept get {quote(name)} --line {entries[0].line + 1} --reveal",
        f"wellkept set {quote(name)} --line N",
    )
    return Refusal(
        f"stands in lines {lines}: two branches gave it a value", f"look at each with {look}, keep one with {keep}"
    )
