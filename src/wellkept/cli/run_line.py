"""The command line of `wellkept run`: its options, written down once, and a quick way to read a plain line.

click takes 25 ms to load, a third of what `run` costs before its command starts. So a line
that has nothing wrong with it is read here; for help, completion and every error, run.py makes
a click command of the same options.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from wellkept._dataclasses import dataclass
from wellkept._names import BALLERINA_PREFIX


class Kind(Enum):
    """How often an option may stand, and whether a value follows it."""

    SWITCH = "switch"
    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        flag: how it is written.
        name: the field of `RunLine`.
        kind: how often it may stand.
        help: what it does.
        metavar: what its value is called.
        default: its value where it is not given, or None.
        is_path: whether its value is a path, for completion.
    """

    flag: str
    name: str
    kind: Kind
    help: str
    metavar: str | None = None
    default: str | None = None
    is_path: bool = False


OPTIONS: Final = (
    Option("--env", "given", Kind.MANY, "Pass a variable; TEXT may hold references.", "NAME=TEXT"),
    Option("--settings", "wants_settings", Kind.SWITCH, "Pass every setting of Config.toml and Secrets.toml."),
    Option("--prefix", "prefix", Kind.ONE, "Prefix of the settings' variables.", default=BALLERINA_PREFIX),
    Option("--files", "folder", Kind.ONE, "Write the settings as files of mode 0600.", "DIR", is_path=True),
    Option("--resolve", "globs", Kind.MANY, "Resolve only these inherited variables.", "GLOB"),
    Option("--pass", "passed", Kind.MANY, "Keep a bootstrap credential.", "NAME"),
    Option("--file", "sources", Kind.MANY, "Read this file, first one strongest.", is_path=True),
)


@dataclass(frozen=True, slots=True)
class RunLine:
    """What a command line says.

    Attributes:
        command_line: the command and its arguments.
        given: each `NAME=TEXT`; not in the repr.
        wants_settings: whether every setting is passed.
        prefix: the prefix of the settings' variables.
        folder: where the settings are written as files, or None.
        globs: which inherited variables are resolved; none for all.
        passed: bootstrap credentials that are kept.
        sources: files that are read; none for the usual ones.
    """

    command_line: Sequence[str]
    given: Sequence[str] = ()
    wants_settings: bool = False
    prefix: str = BALLERINA_PREFIX
    folder: str | None = None
    globs: Sequence[str] = ()
    passed: Sequence[str] = ()
    sources: Sequence[str] = ()

    def __repr__(self) -> str:
        return "RunLine(…)"


def read_line(words: Sequence[str]) -> RunLine | None:
    """Read what follows `wellkept run`; None for whatever click has to have a look at."""
    options = {one.flag: one for one in OPTIONS}
    found: dict[str, object] = {}
    many: dict[str, list[str]] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in {"-", "--"}:
        flag, has_value, value = rest.pop(0).partition("=")
        option = options.get(flag)
        if option is None or (has_value and option.kind is Kind.SWITCH):
            return None
        if option.kind is Kind.SWITCH:
            found[option.name] = True
            continue
        if not has_value:
            if not rest:
                return None
            value = rest.pop(0)
        if option.kind is Kind.MANY:
            many.setdefault(option.name, []).append(value)
        else:
            found[option.name] = value
    if rest[:1] == ["--"]:
        rest = rest[1:]
    return RunLine(rest, **many, **found) if rest else None  # type: ignore[arg-type]  # as OPTIONS says
