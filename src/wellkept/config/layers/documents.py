"""A value in a TOML document, as a word with its place. No I/O here."""

import os

from wellkept._toml.document import Document
from wellkept.config.convert.converter import Step
from wellkept.config.extras import RESERVED_TABLE
from wellkept.config.layers.say import Refers, Say
from wellkept.config.shapes import as_table
from wellkept.origin import Layer, Origin

Path = tuple[Step, ...]
SECRETS_FILE = "Secrets.toml"
HEADER_KEYS = ("version", "cipher", "id", "key", "recipients")  # of docs/reference/secrets-toml.md


def say_at(document: Document, path: Path, value: object, base: str | None) -> Say:
    """The word that stands at a path of keys, which may refer."""

    def place_of(below: Path) -> Origin:
        return place_in(document, (*path, *below))

    refers = Refers.STRICT
    if is_sealed(document):
        refers, base = Refers.SEALED, document.path
    return Say(place_of(()), value, is_strict=True, refers=refers, place_of=place_of, base=base, path=path)


def is_sealed(document: Document) -> bool:
    """Whether a document may hold nothing but ciphertexts: by its name, the name that it links to, or its header."""
    if document.path is not None and (
        is_named_sealed(document.path) or is_named_sealed(os.path.realpath(document.path))
    ):
        return True
    header = as_table(document.data.get(RESERVED_TABLE)) or {}
    return any(key in header for key in HEADER_KEYS)


def is_named_sealed(path: str) -> bool:
    """Whether a file is called `Secrets.toml` or `Secrets.prod.toml`: without its header it opens for nobody."""
    name = os.path.basename(path)  # noqa: PTH119 text in
    return name.startswith("Secrets") and name.endswith(".toml")


def place_in(document: Document, path: Path) -> Origin:
    """The origin of a value in a document."""
    file = None if document.path is None else str(document.path)
    spot = _nearest(document, path)
    if spot is None:
        return Origin(Layer.FILE, document.name, file=file)
    return Origin(Layer.FILE, f"{document.name}:{spot[0]}:{spot[1]}", file, *spot)


def _nearest(document: Document, path: Path) -> tuple[int, int] | None:
    """The place of a value, or of the nearest one around it that has a place."""
    while path:
        spot = document.place(path) or document.key_place(path)
        if spot is not None:
            return spot
        path = path[:-1]
    return None
