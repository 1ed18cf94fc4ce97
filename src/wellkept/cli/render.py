"""Printing: data to stdout, talk to stderr, colour and tables on a terminal only.

The only file that prints; ask.py asks a person.
"""

import json
import os
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module

from wellkept.errors import ConfigError, WellkeptError
from wellkept.events import BUS, Event, Topic

PATIENCE_S = 0.5  # anything longer says what it is waiting for


def out(text: str) -> None:
    """Print data."""
    print(text)


def talk(text: str) -> None:
    """Print what is not data."""
    print(text, file=sys.stderr)


def exactly(data: bytes) -> None:
    """Print data byte for byte; on a terminal with a newline behind it, so that the prompt is not glued to it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data + (b"\n" if sys.stdout.isatty() else b""))
    sys.stdout.buffer.flush()


def as_json(value: object) -> None:
    """Print data for a program: one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    """What JSON has no type for: a time as ISO 8601, anything else as its text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def warn(text: str) -> None:
    """Print what should be mended, but stops nothing."""
    talk(f"{_coloured('33', 'warning:')} {text}")


def failure(error: WellkeptError) -> None:
    """Print an error and its hint."""
    if isinstance(error, ConfigError):
        talk(f"{_coloured('31', 'error:')} {error}")
        return
    talk(f"{_coloured('31', 'error:')} {error.message}")
    if error.hint is not None:
        talk(f"hint: {error.hint}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as data: drawn on a terminal, else aligned text that stays the same."""
    if sys.stdout.isatty():
        _draw(head, rows)
        return
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def waiting(what: str) -> Generator[None]:
    """Say once what is waited for, when it takes longer than half a second.

    Args:
        what: what to say where no source told that it was asked.
    """
    asked: dict[str, str] = {}  # how much each scheme was asked for last

    def hear(event: Event) -> None:
        if event.topic is Topic.ASKING:
            asked[event.subject] = event.detail.removeprefix("for ")

    def tell() -> None:
        named = ", ".join(f"{scheme} ({amount})" for scheme, amount in asked.copy().items())
        talk(f"waiting for {named} …" if named else f"{what} …")

    unsubscribe = BUS.subscribe(hear)
    timer = threading.Timer(PATIENCE_S, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        unsubscribe()


def columns(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> list[list[str]]:
    """Pick the cells of a table from records; an absent one is a dash."""
    return [["–" if row.get(name) is None else printable(str(row[name])) for name in names] for row in rows]


def printable(text: str) -> str:
    """The text without what would move the cursor of a terminal: a source may name things as it likes."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _draw(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Loaded by name: rich costs 40 ms, and only a terminal needs it.
    rich_table, rich_console = import_module("rich.table"), import_module("rich.console")
    drawn = rich_table.Table(*head, box=None, header_style="bold")
    for row in rows:
        drawn.add_row(*(import_module("rich.text").Text(cell) for cell in row))
    rich_console.Console().print(drawn)


def _coloured(code: str, text: str) -> str:
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[{code}m{text}\x1b[0m"
    return text
