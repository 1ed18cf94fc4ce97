"""Sets keys of one Secrets.toml, as one of several processes: keys of its own, and keys that all of them set."""

import os
import sys

from wellkept.crypto.source import SecretsSource
from wellkept.model import Reference

SHARED = 4


def key_of(who: int, number: int) -> str:
    """The key of one change: every other one is for a key that all processes set."""
    return f"shared.key{number // 2 % SHARED}" if number % 2 else f"own{who % 3}.key{who}-{number}"


def main(file: str, who: int, changes: int) -> None:
    """Wait until all are ready; then set each key to a text that tells who did it, and when."""
    source = SecretsSource(os.environ)
    source.fetch(Reference("enc", ("start",), base=file))  # it loads what it needs
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(changes):
        path = tuple(key_of(who, number).split("."))
        source.write(Reference("enc", path, base=file), f"CANARY {who} {number}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
