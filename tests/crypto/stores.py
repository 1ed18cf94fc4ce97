"""Stores of twenty values, each in a folder of its own, on which one command runs under strace; and what they hold."""

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.crypto.traced import Traced, run_traced
from tests.secrets_files import environ_of, secrets_file
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.store import TEMPORARY, SecretsFile
from wellkept.model import Reference

VALUES = {f"db{number % 3}.key{number}": f"CANARY-{number}" for number in range(20)}
WELLKEPT = (sys.executable, "-m", "wellkept")
NAME = "Secrets.toml"


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        values: each value, by its key.
        recipients: the names of those who may open it.
    """

    values: Mapping[str, object] = field(repr=False)
    recipients: Sequence[str]


def content_of(file: Path) -> Content:
    """Open all that a file holds."""
    opened = SecretsFile(str(file), environ_of()).open()
    assert not opened.text.flaws
    assert not list(opened.text.repeated())
    values = {".".join(entry.path): opened.value(entry) for (entry,) in opened.text.secrets.values()}
    assert not [name for name, value in values.items() if isinstance(value, Refusal)]
    return Content(values, [access.name for access in opened.header.accesses])


def names_beside(file: Path) -> Sequence[str]:
    """All that stands in the folder of a file, with that file."""
    return sorted(one.name for one in file.parent.iterdir())


def environ_for_children(folder: Path) -> Mapping[str, str]:
    """The variables of a command that opens the stores, and whose calls do not depend on what others compiled."""
    compiled = str(folder / "compiled")
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPYCACHEPREFIX": compiled, **environ_of()}


class Stores:
    """Makes stores that are all the same, runs one command on each, and judges what became of them.

    Attributes:
        old: what stands in each before.
        before: the same, opened.
        whole: a run that nothing disturbs.
        new: the file that it made.
    """

    def __init__(
        self,
        folder: Path,
        words: Sequence[str],
        *,
        mode: int = 0o600,
        owner: int | None = None,
        within: Sequence[str] = (),
    ) -> None:
        """Run it twice: it compiles what it imports, so that from the second run on the calls are the same.

        Args:
            folder: where to make them.
            words: what follows `wellkept`; the command gets a value on stdin.
            mode: of each file.
            owner: of each file, where it is not this user.
            within: a command that runs it.
        """
        self._folder, self._mode = folder, mode
        self._owner = os.geteuid() if owner is None else owner
        self._environ = environ_for_children(folder)
        self._numbers = count()
        self.old = secrets_file(folder / NAME, VALUES).read_bytes()
        self.before = content_of(folder / NAME)
        self._command: Sequence[str] = [*WELLKEPT, *words]
        self.run()
        self._command = [*within, *self._command]
        self.whole, self.new = self.run()

    def run(self, *inject: str) -> tuple[Traced, Path]:
        """Run it on a new store; the file of that."""
        folder = self._folder / f"secrets-{next(self._numbers)}"
        folder.mkdir()
        (folder / f"{TEMPORARY}left").touch(mode=0o600)  # by a writer that was killed
        file = folder / NAME
        file.write_bytes(self.old)
        file.chmod(self._mode)
        if self._owner != os.geteuid():
            os.chown(file, self._owner, self._owner)
        done = run_traced(folder, self._command, self._environ, inject, "CANARY-new\n")
        assert "CANARY" not in done.said
        return done, file

    def judge_old(self, file: Path) -> None:
        """It is the file that was there, to the byte."""
        assert file.read_bytes() == self.old
        assert content_of(file) == self.before
        self._judge_mode(file)

    def judge_new(self, file: Path) -> None:
        """It is the file that the whole run made; only ciphertexts differ."""
        assert content_of(file) == content_of(self.new)
        assert self._new_lines(file) == self._new_lines(self.new)
        self._judge_mode(file)

    def judge_next(self, file: Path) -> None:
        """The next change goes well, and clears away what is left."""
        before = content_of(file)
        SecretsSource(environ_of()).write(Reference("enc", ("after",), base=str(file)), "CANARY-after")
        assert content_of(file) == Content({**before.values, "after": "CANARY-after"}, before.recipients)
        assert names_beside(file) == [NAME]
        self._judge_mode(file)

    def _new_lines(self, file: Path) -> Sequence[int]:
        """The numbers of the lines that the old file has not."""
        known = set(self.old.splitlines())
        return [number for number, line in enumerate(file.read_bytes().splitlines()) if line not in known]

    def _judge_mode(self, file: Path) -> None:
        """It has the mode and the owner that it had, and what a killed writer left can be read by nobody else."""
        status = file.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (self._mode, self._owner)
        for one in file.parent.glob(f"{TEMPORARY}*"):
            assert stat.S_IMODE(one.stat().st_mode) in {0o600, self._mode}
