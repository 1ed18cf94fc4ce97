"""Every code block of the README and of the how-tos is executed, and its output compared to the letter.

A block with a title is a file; a console block holds commands with all that they print:
stdout as it is, stderr behind `2| `, and `[exit N]` where the code is not 0.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs/howto").glob("[!i]*.md"))]
_BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(command: str, folder: Path) -> Iterator[str]:
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=30
    )
    yield from done.stdout.splitlines()
    yield from (f"2| {line}" for line in done.stderr.splitlines())
    if done.returncode:
        yield f"[exit {done.returncode}]"


@pytest.mark.shows_canary  # the pages are written into files, values and all
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {language for language, _title, _body in blocks} <= {"toml", "python", "console"}
    assert [language for language, _title, _body in blocks].count("console")
    for language, title, body in blocks:
        if title:
            (tmp_path / title).write_text(body, encoding="utf-8")
            continue
        assert language == "console", "a block that is no file holds commands"
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, *expected = part.splitlines()
            assert list(printed(command, tmp_path)) == expected, command


def test_the_first_example_comes_within_forty_words() -> None:
    head = README.read_text(encoding="utf-8").split("```", 1)[0]
    assert len(head.split()) <= 40
