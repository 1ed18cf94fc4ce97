"""Becomes a daemon as programs do: it closes all descriptors, opens others in their place, and forks once more.

python -m tests.refresh.programs.daemonizing PATH
"""

import os
import sys
from pathlib import Path
from typing import Final

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import load_file, tell, wait_look, wait_number

_TEXT: Final = b"a file of the program\n" * 8
_COUNT: Final = 16  # as many as were closed, and some more


def main(path: Path) -> None:
    """Go on in a child of a child."""
    config = load_file(path)
    wait_look()  # who closes a file while a thread reads it lets that thread read the next one of this number
    os.closerange(3, 256)
    own = path.with_name("own")
    own.write_bytes(_TEXT)
    opened = [os.open(own, os.O_RDWR) for _ in range(_COUNT)]
    child = os.fork()
    is_there = wait_number(load_file(path).db_password, NEXT) and wait_number(config.db_password, NEXT)
    are_open = all(os.fstat(one).st_ino == own.stat().st_ino for one in opened)
    is_unread = all(os.lseek(one, 0, os.SEEK_CUR) == 0 for one in opened)
    tell(is_there=is_there, are_open=are_open, is_unread=is_unread, is_unwritten=own.read_bytes() == _TEXT)
    if child == 0:
        os._exit(0)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
