"""`wellkept move`: one secret from Secrets.toml to a provider, and a reference in its place."""

import os
from collections.abc import Mapping, MutableMapping, Sequence
from importlib import import_module
from typing import cast

import click

from wellkept._files import read_file, replace_file, shown
from wellkept._names import canonical
from wellkept._toml.document import TomlFault, parse
from wellkept._toml.limits import MAX_BYTES
from wellkept.cli import render
from wellkept.cli.git import is_ignored
from wellkept.cli.key import opened_for, parse_key, writable, write
from wellkept.cli.store import environ_for, is_stored, named
from wellkept.config.layers.chosen import CONFIG_FILE
from wellkept.config.pick import pick
from wellkept.crypto.change import without_secret
from wellkept.crypto.opened import Opened
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.store import TEMPORARY, SecretsFile
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
    environ = environ_for(origin.base or "")
    secret, word = _standing_here(environ, origin)
    _referring(into, origin, place)  # before the provider is touched
    with opened_for(place, tables) as provider:
        _copy(provider, place, secret, tables)
    with SecretsFile(into, environ, shown(into)).locked():
        content = _referring(into, origin, place)
        replace_file(os.path.realpath(into), content, prefix=TEMPORARY)
    _leave(environ, origin, word)
    if wants_json:
        render.as_json({"key": named(origin), "reference": str(place), "file": into})
    else:
        render.talk(f"moved {named(origin)} to {place}; {shown(into)} refers to it")
        if is_ignored(into):
            render.warn(f"{shown(into)}: is ignored by git: others get the reference by git add --force {shown(into)}")


def _standing_here(environ: Mapping[str, str], origin: Reference) -> tuple[Secret[str], str]:
    """The value that moves, and the word that it is encrypted in."""
    opened = SecretsFile(origin.base or "", environ, shown(origin.base or "")).open()
    entry = opened.entry(origin.path)
    if isinstance(entry, Refusal):
        raise entry.error(named(origin))
    value = opened.value(entry)
    if isinstance(value, Refusal):
        raise value.error(named(origin))
    if isinstance(value, str):
        return Secret(value), entry.value
    value = None  # a traceback may show the locals of this frame
    raise Malformed(f"{named(origin)}: is no text", hint="providers keep text: set it again as text first")


def _leave(environ: Mapping[str, str], origin: Reference, word: str) -> None:
    """Take the key out, if it still has the value that has moved."""

    def edit(opened: Opened) -> str:
        entry = opened.entry(origin.path)
        if isinstance(entry, Refusal) or entry.value != word:
            raise Conflict(
                f"{named(origin)}: was changed while it moved", hint="look at both values, and move it again"
            )
        return without_secret(opened.text, origin.path)

    SecretsFile(origin.base or "", environ, shown(origin.base or "")).change(edit)


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


def _referring(path: str, origin: Reference, place: Reference) -> bytes:
    """What Config.toml holds with the reference in it; every other line of it stays as it is.

    Raises:
        UsageError: its folder does not exist.
        Conflict: it is no TOML, or says something else about the key already.
    """
    if not os.path.isdir(os.path.dirname(path) or os.curdir):  # noqa: PTH112, PTH120 text in
        raise UsageError(f"--into: {shown(path)} stands in no folder that exists", hint="make the folder first")
    old = read_file(path, max_bytes=MAX_BYTES) if os.path.lexists(path) else b""
    _judge(old, shown(path))
    document = import_module("tomlkit").parse(old.decode().removeprefix("\ufeff"))  # by name: it takes 18 ms
    table = cast("MutableMapping[str, object]", document)
    *above, last = origin.path
    for step in above:
        known = next((name for name in table if canonical(name) == canonical(step)), step)
        if known not in table:
            table[known] = import_module("tomlkit").table()
        inner = table[known]
        if not isinstance(inner, MutableMapping):
            raise _taken(path, origin)
        table = cast("MutableMapping[str, object]", inner)
    spelt = next((name for name in table if canonical(name) == canonical(last)), last)
    reference = f"${{{place}}}"
    if spelt in table and table[spelt] != reference:
        raise _taken(path, origin)
    table[spelt] = reference
    new = cast("str", import_module("tomlkit").dumps(document)).encode()
    _judge(new, shown(path))
    return new


def _judge(content: bytes, name: str) -> None:
    try:
        parse(content, name)
    except TomlFault as error:
        fault, hint = error.message, error.hint
    else:
        return
    raise Conflict(fault, hint=hint)


def _taken(path: str, origin: Reference) -> Conflict:
    fact = f"{shown(path)}: says something about {named(origin)} already"
    return Conflict(fact, hint="remove it there: the value in Secrets.toml is the one that moves")
