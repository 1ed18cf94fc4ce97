"""`wellkept init`: an identity, Secrets.toml, and what git must know of them. Safe to run again."""

import os
from pathlib import Path
from shlex import quote

import click

from wellkept._files import FileFault, read_file, replace_file, shown
from wellkept._toml.limits import MAX_BYTES
from wellkept.cli import render
from wellkept.cli.git import set_up_diff
from wellkept.cli.own import find_or_make, own_name
from wellkept.cli.store import opens, store_path
from wellkept.config.layers.documents import is_named_sealed
from wellkept.crypto.change import with_header
from wellkept.crypto.header import is_name, new_header, with_access
from wellkept.crypto.keys import Identity
from wellkept.crypto.refusal import Refusal
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import read_text
from wellkept.errors import Kind, UsageError

_HEAD = """\
# Secrets, each encrypted for its key in this file: safe to commit.
# Write one with: wellkept set KEY. Who may open the file: wellkept recipients list.
"""
IGNORED = ("Config.toml", "**/Config.toml", ".wellkept-*")
ATTRIBUTES = "Secrets*.toml merge=union diff=wellkept"


@click.command("init")
@click.option("--name", metavar="NAME", help="What you are called among the recipients; otherwise USER@HOST.")
@click.option("--x25519", "is_short", is_flag=True, help="A short key, without protection from quantum computers.")
@click.option("--file", "path", type=click.Path(), help="The file to start, instead of Secrets.toml.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(name: str | None, path: str | None, *, is_short: bool, wants_json: bool) -> None:
    """Start keeping secrets in this folder, encrypted and safe to commit.

    Makes your identity, if there is none yet; Secrets.toml, which only you can open at first; the
    lines of .gitignore that keep Config.toml out of the repository; and of .gitattributes, so that
    two branches with different keys merge and a diff can be read. What is there already stays.
    """
    file = store_path([path] if path else [])
    name = own_name() if name is None else name
    if not is_name(name):
        raise UsageError("--name: is no name", hint="write letters, as in ada@laptop")
    if not is_named_sealed(file):
        raise UsageError(
            f"{shown(file)}: is not called Secrets.toml or Secrets.NAME.toml",
            hint="by its name git and every reader know that all of it is encrypted",
        )
    _judge(file)
    identity, written = find_or_make(os.environ, is_short=is_short)
    is_new = _start(file, name, identity)
    lines = [*(_line(".gitignore", one) for one in IGNORED), _line(".gitattributes", ATTRIBUTES)]
    if wants_json:
        recipient = identity.recipient
        record = {"file": file, "new": is_new, "public": str(recipient), "fingerprint": recipient.fingerprint}
        render.as_json({**record, "identity": written})
    else:
        _tell(file, name, identity, written, is_new=is_new, has_lines=any(lines))
    set_up_diff()


def _judge(path: str) -> None:
    """Refuse a file that is there, and that no header may be added to."""
    try:
        text = read_text(read_file(path, max_bytes=MAX_BYTES).decode("utf-8", "replace").replace("\r\n", "\n"))
    except FileFault as fault:
        if fault.kind is Kind.ABSENT:
            return
        raise
    has_values = bool(text.flaws or text.secrets)
    if has_values and not text.header:
        raise UsageError(
            f"{shown(path)}: exists, and is not encrypted",
            hint=f"mv {shown(path)} old.toml; wellkept init; wellkept import old.toml; then remove old.toml",
        )


def _start(path: str, name: str, identity: Identity) -> bool:
    """Write a header, where there is none; whether there was none."""
    file = SecretsFile(path, os.environ, shown(path))
    with file.locked():
        exists = os.path.lexists(file.path)
        text = file.read() if exists else read_text(_HEAD)
        if text.header:
            return False
        header, key = new_header()
        made = with_access(header, key, name, identity.recipient, None)
        if isinstance(made, Refusal):
            raise made.error(name)
        file.write(with_header(text, made.values()))
    return True


def _tell(path: str, name: str, identity: Identity, written: str | None, *, is_new: bool, has_lines: bool) -> None:
    if written is not None:
        render.talk(f"made your identity: {written} (keep a copy where you keep passwords)")
    if is_new:
        render.talk(f"made {shown(path)}, which you can open")
    elif opens(SecretsFile(path, os.environ, shown(path))):
        render.talk(f"{shown(path)} is there already, and you can open it")
    else:
        render.talk(f"{shown(path)} is there already, and you cannot open it yet: let somebody who can run")
        render.talk(f"  wellkept recipients add {quote(name)} {identity.recipient}")
        render.talk(f"and compare the fingerprint: {identity.recipient.fingerprint}")
    if has_lines:
        render.talk("wrote lines into .gitignore and .gitattributes: commit them with it")


def _line(path: str, line: str) -> bool:
    """Add a line to a file of git, where it is not there yet; whether it was added."""
    content = read_file(path, max_bytes=MAX_BYTES) if Path(path).exists() else b""
    if line.encode() in (one.strip() for one in content.splitlines()):
        return False
    gap = b"" if not content or content.endswith(b"\n") else b"\n"
    replace_file(os.path.realpath(path), content + gap + line.encode() + b"\n", prefix=".wellkept-git-")
    return True
