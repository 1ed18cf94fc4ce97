"""The text of a .env file: what each line says, and which lines are refused by their number."""

import time

import pytest

from wellkept.crypto.dotenv import LineFault, parse_dotenv, to_dotenv


def pairs(text: str) -> list[tuple[str, str]]:
    found = parse_dotenv(text)
    assert not isinstance(found, LineFault), found
    return [(one.name, one.text) for one in found]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("A=", ""),
        ("A=one", "one"),
        ("A = one", "one"),
        ("  A=one  ", "one"),
        ("export A=one", "one"),
        ("export\tA=one", "one"),
        ("A=one two # a comment", "one two"),
        ("A=one#two", "one#two"),
        ("A=#one", "#one"),
        ("A= # a comment", ""),
        ("A=one\\ntwo", "one\\ntwo"),
        ("A=it's", "it's"),
        ("A=a=b", "a=b"),
        ("A='one two' # a comment", "one two"),
        ("A='it \\n $B \"#\"'", 'it \\n $B "#"'),
        ("A='one\ntwo'", "one\ntwo"),
        ("A=''", ""),
        ('A="one # two"', "one # two"),
        (r'A="\n\t\r\"\\\$\`"', '\n\t\r"\\$`'),
        ('A="one\n two"', "one\n two"),
        ('A="it\'s"', "it's"),
        ("A=größe", "größe"),
    ],
)
def test_a_line_gives_a_name_its_text(line: str, text: str) -> None:
    assert pairs(line) == [("A", text)]
    assert pairs(f"# before\n\n{line}\nB=2\n") == [("A", text), ("B", "2")]


def test_comments_and_empty_lines_say_nothing() -> None:
    assert pairs("") == []
    assert pairs("\n  \n# A=1\n\t# B=2\n  ") == []


def test_lines_are_counted_over_values_of_several_lines() -> None:
    found = parse_dotenv("# c\nA='1\n2\n3'\n\nB=4\n")
    assert not isinstance(found, LineFault)
    assert [(one.name, one.line) for one in found] == [("A", 2), ("B", 6)]


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ("CANARY", 1, "is neither NAME=VALUE nor a comment"),
        ("A=1\nCANARY two", 2, "is neither NAME=VALUE nor a comment"),
        ("export A", 1, "is neither NAME=VALUE nor a comment"),
        ("=CANARY", 1, "is neither NAME=VALUE nor a comment"),
        ("1A=CANARY", 1, "is neither NAME=VALUE nor a comment"),
        ("A-B=CANARY", 1, "is neither NAME=VALUE nor a comment"),
        ("A: CANARY", 1, "is neither NAME=VALUE nor a comment"),
        ("\n\nA='CANARY", 3, "has a quote that is not closed"),
        ('A="CANARY', 1, "has a quote that is not closed"),
        ('A="CANARY\\"', 1, "has a quote that is not closed"),
        ("A='CANARY' B", 1, "has something behind the closing quote"),
        ("A='CANARY'#b", 1, "has something behind the closing quote"),
        ('A="CANARY""b"', 1, "has something behind the closing quote"),
        ('A="CANARY\\d"', 1, "has a backslash that begins no escape"),
        ('A="CANARY\\\nb"', 1, "has a backslash that begins no escape"),
        ("A=CANARY\0", 1, "has a NUL character"),
        ("A=1\nB=2\nA=CANARY", 3, "repeats A of line 1"),
    ],
)
def test_a_line_that_says_nothing_clear_is_refused_by_its_number(text: str, line: int, fact: str) -> None:
    found = parse_dotenv(text)
    assert isinstance(found, LineFault)
    assert (found.line, found.fact) == (line, fact)
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize(
    ("line", "fills_in"),
    [
        ("A=a$B", True),
        ("A=${B}", True),
        ('A="$(date)"', True),
        ('A="\\$B"', False),
        ('A="\\\\$B"', True),
        ("A='$B'", False),
        ("A=a$", False),
        ("A=5$", False),
        ("A=$5", False),
    ],
)
def test_where_a_shell_would_fill_something_in_is_noted_and_nothing_is_filled_in(line: str, *, fills_in: bool) -> None:
    found = parse_dotenv(line)
    assert not isinstance(found, LineFault)
    assert found[0].fills_in is fills_in


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a-b.c/d:e@f%g+h=i", "A=a-b.c/d:e@f%g+h=i\n"),
        ("", "A=''\n"),
        ("two words", "A='two words'\n"),
        ('$HOME `x` "\\', "A='$HOME `x` \"\\'\n"),
        ("one\ntwo", "A='one\ntwo'\n"),
        ("it's $5 `x` \"\\\n", 'A="it\'s \\$5 \\`x\\` \\"\\\\\n"\n'),
        ("one\r\ntwo", 'A="one\\r\ntwo"\n'),
    ],
)
def test_a_text_is_written_as_a_shell_reads_it_too(text: str, line: str) -> None:
    assert to_dotenv([("A", text)]) == line
    assert pairs(line) == [("A", text)]


def test_no_text_takes_long() -> None:
    began = time.perf_counter()
    for text in (
        "A=" + " a" * 400_000,
        "A=" + " " * 800_000 + "x",
        'A="' + "\\" * 800_001,
        "A='" * 200_000,
        "A=1\n" * 2,
    ):
        parse_dotenv(text)
    assert time.perf_counter() - began < 5


def test_no_value_stands_in_the_repr() -> None:
    assert "CANARY" not in repr(parse_dotenv("A=CANARY\n"))
