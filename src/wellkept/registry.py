"""Which provider answers which scheme: names only; a provider is imported on first use.

This is the one file that imports inside functions. Entry points of the group
`wellkept.providers` add schemes and never replace a built-in one.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

from wellkept._imports import load_module
from wellkept.errors import UsageError
from wellkept.ports import OpensConfigured, OpensSource, ProviderTable, Source

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP: Final = "wellkept.providers"

# scheme → the module whose `open_source` makes its source
BUILT_IN: Final[Mapping[str, str]] = {
    "enc": "wellkept.crypto.source",
    "env": "wellkept.providers.local.env",
    "file": "wellkept.providers.local.file",
    "sops": "wellkept.providers.sops.source",
    "vault": "wellkept.providers.vault.source",
}

# Known, and named to nobody: `wellkept set` writes it, and it answers in Secrets.toml only.
UNWRITTEN: Final = frozenset({"enc"})


class Schemes(Collection[str]):
    """The schemes that one load knows.

    Entry points are looked up only when a scheme is asked for that is not at hand: the
    look-up costs more than a whole load.
    """

    def __init__(self, given: Collection[str] = ()) -> None:
        """Know the built-in schemes, the given ones, and those of entry points."""
        self._at_hand = frozenset(BUILT_IN) | frozenset(given)

    def add(self, names: Collection[str]) -> None:
        """Know these, too: the names of provider tables."""
        self._at_hand |= frozenset(names)

    def __contains__(self, scheme: object) -> bool:
        return scheme in self._at_hand or scheme in _points()

    def __iter__(self) -> Iterator[str]:
        return iter((self._at_hand | _points().keys()) - UNWRITTEN)

    def __len__(self) -> int:
        return len(list(iter(self)))


def open_source(scheme: str, environ: Mapping[str, str], table: ProviderTable | None = None) -> Source:
    """Import the provider of a scheme and make its source.

    Args:
        scheme: one of `Schemes()`.
        environ: the variables that the provider may read.
        table: how a file configures it, or None.

    Raises:
        UsageError: the scheme is not known, its package cannot be imported, or no table can configure it.
        SourceError: what the provider says of what it is given.
    """
    opens = _find(scheme)
    if table is None:
        return opens(environ)
    if not isinstance(opens, OpensConfigured):
        raise _without_options(scheme)
    return opens(environ, table)


def options_of(scheme: str) -> type:
    """The class of a provider's options: the keys of its table in a file.

    Raises:
        UsageError: as in `open_source`.
    """
    opens = _find(scheme)
    if not isinstance(opens, OpensConfigured):
        raise _without_options(scheme)
    return opens.options


def _without_options(scheme: str) -> UsageError:
    return UsageError(f"{scheme}: has no options, so no table can configure it", hint="remove the table")


def _find(scheme: str) -> OpensSource | OpensConfigured:
    if scheme in BUILT_IN:
        return cast("OpensSource", load_module(BUILT_IN[scheme]).open_source)
    point = _points().get(scheme)
    if point is None:
        raise UsageError(f"{scheme}: is no known scheme", hint=f"known are {', '.join(sorted(Schemes()))}")
    opens, fault = None, ""
    try:
        opens = cast("OpensSource", point.load())
    except (ImportError, AttributeError) as error:
        fault = type(error).__name__
    if opens is None:
        raise UsageError(
            f"{scheme}: its package cannot be imported ({fault})",
            hint=f"install it again, or remove the package that offers the entry point {scheme}",
        )
    return opens


@lru_cache(maxsize=1)
def _points() -> "dict[str, EntryPoint]":
    """The schemes that installed packages add, but for those that are built in."""
    from importlib.metadata import entry_points  # noqa: PLC0415 15 ms, and most loads need none

    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP) if point.name not in BUILT_IN}
