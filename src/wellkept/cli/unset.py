"""`wellkept unset`: remove one key of a secret, or all of it."""

import sys
from collections.abc import Sequence

import click

from wellkept.cli import ask, render
from wellkept.cli.key import judge_options, opened_for, parse_key, source_options, writable, write
from wellkept.cli.store import is_stored, named
from wellkept.errors import EXIT_FINDINGS, EXIT_FINE, UsageError
from wellkept.model import Reference


@click.command("unset")
@source_options
@click.option("--yes", "is_sure", is_flag=True, help="Remove a whole secret without asking.")
@click.option("--if-version", "if_version", metavar="N", help="Remove only if N is still the newest version.")
def command(key: str, files: Sequence[str], if_version: str | None, *, is_sure: bool, wants_json: bool) -> int:
    """Remove a secret, or one key of it.

    KEY says which: db.password is a key of Secrets.toml, and vault:secret/prod/db#password one of
    a provider, where the other keys stay. There, without a #key it is
    the whole secret: then it asks first on a terminal, and needs --yes elsewhere.
    """
    reference = parse_key(key, files)
    with opened_for(reference, files) as source:
        judge_options(reference, source, may_pin=False)
        target = writable(source, reference.scheme, files)
        if not (reference.key or is_stored(reference) or is_sure or _is_agreed(reference)):
            render.talk("nothing was removed")
            return EXIT_FINDINGS
        version = write(target, reference, None, if_version)
    if wants_json:
        render.as_json({"key": named(reference), "version": version})
    else:
        shown = named(reference)
        render.talk(f"unset {shown}" if version is None else f"unset {shown}, now version {version}")
    return EXIT_FINE


def _is_agreed(reference: Reference) -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{reference}: is a whole secret", hint="say --yes to remove all of it, or name one #key")
    return ask.for_agreement(f"remove all of {reference}?")
