"""Follows a file, and says how its secret stands whenever that is another way.

    python -m tests.refresh.programs.standing PATH

At first it says what `explain` says; when its stdin ends, it asks for the value once more.
"""

import sys
import threading
import time
from pathlib import Path

from tests.refresh.programs.telling import App, load_file, number, tell
from wellkept import explain, status


def watch(config: App, ends: threading.Event) -> None:
    """Say how it stands, until it ends."""
    before = None
    while not ends.wait(0.05):
        (secret,) = status().secrets
        now = number(config.db_password), str(secret.state), secret.failure
        if now != before:
            before = now
            tell(number=now[0], state=now[1], failure=now[2])


def main(path: Path) -> None:
    """Follow."""
    config, ends = load_file(path), threading.Event()
    tell(never_updated="never updated" in str(explain(config)))
    watching = threading.Thread(target=watch, args=(config, ends))
    watching.start()
    sys.stdin.read()
    for _ in range(10):  # for longer than an answer is good enough for it
        config.db_password.refresh()
        time.sleep(0.1)
    tell(at_the_end=number(config.db_password))
    ends.set()
    watching.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
