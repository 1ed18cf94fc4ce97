"""A new data key for Secrets.toml: all values again, for everybody who may go on opening it. No I/O here."""

from collections.abc import Collection

from wellkept.crypto.change import with_header, with_words
from wellkept.crypto.envelope import DataKey
from wellkept.crypto.header import Header, with_access
from wellkept.crypto.opened import Opened, twice
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import Entry, read_text


def rekeyed(opened: Opened, without: Collection[str] = ()) -> str | Refusal:
    """The text under a new data key, or why it cannot have one.

    Its recipients are those that the header authenticates, see `unlock`: who slipped in cannot
    come along.

    Args:
        opened: the file.
        without: names of recipients that are left behind.
    """
    for name, entries in opened.text.repeated():
        refusal = twice(name, entries)
        return Refusal(f"holds {name}, which {refusal.fact}", refusal.hint)
    key = DataKey.new(opened.header.file_id)
    header = Header(key.file_id, key.commitment)
    for access in opened.header.accesses:
        if access.name not in without:
            more = with_access(header, key, access.name, access.recipient, access.stretching)
            if isinstance(more, Refusal):
                return more
            header = more
    if not header.accesses:
        return Refusal("would be opened by nobody", "add a recipient before you remove the last one")
    words: dict[Entry, str] = {}
    for (entry,) in opened.text.secrets.values():
        word = opened.resealed(entry, key)
        if isinstance(word, Refusal):
            return Refusal(f"holds {spelt(entry.path)}, which {word.fact}", word.hint)
        words[entry] = word
    return with_header(read_text(with_words(opened.text, words)), header.values())
