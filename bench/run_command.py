"""What `wellkept run` puts before the start of a command that refers to nothing."""

import sys
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from harness import Row, compare_processes


def measure() -> list[Row]:
    """Compare `wellkept run -- true` with `true`.

    Raises:
        RuntimeError: there is no `true` on PATH.
    """
    true = which("true")
    if true is None:
        raise RuntimeError("there is no command true on PATH")
    wellkept = str(Path(sys.executable).with_name("wellkept"))
    with TemporaryDirectory() as folder:
        costs = compare_processes({"true": (true,), "run": (wellkept, "run", "--", true)}, folder=folder)
    added = costs["run"] - costs["true"]
    return [
        Row("`wellkept run -- true` over `true`, wall", added.wall_ms, "ms", most=120),
        Row("`wellkept run -- true` over `true`, CPU", added.cpu_ms, "ms"),
    ]
