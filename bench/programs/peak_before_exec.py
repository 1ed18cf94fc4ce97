"""Is the `wellkept` command, and prints its peak memory in KiB at the moment in which it becomes the child."""

import sys
from pathlib import Path

from wellkept.__main__ import main


def tell(event: str, _arguments: object) -> None:
    """Print the high-water mark of the memory; after the exec it would be the child's."""
    if event == "os.exec":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), flush=True)


sys.addaudithook(tell)
main()
