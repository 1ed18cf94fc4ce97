"""Follows one setting, and says what the threads that keep it fresh have imported that no fork would wait for.

python -m tests.refresh.programs.imported CONFIG

It tells that it is ready, and ends when the setting has another version.
"""

import sys
import threading
import time
import types
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tests.refresh.programs.telling import App, tell
from wellkept import Settings, _imports, load, status

PATIENCE_S = 60.0


class Noted:
    """Notes imports by threads of ours that no fork would wait for; see `sys.meta_path`."""

    def __init__(self) -> None:
        """Nothing is imported yet."""
        self.names: list[str] = []
        self.guarded = 0

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None) -> None:
        """Note it, and leave the rest to those who find modules."""
        if not threading.current_thread().name.startswith("wellkept"):
            return
        if threading.get_ident() in _imports._importing:
            self.guarded += 1
        else:
            self.names.append(name)


def class_for(text: str) -> type[Settings]:
    """The settings of a file: a certificate, whose modules load much, or one secret."""
    if "tls" not in text:
        return App
    hints = {"tls": import_module("wellkept.tls").ServerTLS}
    return types.new_class("Service", (Settings,), {}, lambda body: body.update(__annotations__=hints))


def versions() -> list[str | None]:
    """The versions of what is followed."""
    return [one.version for one in status().secrets]


def main(config_file: Path) -> None:
    """Follow it."""
    cls, noted = class_for(config_file.read_text(encoding="utf-8")), Noted()
    sys.meta_path.insert(0, noted)  # before there are such threads: the first look comes soon
    config = load(cls, files=[config_file], redact=False)
    before, end_at = versions(), time.monotonic() + PATIENCE_S
    tell(ready=True)
    while versions() == before and time.monotonic() < end_at:
        time.sleep(0.05)
    tell(is_new=versions() != before, imported=noted.names, guarded=noted.guarded, settings=len(vars(config)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
