"""What every test has: `missing` for what the machine lacks, and a canary over all that it shows or leaves.

The canary. Every secret of a fixture carries the word `CANARY`. After each phase of a test, what it
printed and logged, the frames of ours in its traceback, and at last the files in its `tmp_path` are
searched for that word, in its encodings too. A hit fails the test and names the place, not the value.

- A test keeps its secrets in files named `Config*.toml`, `Secrets*.toml` or `*.secret`, or in folders
  named `mount*` or `secrets*`. Every other file that it leaves is searched.
- A test that shows a canary on purpose says so: `@pytest.mark.shows_canary`.
- Lines of test files in a traceback are not searched: their source holds canaries.
- What a test takes out of `capsys`, or out of a child process, is that test's own to look at.
"""

import os
import re
import stat
import sys
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import NoReturn

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

pytest_plugins = ["pytester", "tests.servers.fixtures"]

MARKER = b"CANARY"
SEARCHED_BYTES = 1 << 20  # of each file: a log that a test leaves is far smaller
SECRET_FILES = ("Config*.toml", "Secrets*.toml", "*.secret")
SECRET_FOLDERS = ("mount*", "secrets*")


def _in_base64(offset: int) -> bytes:
    """The characters that the marker makes in base64 when it stands at this offset, modulo three."""
    encoded = b64encode(bytes(offset) + MARKER)
    first, end = -(-offset * 8 // 6), (offset + len(MARKER)) * 8 // 6
    return encoded[first:end]


_CANARY = re.compile(
    b"|".join(
        [MARKER, MARKER.hex().encode(), MARKER.hex().upper().encode(), *(_in_base64(offset) for offset in range(3))]
    )
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of tests that show a canary on purpose."""
    config.addinivalue_line("markers", "shows_canary: the test shows a canary on purpose; the search leaves it out")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say when the canary cannot see."""
    blind = config.getoption("capture") == "no"
    return "canary: output is not captured (-s), so it is not searched" if blind else None


@pytest.fixture
def missing() -> Callable[[str], NoReturn]:
    """Say what the machine lacks for a test: a skip on a laptop, a failure where CI=true."""

    def say(reason: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing, and CI=true: {reason}", pytrace=False)
        pytest.skip(reason)

    return say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a phase of a test that showed or left a canary."""
    report = yield
    if item.get_closest_marker("shows_canary") is not None:
        return report
    places = [name for name, text in report.sections if _has_canary(text) and name.endswith(f" {call.when}")]
    if _has_canary(_traceback(report.longrepr)):
        places.append(f"the traceback of its {call.when}")
    folder = item.funcargs.get("tmp_path") if isinstance(item, pytest.Function) else None
    if call.when == "teardown" and isinstance(folder, Path):
        places += _files_with_canary(folder)
    report.sections = [
        (name, "(withheld: a canary stands in it)" if _has_canary(text) else text) for name, text in report.sections
    ]
    if places:
        report.outcome = "failed"
        report.longrepr = "\n".join(f"{item.nodeid}: a canary stands in {place}" for place in places)
        vars(report).pop("wasxfail", None)  # an expected failure is no excuse
    return report


@pytest.fixture(autouse=True)
def _nothing_lives_on() -> Iterator[None]:
    """Let go of what a test has loaded and not closed: it would go on asking, and stand in the status of the next."""
    yield
    alive = sys.modules.get("wellkept.runtime.alive")
    engine = None if alive is None or alive._runner is None else alive._runner.engine
    if engine is not None:
        engine.forget([one.follower for one in list(engine._followings.values())])


@pytest.fixture(scope="session", autouse=True)
def _what_no_test_owns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Search what fixtures of a longer life than one test left; the folders of tests have been searched."""
    yield
    places = [
        place
        for folder in tmp_path_factory.getbasetemp().iterdir()
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith("test_")
        for place in _files_with_canary(folder)
    ]
    if places:
        pytest.fail("\n".join(f"a canary stands in {place}" for place in places), pytrace=False)


def _has_canary(text: str | bytes) -> bool:
    return _CANARY.search(text.encode("utf-8", "replace") if isinstance(text, str) else text) is not None


def _traceback(shown: object) -> str:
    """What a traceback shows, without the entries of test files."""
    chain = getattr(shown, "chain", None)
    if chain is None:
        return "" if shown is None else str(shown)
    entries = [entry for traceback, *_ in chain for entry in traceback.reprentries]
    return "\n".join(str(entry) for entry in entries if not _is_test_file(entry))


def _is_test_file(entry: object) -> bool:
    name = PurePath(getattr(getattr(entry, "reprfileloc", None), "path", "")).name
    return name == "conftest.py" or name.startswith("test_")


def _files_with_canary(folder: Path) -> Iterator[str]:
    """The files under a folder, made for no secret, that hold a canary; from the folder's name on."""
    for parent, _, names in os.walk(folder):
        for name in names:
            file = Path(parent, name)
            place = file.relative_to(folder.parent)
            if not _is_for_secrets(file.relative_to(folder)) and _has_canary(_head(file)):
                yield str(place)


def _is_for_secrets(file: PurePath) -> bool:
    return any(fnmatchcase(file.name, pattern) for pattern in SECRET_FILES) or any(
        fnmatchcase(parent, pattern) for parent in file.parts[:-1] for pattern in SECRET_FOLDERS
    )


def _head(file: Path) -> bytes:
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            return b""
        with file.open("rb") as opened:
            return opened.read(SEARCHED_BYTES)
    except OSError:  # the test made it unreadable on purpose, or it is gone
        return b""
