"""Opening a document with its data key: every value, then the MAC over all of them. This file does no I/O.

Each value is bound to the keys above it, so it cannot be moved to another key. The MAC is a
SHA-512 over the values in their order, encrypted, and bound to the time of the last change; what
it does not cover (`docs/howto/sops.md` says it too): comments, the names of keys whose values
stand in the clear, values that are empty or null, and where two neighbours in the clear part.
"""

import hashlib
import hmac
from typing import cast

from wellkept.providers.sops.cell import Cipher, as_bytes, is_cell, typed
from wellkept.providers.sops.document import CHANGED_HINT, MAX_DEPTH, TOO_DEEP, Document, Refusal, named
from wellkept.providers.sops.metadata import Metadata

Path = tuple[str, ...]

# What the MAC begins with where it covers the encrypted values only (`MACOnlyEncryptedInitialization` of SOPS).
_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()

_COMMENT = object()  # a comment that SOPS made an element of a list, when it encrypted it; it is no value

_TOO_LONG = Refusal("has a rule whose regular expression takes too long", "write a simpler one")
_WRONG_MAC = Refusal("does not match its MAC: a value was changed, added, removed or moved", CHANGED_HINT)


def open_document(document: Document, metadata: Metadata, data_key: bytes) -> dict[str, object] | Refusal:
    """What a document holds, decrypted and verified; or why it cannot be trusted, and then nothing of it."""
    opener = _Opener(metadata, data_key)
    tree = cast("dict[str, object]", opener.opened(document.tree, ()))
    if not metadata.rule.is_in_time():
        return _TOO_LONG
    return opener.refusal or opener.verify() or tree


class _Opener:
    """Goes through a tree in the order of the file.

    Attributes:
        refusal: the first thing that was wrong.
    """

    def __init__(self, metadata: Metadata, data_key: bytes) -> None:
        self.refusal: Refusal | None = None
        self._metadata = metadata
        self._cipher = Cipher(data_key)
        self._seen = hashlib.sha512(_ONLY_ENCRYPTED if metadata.is_mac_of_encrypted_only else b"")

    def opened(self, node: object, path: Path, depth: int = 0) -> object:
        """A tree with its values decrypted. Elements of a list have the path of the list."""
        if depth > MAX_DEPTH:
            self.refusal = self.refusal or TOO_DEEP
        if self.refusal is not None or node is None:
            return None
        if isinstance(node, dict):
            return self._table(cast("dict[str, object]", node), path, depth)
        if isinstance(node, list):
            items = [self.opened(one, path, depth + 1) for one in cast("list[object]", node)]
            return [one for one in items if one is not _COMMENT]
        return self._value(node, path)

    def verify(self) -> Refusal | None:
        """Compare the MAC, after all values."""
        mac = self._cipher.open(self._metadata.mac, self._metadata.last_modified)
        if mac is None:
            return Refusal("has a MAC that does not decrypt: it or lastmodified was changed", CHANGED_HINT)
        seen = self._seen.hexdigest().upper().encode()
        return None if mac[0] == "str" and hmac.compare_digest(mac[1], seen) else _WRONG_MAC

    def _table(self, table: dict[str, object], path: Path, depth: int) -> dict[str, object]:
        made: dict[str, object] = {}
        for key, one in table.items():
            made[key] = self.opened(one, (*path, key), depth + 1)
            if made[key] is _COMMENT:
                self.refusal = _unknown_type((*path, key))
        return made

    def _value(self, value: object, path: Path) -> object:
        is_encrypted = self._metadata.rule.covers(path)
        if is_encrypted is None:
            is_encrypted = isinstance(value, str) and is_cell(value)
        if is_encrypted and value != "":  # an empty text is not encrypted
            value = self._decrypted(value, path)
        if value is _COMMENT:
            return value
        if is_encrypted or not self._metadata.is_mac_of_encrypted_only:
            self._seen.update(as_bytes(value))
        return value

    def _decrypted(self, value: object, path: Path) -> object:
        if not isinstance(value, str) or not is_cell(value):
            self.refusal = Refusal(
                f"{named(path)} is not encrypted, and the file's own rule says that it is", CHANGED_HINT
            )
            return None
        opened = self._cipher.open(value, "".join(f"{key}:" for key in path))
        if opened is None:
            self.refusal = Refusal(f"{named(path)} does not decrypt: it was changed, or moved here", CHANGED_HINT)
            return None
        if opened[0] == "comment":
            return _COMMENT
        found = typed(*opened)
        if found is None:
            self.refusal = _unknown_type(path)
        return found


def _unknown_type(path: Path) -> Refusal:
    return Refusal(f"{named(path)} is of a type that is not known", CHANGED_HINT)
