"""What one layer says of one setting, and what reading a layer brings. No I/O here."""

from collections.abc import Callable
from enum import StrEnum

from wellkept._dataclasses import dataclass, field
from wellkept.config.convert.converter import Step
from wellkept.errors import Kind, Problem
from wellkept.origin import Origin

MOST_GUESSES = 32  # did-you-mean compares with every setting, and a file may hold 10,000 keys

Form = tuple[str, ...]  # the canonical path of a setting, see _names.py


class Refers(StrEnum):
    """Whether a text of a layer may hold references: only what a person wrote may."""

    STRICT = "strict"  # every `${` must begin one (TOML, references in code)
    LENIENT = "lenient"  # well-formed ones to known schemes; the rest is text
    SEALED = "sealed"  # Secrets.toml: every value is a ciphertext, and nothing else
    NEVER = "never"  # mounted entries, the contents of files, overrides


@dataclass(frozen=True, slots=True)
class Say:
    """One layer's word on one setting.

    Attributes:
        origin: where it stands.
        raw: what stands there, not converted; not in the repr.
        is_strict: whether it has TOML's types.
        refers: whether it may refer.
        place_of: the origin of a path of steps inside it.
        base: the folder where relative paths in it start, or None for the current one; of
            Secrets.toml, the file itself.
        path: the steps of its key in its document; none for what has no document.
    """

    origin: Origin
    raw: object = field(repr=False)
    is_strict: bool
    refers: Refers
    place_of: Callable[[tuple[Step, ...]], Origin]
    base: str | None = None
    path: tuple[Step, ...] = ()


def say_text(origin: Origin, raw: str | bytes, refers: Refers, base: str | None = None) -> Say:
    """A word that is text: a variable, an argument, a mounted entry."""
    return Say(origin, raw, is_strict=False, refers=refers, place_of=lambda _path: origin, base=base)


@dataclass(slots=True)
class Heard:
    """What one layer said.

    Attributes:
        says: its word on each setting that it mentions.
        problems: what is wrong with it.
        spoilt: settings with a problem here already, so that they are not called missing too.
        notices: pairs of subject and detail that are worth an event, but no problem.
        warnings: problems that are warnings unless permissions are strict.
        providers: names and tables of `[wellkept.providers.NAME]`.
        own: what `[wellkept]` itself says.
    """

    says: dict[Form, Say] = field(default_factory=dict[Form, Say])
    problems: list[Problem] = field(default_factory=list[Problem])
    spoilt: set[Form] = field(default_factory=set[Form])
    notices: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    warnings: list[Problem] = field(default_factory=list[Problem])
    providers: list[tuple[str, Say]] = field(default_factory=list[tuple[str, Say]])
    own: dict[str, object] = field(default_factory=dict[str, object])

    def hear(self, form: Form, say: Say) -> None:
        """Take a word; two spellings of one name in one layer must agree."""
        first = self.says.setdefault(form, say)
        if first is not say and first.raw != say.raw:
            self.refuse(
                Problem(
                    ".".join(form),
                    f"is given twice and differently: {first.origin} and {say.origin}",
                    say.origin.place,
                    "names are equal without _ and case: leave one of them out",
                ),
                form,
            )

    @property
    def is_overrun(self) -> bool:
        """Whether there are so many problems that looking for meant names helps nobody any more."""
        return len(self.problems) >= MOST_GUESSES

    def refuse(self, problem: Problem, form: Form | None = None) -> None:
        """Take a problem, and the setting that it spoils."""
        self.problems.append(problem)
        if form is not None:
            self.spoilt.add(form)


def unknown(name: str, message: str, place: str | None, hint: str) -> Problem:
    """The problem of a name that no setting has."""
    return Problem(name, message, place, hint, Kind.UNKNOWN)
