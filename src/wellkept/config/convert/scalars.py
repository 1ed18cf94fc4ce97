"""The converter of a value that is one by itself: a number, a time, an address.

Each type of that kind is one `Scalar`, a row of facts: what it is called, which of TOML's
types it takes, how its text is read.
"""

from collections.abc import Callable, Mapping
from typing import Any

from wellkept._dataclasses import dataclass, field
from wellkept.config.convert.converter import INVALID, At


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class Scalar:
    """One type of values without parts.

    Attributes:
        expected: what it accepts, in words.
        example: a value of it as text, for hints.
        parse: makes it of text; `INVALID` for any other text. Never raises.
        schema: the JSON Schema of what TOML may give.
        natives: the types of values, other than text, that it takes.
        take: makes it of a value of these types; `INVALID` for one that does not fit.
        is_text: whether TOML may write it in quotes.
        passes_raw: never: bytes come as text.
    """

    expected: str
    example: str
    parse: Callable[[str], object]
    schema: Mapping[str, object]
    natives: tuple[type, ...] = ()
    take: Callable[[Any], object] = _as_it_is
    is_text: bool = False
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the converted value, or report to `at` and return `INVALID`."""
        made: object = INVALID
        if isinstance(value, self.natives):
            made = self.take(value)
        elif isinstance(value, str) and (self.is_text or not at.is_strict):
            made = self.parse(value)
        if made is INVALID:
            return at.refuse(f"expected {self.expected}", self._fix(value, at))
        return made

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the values that TOML may give."""
        return dict(self.schema)

    def _fix(self, value: object, at: At) -> str:
        """What to write instead; of the value only whether it is text matters."""
        if not at.is_strict:
            return f"write it as {self.example}, without quotes or spaces around it"
        if self.is_text:
            return (
                f'write it as "{self.example}"' if isinstance(value, str) else f'write it in quotes: "{self.example}"'
            )
        return f"write it without quotes: {self.example}" if isinstance(value, str) else f"write it as {self.example}"
