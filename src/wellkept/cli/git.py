"""What the command line says to git, and asks it: outside a repository, or without git, there is nothing to say."""

import subprocess

# Where wellkept is not installed, a diff shows the file as it is: git would stop at a program that is not there.
TEXTCONV = """sh -c 'command -v wellkept >/dev/null && exec wellkept textconv "$1"; exec cat "$1"' --"""


def set_up_diff() -> None:
    """Tell git how to show Secrets.toml in a diff."""
    _git("config", "--local", "diff.wellkept.textconv", TEXTCONV)


def is_ignored(path: str) -> bool:
    """Whether a commit would leave a file out."""
    return _git("check-ignore", "--quiet", "--", path)


def _git(*words: str) -> bool:
    """Whether git did it."""
    try:
        done = subprocess.run(  # noqa: S603 no shell
            ["git", *words],  # noqa: S607 whichever git the person has
            check=False,
            capture_output=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
