"""Any value: what `object` and `Any` take, such as the inside of a logging configuration."""

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from wellkept._dataclasses import dataclass, field
from wellkept._toml.limits import MAX_DEPTH
from wellkept.config.convert.converter import INVALID, At
from wellkept.config.convert.keys import at_key
from wellkept.config.convert.literals import structure
from wellkept.config.convert.numbers import FLOAT
from wellkept.config.convert.texts import TEXT


@dataclass(frozen=True, slots=True)
class AnyConverter:
    """Whatever stands there, with Python's own types: a number with a point is a float."""

    expected: str = field(default="a value", init=False)
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the value; text that is a JSON or TOML literal is parsed where text is lax."""
        parsed = structure(value, at)
        if parsed is INVALID:  # text that is no literal is text
            return TEXT.convert(value, at)
        if len(at.path) > MAX_DEPTH:
            return at.refuse("is nested too deep", f"nest at most {MAX_DEPTH} tables or lists")
        if isinstance(parsed, list):
            items = cast("list[object]", parsed)
            made = [at.below(index).apply(self, item) for index, item in enumerate(items)]
            return INVALID if any(one is INVALID for one in made) else made
        if isinstance(parsed, Mapping):
            table = cast("Mapping[str, object]", parsed)
            pairs = {key: at_key(at, key).apply(self, item) for key, item in table.items()}
            return INVALID if any(one is INVALID for one in pairs.values()) else pairs
        number = FLOAT.take(parsed) if isinstance(parsed, Decimal) else INVALID
        return parsed if number is INVALID else number

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema that takes everything."""
        return {}
