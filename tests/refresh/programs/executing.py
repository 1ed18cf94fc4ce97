"""Answers for its status, and starts other programs: by preexec_fn, and by fork and exec; then lists the sockets.

    python -m tests.refresh.programs.executing CONFIG

The folder of sockets is that of XDG_RUNTIME_DIR.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.refresh.programs.forking import NEXT
from tests.refresh.programs.telling import App, tell, wait_number
from wellkept import load


def main(config_file: Path) -> None:
    """Start them."""
    config = load(App, files=[config_file], redact=False)
    subprocess.run(["true"], check=True, preexec_fn=os.getpid)
    child = os.fork()
    if child == 0:
        os.execvp("true", ["true"])  # noqa: S606 a program of its own, and no shell, is what is tested
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    folder = Path(os.environ["XDG_RUNTIME_DIR"])
    others = [file.name for file in folder.rglob("*.sock") if file.name != f"{os.getpid()}.sock"]
    tell(code=code, strays=len(others), ready=True)
    tell(is_there=wait_number(config.db_password, NEXT))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
