"""The identity of the person at the keyboard: found, or made for the first time."""

import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from wellkept._files import create_private
from wellkept._home import make_user_folder, user_file
from wellkept.cli import render
from wellkept.cli.git import is_ignored
from wellkept.crypto.keyring import IDENTITY, IDENTITY_FILE, find_identities, identity_path
from wellkept.crypto.keys import HYBRID, X25519, Identity
from wellkept.crypto.refusal import Refusal
from wellkept.errors import Denied, UsageError


def find_own(environ: Mapping[str, str]) -> Sequence[Identity]:
    """The identities at hand.

    Raises:
        Denied: there is none, or its file cannot be used.
    """
    found = find_identities(environ)
    environ = {}  # a traceback may show the locals of this frame
    if isinstance(found, Refusal):
        raise found.error("identity")
    if not found:
        raise Denied("identity: there is none", hint="make one with wellkept init, or set WELLKEPT_IDENTITY")
    return found


def find_or_make(environ: Mapping[str, str], *, is_short: bool) -> tuple[Identity, str | None]:
    """The first identity at hand, or a new one in the home folder; and where it was written, if it is new.

    Raises:
        Denied: the file of the identity cannot be used.
        FileFault: it cannot be written.
        UsageError: there is no home folder.
    """
    path = identity_path(environ)
    is_new = path is not None and not environ.get(IDENTITY) and not os.path.lexists(path)
    found = () if is_new else find_identities(environ)
    is_users = path == user_file(environ, "identity")
    environ = {}  # a traceback may show the locals of this frame
    if isinstance(found, Refusal):
        raise found.error("identity")
    if found:
        return found[0], None
    if path is None:
        raise UsageError("identity: there is no home folder to keep it in", hint="set HOME or WELLKEPT_IDENTITY")
    made = Identity.new(X25519 if is_short else HYBRID)
    if is_users:  # a folder that somebody else named is not ours to hide from git
        make_user_folder(path)
    if create_private(path, identity_text(made).encode()):
        warn_if_committable(path)
        return made, path
    found = find_identities({IDENTITY_FILE: path})  # somebody was faster: theirs it is
    if isinstance(found, Refusal) or not found:
        raise Denied(f"identity: {path} holds none", hint="look at it, or name another file")
    return found[0], None


def warn_if_committable(path: str) -> None:
    """Warn of a private key that the next commit would take along."""
    folders = Path(os.path.abspath(path)).parents  # noqa: PTH100 without ..
    if any((folder / ".git").exists() for folder in folders) and not is_ignored(path):
        render.warn(f"{path}: stands in a repository: move it out, or name it in .gitignore, before you commit")


def identity_text(identity: Identity) -> str:
    """What the file of an identity holds."""
    return (
        f"# An identity of wellkept, made {datetime.now(UTC):%Y-%m-%d} by {own_name()}.\n"
        "# Whoever has it can read all that was encrypted for it: keep it to yourself.\n"
        f"# fingerprint {identity.recipient.fingerprint}\n"
        f"{identity.text()}\n"
    )


def own_name() -> str:
    """What this person is called among recipients: `ada@laptop`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may know no user of that number
        user = str(os.getuid())
    name = f"{user}@{socket.gethostname().partition('.')[0]}"
    return name if name.isprintable() else "me"
