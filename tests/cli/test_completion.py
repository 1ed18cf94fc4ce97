"""Completion: a script for each shell, and what it completes."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_completion(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wellkept", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_WELLKEPT_COMPLETE" in done.stdout


def test_the_commands_are_completed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from wellkept.cli.app import app; app(prog_name='wellkept')"],
        env={"_WELLKEPT_COMPLETE": "fish_complete", "COMP_WORDS": "wellkept ex", "COMP_CWORD": "ex"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "explain" in done.stdout
