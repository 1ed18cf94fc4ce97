"""Typed settings and live secrets for Python services, kept out of every log."""

from importlib import import_module
from typing import TYPE_CHECKING

from wellkept.config.declare import Settings, setting
from wellkept.errors import ConfigError
from wellkept.secret import Secret

if TYPE_CHECKING:
    from wellkept.runtime import Change, Status, Watch, close, explain, load, status, watch

__all__ = [
    "Change",
    "ConfigError",
    "Secret",
    "Settings",
    "Status",
    "Watch",
    "close",
    "explain",
    "load",
    "setting",
    "status",
    "watch",
]


def __getattr__(name: str) -> object:
    """Import what reads a configuration when it is first asked for.

    A module that only declares settings does not pay for it; see docs/adr/0007.
    """
    if name in __all__:
        return getattr(import_module("wellkept.runtime"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
