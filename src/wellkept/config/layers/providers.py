"""What a document says to wellkept itself: `[wellkept.providers.NAME]`, and what is for nobody. No I/O here."""

from collections.abc import Iterator

from wellkept.config.extras import RESERVED_TABLE
from wellkept.config.layers.documents import place_in, say_at
from wellkept.config.layers.say import Say
from wellkept.config.names import canonical, did_you_mean
from wellkept.config.shapes import as_table
from wellkept.config.toml import Document
from wellkept.errors import Kind, Problem

PROVIDERS = "providers"
_KNOWN = (PROVIDERS, "run")


def read_providers(document: Document, base: str | None) -> Iterator[tuple[str, Say]]:
    """The name and the table of each.

    Args:
        document: a whole file.
        base: the folder where relative paths in it start, or None for the current one.
    """
    for outer, wellkept in document.data.items():
        if canonical(outer) != RESERVED_TABLE:
            continue
        for inner, providers in (as_table(wellkept) or {}).items():
            if canonical(inner) == PROVIDERS:
                for name, table in (as_table(providers) or {}).items():
                    yield name, say_at(document, (outer, inner, name), table, base)


def strange_keys(document: Document) -> Iterator[Problem]:
    """What stands in `[wellkept]` and is for nobody: a misspelt table would be silently without effect."""
    for outer, wellkept in document.data.items():
        if canonical(outer) != RESERVED_TABLE:
            continue
        for inner in as_table(wellkept) or {}:
            if canonical(inner) not in _KNOWN:
                name = f"{outer}.{inner if inner.isprintable() else ascii(inner)}"
                hint = did_you_mean(inner, _KNOWN) or f"[wellkept] has {' and '.join(_KNOWN)}"
                place = place_in(document, (outer, inner)).place
                yield Problem(name, f"unused configuration value '{name}'", place, hint, Kind.UNKNOWN)
