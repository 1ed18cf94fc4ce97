"""No command prints a value, whether all is well or everything is wrong."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.leaks.canaries import TEXTS, shows

V = TEXTS["letters and digits"]
APP = f"""
from wellkept import Secret, Settings

class Config(Settings):
    password: Secret[str]
    token: Secret[str] = Secret("{V}")
    port: int = 1

class Empty(Settings):
    password: Secret[str]
"""
GOOD = f'password = "{V}"\n'
REFERS = 'password = "${env:OTHER}"\n[wellkept.run.env]\nDB_PASSWORD = "${env:OTHER}"\n'
WRONG = f'password = "{V}"\nport = "{V}"\nother = "{V}"\n'
BROKEN = f'password = "{V}\n'

# what stands in Config.toml, the command, its exit code
CASES: Mapping[str, tuple[str, Sequence[str], int]] = {
    "check": (GOOD, ["check", "app:Config"], 0),
    "check as JSON": (GOOD, ["check", "app:Config", "--json"], 0),
    "check what is wrong": (WRONG, ["check", "app:Config"], 1),
    "check what is wrong, as JSON": (WRONG, ["check", "app:Config", "--json"], 1),
    "check what is broken": (BROKEN, ["check", "app:Config"], 1),
    "check the files": (REFERS, ["check"], 0),
    "check broken files": (BROKEN, ["check"], 1),
    "check with the secret as an argument": ("", ["check", "app:Empty", "-C", f"password={V}"], 1),
    "explain": (GOOD, ["explain", "app:Config"], 0),
    "explain a reference": (REFERS, ["explain", "app:Config", "password"], 0),
    "explain what is wrong": (WRONG, ["explain", "app:Config"], 1),
    "schema": (GOOD, ["schema", "app:Config"], 0),
    "template": (GOOD, ["template", "app:Config"], 0),
    "run no such command": (REFERS, ["run", "--", "no-such-command"], 125),
    "run with a broken file": (BROKEN, ["run", "--settings", "--", "true"], 125),
    "run with an absent reference": (WRONG, ["run", "--env", f"X={V}${{file:/none}}", "--", "true"], 125),
    "run with a value for no variable": (GOOD, ["run", "--env", V, "--", "true"], 125),
    "run with files in a file": (GOOD, ["run", "--files", "app.py", "--", "true"], 125),
    "a module that fails": (GOOD, ["check", "failing:Config"], 2),
}


def outcome(folder: Path, command: Sequence[str], **environ: str) -> tuple[int, bytes]:
    """The exit code and all that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "wellkept", *command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "OTHER": V, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder for secrets, with a program in it."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "failing.py").write_text(f"raise ValueError('{V}')\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", CASES)
def test_a_command_shows_no_value(name: str, secrets: Path) -> None:
    text, command, code = CASES[name]
    file = secrets / "Config.toml"
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    found, printed = outcome(secrets, command)
    assert not shows(printed)
    assert (found, printed != b"") == (code, True)


@pytest.mark.parametrize("command", [["check"], ["check", "app:Config"], ["run", "--settings", "--", "true"]])
def test_broken_data_in_a_variable_is_reported_without_it(command: Sequence[str], secrets: Path) -> None:
    code, printed = outcome(secrets, command, BAL_CONFIG_DATA=BROKEN)
    assert not shows(printed)
    assert b"BAL_CONFIG_DATA" in printed
    assert code in {1, 125}
