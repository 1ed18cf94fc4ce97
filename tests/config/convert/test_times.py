"""Points in time, durations and sizes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import count

import pytest

from wellkept.config.convert.times import parse_duration
from wellkept.config.types import Size
from wellkept.errors import Problem

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]

_MOMENT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
_LOCAL = datetime(2026, 11, 24, 8, 30)  # noqa: DTZ001 TOML has local times too


@pytest.mark.parametrize("lax", [False, True])
@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (datetime, _MOMENT, _MOMENT),
        (datetime, "2026-11-24T08:30:00Z", _MOMENT),
        (datetime, "2026-11-24t08:30:00z", _MOMENT),
        (datetime, "2026-11-24 08:30", _LOCAL),
        (datetime, "2026-11-24T10:30:00.000000001+02:00", _MOMENT.astimezone(timezone(timedelta(hours=2)))),
        (date, date(2026, 11, 24), date(2026, 11, 24)),
        (date, "2026-11-24", date(2026, 11, 24)),
        (time, time(8, 30), time(8, 30)),
        (time, "08:30", time(8, 30)),
        (time, "08:30:00.5", time(8, 30, 0, 500_000)),
        (timedelta, timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta, "30s", timedelta(seconds=30)),
        (timedelta, "1h30m", timedelta(hours=1, minutes=30)),
        (timedelta, "1d 12h", timedelta(days=1, hours=12)),
        (timedelta, "2w", timedelta(weeks=2)),
        (timedelta, "250ms", timedelta(milliseconds=250)),
        (timedelta, "1m500ms", timedelta(minutes=1, milliseconds=500)),
        (timedelta, "10us", timedelta(microseconds=10)),
        (timedelta, "1.5h", timedelta(minutes=90)),
        (timedelta, "0s", timedelta(0)),
        (timedelta, "PT30S", timedelta(seconds=30)),
        (timedelta, "P1DT2H", timedelta(days=1, hours=2)),
        (timedelta, "P1W", timedelta(weeks=1)),
        (timedelta, "PT0.5S", timedelta(milliseconds=500)),
        (Size, 10, 10),
        (Size, "10", 10),
        (Size, "10 B", 10),
        (Size, "1kB", 1000),
        (Size, "1.5GB", 1_500_000_000),
        (Size, "10 MiB", 10 * 1024**2),
        (Size, "512Mi", 512 * 1024**2),
        (Size, "2 tib", 2 * 1024**4),
        (Size, "0.3 KiB", 307),
    ],
    ids=map(str, count()),
)
def test_a_good_value_is_taken(convert: Convert, hint: type, value: object, made: object, lax: bool) -> None:
    result = convert(hint, value, lax=lax)
    assert result == made
    assert type(result) is hint


@pytest.mark.parametrize("lax", [False, True])
@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (datetime, "2026-11-24"),
        (datetime, "2026-11-31T00:00:00Z"),
        (datetime, "2026-W48-2T00:00"),
        (datetime, "24.11.2026 08:30"),
        (datetime, date(2026, 11, 24)),
        (datetime, 5),
        (date, _MOMENT),
        (date, "2026-11-31"),
        (date, "20261124"),
        (time, "24:00"),
        (time, "08:30Z"),
        (timedelta, 30),
        (timedelta, "30"),
        (timedelta, ""),
        (timedelta, "30s "),
        (timedelta, "30 s"),
        (timedelta, "1m1h"),
        (timedelta, "-5s"),
        (timedelta, "P"),
        (timedelta, "PT"),
        (timedelta, "P1Y"),
        (timedelta, "P1M"),
        (timedelta, "999999999999999w"),
        (Size, -1),
        (Size, True),
        (Size, "512k"),
        (Size, "5M"),
        (Size, "10 parsecs"),
        (Size, "-1 kB"),
        (Size, ""),
    ],
    ids=map(str, count()),
)
def test_what_is_no_such_value_is_refused(refuse: Refuse, hint: type, value: object, lax: bool) -> None:
    assert len(refuse(hint, value, lax=lax)) == 1


def test_a_size_without_end_is_refused(refuse: Refuse) -> None:
    assert len(refuse(Size, 1 << 20_000)) == 1


def test_a_duration_without_quotes_is_told_the_form(refuse: Refuse) -> None:
    (problem,) = refuse(timedelta, 30)
    assert problem.message == "expected a duration (30s, 1h30m, PT30S)"
    assert problem.hint == 'write it in quotes: "30s"'


def test_a_size_with_an_ambiguous_unit_is_told_the_form(refuse: Refuse) -> None:
    (problem,) = refuse(Size, "512k")
    assert (problem.message, problem.hint) == ("expected a size (10 MiB)", 'write it as "10 MiB"')


def test_other_parts_of_the_house_can_read_durations_too() -> None:
    assert parse_duration("90d") == timedelta(days=90)
    assert parse_duration("90") is None
