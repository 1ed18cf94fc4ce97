"""The quick way to read a `run` line, beside click's: where it answers at all, both must say the same."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept.cli.run import command
from wellkept.cli.run_line import OPTIONS, RunLine, read_line

OTHERS = ["A=b", "app", "-x", "--x", "-h", "--help", "", "--envs", "--fil", "GLOB*", "--", "-", "--settings=1"]
WORDS = st.sampled_from([*(one.flag for one in OPTIONS), "--env=A=b", "--prefix=", "--files=d", *OTHERS])


def clicked(words: list[str]) -> dict[str, object] | None:
    """What click makes of a line, or None where it refuses it or shows help."""
    try:
        context = command.make_context("run", list(words))
    except (click.ClickException, click.exceptions.Exit):
        return None
    return {name: list(one) if isinstance(one, tuple) else one for name, one in context.params.items()}


@given(st.lists(WORDS, max_size=7))
def test_a_line_that_is_read_quickly_is_read_as_click_reads_it(words: list[str]) -> None:
    quick = read_line(words)
    if quick is None:
        return
    found = {name: getattr(quick, name) for name in RunLine.__match_args__}
    assert {name: list(one) if isinstance(one, tuple) else one for name, one in found.items()} == clicked(words)


@pytest.mark.parametrize("words", [["--help"], ["--env"], [], ["--unknown", "x"], ["--settings=1", "app"], ["--"]])
def test_help_and_mistakes_are_left_to_click(words: list[str]) -> None:
    assert read_line(words) is None


def test_a_line_shows_no_value_of_its_own() -> None:
    assert repr(read_line(["--env", "A=CANARY", "app"])) == "RunLine(…)"
