"""Runs a command under strace, which tells its calls, and kills it at one of them or lets some fail."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wellkept.crypto.store import TEMPORARY

CALLS = "openat,flock,fchmod,fchown,write,fsync,close,?rename,?renameat,?renameat2,?unlink,?unlinkat"
_CALL = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) +=.*| +<unfinished \.\.\.>)")
_RANDOM = re.compile(rf"{re.escape(TEMPORARY)}\w+")


@dataclass(frozen=True)
class Call:
    """One call of the main thread.

    Attributes:
        name: as strace names it.
        number: how many calls of that name there have been, with this one.
        text: its arguments, with `FOLDER` for the folder and `*` for what is random.
    """

    name: str
    number: int
    text: str

    @property
    def kind(self) -> str:
        """Its name on every machine: `rename` for `renameat2`."""
        return re.sub("at2?$", "", self.name)

    @property
    def is_change(self) -> bool:
        """Whether it changes something in the folder."""
        is_here = "FOLDER" in self.text.removeprefix("AT_FDCWD<FOLDER>")  # which is the current one
        return is_here and (self.kind not in {"open", "flock", "close"} or "O_CREAT" in self.text)

    def killed(self) -> str:
        """What makes strace kill the process as it makes this call, which is not made any more."""
        return f"inject={self.name}:signal=KILL:when={self.number}"

    def failing(self, error: str) -> str:
        """What makes strace let this call fail, and nothing is done."""
        return f"inject={self.name}:error={error}:when={self.number}"


@dataclass(frozen=True)
class Traced:
    """A command that has ended.

    Attributes:
        code: its exit code, below 0 for a signal.
        said: all that it printed.
        calls: its calls, in order.
    """

    code: int
    said: str
    calls: Sequence[Call]

    @property
    def changes(self) -> Sequence[Call]:
        """The calls that change something in the folder."""
        return [call for call in self.calls if call.is_change]


def run_traced(
    folder: Path, command: Sequence[str], environ: Mapping[str, str], inject: Sequence[str] = (), given: str = ""
) -> Traced:
    """Run a command in a folder; its trace, without what it reads and writes, stands beside that folder."""
    trace = folder.with_name(f"{folder.name}.trace")
    options = [word for one in (f"trace={CALLS}", *inject) for word in ("-e", one)]
    done = subprocess.run(
        ["strace", "-f", "-y", "-s", "0", "-o", str(trace), *options, *command],
        cwd=folder,
        env=environ,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return Traced(done.returncode, done.stdout + done.stderr, _calls(trace.read_text(encoding="utf-8"), folder))


def _calls(trace: str, folder: Path) -> Sequence[Call]:
    calls: list[Call] = []
    numbers: dict[str, int] = {}
    main = trace.partition(" ")[0]  # strace counts for each thread, and the main one begins
    for line in trace.splitlines():
        found = _CALL.match(line)
        if found is not None and found[1] == main:
            numbers[found[2]] = numbers.get(found[2], 0) + 1
            text = _RANDOM.sub(f"{TEMPORARY}*", found[3].replace(str(folder), "FOLDER"))
            calls.append(Call(found[2], numbers[found[2]], text))
    return calls
