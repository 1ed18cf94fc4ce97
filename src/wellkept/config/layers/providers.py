"""Where a document configures providers: its tables `[wellkept.providers.NAME]`. No I/O here."""

from collections.abc import Iterator

from wellkept.config.extras import RESERVED_TABLE
from wellkept.config.layers.documents import say_at
from wellkept.config.layers.say import Say
from wellkept.config.names import canonical
from wellkept.config.shapes import as_table
from wellkept.config.toml import Document

PROVIDERS = "providers"


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
