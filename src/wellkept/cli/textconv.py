"""`wellkept textconv`: Secrets.toml for `git diff`, with a short mark for each long ciphertext. Never a value."""

import hashlib
from pathlib import Path

import click

from wellkept._files import read_file
from wellkept._toml.limits import MAX_BYTES
from wellkept.cli import render
from wellkept.crypto.text import read_text

_MARK_LETTERS = 8


@click.command("textconv")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def command(path: Path) -> None:
    """Print Secrets.toml for a diff.

    git calls it where .gitattributes says diff=wellkept, as wellkept init sets it up. Each
    ciphertext is shown by a mark of eight letters, which changes when the value is set again.
    """
    text = read_text(read_file(path, max_bytes=MAX_BYTES).decode("utf-8", "replace").replace("\r\n", "\n"))
    lines = list(text.lines)
    for entries in (*text.secrets.values(), *text.header.values()):
        for entry in entries:
            if len(entry.value) > 2 * _MARK_LETTERS:
                mark = hashlib.sha256(entry.value.encode()).hexdigest()[:_MARK_LETTERS]
                line = lines[entry.line]
                lines[entry.line] = f"{line[: entry.start]}(encrypted {mark}){line[entry.end :]}"
    for line in lines:
        render.out(line)
