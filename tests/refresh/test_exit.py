"""The end of a process: what it obtained is given back, within two seconds, and nothing is said that is no use."""

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.refresh.programs.run import Fact, Running, running

pytestmark = pytest.mark.timeout(180)

EXIT_S = 2.0
MARGIN_S = 20.0  # for the rest of the interpreter, on a machine that is shared; what hangs, hangs for a minute
MOMENTS = 12


def end(way: str, tmp_path: Path, hangs: str = "") -> tuple[Running, list[Fact]]:
    """A program that has ended, and what its source was asked."""
    ledger = tmp_path / "ledger"
    with running("ending", ledger, way, *hangs.split(), errors=tmp_path / "errors") as program:
        program.wait()
    return program, [json.loads(line) for line in ledger.read_text().splitlines()]


def ends(asked: list[Fact]) -> Counter[str]:
    """What was ended, and how often."""
    return Counter(one["whose"] for one in asked if one["did"] in {"revoke", "log_out"})


def took_s(program: Running) -> float:
    assert program.ended_at is not None
    began: float = program.told("ending_at")[0]["ending_at"]
    return program.ended_at - began


# The ways to end


@pytest.mark.parametrize(
    ("way", "code"),
    [
        ("falling_off", 0),
        ("exiting", 3),
        ("raising", 1),
        ("interrupted", -signal.SIGINT),
        ("handling_terminate", 5),
        ("with_a_hanging_thread", 0),
        ("with_a_hanging_callback", 0),
        ("while_somebody_refreshes", 0),
    ],
)
def test_a_process_that_ends_gives_back_its_lease_and_keeps_its_exit_code(way: str, code: int, tmp_path: Path) -> None:
    program, asked = end(way, tmp_path)
    assert program.process.returncode == code
    # Twice is fine, too: who refreshes meanwhile has given it back already (see `ports.Leases.revoke`).
    assert ends(asked)[f"lease-{program.process.pid}-1"] >= 1
    assert took_s(program) < EXIT_S + MARGIN_S


@pytest.mark.parametrize(("way", "code"), [("leaving_at_once", 4), ("being_terminated", -signal.SIGTERM)])
def test_a_process_that_python_does_not_end_leaves_its_lease_to_its_own_end(
    way: str, code: int, tmp_path: Path
) -> None:
    program, asked = end(way, tmp_path)
    assert program.process.returncode == code
    assert ends(asked) == {}


@pytest.mark.parametrize("way", ["falling_off", "exiting", "handling_terminate", "late", "with_a_hanging_thread"])
def test_the_end_says_nothing_on_stderr(way: str, tmp_path: Path) -> None:
    program, _ = end(way, tmp_path)
    assert program.errors == ""


def test_an_uncaught_error_is_shown_and_nothing_else(tmp_path: Path) -> None:
    program, _ = end("raising", tmp_path)
    assert program.errors.count("Traceback") == 1
    assert program.errors.endswith("LookupError: of the program\n")


def test_a_program_of_a_moment_ends_its_login_too(tmp_path: Path) -> None:
    program, asked = end("exiting", tmp_path, "login")
    pid = program.process.pid
    assert ends(asked) == {f"lease-{pid}-1": 1, f"login-{pid}-1": 1}


def test_after_the_end_secrets_still_reveal_and_what_is_loaded_is_loaded(tmp_path: Path) -> None:
    program, _ = end("late", tmp_path)
    assert program.process.returncode == 0
    assert [fact["reveals"] for fact in program.told("reveals")] == [True]
    assert [fact["loads"] for fact in program.told("loads")] == [True]


def test_what_was_closed_is_given_back_once_where_the_exit_meets_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with running("closing", ledger, errors=tmp_path / "errors") as program:
        assert program.wait() == 6
        pid = program.process.pid
        assert ends([json.loads(line) for line in ledger.read_text().splitlines()]) == {
            f"lease-{pid}-{number}": 1 for number in range(1, 6)
        }
        assert program.errors == ""


# A source that hangs


@pytest.mark.parametrize("hangs", ["revoke", "log_out", "renew", "fetch", "local"])
def test_a_source_that_hangs_holds_the_end_up_for_two_seconds_at_the_most(hangs: str, tmp_path: Path) -> None:
    program, _ = end("exiting", tmp_path, hangs)
    assert program.process.returncode == 3
    assert took_s(program) < EXIT_S + MARGIN_S
    assert program.errors == ""


@pytest.mark.parametrize("hangs", ["renew", "fetch"])
def test_a_lease_is_given_back_while_another_question_to_its_source_hangs(hangs: str, tmp_path: Path) -> None:
    _, asked = end("exiting", tmp_path, hangs)
    leases = [one["whose"] for one in asked if one["did"] == "fetch"]  # more than one where a renewal came too late
    if hangs == "fetch":  # the answer to the last one never came
        leases.pop()
    assert ends(asked) == Counter(leases)
    assert leases


# In the midst of journeys


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_the_end_in_the_midst_of_journeys_and_callbacks_is_silent(moment: int, tmp_path: Path) -> None:
    with running("travelling", 0.7 + moment * 0.05, errors=tmp_path / "errors") as program:
        assert program.wait() == 9
    assert program.errors == ""
    assert took_s(program) < EXIT_S + MARGIN_S
