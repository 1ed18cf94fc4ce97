"""`wellkept schema`: the JSON Schema of a class's Config.toml."""

import click

from wellkept.cli import render
from wellkept.cli.target import find_class
from wellkept.config.json_schema import json_schema
from wellkept.config.schema import schema_of


@click.command("schema")
@click.argument("target", metavar="MODULE:CLASS")
def command(target: str) -> None:
    """Print the JSON Schema (2020-12) of Config.toml.

    Save it as config.schema.json and begin Config.toml with `#:schema ./config.schema.json`:
    editors then complete and check it.
    """
    render.as_json(json_schema(schema_of(find_class(target))))
