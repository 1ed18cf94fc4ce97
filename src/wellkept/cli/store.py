"""Secrets.toml on the command line: which file is meant, how it is opened, and what a merge left in it."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from wellkept._files import shown
from wellkept._names import canonical
from wellkept._revealed import Hidden
from wellkept._toml.positions import find_key
from wellkept.cli import ask, render
from wellkept.config.layers.documents import SECRETS_FILE
from wellkept.config.reference import SEALED_SCHEME
from wellkept.crypto.header import parse_header, passphrases
from wellkept.crypto.keyring import PASSPHRASE
from wellkept.crypto.opened import twice
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.spelling import spelt
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import SecretsText
from wellkept.errors import Denied, UsageError, WellkeptError
from wellkept.model import Reference

Decorated = Callable[..., Any]

MOST_FLAWS = 5  # a file that is something else has thousands


def store_options(function: Decorated) -> Decorated:
    """Add `--file` and `--json`, for a command about all of Secrets.toml."""
    for decorate in (
        click.option("--json", "wants_json", is_flag=True, help="Print one JSON document."),
        click.option("--file", "files", multiple=True, type=click.Path(), help="The Secrets.toml that is meant."),
    ):
        function = decorate(function)
    return function


def is_stored(reference: Reference) -> bool:
    """Whether a KEY is one of Secrets.toml."""
    return reference.scheme == SEALED_SCHEME


def parse_stored(text: str, files: Sequence[str]) -> Reference:
    """A KEY of Secrets.toml, as TOML writes it: `db.password`.

    Raises:
        UsageError: it is none. It is not quoted: a value may stand there by mistake.
    """
    key = find_key(text, 0)
    if key is None or key[1] != len(text) or not all(step and step.isprintable() for step in key[0]):
        raise UsageError(
            "KEY: is neither a key of Secrets.toml nor a reference",
            hint="write db.password, or vault:secret/prod/db#password",
        )
    if canonical(key[0][0]) == "wellkept":
        raise UsageError("KEY: begins with wellkept, which holds the header of the file", hint="name it otherwise")
    return Reference(SEALED_SCHEME, key[0], base=os.path.abspath(store_path(files)))  # noqa: PTH100 text in, text out


def store_path(files: Sequence[str]) -> str:
    """The file that is meant: the one of `--file`, or Secrets.toml of the current folder.

    Raises:
        UsageError: several are named.
    """
    if len(files) > 1:
        raise UsageError("--file: names more than one file", hint="a key stands in one")
    return files[0] if files else SECRETS_FILE


def complete_key(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The keys of Secrets.toml that begin like that, for the shell."""
    files: Sequence[str] = context.params.get("files") or ()
    try:
        text = SecretsFile(store_path(files), {}).read()
    except WellkeptError:  # a shell has no use for errors
        return []
    names = (spelt(entries[0].path) for entries in text.secrets.values())
    return sorted(name for name in names if name.startswith(begun))


def named(reference: Reference) -> str:
    """KEY as it is spoken of."""
    return spelt(reference.path) if is_stored(reference) else str(reference)


def secrets_file(path: str) -> SecretsFile:
    """A file, with what opens it; see `environ_for`."""
    return SecretsFile(path, environ_for(path), shown(path))


def environ_for(path: str) -> Mapping[str, str]:
    """The variables that open a file: with a passphrase that is asked for, where nothing else opens it.

    What a merge left in the file is told here, since every command comes by.

    Raises:
        SourceError: it cannot be read.
    """
    file = SecretsFile(path, os.environ, shown(path))
    text = file.read()
    _warn(text)
    header = parse_header(text.header_table())
    can_ask = PASSPHRASE not in os.environ and sys.stdin is not None and sys.stdin.isatty()
    if isinstance(header, Refusal) or not (can_ask and any(passphrases(header))) or opens(file):
        return os.environ
    typed = ask.for_hidden(f"passphrase of {file.name}: ").decode("utf-8", "surrogateescape")
    return Hidden({**os.environ, PASSPHRASE: typed})


def opens(file: SecretsFile) -> bool:
    """Whether an identity at hand opens a file.

    Raises:
        SourceError: it cannot be read, or its header cannot be used.
    """
    try:
        file.open()
    except Denied:
        return False
    return True


def _warn(text: SecretsText) -> None:
    for entries in text.secrets.values():
        if len(entries) > 1:
            refusal = twice(spelt(entries[0].path), entries)
            render.warn(f"{spelt(entries[0].path)}: {refusal.fact}; {refusal.hint}")
    for flaw in text.flaws[:MOST_FLAWS]:
        render.warn(f"line {flaw.line + 1}: {flaw.fact}; {flaw.hint}")
    for above, below in text.covered():
        first, second = spelt(above.path), spelt(below.path)
        render.warn(f"{second}: stands below {first}, which has a value itself; remove one with wellkept unset")
