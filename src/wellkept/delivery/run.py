"""Becoming the child: plain execve, so that signals and the exit code are the child's own."""

import os
import signal
from collections.abc import Mapping, Sequence
from typing import NoReturn

from wellkept._files import write_private
from wellkept._patterns import pattern
from wellkept.errors import EXIT_RUN_FAILED, UsageError

_FILE_NAME = pattern(r"(?!\.)[\w.-]{1,200}")  # the keys of a Kubernetes Secret, and no hidden files


class RunFailed(UsageError):
    """The command could not be started."""

    exit_code = EXIT_RUN_FAILED


def execute(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the command.

    Raises:
        RunFailed: there is no such command, or it cannot be started.
    """
    program = _find(command[0], environ.get("PATH", os.defpath))
    if program is None:
        environ = {}  # a traceback may show this frame
        raise RunFailed(f"{command[0]}: no such command", hint="write its path, or look at PATH")
    # Python ignores these two, and a child would inherit that: `yes | head` would not end.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    reason = ""
    try:
        os.execve(program, list(command), dict(environ))  # noqa: S606 no shell is the point
    except (OSError, ValueError) as error:  # a ValueError is a NUL in a value, and its text would hold none
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "a value holds a NUL"
    environ = {}
    for number, handler in before.items():  # still here: the command did not start
        signal.signal(number, handler)
    raise RunFailed(f"{command[0]}: cannot be started ({reason})", hint="try it without wellkept run")


def _find(name: str, path: str) -> str | None:
    """The program that a name means; `shutil.which` does the same, and takes 2 ms to load."""
    folders = [""] if os.sep in name else path.split(os.pathsep) if path else []
    places = (os.path.join(folder, name) for folder in folders)  # noqa: PTH118 pathlib takes 1 ms to load
    return next((one for one in places if os.path.isfile(one) and os.access(one, os.X_OK)), None)  # noqa: PTH113 as above


def write_files(folder: str, values: Mapping[str, str]) -> None:
    """Write each value as a file of mode 0600 into a folder of mode 0700.

    Raises:
        RunFailed: the folder cannot be made, or a name could lead out of it; nothing is written then.
        FileFault: a file cannot be written.
    """
    odd = next((name for name in values if not _FILE_NAME.fullmatch(name)), None)
    if odd is not None:
        values = {}  # a traceback may show this frame
        raise RunFailed(f"{odd!a}: is no name for a file", hint="give the key letters, digits, . _ and - only")
    reason = ""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 as above
    except OSError as error:
        reason = os.strerror(error.errno or 0)
    if reason:
        values = {}  # a traceback may show this frame
        raise RunFailed(f"{folder}: cannot be made a folder ({reason})", hint="name another one with --files")
    for name, value in values.items():
        write_private(os.path.join(folder, name), value.encode(errors="surrogateescape"))  # noqa: PTH118 as above
