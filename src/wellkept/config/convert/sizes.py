"""Sizes: a number of bytes, or text with a unit; `Size` says which units."""

from wellkept.config.convert.converter import INVALID
from wellkept.config.convert.numbers import WHOLE
from wellkept.config.convert.scalars import Scalar
from wellkept.config.types import SIZE_FORM, Size


def _parse(text: str) -> object:
    size = Size.parse(text)
    return INVALID if size is None else size


def _take(value: int) -> object:
    if WHOLE.take(value) is INVALID:
        return INVALID
    size = Size.of(value)
    return INVALID if size is None else size


SIZE = Scalar(
    "a size (10 MiB)",
    "10 MiB",
    _parse,
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{SIZE_FORM}$"}]},
    (int,),
    _take,
    is_text=True,
)
