"""Errors, events, the registry and the testing tools."""

import subprocess
import sys
from pathlib import Path

import pytest

from wellkept.errors import Absent, ConfigError, Denied, Kind, Problem, Unreachable, WellkeptError
from wellkept.events import Bus, Event, Topic
from wellkept.model import Reading, Reference
from wellkept.registry import Schemes, open_source
from wellkept.testing import ManualClock, MemorySource, assert_hidden


def test_an_error_shows_its_hint_on_a_line_of_its_own() -> None:
    error = WellkeptError("db: is missing", hint="set it")
    assert str(error) == "db: is missing\n  hint: set it"
    assert (error.message, str(WellkeptError("plain"))) == ("db: is missing", "plain")


def test_a_report_shows_each_problem_with_place_and_hint() -> None:
    problem = Problem("port", "expected a whole number", "Config.toml:3:8", "write 8080")
    assert str(ConfigError("configuration of App", [problem])) == (
        "configuration of App: 1 problem\n  port: expected a whole number (Config.toml:3:8)\n      hint: write 8080"
    )
    assert ConfigError("x", [problem, problem]).message == "x: 2 problems"
    assert ConfigError("x", [Problem("a", "b", None, "c", Kind.DENIED)]).exit_code == 77


def fails(_event: Event) -> None:
    raise RuntimeError("CANARY of a listener")


def test_a_listener_that_raises_hurts_nobody_and_one_that_left_hears_nothing() -> None:
    bus, heard = Bus(), list[Event]()
    bus.subscribe(fails)
    stop = bus.subscribe(heard.append)
    bus.publish(Event(Topic.CLOSED, "a", "b"))
    stop()
    bus.publish(Event(Topic.CLOSED, "a", "b"))
    assert [(one.topic, one.subject) for one in heard] == [(Topic.CLOSED, "a")]


def test_a_reading_shows_no_value() -> None:
    assert "CANARY" not in repr(Reading("CANARY-reading", "memory a"))


def test_the_memory_source_gives_each_of_the_answers() -> None:
    memory, reference = MemorySource({"a": "CANARY-a"}), Reference("mem", ("a",))
    memory.put("a", "CANARY-b")
    assert memory.fetch(reference).version == "2"
    memory.deny("a")
    with pytest.raises(Denied):
        memory.fetch(reference)
    memory.disconnect()
    with pytest.raises(Unreachable):
        memory.fetch(reference)
    memory.connect()
    memory.remove("b")
    with pytest.raises(Absent):
        memory.fetch(Reference("mem", ("b",)))
    assert memory.requests == ["a", "a", "a", "b"]


def test_the_manual_clock_moves_only_when_it_is_moved() -> None:
    clock = ManualClock()
    start = clock.now()
    clock.advance(90)
    assert ((clock.now() - start).total_seconds(), clock.seconds()) == (90, 90)


def test_a_canary_that_shows_is_told_by_number_only() -> None:
    assert_hidden(["CANARY-x"], "nothing here", 5)
    with pytest.raises(AssertionError, match="canary 0 in text 1") as caught:
        assert_hidden(["CANARY-x"], "fine", "shows CANARY-x")
    assert "CANARY" not in str(caught.value)


def test_schemes_are_the_built_in_ones_and_the_given() -> None:
    schemes = Schemes({"mem"})
    assert {"env", "file", "mem"} <= set(schemes)
    assert "mem" in schemes
    assert "nothing" not in schemes
    assert len(schemes) == len(set(schemes))


def test_an_unknown_scheme_cannot_be_opened() -> None:
    with pytest.raises(WellkeptError, match="nothing: is no known scheme"):
        open_source("nothing", {})


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


def test_a_file_is_fetched_alone_with_each_of_the_answers(tmp_path: Path) -> None:
    source = open_source("file", {})
    (tmp_path / "pw.secret").write_bytes(b"CANARY-alone\r\n")
    base = str(tmp_path)
    reading = source.fetch(Reference("file", ("pw.secret",), base=base))
    assert (reading.value, reading.note) == (b"CANARY-alone", "one final newline stripped")
    with pytest.raises(Absent):
        source.fetch(Reference("file", ("absent",), base=base))
    (tmp_path / "mount").mkdir()
    (tmp_path / "mount" / "a").write_bytes(b"CANARY-a\n")
    assert source.fetch(Reference("file", ("mount",), base=base)).value == {"a": b"CANARY-a"}


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
