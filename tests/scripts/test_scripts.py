"""Runs every story of this folder and compares all that it prints, to the letter."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_SECTION = re.compile(r"^-- (.+) --$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


@dataclass
class Step:
    """One command and what it should print."""

    command: str
    expected: list[str] = field(default_factory=list)


def split(text: str) -> tuple[list[Step], dict[str, str]]:
    """The commands and the files of a story."""
    head, *sections = _SECTION.split(text)
    files = {name: body.removeprefix("\n") for name, body in zip(sections[::2], sections[1::2], strict=True)}
    steps: list[Step] = []
    for line in head.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
        elif steps and line:
            steps[-1].expected.append(line)
    return steps, files


def run(command: str, folder: Path) -> Iterator[str]:
    """What a command prints, in the form of a story."""
    words = shlex.split(command)
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    while words and _ASSIGNMENT.match(words[0]):
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    program = [sys.executable, "-m", "wellkept"] if words[0] == "wellkept" else [words[0]]
    done = subprocess.run(
        [*program, *words[1:]], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=30
    )
    yield from (line for line in done.stdout.splitlines() if line)
    yield from (f"2| {line}" for line in done.stderr.splitlines() if line)
    if done.returncode:
        yield f"[exit {done.returncode}]"


@pytest.mark.parametrize("story", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_the_story_prints_what_it_says(story: Path, tmp_path: Path) -> None:
    steps, files = split(story.read_text(encoding="utf-8"))
    assert steps
    for name, body in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o644 if "exposed" in name else 0o600)
        file.write_text(body, encoding="utf-8")
    for step in steps:
        assert list(run(step.command, tmp_path)) == step.expected, step.command
