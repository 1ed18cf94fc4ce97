"""Which files are read, and in which order: BAL_CONFIG_FILES, BAL_CONFIG_DATA, or the implicit two."""

import os
from collections.abc import Mapping, Sequence

from wellkept._dataclasses import dataclass
from wellkept._toml.document import TomlFault
from wellkept.config.layers.documents import SECRETS_FILE
from wellkept.config.layers.say import Heard
from wellkept.errors import Problem, UsageError
from wellkept.origin import Origin

FILES_VARIABLE = "BAL_CONFIG_FILES"
DATA_VARIABLE = "BAL_CONFIG_DATA"
CONFIG_FILE = "Config.toml"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files of one load.

    Attributes:
        paths: files and directories, the strongest first.
        data: the text of BAL_CONFIG_DATA instead, or None.
        are_implicit: whether they are the two of the current folder, which must not overlap.
    """

    paths: tuple[str, ...]
    data: str | None = None
    are_implicit: bool = False


def choose_files(files: Sequence[str | os.PathLike[str]] | None, environ: Mapping[str, str]) -> Chosen:
    """Say what is read: `files`, or what the environment lists, or its data, or the implicit two."""
    if isinstance(files, (str, bytes, os.PathLike)):
        raise UsageError("files: expected a list of paths", hint="write files=[…]")
    if files is not None:
        return Chosen(tuple(os.fspath(one) for one in files))
    if FILES_VARIABLE in environ:
        return Chosen(tuple(one for one in environ[FILES_VARIABLE].split(os.pathsep) if one))
    if DATA_VARIABLE in environ:
        return Chosen((), data=environ[DATA_VARIABLE])
    return Chosen(tuple(one for one in (CONFIG_FILE, SECRETS_FILE) if os.path.lexists(one)), are_implicit=True)


def is_mount(path: str) -> bool:
    """Whether an entry is a mounted directory; one named like a file is a bind mount that went wrong."""
    return os.path.isdir(path) and not path.endswith(".toml")  # noqa: PTH112 hot: pathlib costs ten times as much


def overlap(name: str, first: Origin, second: Origin) -> Problem:
    """The problem of a key that stands in both of the implicit files."""
    return Problem(
        name,
        f"stands in both {CONFIG_FILE} and {SECRETS_FILE}: {first} and {second}",
        second.place,
        f"keep the one in {SECRETS_FILE}, remove the other",
    )


def broken(name: str, fault: TomlFault) -> Heard:
    """What is heard of a file that is no TOML."""
    heard = Heard()
    place = name if fault.line is None else f"{name}:{fault.line}:{fault.column}"
    hint = fault.hint or "correct it there"
    if fault.fact.startswith("repeats ") and os.path.basename(name) == SECRETS_FILE:  # noqa: PTH119 text in
        hint = "a merge left both: wellkept list names them, and wellkept set KEY --line N keeps one"
    heard.refuse(Problem(name, fault.fact, place, hint, fault.kind))
    return heard
