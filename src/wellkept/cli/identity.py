"""`wellkept identity`: this user's public key, or a new identity for a machine."""

import os
from collections.abc import Mapping

import click

from wellkept._files import create_private
from wellkept.cli import render
from wellkept.cli.own import find_own, identity_text, warn_if_committable
from wellkept.crypto.keys import HYBRID, X25519, Identity
from wellkept.errors import UsageError


@click.command("identity")
@click.option("--new", "path", metavar="PATH", type=click.Path(), help="Make a new identity, and write it to PATH.")
@click.option("--x25519", "is_short", is_flag=True, help="Make it short, without protection from quantum computers.")
@click.option("--json", "wants_json", is_flag=True, help="Print one JSON document.")
def command(path: str | None, *, is_short: bool, wants_json: bool) -> None:
    """Print the public key of your identity.

    Whoever can open Secrets.toml gives it to wellkept recipients add, and compares the
    fingerprint with you. With --new it makes an identity for a machine: a file of mode 0600, whose
    text goes into WELLKEPT_IDENTITY there, or whose path into WELLKEPT_IDENTITY_FILE.
    """
    if path is None:
        if is_short:
            raise UsageError("--x25519: is for a new identity", hint="say where it goes with --new PATH")
        for one in find_own(os.environ):
            _show(one, None, wants_json=wants_json)
        return
    made = Identity.new(X25519 if is_short else HYBRID)
    if os.path.lexists(path) or not create_private(path, identity_text(made).encode()):
        raise UsageError(f"{path}: exists already", hint="name another file, or remove that one")
    warn_if_committable(path)
    _show(made, path, wants_json=wants_json)


def _show(identity: Identity, path: str | None, *, wants_json: bool) -> None:
    recipient = identity.recipient
    record: Mapping[str, object] = {"public": str(recipient), "fingerprint": recipient.fingerprint, "path": path}
    if wants_json:
        render.as_json(record)
        return
    render.out(str(recipient))
    render.talk(f"fingerprint {recipient.fingerprint}" + (f", written to {path}" if path else ""))
