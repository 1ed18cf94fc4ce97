"""Answers for its status, and starts other programs: by preexec_fn, and by fork and exec; then lists the sockets.

    python -m tests.refresh.programs.executing CONFIG

The folder of sockets is that of XDG_RUNTIME_DIR.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import App, tell, wait_number
from wellkept import load
from wellkept.refresh.thread import OPENS_S


def run_two() -> float:
    """Run both, and say how long the slower one took."""
    begun = time.monotonic()
    subprocess.run(["true"], check=True, preexec_fn=os.getpid)
    between = time.monotonic()
    child = os.fork()
    if child == 0:
        os.execvp("true", ["true"])  # noqa: S606 a program of its own, and no shell, is what is tested
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit("the program of fork and exec failed")
    return max(between - begun, time.monotonic() - between)


def main(config_file: Path) -> None:
    """Start them."""
    config = load(App, files=[config_file], redact=False)
    folder = Path(os.environ["XDG_RUNTIME_DIR"])
    own = f"{os.getpid()}.sock"
    while run_two() > OPENS_S:  # the machine has other work: such a child has not become another program in a moment
        for file in folder.rglob("*.sock"):
            if file.name != own:
                file.unlink()
    others = [file.name for file in folder.rglob("*.sock") if file.name != own]
    tell(strays=len(others), ready=True)
    tell(is_there=wait_number(config.db_password, NEXT))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
