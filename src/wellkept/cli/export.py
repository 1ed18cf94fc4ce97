"""`wellkept export`: the values of Secrets.toml in plain, for other programs. Only with --reveal."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite

import click

from wellkept._dataclasses import dataclass, field
from wellkept._names import canonical_path, did_you_mean, variable
from wellkept._patterns import pattern
from wellkept.cli import render
from wellkept.cli.incoming import ENV, TOML, path_of
from wellkept.cli.store import complete_key, parse_stored, secrets_file, store_options, store_path
from wellkept.config.shapes import as_list, as_table
from wellkept.config.undeclared import as_text
from wellkept.crypto.dotenv import to_dotenv
from wellkept.crypto.opened import Opened
from wellkept.crypto.plaintext import to_literal
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.text import Entry, Form, Path
from wellkept.errors import Absent, SourceError, UsageError

JSON = "json"

_VARIABLE = pattern(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Exported:
    """One value on its way out; not in the repr."""

    path: Path
    value: object = field(repr=False)


@click.command("export")
@click.argument("keys", metavar="[KEY]...", nargs=-1, shell_complete=complete_key)
@click.option("--format", "form", type=click.Choice([TOML, ENV, JSON]), help="How to write them: toml, if not said.")
@click.option("--reveal", "is_revealed", is_flag=True, help="Print the values: nothing is printed without it.")
@store_options
def command(
    keys: Sequence[str], form: str | None, files: Sequence[str], *, is_revealed: bool, wants_json: bool
) -> None:
    """Print the values of Secrets.toml in plain.

    KEY is a key or a table, as db.password or db; without one it is all. As toml it is what
    Config.toml may hold, where a plain ${ is written $${; as env, dbPassword becomes DB_PASSWORD and
    db.password DB__PASSWORD; as json, --json says the same. wellkept import reads toml and env back.
    """
    if not is_revealed:
        raise UsageError(
            "export: prints every value in plain, for whoever sees the output",
            hint="say --reveal if that is meant, and write it to no file that is committed",
        )
    if wants_json and form not in {None, JSON}:
        raise UsageError(f"--json: says json, and --format {form}", hint="leave one of them out")
    paths = [parse_stored(key, files).path for key in keys]
    opened = secrets_file(store_path(files)).open()
    form = JSON if wants_json else form or TOML
    entries = _chosen(opened, paths)
    _judge_keys(opened, entries, form)
    values = _values(opened, entries)
    if isinstance(values, SourceError):
        raise values
    data = _written(values, form)
    if data is None:
        names = ", ".join(spelt(one.path) for one in values if "\0" in as_text(one.value))
        raise UsageError(f"{names}: holds a NUL character, which no variable can", hint="export it with --format json")
    render.exactly(data)


def _chosen(opened: Opened, paths: Sequence[Path]) -> list[Entry]:
    """The entries of some keys and tables, or of all, in the order of the file.

    Raises:
        SourceError: there is no such key, or it stands twice.
    """
    secrets = opened.text.secrets
    for path in paths:
        if not any(_is_below(form, [path]) for form in secrets):
            known = [spelt(entries[0].path) for entries in secrets.values()]
            hint = did_you_mean(spelt(path), known) or "wellkept list names what is in it"
            raise Absent(f"{spelt(path)}: is not in {opened.name}", hint=hint)
    found: list[Entry] = []
    for form, entries in secrets.items():
        if not paths or _is_below(form, paths):
            entry = opened.entry(entries[0].path)
            if isinstance(entry, Refusal):
                raise entry.error(spelt(entries[0].path))
            found.append(entry)
    return found


def _is_below(form: Form, paths: Sequence[Path]) -> bool:
    return any(form[: len(path)] == canonical_path(path) for path in paths)


def _judge_keys(opened: Opened, entries: Sequence[Entry], form: str) -> None:
    """Refuse keys that cannot be written, or would be read back as others.

    Raises:
        UsageError: there is one.
    """
    if form == ENV:
        for entry in entries:
            name = variable("", entry.path)
            back = path_of(name) if _VARIABLE.fullmatch(name) else None
            if back is None or canonical_path(back) != canonical_path(entry.path):
                raise UsageError(
                    f"{spelt(entry.path)}: makes no name of a variable", hint="export it with --format toml"
                )
        return
    for above, below in opened.text.covered():
        if above in entries and below in entries:
            fact = f"{spelt(below.path)}: stands below {spelt(above.path)}, which has a value itself"
            raise UsageError(fact, hint="remove one with wellkept unset, or export them as env")


def _values(opened: Opened, entries: Sequence[Entry]) -> list[Exported] | SourceError:
    """All values, or why one of them does not decrypt."""
    found: list[Exported] = []
    for entry in entries:
        value = opened.value(entry)
        if isinstance(value, Refusal):
            return value.error(spelt(entry.path))
        found.append(Exported(entry.path, value))
    return found


def _written(values: Sequence[Exported], form: str) -> bytes | None:
    """What is printed; None where a variable would hold a NUL."""
    if form == JSON:
        return json.dumps(_tree(values), indent=2, ensure_ascii=False).encode() + b"\n"
    if form == TOML:
        return "".join(f"{spelt(one.path)} = {to_literal(_escaped(one.value))}\n" for one in values).encode()
    pairs = [(variable("", one.path), as_text(one.value)) for one in values]
    return None if any("\0" in text for _, text in pairs) else to_dotenv(pairs).encode()


def _tree(values: Sequence[Exported]) -> Mapping[str, object]:
    """Tables in tables; two spellings of one table are one."""
    tree: dict[str, object] = {}
    tables: dict[Form, dict[str, object]] = {(): tree}
    for one in values:
        for length in range(1, len(one.path)):
            form = canonical_path(one.path[:length])
            if form not in tables:
                tables[form] = {}
                tables[form[:-1]][one.path[length - 1]] = tables[form]
        tables[canonical_path(one.path[:-1])][one.path[-1]] = _plain(one.value)
    return tree


def _plain(value: object) -> object:
    """A value in JSON's own types; a number that JSON has not is text."""
    table, items = as_table(value), as_list(value)
    if table is not None:
        return {key: _plain(one) for key, one in table.items()}
    if items is not None:
        return [_plain(one) for one in items]
    if isinstance(value, Decimal):
        return number if isfinite(number := float(value)) else str(value).lower()
    return value.isoformat() if isinstance(value, (datetime, date, time)) else value


def _escaped(value: object) -> object:
    """A value as Config.toml holds it, where `${` begins a reference."""
    table, items = as_table(value), as_list(value)
    if table is not None:
        return {key: _escaped(one) for key, one in table.items()}
    if items is not None:
        return [_escaped(one) for one in items]
    return value.replace("${", "$${") if isinstance(value, str) else value
