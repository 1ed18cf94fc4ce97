"""The leak matrix as a whole: every sink, tried, and the table of it that the documentation shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from tests.leaks import (
    sinks_concurrent,
    sinks_log,
    sinks_out,
    sinks_process,
    sinks_runner,
    sinks_serial,
    sinks_text,
    sinks_trace,
)
from tests.leaks.canaries import TEXTS
from tests.leaks.child import wrapped
from tests.leaks.sinks import OBJECT_SINKS, USE_SITES, Outcome, Show, Sink, UseSite, outcome, spoken

PAGE = Path(__file__).parents[2] / "docs/reference/leak-matrix.md"
USUAL = "letters and digits"  # the value that the table is made with, and that slow sinks are tried with
HOLDERS = ("str", "SecretStr", "Secret")

S = TypeVar("S", bound=Sink)
FILES = (sinks_text, sinks_serial, sinks_log, sinks_trace, sinks_runner, sinks_concurrent, sinks_process, sinks_out)
_GROUPS = [file.GROUP for file in FILES]


def in_order(sinks: Sequence[S]) -> list[S]:
    """Sinks in the order of the table."""
    return sorted(sinks, key=lambda sink: _GROUPS.index(sink.group))


def tried(show: Show, holder: str, kind: str = USUAL) -> Outcome:
    """What a sink does to one kind of text in one holder."""
    held = wrapped(holder, TEXTS[kind])
    # On a line of its own: loguru shows what the lines of callers name.
    return outcome(show, held, spoken)


def object_row(sink: Sink) -> str:
    """The row of an object-level sink: what it does to three holders, found out now."""
    cells = (_bold(tried(sink.show, holder)) for holder in HOLDERS)
    return f"| {sink.group} | {sink.name} | {' | '.join(cells)} |"


def use_site_row(site: UseSite) -> str:
    """The row of a use-site sink."""
    if site.closed_by is None:
        return f"| {site.group} | {site.name} | **open** | {site.open_because} |"
    if site.cuts_at is None:
        return f"| {site.group} | {site.name} | closed | {site.closed_by} |"
    return (
        f"| {site.group} | {site.name} | **in part** | {site.closed_by}; "
        f"{site.open_because}, and a part of a value is not known: safe up to {site.cuts_at} |"
    )


def totals(rows: Sequence[str]) -> str:
    """The row that counts what object-level rows say."""
    columns = zip(*(row.split(" | ")[2:] for row in rows), strict=True)
    counts = (str(sum("leaks" in cell for cell in column)) for column in columns)
    return f"| **leak** | **of {len(rows)}** | {' | '.join(counts)} |"


def page() -> str:
    """The whole page; every package that a sink needs must be there."""
    rows = [object_row(sink) for sink in in_order(OBJECT_SINKS)]
    sites = in_order(USE_SITES)
    return _PAGE.format(
        objects="\n".join([*rows, totals(rows)]),
        sites="\n".join(use_site_row(site) for site in sites if site.group != sinks_out.GROUP),
        ways="\n".join(use_site_row(site) for site in sites if site.group == sinks_out.GROUP),
    )


def _bold(result: Outcome) -> str:
    return f"**{result}**" if result is Outcome.LEAKS else str(result)


_PAGE = """\
# Leak matrix

How a value can leave a Python process, and what wellkept does about it. The tables are written by
`python -m tests.leaks.write_matrix`; `tests/leaks/` tries every row again in each run of the tests, with
values of nine kinds: letters and digits, eight characters, a URL's special characters, quotes and
backslashes, text that is not ASCII, lines, PEM, JSON, and 64 KiB.

## The value is held

The program holds the value as `x` and makes a mistake. **leaks**: the value, or a part of it, comes out, in
some encoding. *hidden*: it does not. *refused*: an error is raised that does not show it. For `Secret` every
row was also tried with bytes, numbers, lists, dicts, Settings, dataclasses, and what `map`, `header` and
`dsn` make; and an error may not show the value in the locals of its frames either.

| | `x` is held as | `str` | pydantic's `SecretStr` | `Secret` |
|---|---|---|---|---|
{objects}

## The value was revealed

`text` is what `reveal()` returned, or what was made of it. No type can protect it everywhere: its own `repr` is
masked, and a root `load()` masks known values where the process speaks. *Logged* means that the text which the
sink made was written to a log. Without masking, all of these leak but those that the text itself closes.

| | sink | | by what, or why not |
|---|---|---|---|
{sites}

## Ways out of the process

Each place where masking stands, and each way past it that is known.

| | sink | | by what, or why not |
|---|---|---|---|
{ways}
"""
