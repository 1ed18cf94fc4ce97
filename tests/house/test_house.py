"""The house rules that no linter knows: news, machine paths, reasons, pins, the facade, the drawing of the layers."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import wellkept

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))

MACHINE_PATH = re.compile(r"(?<![\w.~*])/(?:wor[k]|roo[t]|tm[p])/\w|pypi[.]org|pythonhoste[d]|npmj[s]")
SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)(?P<rest>.*)")
WITH_REASON = re.compile(r"(?::\s*(?:[A-Z]+\d+\b,?\s*)++|\[[\w-]+(?:,\s*[\w-]+)*\])\s*(?:#\s*)?\w+")
PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)(?: ; .+)?")
FRAGMENT = re.compile(r"(?:\d+|\+[\w-]+)\.(?P<type>[a-z]+)(?:\.\d+)?\.md")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tree(missing: Callable[[str], NoReturn]) -> Iterator[tuple[str, str]]:
    """Every text file that git keeps or would keep, by its name in the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        missing("the tree is no git checkout, so what belongs to it is not known")
    for name in filter(None, listed.stdout.split("\0")):
        data = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in data:
            yield name, data.decode("utf-8")


def test_every_news_fragment_has_a_type_that_the_changelog_prints() -> None:
    types = {one["directory"] for one in project()["tool"]["towncrier"]["type"]}
    names = [file.name for file in (ROOT / "news").iterdir() if file.name != "README.md"]
    assert names
    assert [name for name in names if (found := FRAGMENT.fullmatch(name)) is None or found["type"] not in types] == []


def test_no_file_names_a_path_of_a_machine_or_a_registry(missing: Callable[[str], NoReturn]) -> None:
    found = [
        f"{name}:{number}"
        for name, text in tree(missing)
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("line", ["see /w" + "ork/x", "'/t" + "mp/x'", "https://pypi" + ".org/simple"])
def test_a_path_of_a_machine_would_be_seen(line: str) -> None:
    assert MACHINE_PATH.search(line)


def test_every_silenced_check_names_its_code_and_a_reason() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in SOURCES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (silenced := SILENCED.search(line)) and not WITH_REASON.match(silenced["rest"].lstrip())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("comment", "is_fine"),
    [
        ("# noqa: S606 no shell is the point", True),
        ("# noqa: PTH100, PTH109 pathlib costs ten times as much", True),
        ("# type: ignore[no-any-return]  # a cast costs 30 ns", True),
        ("# noqa: S606", False),
        ("# noqa: PTH100, PTH109", False),
        ("# noqa", False),
        ("# type: ignore[no-any-return]", False),
        ("# type: ignore  # because", False),
    ],
)
def test_a_silenced_check_needs_a_code_and_a_reason(comment: str, is_fine: bool) -> None:
    silenced = SILENCED.search(comment)
    assert silenced
    assert bool(WITH_REASON.match(silenced["rest"].lstrip())) is is_fine


def test_the_facade_is_small_sorted_and_only_re_exports() -> None:
    assert wellkept.__all__ == sorted(wellkept.__all__)
    assert len(wellkept.__all__) <= 25
    statements = ast.parse((ROOT / "src/wellkept/__init__.py").read_text(encoding="utf-8")).body
    # The names that are imported on first use: docs/adr/0007.
    kinds = [type(one) for one in statements if not isinstance(one, ast.ImportFrom)]
    assert kinds == [ast.Expr, ast.If, ast.Assign, ast.FunctionDef, ast.FunctionDef]
    assert [one.name for one in statements if isinstance(one, ast.FunctionDef)] == ["__getattr__", "__dir__"]


def test_importing_wellkept_loads_nothing_but_light_parts_of_the_standard_library() -> None:
    script = Path(__file__).with_name("import_is_light.py")
    done = subprocess.run([sys.executable, "-I", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_source_file_is_longer_than_the_hard_stop() -> None:
    def code_lines(file: Path) -> int:
        lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
        return sum(1 for line in lines if line and not line.startswith("#"))

    assert [file.name for file in SOURCES if code_lines(file) > 400] == []


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.stem)
def test_requirements_are_exact_pins_and_name_no_registry(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_what_is_installed_into_one_environment_is_pinned_once() -> None:
    pins: dict[str, set[frozenset[str]]] = {}
    for kind in ("test", "check", "docs"):
        lines = (ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
        for name in {line.partition("==")[0] for line in lines}:
            pins.setdefault(name, set()).add(frozenset(line for line in lines if line.startswith(f"{name}==")))
    assert {name: lines for name, lines in pins.items() if len(lines) > 1} == {}


def test_the_drawing_of_the_layers_is_the_contract_that_is_checked() -> None:
    contract = next(one for one in project()["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    page = (ROOT / "docs/layout.md").read_text(encoding="utf-8")
    drawing = page.split("```text\n", 1)[1].split("```", 1)[0]
    drawn = [re.sub(r"\s*\|\s*", " | ", line.partition("  ←")[0].strip()) for line in drawing.splitlines()]
    assert [line for line in drawn if line] == contract["layers"]
