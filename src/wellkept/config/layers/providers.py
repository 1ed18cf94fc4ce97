"""What a document says to wellkept itself: `[wellkept.providers.NAME]`, and what is for nobody. No I/O here."""

from collections.abc import Iterator, Sequence

from wellkept._names import canonical, did_you_mean
from wellkept._toml.document import Document
from wellkept.config.extras import RESERVED_TABLE
from wellkept.config.layers.documents import HEADER_KEYS, is_sealed, place_in, say_at
from wellkept.config.layers.say import Say
from wellkept.config.shapes import as_table
from wellkept.errors import Kind, Problem
from wellkept.model import is_duration

PROVIDERS = "providers"
STATUS, DRAIN = "status", "drain"
_KNOWN = (PROVIDERS, "run", STATUS, DRAIN)


def read_providers(document: Document, base: str | None) -> Iterator[tuple[str, Say]]:
    """The name and the table of each.

    Args:
        document: a whole file.
        base: the folder where relative paths in it start, or None for the current one.
    """
    for path, providers in _own(document):
        if canonical(path[-1]) == PROVIDERS and not is_sealed(document):
            for name, table in (as_table(providers) or {}).items():
                yield name, say_at(document, (*path, name), table, base)


def read_own(document: Document) -> Iterator[tuple[str, object] | Problem]:
    """What `[wellkept]` itself says: `status = true`, `drain = "60s"`; or what is wrong with it."""
    for path, value in _own(document):
        key, place = path[-1], place_in(document, path).place
        if is_sealed(document):
            return
        if key == STATUS and not isinstance(value, bool):
            yield Problem(".".join(path), "expected true or false", place, "write status = true")
        elif key == DRAIN and not (isinstance(value, str) and is_duration(value)):
            yield Problem(".".join(path), "expected a duration", place, 'write drain = "60s"')
        elif key in {STATUS, DRAIN}:
            yield key, value


def strange_keys(document: Document) -> Iterator[Problem]:
    """What stands in `[wellkept]` and is for nobody: a misspelt table would be silently without effect."""
    known = HEADER_KEYS if is_sealed(document) else _KNOWN
    for path, table in _own(document):
        if path[-1] not in known:
            yield _strange(document, path, known)
        elif path[-1] == "run":
            yield from (_strange(document, (*path, key), ("env",)) for key in as_table(table) or {} if key != "env")


def _own(document: Document) -> Iterator[tuple[tuple[str, str], object]]:
    """All that stands directly in `[wellkept]`, by its path."""
    for outer, wellkept in document.data.items():
        if canonical(outer) == RESERVED_TABLE:
            for inner, value in (as_table(wellkept) or {}).items():
                yield (outer, inner), value


def _strange(document: Document, path: tuple[str, ...], known: Sequence[str]) -> Problem:
    name = ".".join(step if step.isprintable() else ascii(step) for step in path)
    hint = did_you_mean(path[-1], known) or f"[{'.'.join(path[:-1])}] has {' and '.join(known)}"
    place = place_in(document, path).place
    return Problem(name, f"unused configuration value '{name}'", place, hint, Kind.UNKNOWN)
