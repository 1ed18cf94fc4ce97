"""load() and what belongs to it: the one package that knows config, sources, refresh and masking together."""

from importlib import import_module
from typing import TYPE_CHECKING

from wellkept.runtime.load import Attempt, attempt_load, close, explain, load

if TYPE_CHECKING:
    from wellkept.refresh.status import Status
    from wellkept.runtime.alive import status
    from wellkept.runtime.watching import Change, Watch, watch

__all__ = ["Attempt", "Change", "Status", "Watch", "attempt_load", "close", "explain", "load", "status", "watch"]

_LATER = {
    "Change": "wellkept.runtime.watching",
    "Status": "wellkept.refresh.status",
    "Watch": "wellkept.runtime.watching",
    "status": "wellkept.runtime.alive",
    "watch": "wellkept.runtime.watching",
}


def __getattr__(name: str) -> object:
    """Import what keeps secrets fresh when it is first asked for: a load of plain settings needs none of it."""
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
