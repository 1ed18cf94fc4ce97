"""What a person at a terminal is asked and shown."""

from tests.cli.shelf import CommandLine
from tests.cli.terminal import Terminal

KEY = "shelf:prod/db#password"


def test_a_value_is_typed_twice_at_a_terminal_and_not_shown(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "set", KEY)
    terminal.type("CANARY-typed\n", after=f"value of {KEY}: ")
    terminal.type("CANARY-typed\n", after="the same again: ")
    assert terminal.end() == 0
    assert "CANARY" not in terminal.shown
    assert f"set {KEY}, now version 1" in terminal.shown
    assert wellkept.newest("prod/db") == {"password": "CANARY-typed"}


def test_two_different_values_at_a_terminal_write_nothing(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "set", KEY)
    terminal.type("CANARY-typed\n", after=f"value of {KEY}: ")
    terminal.type("CANARY-other\n", after="the same again: ")
    assert terminal.end() == 2
    assert "the value: was typed differently the second time" in terminal.shown
    assert "CANARY" not in terminal.shown
    assert wellkept.newest("prod/db") is None


def test_nothing_typed_is_refused_at_once(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "set", KEY)
    terminal.type("\n", after=f"value of {KEY}: ")
    assert terminal.end() == 2
    assert "the value: holds no value" in terminal.shown


def test_a_prompt_that_is_left_writes_nothing(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "set", KEY)
    terminal.type("\x04", after=f"value of {KEY}: ")  # ctrl-D
    assert terminal.end() == 130
    terminal = Terminal(wellkept, "set", KEY)
    terminal.type("\x03", after=f"value of {KEY}: ")  # ctrl-C
    assert terminal.end() == 130
    assert wellkept.newest("prod/db") is None


def test_nobody_is_asked_for_a_value_that_could_not_be_written(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "set", "env:HOME#x")
    assert terminal.end() == 2
    assert "value of" not in terminal.shown


def test_a_whole_secret_is_removed_at_a_terminal_only_after_a_yes(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    terminal = Terminal(wellkept, "unset", "shelf:prod/db")
    terminal.type("n\n", after="remove all of shelf:prod/db?")
    assert terminal.end() == 1
    assert "nothing was removed" in terminal.shown
    assert wellkept.newest("prod/db") is not None
    terminal = Terminal(wellkept, "unset", "shelf:prod/db")
    terminal.type("y\n", after="remove all of shelf:prod/db?")
    assert terminal.end() == 0
    assert wellkept.newest("prod/db") is None


def test_a_text_that_is_revealed_at_a_terminal_ends_its_line(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    terminal = Terminal(wellkept, "get", KEY, "--reveal")
    assert terminal.end() == 0
    assert terminal.shown == "CANARY\r\n"


def test_what_is_there_is_drawn_at_a_terminal_without_its_value(wellkept: CommandLine) -> None:
    wellkept.put("prod/db", {"password": "CANARY"})
    terminal = Terminal(wellkept, "get", KEY)
    assert terminal.end() == 0
    assert KEY in terminal.shown
    assert "text" in terminal.shown
    assert "CANARY" not in terminal.shown
