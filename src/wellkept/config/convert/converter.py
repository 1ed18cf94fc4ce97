"""What a converter is, and where in a value it stands.

The rules of this package:

- A converter turns a raw value (from TOML, text, or an answer) into the declared type. What
  it cannot turn it refuses with words made from the *expected* type, never from the value.
- It does not raise for a bad value: it reports to its `At` and returns `INVALID`, so that one
  load finds all problems and no traceback ever holds a value.
- A parent calls its children through `At.apply`, never directly: that is where an answer of
  a source is unwrapped, and where a secret that would land in a plain setting is stopped.
- Strict (TOML): the TOML type must be the declared one. Lax (text): the text is parsed.

This package does no I/O.
"""

from collections.abc import Callable
from typing import Final, Protocol

from wellkept._dataclasses import dataclass, field, replace
from wellkept.errors import Kind, Problem
from wellkept.origin import Origin

Step = str | int


class Invalid:
    """The type of `INVALID`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = Invalid()

# What a Go template writes for a missing key: Vault Agent and consul-template render it without an error.
NO_VALUE: Final = "<no value>"
NO_VALUE_FACT: Final = "was rendered from a key that does not exist"
NO_VALUE_FIX: Final = "correct the key in the template, and let Vault Agent fail: error_on_missing_key = true"


@dataclass(frozen=True, slots=True)
class Answer:
    """A leaf of a raw value that a source answered, in the place of the reference.

    Attributes:
        value: the answer; not in the repr.
        origin: the reference's place, with what answered there.
        is_secret: whether it may only go into a Secret.
    """

    value: object = field(repr=False)
    origin: Origin
    is_secret: bool


class Converter(Protocol):
    """Turns raw values into one declared type."""

    @property
    def expected(self) -> str:
        """What it accepts, in words that follow `expected`: `a whole number`."""
        ...

    @property
    def passes_raw(self) -> bool:
        """Whether it wants bytes and answers as they are (wrappers do, and `bytes`)."""
        ...

    def convert(self, value: object, at: "At") -> object:
        """Return the converted value, or report to `at` and return `INVALID`."""
        ...

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema (2020-12) of the values that TOML may give."""
        ...


@dataclass(frozen=True, slots=True)
class At:
    """Where a converter stands: which setting, which place, how strict, and whom to tell.

    Attributes:
        setting: the dotted Python name, with steps below it: `backends[2].port`.
        origin: the place of the value here.
        problems: the list that problems join.
        place_of: the origin of a path of steps below the setting.
        path: the steps from the setting down to here.
        is_strict: whether the value has TOML's types.
        in_secret: whether a Secret is around it.
        base: the folder where a relative path starts, or None for the current one.
    """

    setting: str
    origin: Origin
    problems: list[Problem]
    place_of: Callable[[tuple[Step, ...]], Origin]
    path: tuple[Step, ...] = ()
    is_strict: bool = True
    in_secret: bool = False
    base: str | None = None

    def refuse(self, message: str, hint: str | None = None, kind: Kind = Kind.INVALID) -> Invalid:
        """Report a problem here and return `INVALID`.

        Args:
            message: the fact, made from the expected type: `expected a whole number`.
            hint: the fix, or None for a general one.
            kind: what sort of problem.
        """
        fix = hint or ("write it as TOML of that type" if self.is_strict else "write it in that form")
        self.problems.append(Problem(self.setting, message, self.origin.place, fix, kind))
        return INVALID

    def below(self, step: Step) -> "At":
        """The place one step further down: a key of a table or an index of a list."""
        path = (*self.path, step)
        name = f"{self.setting}[{step}]" if isinstance(step, int) else f"{self.setting}.{step}"
        return replace(self, setting=name, path=path, origin=self.place_of(path))

    def trial(self) -> "At":
        """The same place with a list of problems of its own, to try a member of a union."""
        return replace(self, problems=[])

    def apply(self, converter: Converter, value: object) -> object:
        """Convert a value that stands here: the only door between converters."""
        if converter.passes_raw:
            return converter.convert(value, self)
        if isinstance(value, Answer):
            return self._apply_answer(converter, value)
        if isinstance(value, bytes):
            text = _decoded(value)
            if text is None:
                return self.refuse("expected text in UTF-8", "write the file in UTF-8, or declare bytes")
            value = text
        if isinstance(value, str) and NO_VALUE in value:
            return self.refuse(NO_VALUE_FACT, NO_VALUE_FIX)
        return converter.convert(value, self)

    def of_answer(self, answer: Answer) -> "At":
        """The same place as seen by an answer: lax, because a source gives text."""

        def place_of(_path: tuple[Step, ...]) -> Origin:
            return answer.origin

        return replace(self, origin=answer.origin, place_of=place_of, is_strict=False)

    def refuse_answer(self, answer: Answer) -> Invalid | None:
        """Stop a secret on its way into a plain setting; None where it may go on."""
        if not answer.is_secret or self.in_secret:
            return None
        is_sealed = answer.origin.answer == answer.origin.place  # in Secrets.toml, where nobody writes a reference
        other = "put it into Config.toml" if is_sealed else "write ?plain=true in the reference"
        return replace(self, origin=answer.origin).refuse(
            "takes a reference to a secret, but is no Secret", f"declare it as Secret[…], or {other}"
        )

    def _apply_answer(self, converter: Converter, answer: Answer) -> object:
        refused = self.refuse_answer(answer)
        return refused if refused is not None else self.of_answer(answer).apply(converter, answer.value)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
