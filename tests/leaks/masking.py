"""Masking, switched on as `load` does it, for as long as a sink runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from wellkept.leaks.hooks import install
from wellkept.leaks.redact import Redactor
from wellkept.secret import install_observer

_switched_on: list[Redactor] = []


@contextmanager
def masking() -> Iterator[None]:
    """Mask all secrets that are held, here and in the children that sinks start."""
    redactor = Redactor(environ={})
    install_observer(redactor)
    uninstall = install(redactor)
    _switched_on.append(redactor)
    try:
        yield
    finally:
        _switched_on.remove(redactor)
        uninstall()
        install_observer(None)


def is_on() -> bool:
    """Whether masking is switched on."""
    return bool(_switched_on)
