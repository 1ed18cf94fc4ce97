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
    for outer, wellkept in document.data.items():
        if canonical(outer) != RESERVED_TABLE or is_sealed(document):
            continue
        for inner, providers in (as_table(wellkept) or {}).items():
            if canonical(inner) == PROVIDERS:
                for name, table in (as_table(providers) or {}).items():
                    yield name, say_at(document, (outer, inner, name), table, base)


def read_own(document: Document) -> Iterator[tuple[str, object] | Problem]:
    """What `[wellkept]` itself says: `status = true`, `drain = "60s"`; or what is wrong with it."""
    for outer, wellkept in document.data.items():
        if canonical(outer) != RESERVED_TABLE or is_sealed(document):
            continue
        for key, value in (as_table(wellkept) or {}).items():
            place = place_in(document, (outer, key)).place
            if key == STATUS and not isinstance(value, bool):
                yield Problem(f"{outer}.{key}", "expected true or false", place, "write status = true")
            elif key == DRAIN and not (isinstance(value, str) and is_duration(value)):
                yield Problem(f"{outer}.{key}", "expected a duration", place, 'write drain = "60s"')
            elif key in {STATUS, DRAIN}:
                yield key, value


def strange_keys(document: Document) -> Iterator[Problem]:
    """What stands in `[wellkept]` and is for nobody: a misspelt table would be silently without effect."""
    known = HEADER_KEYS if is_sealed(document) else _KNOWN
    for outer, wellkept in document.data.items():
        if canonical(outer) != RESERVED_TABLE:
            continue
        for inner, table in (as_table(wellkept) or {}).items():
            if inner not in known:
                yield _strange(document, (outer, inner), known)
            elif inner == "run":
                yield from (
                    _strange(document, (outer, inner, key), ("env",)) for key in as_table(table) or {} if key != "env"
                )


def _strange(document: Document, path: tuple[str, ...], known: Sequence[str]) -> Problem:
    name = ".".join(step if step.isprintable() else ascii(step) for step in path)
    hint = did_you_mean(path[-1], known) or f"[{'.'.join(path[:-1])}] has {' and '.join(known)}"
    place = place_in(document, path).place
    return Problem(name, f"unused configuration value '{name}'", place, hint, Kind.UNKNOWN)
