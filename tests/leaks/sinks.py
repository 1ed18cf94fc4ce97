"""The registry of the leak matrix: a sink is one function, and a decorator puts it into the table.

A sink does what leaks, and returns the text or bytes that come out. It may raise: then the error is
what comes out.

- An object-level sink is given what holds the value, and may not show it at all.
- A use-site sink is given the text that was revealed. Each says what closes it, or why it is open.
"""

import importlib
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from tests.leaks.canaries import shows

Held: TypeAlias = Any  # a sink is tried with plain text, and with what other libraries hold secrets in, too
Foreign: TypeAlias = Any  # of a library that has no types, or that may not be there
Show = Callable[[Held], str | bytes]


class Outcome(StrEnum):
    """What became of a value in a sink."""

    LEAKS = "leaks"
    HIDDEN = "hidden"
    REFUSED = "refused"


class Means(StrEnum):
    """What closes a use-site sink."""

    REPR = "the masked `repr` of revealed text"
    PICKLE = "revealed text refuses to be pickled"
    FORMAT = "masking in `logging.Handler.format`"
    MESSAGE = "masking in `logging.LogRecord.getMessage`"
    EXCEPTHOOK = "masking in `sys.excepthook`"
    THREADS = "masking in `threading.excepthook`"
    UNRAISABLE = "masking in `sys.unraisablehook`"
    WARNINGS = "masking in `warnings.formatwarning`"
    STDERR = "masking of `sys.stderr`"

    @property
    def needs_masking(self) -> bool:
        """Whether it is the masker that closes the sink, and not the type of the revealed text."""
        return self not in {Means.REPR, Means.PICKLE}


@dataclass(frozen=True, slots=True)
class Sink:
    """One way in which a value that is held leaks.

    Attributes:
        group: the section of the table.
        name: what is done.
        show: does it.
        is_slow: whether it starts an interpreter; then it is tried with fewer values.
    """

    group: str
    name: str
    show: Show
    is_slow: bool = False

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True)
class UseSite(Sink):
    """One way in which a value that was revealed leaks.

    Attributes:
        closed_by: what closes it, or None where nothing does.
        open_because: why nothing closes it, or what stays open.
        cuts_at: how long a value is at most that the sink never cuts, or None where it cuts none.
            A part of a value is not known to the masker.
    """

    closed_by: Means | None = None
    open_because: str | None = None
    cuts_at: int | None = None

    def closes(self, text: str) -> bool:
        """Whether this text is said not to leak."""
        return self.closed_by is not None and (self.cuts_at is None or len(text) <= self.cuts_at)


OBJECT_SINKS: list[Sink] = []
USE_SITES: list[UseSite] = []


class Lacking(Exception):
    """What a sink needs, and what this machine has not.

    Attributes:
        is_for_good: whether this version of Python, or this system, never has it.
    """

    def __init__(self, reason: str, *, is_for_good: bool = False) -> None:
        super().__init__(reason)
        self.is_for_good = is_for_good


def object_sink(group: str, name: str, *, is_slow: bool = False) -> Callable[[Show], Show]:
    """Put a function into the table of object-level sinks."""

    def register(show: Show) -> Show:
        OBJECT_SINKS.append(Sink(group, name, show, is_slow))
        return show

    return register


def use_site(
    group: str,
    name: str,
    *,
    is_slow: bool = False,
    closed_by: Means | None = None,
    open_because: str | None = None,
    cuts_at: int | None = None,
) -> Callable[[Show], Show]:
    """Put a function into the table of use-site sinks."""

    def register(show: Show) -> Show:
        USE_SITES.append(UseSite(group, name, show, is_slow, closed_by, open_because, cuts_at))
        return show

    return register


def package(name: str) -> Foreign:
    """Import what a sink is about.

    Raises:
        Lacking: it is not installed.
    """
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # cgitb says that it will go
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        lacking = error.name
    raise Lacking(f"{lacking} is not installed", is_for_good=lacking == "cgitb")  # Python 3.13 dropped it


def outcome(show: Show, held: object, tell: Callable[[BaseException], str] | None = None) -> Outcome:
    """What a sink does to a value; what an error tells is output, too: by default, everything."""
    try:
        output = show(held)
    except Lacking:
        raise
    except Exception as error:  # noqa: BLE001 whatever it is, it must not show the value
        return Outcome.LEAKS if shows((tell or everything)(error)) else Outcome.REFUSED
    return Outcome.LEAKS if shows(output) else Outcome.HIDDEN


def everything(error: BaseException) -> str:
    """All that an error shows to whoever looks, the locals of its frames too."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join([spoken(error), *trace.format()])


def spoken(error: BaseException) -> str:
    """What an error shows by itself, in its attributes, and by what it is chained to or holds."""
    chain: list[BaseException | None] = [error.__cause__, error.__context__]
    if isinstance(error, BaseExceptionGroup):
        chain += error.exceptions
    own = [str(error), repr(error), repr(error.args), repr(vars(error))]
    return "\n".join([*own, *(spoken(one) for one in chain if one is not None)])
