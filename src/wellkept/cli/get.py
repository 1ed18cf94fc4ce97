"""`wellkept get`: what is there under a KEY; its value only with --reveal."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal

import click

from wellkept._dataclasses import replace
from wellkept.cli import render
from wellkept.cli.key import judge_options, opened_for, parse_key, source_options, waited_for
from wellkept.cli.store import named
from wellkept.config.pick import pick
from wellkept.config.shapes import as_list, as_table
from wellkept.errors import Malformed, SourceError
from wellkept.model import Reading, Reference
from wellkept.ports import Leases

HEAD = ("key", "kind", "version", "answer")

_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
    Decimal: "number",
    type(None): "nothing",
}


@click.command("get")
@source_options
@click.option("--line", type=click.IntRange(min=1), help="The value of this line, where a merge left several.")
@click.option("--reveal", "is_revealed", is_flag=True, help="Print the value.")
def command(key: str, files: Sequence[str], line: int | None, *, is_revealed: bool, wants_json: bool) -> None:
    """Say what is there, or print it.

    KEY says where: db.password is a key of Secrets.toml, and vault:secret/prod/db#password one of
    a provider. Its kind and version are printed, never
    the value. With --reveal the value is, and nothing else: a table as JSON, a text exactly as
    it is, with a newline behind it on a terminal only.
    """
    reference = parse_key(key, files)
    if line is not None:
        reference = replace(reference, options=(*reference.options, ("line", str(line))))
    with opened_for(reference, files) as source, render.waiting(f"waiting for {waited_for(reference)}"):
        judge_options(reference, source, may_pin=True)
        whole = source.fetch(replace(reference, key=()))
        if whole.lease is not None and not (is_revealed or whole.lease.is_shared) and isinstance(source, Leases):
            source.revoke(whole.lease)  # it was made for a look
        reading = _picked(whole, reference)
    if wants_json:
        render.as_json(_record(reference, reading) | ({"value": _plain(reading.value)} if is_revealed else {}))
    elif is_revealed:
        _reveal(reading.value)
    else:
        row = _record(reference, reading) | {"kind": _kind(reading.value)}
        render.table(HEAD, render.columns([row], HEAD))


def _picked(whole: Reading, reference: Reference) -> Reading:
    reading = pick(whole, reference)
    if isinstance(reading, SourceError):
        raise reading
    return reading


def _record(reference: Reference, reading: Reading) -> dict[str, object]:
    table = as_table(reading.value)
    return {
        "key": named(reference),
        "kind": _kind(reading.value) if table is None else "table",
        "keys": None if table is None else list(map(str, table)),
        "version": reading.version,
        "answer": reading.answer,
        "note": reading.note,
    }


def _kind(value: object) -> str:
    """What sort of value it is, and which keys a table has."""
    table = as_table(value)
    if table is not None:
        return f"table with keys {', '.join(map(str, table))}" if table else "table without keys"
    if isinstance(value, bytes):
        return "bytes" if _text(value) is None else "text"
    return "list" if as_list(value) is not None else _KINDS.get(type(value), type(value).__name__)


def _reveal(value: object) -> None:
    if isinstance(value, str):
        render.exactly(value.encode(errors="surrogatepass"))
    elif isinstance(value, bytes):
        render.exactly(value)
    elif as_table(value) is not None:
        render.as_json(_plain(value))
    else:
        render.exactly(_bare(value).encode())


def _bare(value: object) -> str:
    """A value that is neither text nor table, as a script reads it: a number with all of its digits, a date bare."""
    if isinstance(value, (Decimal, date, time)):  # a datetime is a date, too
        return str(value) if isinstance(value, Decimal) else value.isoformat()
    return json.dumps(_plain(value), default=str)


def _plain(value: object) -> object:
    """The value in JSON's own types."""
    table, items = as_table(value), as_list(value)
    if table is not None:
        return {str(key): _plain(one) for key, one in table.items()}
    if items is not None:
        return [_plain(one) for one in items]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        text = _text(value)
        value = None  # a traceback may show the locals of this frame
        if text is None:
            raise Malformed("KEY: holds bytes that are no text", hint="name the one key, and leave out --json")
        return text
    return value


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
