"""`wellkept list`: the names below a path. Never a value."""

import os
from collections.abc import Sequence

import click

from wellkept.cli import render
from wellkept.cli.key import judge_options, listable, opened_for, parse_key, place_options, waited_for
from wellkept.cli.store import complete_key, store_path
from wellkept.config.reference import SEALED_SCHEME
from wellkept.errors import UsageError
from wellkept.model import Reference


@click.command("list")
@click.argument("key", required=False, metavar="[KEY]", shell_complete=complete_key)
@place_options
def command(key: str | None, files: Sequence[str], *, wants_json: bool) -> None:
    """Name what stands below a path.

    Without KEY it is all of Secrets.toml. KEY says where: db is a table of Secrets.toml, and
    vault:secret/prod a path of a provider. One name a line, never a value; a name that ends in /
    has more below it.
    """
    if key is None:
        reference = Reference(SEALED_SCHEME, (), base=os.path.abspath(store_path(files)))  # noqa: PTH100 text in, text out
    else:
        reference = parse_key(key.removesuffix("/"), files)
    if reference.key:
        raise UsageError(f"{reference}: has nothing below it", hint="leave out the # and what follows")
    with opened_for(reference, files) as source, render.waiting(f"waiting for {waited_for(reference)}"):
        judge_options(reference, source, may_pin=False)
        names = listable(source, reference.scheme, files).names(reference)
    if wants_json:
        render.as_json({"key": key, "names": list(names)})
        return
    for name in names:
        render.out(render.printable(name))
