"""What a SOPS file holds, by its keys: `db.password` leads down, unless there is a key of that name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

_MAX_DIGITS = 7  # of an index: no file has ten million elements


class Tree(Mapping[str, object]):
    """A decrypted file; its repr shows nothing of it.

    A dotted key goes down through tables and lists (`hosts.0`); keys that have dots in them are
    found all the same (`certs.tls.crt`), the longest first. Its own keys are those of the file.
    """

    __slots__ = ("_tree",)

    def __init__(self, tree: Mapping[str, object]) -> None:
        self._tree = tree

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _below(self._tree, key.split(".")) is not None

    def __getitem__(self, key: str) -> object:
        found = _below(self._tree, key.split("."))
        if found is None:
            raise KeyError(key)
        return found[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)

    def __repr__(self) -> str:
        return f"<sops tree of {len(self)} keys>"


def _below(node: object, steps: Sequence[str]) -> tuple[object] | None:
    """The value that the steps lead to, in a tuple, since it may be None."""
    if not steps:
        return (node,)
    if isinstance(node, list):
        items, index = cast("list[object]", node), steps[0]
        is_index = index.isascii() and index.isdecimal() and len(index) <= _MAX_DIGITS and int(index) < len(items)
        return _below(items[int(index)], steps[1:]) if is_index else None
    if not isinstance(node, dict):
        return None
    table = cast("dict[str, object]", node)
    for end in range(len(steps), 0, -1):
        key = ".".join(steps[:end])
        found = _below(table[key], steps[end:]) if key in table else None
        if found is not None:
            return found
    return None
