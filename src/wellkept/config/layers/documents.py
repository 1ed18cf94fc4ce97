"""A value in a TOML document, as a word with its place. No I/O here."""

from wellkept._toml.document import Document
from wellkept.config.convert.converter import Step
from wellkept.config.layers.say import Refers, Say
from wellkept.origin import Layer, Origin

Path = tuple[Step, ...]


def say_at(document: Document, path: Path, value: object, base: str | None) -> Say:
    """The word that stands at a path of keys, which may refer."""

    def place_of(below: Path) -> Origin:
        return place_in(document, (*path, *below))

    return Say(place_of(()), value, is_strict=True, refers=Refers.STRICT, place_of=place_of, base=base)


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
