"""`wellkept list`: the names below a path. Never a value."""

from collections.abc import Sequence

import click

from wellkept.cli import render
from wellkept.cli.key import judge_options, listable, parse_key, source_options
from wellkept.errors import UsageError
from wellkept.undeclared import opened


@click.command("list")
@source_options
def command(key: str, files: Sequence[str], *, wants_json: bool) -> None:
    """Name what stands below a path.

    KEY says where, as vault:secret/prod. One name a line, never a value; a name that ends in /
    has more below it.
    """
    reference = parse_key(key.removesuffix("/"))
    if reference.key:
        raise UsageError(f"{reference}: has nothing below it", hint="leave out the # and what follows")
    with opened(reference.scheme, files=files) as source, render.waiting(f"waiting for {reference.scheme}"):
        judge_options(reference, source, may_pin=False)
        names = listable(source, reference.scheme, files).names(reference)
    if wants_json:
        render.as_json({"key": str(reference), "names": list(names)})
        return
    for name in names:
        render.out(render.printable(name))
