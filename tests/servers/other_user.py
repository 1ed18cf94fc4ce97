"""Another user who runs a server that refuses to run as root."""

import os
import pwd
from pathlib import Path


def as_other(name: str) -> list[str]:
    """What stands before a command where we are root: it runs as that user, or as nobody where there is none."""
    other = _other(name)
    if other is None:
        return []
    # It forgets who waits for it when it changes its user: so the kernel is told again.
    return ["setpriv", f"--reuid={other.pw_uid}", f"--regid={other.pw_gid}", "--clear-groups", "--pdeathsig=TERM"]


def give(folder: Path, name: str) -> None:
    """Give a folder, and all in it, to whoever runs the server."""
    other = _other(name)
    if other is None:
        return
    for one in (folder, *folder.rglob("*")):
        os.chown(one, other.pw_uid, other.pw_gid)


def _other(name: str) -> "pwd.struct_passwd | None":
    if os.geteuid() != 0:
        return None
    known = {one.pw_name: one for one in pwd.getpwall()}
    return known.get(name) or known["nobody"]
