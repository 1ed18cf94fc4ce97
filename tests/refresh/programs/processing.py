"""Starts four processes by multiprocessing; each says when it sees a change that is made afterwards.

    python -m tests.refresh.programs.processing PATH fork|spawn|forkserver|preloaded

Forked ones inherit what was loaded. With `spawn` and `forkserver` each loads for itself: a secret does not pickle.
`preloaded` is a server of forks that has loaded the setting itself, which its children inherit.
"""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import Final

from tests.refresh.programs import following
from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import App, age_s, load_file, tell, wait_number

COUNT: Final = 4


def refusal(config: App) -> str:
    """How the attempt to hand a secret to a process ends."""
    process = multiprocessing.Process(target=following.take, args=(config.db_password,))
    try:
        process.start()
    except TypeError as error:
        return type(error).__name__
    return "none"


def main(path: Path, method: str) -> None:
    """Start them, and say how they ended."""
    config = load_file(path)
    if method == "preloaded":
        os.environ[following.PRELOAD] = str(path)
        multiprocessing.set_forkserver_preload([following.__name__])
        method = "forkserver"
    multiprocessing.set_start_method(method)
    if method == "fork":
        following.inherit(config)
    else:
        tell(refused=refusal(config))
    processes = [multiprocessing.Process(target=following.follow, args=(path,)) for _ in range(COUNT)]
    for process in processes:
        process.start()
    is_there = wait_number(config.db_password, NEXT)
    tell(is_there=is_there, took_s=age_s(path))
    for process in processes:
        process.join()
    tell(codes=[process.exitcode for process in processes])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
