"""Importing by name what few processes need, at the moment when they need it, and never in the midst of a fork.

A child that is forked while another thread imports inherits a module that is half made, and the lock of that import,
which nobody opens any more: its first use of the module would wait for ever. So a fork waits until such imports are
done, which takes milliseconds.
"""

import sys
import threading
from importlib import import_module
from os import register_at_fork
from types import ModuleType

_PATIENCE_S = 5.0  # an import that itself waits for the thread that forks would never be done

_changed = threading.Condition()  # held for a moment by who imports, and throughout a fork
_importing: list[int] = []


def load_module(name: str) -> ModuleType:
    """Import a module by its absolute name, unless it is there already."""
    known = sys.modules.get(name)
    if known is not None and not getattr(known.__spec__, "_initializing", False):
        return known
    me, changed = threading.get_ident(), _changed
    if not changed.acquire(timeout=_PATIENCE_S):
        # Who forks waits, behind our hook, for another lock that this thread holds: logging's, in `dictConfig`.
        return import_module(name)
    _importing.append(me)
    changed.release()
    try:
        return import_module(name)
    finally:
        is_held = changed.acquire(timeout=_PATIENCE_S)
        _importing.remove(me)
        if is_held:
            changed.notify_all()
            changed.release()


def _before_fork() -> None:
    me = threading.get_ident()
    _changed.acquire()
    _changed.wait_for(lambda: all(one == me for one in _importing), _PATIENCE_S)


def _after_fork_here() -> None:
    _changed.release()


def _after_fork() -> None:
    global _changed  # noqa: PLW0603 there is one
    _changed = threading.Condition()
    _importing[:] = [one for one in _importing if one == threading.get_ident()]  # a module may fork while it is made


register_at_fork(before=_before_fork, after_in_parent=_after_fork_here, after_in_child=_after_fork)
