"""A scheme that can be written, offered by a package as a user's would be, and a command line to run with it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENTRY_POINTS = "[wellkept.providers]\nshelf = shelf:open_source\n"

# What it holds stands in a file, so that the next command finds it.
MODULE = """
import json
import time
from pathlib import Path

from wellkept.model import Reference
from wellkept.testing import MemorySource

LOG = Path(__file__).with_name("shelf.secret")


class Shelf(MemorySource):
    options = ("side",)

    def __init__(self, environ):
        super().__init__()
        self.deny("denied/db")
        for line in LOG.read_text().splitlines():
            path, value = json.loads(line)
            self.remove(path) if value is None else self.put(path, value)
        if "SHELF_IS_DOWN" in environ:
            self.disconnect()

    def fetch(self, reference):
        if reference.location == "slow/db":
            time.sleep(0.8)
        if reference.location == "broken/db":
            raise RuntimeError("CAN" "ARY of a foreign error")
        return super().fetch(reference)

    def write(self, reference, value, *, expected_version=None):
        version = super().write(reference, value, expected_version=expected_version)
        whole = None if version is None else self.fetch(Reference(reference.scheme, reference.path)).value
        with LOG.open("a") as log:
            log.write(json.dumps([reference.location, whole]) + "\\n")
        return version


def open_source(environ):
    return Shelf(environ)
"""


# What a command says that has taken half a second: on a crowded machine each may.
PATIENCE = re.compile(r"^(?:(?:waiting for|asking|connecting to) .*|encrypting .* again) …\n", re.MULTILINE)


@dataclass
class Done:
    """What a command printed, and its code; what it said of waiting stands apart from its errors."""

    out: str
    err: str
    code: int
    waits: str = ""

    @property
    def document(self) -> object:
        """The JSON document that it printed."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs wellkept in a folder of its own, where the scheme `shelf` is installed."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment of a command."""
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        home = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**coverage, **home, "PYTHONPATH": str(self.folder)}

    def __call__(self, *words: str, given: bytes = b"", environ: Mapping[str, str] | None = None) -> Done:
        """Run one command, with these bytes on its stdin."""
        done = subprocess.run(
            [sys.executable, "-m", "wellkept", *words],
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            input=given,
            capture_output=True,
            check=False,
            timeout=50,
        )
        err = done.stderr.decode()
        waits = "".join(PATIENCE.findall(err))
        return Done(done.stdout.decode(errors="surrogateescape"), PATIENCE.sub("", err), done.returncode, waits)

    def put(self, path: str, value: object) -> None:
        """Put the next version of a path on the shelf."""
        with (self.folder / "shelf.secret").open("a", encoding="utf-8") as log:
            log.write(json.dumps([path, value]) + "\n")

    def newest(self, path: str) -> object:
        """What stands on the shelf under a path now."""
        lines = (self.folder / "shelf.secret").read_text(encoding="utf-8").splitlines()
        return dict(map(json.loads, lines)).get(path)


def command_line(folder: Path) -> CommandLine:
    """Install the scheme with an empty shelf in a folder, and return the command line there."""
    info = folder / "shelf-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (folder / "shelf.secret").touch(mode=0o600)
    (folder / "shelf.py").write_text(MODULE, encoding="utf-8")
    return CommandLine(folder)
