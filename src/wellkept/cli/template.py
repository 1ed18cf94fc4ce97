"""`wellkept template`: a commented Config.toml without secrets."""

import click

from wellkept.cli import render
from wellkept.cli.target import find_class
from wellkept.config.schema import schema_of
from wellkept.config.template import template


@click.command("template")
@click.argument("target", metavar="MODULE:CLASS")
def command(target: str) -> None:
    """Print a commented Config.toml with every setting and no secret."""
    render.out(template(schema_of(find_class(target))).rstrip("\n"))
