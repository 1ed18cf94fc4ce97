"""What tests of a service need: an in-memory provider, a clock that you move, canary assertions, a CA."""

from importlib import import_module
from typing import TYPE_CHECKING

from wellkept.testing.canary import assert_hidden
from wellkept.testing.clock import ManualClock
from wellkept.testing.memory import MemorySource

if TYPE_CHECKING:
    from wellkept.testing.authority import CertificateAuthority, Credentials

__all__ = ["CertificateAuthority", "Credentials", "ManualClock", "MemorySource", "assert_hidden"]


def __getattr__(name: str) -> object:
    """Import the CA when it is first asked for: it loads cryptography, and most tests have no TLS."""
    if name in {"CertificateAuthority", "Credentials"}:
        return getattr(import_module("wellkept.testing.authority"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
