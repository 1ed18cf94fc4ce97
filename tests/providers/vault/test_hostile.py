"""Hostile answers: each is stopped within its deadline, in bounded memory, without believing or leaking a thing."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.answers import a_good_answer
from tests.servers.hostile import HOSTILE, HostileServer

ROOT = Path(__file__).parents[3]
DEADLINE_S = 0.6
MOST_KB = 32 * 1024
LONG_DEADLINE_S = 3  # long enough for an answer of small pieces to arrive, whose memory is the point
STOPPED_S = 15.0  # within it: no answer of these ends by itself, and a busy machine is slow
PATIENT_S = 40.0  # for an answer that is taken


@dataclass(frozen=True, slots=True)
class Told:
    """What a process of its own said of one answer."""

    error: str
    seconds: float
    grown_kb: int
    shown: str


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_stopped(hostile: Callable[..., HostileServer], name: str) -> None:
    server = hostile(name)
    told = ask(server.address, PATIENT_S if name in BELIEVED else DEADLINE_S)
    assert told.seconds < STOPPED_S
    assert told.grown_kb <= MOST_KB
    assert told.error in ({""} if name in BELIEVED else {"Malformed", "TimedOut", "Unreachable"})
    assert "CANARY" not in told.shown
    assert not server.elsewhere.requests
    assert not server.elsewhere.connections


# The first of two answers is what was asked for; the second one is never read.
BELIEVED = {"unasked-response"}


@pytest.mark.parametrize("name", ["tiny-chunks", "endless-chunks", "endless-trailers", "gigabyte", "json-deep"])
def test_time_does_not_buy_a_hostile_answer_memory(hostile: Callable[..., HostileServer], name: str) -> None:
    assert ask(hostile(name).address, LONG_DEADLINE_S).grown_kb <= MOST_KB


def test_a_good_answer_is_believed(hostile: Callable[..., HostileServer]) -> None:
    assert not ask(hostile(a_good_answer).address, PATIENT_S).error


def ask(address: str, deadline_s: float = DEADLINE_S) -> Told:
    done = subprocess.run(
        [sys.executable, "-m", "tests.providers.vault.ask_hostile", address, str(deadline_s)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert not done.stderr, "it raised something that is not ours"
    return Told(**json.loads(done.stdout))
