"""Forks a child that forks a child, and so on; each says when it sees a change that is made afterwards.

python -m tests.refresh.programs.nesting PATH DEPTH exit|_exit
"""

import os
import sys
from pathlib import Path

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import age_s, load_file, tell, wait_number


def main(path: Path, depth: int, ends_by: str) -> None:
    """Fork, look, and wait for the child."""
    config = load_file(path)
    child = 0
    for level in range(depth + 1):
        child = os.fork() if level < depth else 0
        if child:
            break
    else:
        tell(forked=depth)
    is_there = wait_number(config.db_password, NEXT)
    tell(is_there=is_there, took_s=age_s(path))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else 7
    if ends_by == "_exit":
        os._exit(code)
    sys.exit(code)  # from the innermost outwards, each has the code of its child


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
