"""What a SOPS file is once it is parsed, and how a part of this package says no. This file does no I/O."""

from collections.abc import Iterable, Mapping
from typing import cast

from wellkept._dataclasses import dataclass, field

_SHOWN_CHARACTERS = 200
MAX_DEPTH = 64  # of tables and lists in each other: people write five


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file cannot be read, without what it holds.

    Attributes:
        fact: what is wrong with it, to stand after its name.
        hint: the fix.
    """

    fact: str
    hint: str


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        tree: what it holds, still encrypted; tables are dicts, lists are lists.
        metadata: what SOPS wrote beside it.
    """

    tree: dict[str, object] = field(repr=False)
    metadata: Mapping[str, object] = field(repr=False)


CHANGED_HINT = "restore the file from version control, or encrypt it again with sops"
PLAIN = Refusal(
    "holds nothing that SOPS wrote: it is not encrypted",
    "encrypt it: sops encrypt --in-place FILE; where its name does not tell its format, add ?format=",
)
TOO_DEEP = Refusal(f"is more than {MAX_DEPTH} levels deep", "flatten it")


def split(tree: dict[str, object]) -> Document | Refusal:
    """The document of a file whose metadata stands in its table `sops`."""
    metadata = tree.pop("sops", None)
    return Document(tree, cast("dict[str, object]", metadata)) if isinstance(metadata, dict) else PLAIN


def named(path: Iterable[str]) -> str:
    """The name of a value for a message: its keys, that stand in the clear."""
    text = ".".join(path)[:_SHOWN_CHARACTERS]
    return text if text.isprintable() else ascii(text)
