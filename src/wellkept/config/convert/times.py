"""Points in time and durations: ISO 8601 as TOML (RFC 3339) has it, and `1h30m`.

TOML has types for points in time, and they may stand in quotes too. A duration is always text.
Months and years are no durations here, because they have no fixed length.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from wellkept._patterns import pattern
from wellkept.config.convert.converter import INVALID
from wellkept.config.convert.scalars import Scalar

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_DATE_FORM = pattern(_DATE)
_CLOCK_FORM = pattern(_CLOCK)
_MOMENT_FORM = pattern(rf"{_DATE}[Tt ]{_CLOCK}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?")

_COUNT = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_SHORT = pattern(
    rf"(?:(?P<weeks>{_COUNT})w ?)?(?:(?P<days>{_COUNT})d ?)?(?:(?P<hours>{_COUNT})h ?)?(?:(?P<minutes>{_COUNT})m ?)?"
    rf"(?:(?P<seconds>{_COUNT})s ?)?(?:(?P<milliseconds>{_COUNT})ms ?)?(?:(?P<microseconds>{_COUNT})us)?"
)
_ISO = pattern(
    rf"P(?:(?P<weeks>{_COUNT})W)?(?:(?P<days>{_COUNT})D)?"
    rf"(?:T(?=[0-9])(?:(?P<hours>{_COUNT})H)?(?:(?P<minutes>{_COUNT})M)?(?:(?P<seconds>{_COUNT})S)?)?"
)


def parse_duration(text: str) -> timedelta | None:
    """Read `30s`, `1h30m`, `1d 12h`, `250ms`, `PT30S` or `P1DT2H`; None for any other text."""
    found = (_ISO if text.startswith("P") else _SHORT).fullmatch(text)
    if found is None or text.endswith(" "):
        return None
    parts: Mapping[str, str | None] = found.groupdict()
    counts = {unit: float(count) if "." in count else int(count) for unit, count in parts.items() if count is not None}
    try:
        return timedelta(**counts) if counts else None
    except OverflowError:  # more than 999,999,999 days
        return None


def _parse_duration(text: str) -> object:
    duration = parse_duration(text)
    return INVALID if duration is None else duration


def _parse_moment(text: str) -> object:
    if not _MOMENT_FORM.fullmatch(text):
        return INVALID
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:  # the 31st of November
        return INVALID


def _parse_date(text: str) -> object:
    if not _DATE_FORM.fullmatch(text):
        return INVALID
    try:
        return date.fromisoformat(text)
    except ValueError:
        return INVALID


def _parse_clock(text: str) -> object:
    if not _CLOCK_FORM.fullmatch(text):
        return INVALID
    try:
        return time.fromisoformat(text)
    except ValueError:
        return INVALID


def _take_date(value: date) -> object:
    return INVALID if isinstance(value, datetime) else value


MOMENT = Scalar(
    "a date and time (2026-11-24T08:30:00Z)",
    "2026-11-24T08:30:00Z",
    _parse_moment,
    {"type": "string", "pattern": f"^{_MOMENT_FORM.pattern}$"},
    (datetime,),
    is_text=True,
)
DATE = Scalar(
    "a date (2026-11-24)",
    "2026-11-24",
    _parse_date,
    {"type": "string", "format": "date"},
    (date,),
    _take_date,
    is_text=True,
)
CLOCK = Scalar(
    "a time of day (08:30:00)",
    "08:30:00",
    _parse_clock,
    {"type": "string", "pattern": f"^{_CLOCK_FORM.pattern}$"},
    (time,),
    is_text=True,
)
DURATION = Scalar(
    "a duration (30s, 1h30m, PT30S)",
    "30s",
    _parse_duration,
    {"type": "string", "pattern": "^(P[0-9WDTHMS.]+|[0-9][0-9.wdhmsu ]*)$"},
    (timedelta,),
    is_text=True,
)
