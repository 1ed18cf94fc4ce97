"""What a process of multiprocessing does: it says when it sees a change, in what it inherited or loads itself."""

import os
from pathlib import Path
from typing import Final

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import App, age_s, load_file, tell, wait_number

PRELOAD: Final = "TESTS_REFRESH_PRELOAD"  # the file to load when this module is imported

_loaded: list[tuple[App, int]] = []


def inherit(config: App) -> None:
    """Let processes that are forked from this one have it."""
    _loaded.append((config, os.getpid()))


def follow(path: Path) -> None:
    """Say when the next value is there."""
    config, loaded_by = _loaded[0] if _loaded else (load_file(path), os.getpid())
    tell(started=True, inherits=loaded_by != os.getpid())
    is_there = wait_number(config.db_password, NEXT)
    tell(is_there=is_there, took_s=age_s(path))


def take(_secret: object) -> None:
    """Be given a secret: this is never reached."""


if PRELOAD in os.environ:
    inherit(load_file(os.environ[PRELOAD]))
