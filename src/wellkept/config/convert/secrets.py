"""`Secret[T]`: the value is converted as T, then only a handle goes on."""

from wellkept._dataclasses import dataclass, field, replace
from wellkept.config.convert.converter import INVALID, Answer, At, Converter
from wellkept.secret import Secret


@dataclass(frozen=True, slots=True)
class SecretConverter:
    """A secret of some type.

    Attributes:
        inner: the converter of that type.
        passes_raw: always: it wants to know what answered.
    """

    inner: Converter
    passes_raw: bool = field(default=True, init=False)

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return f"a secret: {self.inner.expected}"

    def convert(self, value: object, at: At) -> object:
        """Return the handle, or report to `at` and return `INVALID`."""
        if isinstance(value, Secret):  # from code, inside a list of overrides
            return value  # pyright: ignore[reportUnknownVariableType]  its type is gone at run time
        origin = value.origin if isinstance(value, Answer) else at.origin
        if _is_empty(value.value if isinstance(value, Answer) else value):
            return _refuse_empty(at)
        made = replace(at, in_secret=True).apply(self.inner, value)
        if made is INVALID:
            return INVALID
        if _is_empty(made):
            return _refuse_empty(at)
        return Secret(made, name=at.setting, origin=origin, version=origin.version)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the value: never shown by a form that reads it."""
        return {**self.inner.json_schema(), "writeOnly": True}


def _is_empty(value: object) -> bool:
    return isinstance(value, (str, bytes)) and not value


def _refuse_empty(at: At) -> object:
    return at.refuse("expected a secret that is not empty", "give it a value, or leave it out")
