"""What a child inherits in the midst of something: a lock that is held, a value half handed on, a lease."""

from pathlib import Path

import pytest

from tests.refresh.programs.run import Running, rotate, running

pytestmark = pytest.mark.timeout(180)


def told(how: str, folder: Path) -> Running:
    """What was told by a process that forked so, and by its child."""
    file = folder / "db.secret"
    rotate(file, 1)
    with running("inheriting", file, how, errors=folder / "errors") as program:
        assert program.wait() == 0, program.errors
        assert program.told("code")[0]["code"] == 0
        assert program.errors == ""
        return program


def test_the_thread_of_a_child_starts_after_all_that_is_made_anew_there(tmp_path: Path) -> None:
    """A provider that was imported late has locks and connections that are still the parent's."""
    assert [fact["threads"] for fact in told("late", tmp_path).told("threads")] == [1]


def test_a_watch_goes_on_in_a_child_whose_parent_held_its_lock(tmp_path: Path) -> None:
    assert [fact["names"] for fact in told("watching", tmp_path).told("names")] == [["db_password"]]


def test_what_is_derived_is_made_anew_in_a_child_that_was_forked_meanwhile(tmp_path: Path) -> None:
    assert [fact["is_there"] for fact in told("deriving", tmp_path).told("is_there")] == [True]


def test_a_callback_that_ran_at_the_fork_is_called_in_the_child_too(tmp_path: Path) -> None:
    assert {fact["heard"] for fact in told("calling", tmp_path).told("heard")} == {True}


def test_closing_in_a_child_leaves_a_lease_to_the_parent(tmp_path: Path) -> None:
    program = told("closing", tmp_path)
    (mine,) = program.told("revokes")
    assert [fact["pid"] for fact in program.told("revoked")] == [mine["pid"]]
