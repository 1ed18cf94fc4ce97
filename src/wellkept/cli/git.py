"""What the command line says to git, and asks it: outside a repository, or without git, there is nothing to say."""

import subprocess


def set_up_diff() -> None:
    """Tell git how to show Secrets.toml in a diff."""
    _git("config", "--local", "diff.wellkept.textconv", "wellkept textconv")


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
