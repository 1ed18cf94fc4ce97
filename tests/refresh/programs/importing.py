"""Forks while the thread that keeps secrets fresh imports a module; parent and child say when they see the change.

python -m tests.refresh.programs.importing PATH
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import load_file, tell, wait_number

NEEDED: Final = "hmac"  # to compare a new value with the one of before
_HALF_DONE_S: Final = 1.0


class Slow:
    """Makes the import of one module by another thread take its time; see `sys.meta_path`."""

    def __init__(self) -> None:
        """Nothing is imported yet."""
        self.is_under_way = threading.Event()

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> None:
        """Wait in the midst of it, and leave the rest to those who find modules."""
        if name == NEEDED and threading.current_thread() is not threading.main_thread():
            self.is_under_way.set()
            time.sleep(_HALF_DONE_S)


def main(path: Path) -> None:
    """Fork in the midst of it."""
    slow = Slow()
    sys.meta_path.insert(0, slow)
    sys.modules.pop(NEEDED, None)
    config = load_file(path)
    tell(ready=True)
    is_under_way = slow.is_under_way.wait(60)
    child = os.fork()
    if child != 0:
        tell(is_under_way=is_under_way)
    tell(is_there=wait_number(config.db_password, NEXT))
    if child == 0:
        os._exit(0)
    tell(code=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
