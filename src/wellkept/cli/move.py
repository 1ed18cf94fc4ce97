"""`wellkept move`: one secret from Secrets.toml to a provider, and a reference in its place."""

import os
import stat
from collections.abc import MutableMapping, Sequence
from importlib import import_module
from typing import cast

import click

from wellkept._files import read_file, replace_file, shown
from wellkept._names import canonical, canonical_path
from wellkept._toml.document import TomlFault, parse
from wellkept._toml.limits import MAX_BYTES
from wellkept.cli import render
from wellkept.cli.git import is_ignored
from wellkept.cli.key import opened_for, parse_key, writable, write
from wellkept.cli.store import environ_for, is_stored, named
from wellkept.config.layers.chosen import CONFIG_FILE
from wellkept.config.pick import pick
from wellkept.config.shapes import as_table
from wellkept.crypto.source import SecretsSource
from wellkept.crypto.store import TEMPORARY
from wellkept.errors import Conflict, Malformed, SourceError, UsageError
from wellkept.model import Reference
from wellkept.ports import Source
from wellkept.secret import Secret


@click.command("move")
@click.argument("key", metavar="KEY")
@click.argument("target", metavar="REFERENCE")
@click.option("--file", "path", type=click.Path(), help="The Secrets.toml that it leaves.")
@click.option("--into", default=CONFIG_FILE, show_default=True, type=click.Path(), help="Where the reference goes.")
@click.option("--table", "tables", multiple=True, type=click.Path(), help="Where the provider's table stands.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(key: str, target: str, path: str | None, *, into: str, tables: Sequence[str], wants_json: bool) -> None:
    """Move one secret from Secrets.toml to a provider.

    KEY is its key there, and REFERENCE where it goes: vault:secret/prod/db#password. It is written
    there and read back, then the reference is written into Config.toml, and last the key leaves
    Secrets.toml: where it stops in between, the value stands in both. Run again, it goes on.
    """
    origin, place = parse_key(key, [path] if path else []), parse_key(target)
    if not is_stored(origin) or is_stored(place) or not place.key:
        raise UsageError(
            "move: needs a key of Secrets.toml, and a reference with a #key",
            hint="write wellkept move db.password vault:secret/prod/db#password",
        )
    source = SecretsSource(environ_for(origin.base or ""))
    secret = _text(source, origin)
    _judge(into, origin, place)
    with opened_for(place, tables) as provider:
        _copy(provider, place, secret, tables)
    _refer(into, origin, place)
    source.write(origin, None)
    if wants_json:
        render.as_json({"key": named(origin), "reference": str(place), "file": into})
    else:
        render.talk(f"moved {named(origin)} to {place}; {shown(into)} refers to it")
        if is_ignored(into):
            render.warn(f"{shown(into)}: is ignored by git: others get the reference by git add --force {shown(into)}")


def _text(source: SecretsSource, origin: Reference) -> Secret[str]:
    value = source.fetch(origin).value
    if isinstance(value, str):
        return Secret(value)
    value = None  # a traceback may show the locals of this frame
    raise Malformed(f"{named(origin)}: is no text", hint="providers keep text: set it again as text first")


def _copy(provider: Source, place: Reference, secret: Secret[str], tables: Sequence[str]) -> None:
    """Write the value, unless it stands there already; what stands there otherwise is not overwritten."""
    there = _standing(provider, place)
    if there is None:
        write(writable(provider, place.scheme, tables), place, secret, None)
        there = _standing(provider, place)
    if there != secret:
        raise Conflict(f"{place}: holds another value already", hint="name another place, or unset that one first")


def _standing(provider: Source, place: Reference) -> Secret[str] | None:
    try:
        reading = pick(provider.fetch(Reference(place.scheme, place.path, options=place.options)), place)
    except SourceError as error:
        if error.kind.value != "absent":
            raise
        return None
    if isinstance(reading, SourceError):
        return None
    return Secret(reading.value if isinstance(reading.value, str) else str(reading.value))


def _judge(path: str, origin: Reference, place: Reference) -> None:
    """Refuse a Config.toml that cannot be read, or that says something else about the key already."""
    if not os.path.isdir(os.path.dirname(path) or os.curdir):  # noqa: PTH112, PTH120 text in
        raise UsageError(f"--into: {shown(path)} stands in no folder that exists", hint="make the folder first")
    if not os.path.lexists(path):
        return
    fault, hint = "", None
    try:
        document = parse(read_file(path, max_bytes=MAX_BYTES), shown(path))
    except TomlFault as error:
        fault, hint = error.message, error.hint
    else:
        table: object = document.data
        for step in origin.path:
            known = as_table(table) or {}
            table = next((value for name, value in known.items() if canonical(name) == canonical(step)), None)
        if table is not None and table != f"${{{place}}}":
            fault = f"{shown(path)}: says something about {named(origin)} already"
            hint = "remove it there: the value in Secrets.toml is the one that moves"
    if fault:
        raise Conflict(fault, hint=hint)


def _refer(path: str, origin: Reference, place: Reference) -> None:
    """Write the reference; every other line of the file stays as it is."""
    tomlkit = import_module("tomlkit")  # by name: it takes 18 ms, and only this step needs it
    content = read_file(path, max_bytes=MAX_BYTES).decode() if os.path.lexists(path) else ""
    document = tomlkit.parse(content)
    table = cast("MutableMapping[str, object]", document)
    *above, last = origin.path
    for step in above:
        known = next((name for name in table if canonical(name) == canonical(step)), step)
        if known not in table:
            table[known] = tomlkit.table()
        table = cast("MutableMapping[str, object]", table[known])
    spelt = next((name for name in table if canonical_path([name]) == canonical_path([last])), last)
    table[spelt] = f"${{{place}}}"
    real = os.path.realpath(path)
    replace_file(real, cast("str", tomlkit.dumps(document)).encode(), prefix=TEMPORARY)
    if not content:  # a new one is for its owner: a plain secret may follow
        os.chmod(real, stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101 text in
