"""Holds secrets for a while, and prints what that cost: `… COUNT SECONDS watched|closed CONFIG`.

CONFIG is a TOML file, or the folder of a mount. What is closed is held as well, and watched no longer.
"""

import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Final

from wellkept import Secret, Settings, close, load

SETTLE_S: Final = 3.0  # the first look finds out what a server can do


def main(count: int, seconds: float, *, is_watched: bool, config: str) -> None:
    """Load, let it settle, and measure."""
    hints = {f"setting_{number}": Secret[str] for number in range(count)}
    cls: type[Settings] = types.new_class("Many", (Settings,), {}, lambda body: body.update(__annotations__=hints))
    loaded = load(cls, files=[config], environ=os.environ)
    if not is_watched:
        close(loaded)
    time.sleep(SETTLE_S)
    before_s, start = time.process_time(), time.monotonic()
    time.sleep(seconds)
    cpu_s, wall_s = time.process_time() - before_s, time.monotonic() - start
    status = Path("/proc/self/status").read_text(encoding="ascii")
    rss_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    length = sum(len(one.reveal()) for one in vars(loaded).values())
    print(json.dumps({"cpu_s": cpu_s, "wall_s": wall_s, "rss_kib": rss_kib, "length": length}))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), is_watched=sys.argv[3] == "watched", config=sys.argv[4])
