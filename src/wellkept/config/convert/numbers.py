"""Numbers and truth values.

Text is read as Python reads it, in ASCII digits, `_` between them allowed; but no space may
stand around it, as in Ballerina. What would cost time or memory without end is refused: more
digits than Python reads by default, exponents beyond IEEE 754's decimal128.
"""

import math
from decimal import Decimal

from wellkept._patterns import pattern
from wellkept._toml.limits import MAX_DIGITS
from wellkept.config.convert.converter import INVALID
from wellkept.config.convert.scalars import Scalar

_MAX_BITS = 14_285  # of a number of 4300 digits
_MAX_EXPONENT, _MIN_EXPONENT = 6144, -6176  # IEEE 754-2008 decimal128, which is Ballerina's decimal

_WHOLE = pattern(r"[+-]?[0-9]+(?:_[0-9]+)*")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = pattern(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?[0-9]{{1,9}})?")
_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _parse_whole(text: str) -> object:
    if len(text) > MAX_DIGITS or not _WHOLE.fullmatch(text):
        return INVALID
    try:
        return int(text)
    except ValueError:  # an interpreter that was told to read fewer digits
        return INVALID


def _take_whole(value: int) -> object:
    is_fit = not isinstance(value, bool) and value.bit_length() <= _MAX_BITS
    return int(value) if is_fit else INVALID


def _parse_float(text: str) -> object:
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
        return INVALID
    return _finite(float(text))


def _take_float(value: float | Decimal) -> object:
    if isinstance(value, bool):
        return INVALID
    try:
        return _finite(float(value))
    except (OverflowError, ValueError):  # a whole number beyond all floats; a signalling NaN
        return INVALID


def _finite(value: float) -> object:
    return value if math.isfinite(value) else INVALID


def _parse_decimal(text: str) -> object:
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
        return INVALID
    return _bounded(Decimal(text))


def _take_decimal(value: float | Decimal) -> object:
    if isinstance(value, Decimal):
        return _bounded(value)
    if isinstance(value, int):
        return INVALID if _take_whole(value) is INVALID else Decimal(value)
    return _bounded(Decimal(repr(float(value))))  # of a JSON answer: its shortest text is what was written there


def _bounded(value: Decimal) -> object:
    if not value.is_finite():
        return INVALID
    exponent = value.as_tuple().exponent
    is_fit = isinstance(exponent, int) and exponent >= _MIN_EXPONENT and value.adjusted() <= _MAX_EXPONENT
    return value if is_fit else INVALID


def _parse_truth(text: str) -> object:
    return _TRUTHS.get(text.lower(), INVALID)


WHOLE = Scalar("a whole number", "8080", _parse_whole, {"type": "integer"}, (int,), _take_whole)
FLOAT = Scalar("a number", "0.5", _parse_float, {"type": "number"}, (int, Decimal, float), _take_float)
DECIMAL = Scalar(
    "an exact decimal number", "19.99", _parse_decimal, {"type": "number"}, (int, Decimal, float), _take_decimal
)
TRUTH = Scalar("true or false", "true", _parse_truth, {"type": "boolean"}, (bool,))
