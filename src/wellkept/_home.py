"""Where wellkept keeps what belongs to one user: below XDG_CONFIG_HOME, or ~/.config."""

import os
from collections.abc import Mapping
from pathlib import Path

from wellkept._files import FileFault
from wellkept.errors import Kind


def user_file(environ: Mapping[str, str], name: str) -> str | None:
    """The path of a file of that user, or None where there is no home folder."""
    home = environ.get("HOME", "")
    folder = environ.get("XDG_CONFIG_HOME", "") or (os.path.join(home, ".config") if home else "")  # noqa: PTH118 text in, text out
    return os.path.join(folder, "wellkept", name) if os.path.isabs(folder) else None  # noqa: PTH117, PTH118 as above


def make_user_folder(path: str) -> None:
    """Make the folder that such a file stands in, for its owner only; git never looks into it.

    Raises:
        FileFault: it cannot be made.
    """
    folder = Path(path).parent
    reason = ""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():  # a home folder may stand inside a repository
            ignore.write_text("*\n")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
    if reason:
        raise FileFault(str(folder), f"cannot be made ({reason})", hint="set XDG_CONFIG_HOME", kind=Kind.DENIED)
