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


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("wellkept uns", ["unset"]),
        ("wellkept trus", ["trust"]),
        ("wellkept set --from", ["--from-file"]),
        ("wellkept set vault:secret/prod/db#password --if", ["--if-version"]),
        ("wellkept get vault:secret/prod/db --rev", ["--reveal"]),
    ],
)
def test_commands_and_options_of_secrets_are_completed(words: str, completed: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from wellkept.cli.app import app; app(prog_name='wellkept')"],
        env={"_WELLKEPT_COMPLETE": "fish_complete", "COMP_WORDS": words, "COMP_CWORD": words.rsplit(maxsplit=1)[-1]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert [
        line.split(",")[1].split("\t")[0] for line in done.stdout.splitlines() if line.startswith("plain")
    ] == completed
