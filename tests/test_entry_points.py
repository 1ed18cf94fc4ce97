"""A package that offers a scheme, installed for real, and a program that loads with it."""

import subprocess
import sys
from pathlib import Path

ENTRY_POINTS = "[wellkept.providers]\nshelf = shelf:open_source\nenv = shelf:open_source\nbroken = absent:open_source\n"
MODULE = (
    "from wellkept.testing import MemorySource\n"
    "def open_source(environ):\n    return MemorySource({'a': environ['ANSWER']})\n"
)


def test_an_installed_package_adds_a_scheme_and_never_replaces_a_built_in_one(tmp_path: Path) -> None:
    info = tmp_path / "shelf-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (tmp_path / "shelf.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "Config.toml").write_text('a = "${shelf:a}"\nb = "${env:ANSWER}"\n', encoding="utf-8")
    script = tmp_path / "app.py"
    script.write_text(
        "from wellkept import ConfigError, Secret, Settings, load\n"
        "class App(Settings):\n    a: Secret[str]\n    b: str\n"
        "config = load(App, redact=False)\nprint(config.a.origin, config.b == config.a)\n"
        "try:\n    load(App, overrides={}, environ={'BAL_CONFIG_VAR_B': '${broken:x}'}, redact=False)\n"
        "except ConfigError as error:\n    print(*(one.message for one in error.problems), sep=chr(10))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "ANSWER": "CANARY-shelf"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "memory a v1 True",
        "shelf: its provider cannot be opened (KeyError)",
        "broken: its package cannot be imported (ModuleNotFoundError)",
    ], done.stderr
