"""Printing: what is said of a wait, and bytes as they are."""

import time

import pytest

from wellkept.cli import render
from wellkept.events import BUS, Event, Topic


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "PATIENCE_S", 0.05)


def test_a_short_wait_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with render.waiting("asking the sources"):
        pass
    time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_a_long_wait_is_named_once_and_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with render.waiting("asking the sources"):
        time.sleep(0.2)
    assert capsys.readouterr() == ("", "asking the sources …\n")


def test_a_wait_names_the_sources_that_were_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with render.waiting("asking the sources"):
        BUS.publish(Event(Topic.ASKING, "vault", "for 10 values"))
        BUS.publish(Event(Topic.RESOLVED, "password", "vault secret/prod/db"))
        time.sleep(0.2)
        BUS.publish(Event(Topic.ASKING, "aws", "for 1 value"))
    assert capsys.readouterr() == ("", "waiting for vault (10 values) …\n")


def test_a_wait_for_several_sources_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    with render.waiting("asking the sources"):
        BUS.publish(Event(Topic.ASKING, "vault", "for 10 values"))
        BUS.publish(Event(Topic.ASKING, "aws", "for 1 value"))
        time.sleep(0.2)
    assert capsys.readouterr() == ("", "waiting for vault (10 values), aws (1 value) …\n")


def test_a_wait_that_fails_says_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), render.waiting("asking the sources"):
        raise RuntimeError
    time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_bytes_follow_the_text_before_them(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    render.out("text")
    render.exactly(b"\xff\n")
    assert capfdbinary.readouterr() == (b"text\n\xff\n", b"")
