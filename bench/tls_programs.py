"""Runs the programs of the TLS measurements, which find the certificates and servers of the tests.

They are started in the root of the repository as `-m bench.programs.…`, and print lines of JSON.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from harness import read_output

ROOT: Final = Path(__file__).parents[1]


def run_program(name: str, *arguments: object) -> list[dict[str, Any]]:
    """What a program prints.

    Raises:
        RuntimeError: it failed.
    """
    command = (sys.executable, "-m", f"bench.programs.{name}", *map(str, arguments))
    return [json.loads(line) for line in read_output(command, folder=str(ROOT)).splitlines()]


def scaled(count: int) -> int:
    """A count, or the share of it that the variable BENCH_SCALE says: 0.1 is enough to see that all works."""
    return max(1, round(count * float(os.environ.get("BENCH_SCALE", "1"))))
