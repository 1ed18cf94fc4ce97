"""Where keys and values stand: examples a reader can count; tests/property has the proof."""

import sys
import time
from collections.abc import Callable

import pytest

from wellkept._toml.positions import KeyPath, Place, Repeat, find_positions

DOCUMENT = """\
# Config.toml
dbPassword = "s3cur3"
  port=8080   # spaces before

[server]
tls.cert = 'a'
"quoted \\u0061.b" . 'c' = 1
list = [ 1, # one
  [2, {x = 3}], "]" ]

[[backends]]
name = "one"
[[ backends ]]
at = 1979-05-27 07:32:00
[backends.limits]
text = \"\"\"
many = 1
lines\"\"\"\"\"
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("dbPassword",), (2, 1), (2, 14)),
        (("port",), (3, 3), (3, 8)),
        (("server",), (5, 2), (5, 1)),
        (("server", "tls"), (6, 1), None),
        (("server", "tls", "cert"), (6, 5), (6, 12)),
        (("server", "quoted a.b"), (7, 1), None),
        (("server", "quoted a.b", "c"), (7, 21), (7, 27)),
        (("server", "list"), (8, 1), (8, 8)),
        (("server", "list", 0), None, (8, 10)),
        (("server", "list", 1, 0), None, (9, 4)),
        (("server", "list", 1, 1), None, (9, 7)),
        (("server", "list", 1, 1, "x"), (9, 8), (9, 12)),
        (("server", "list", 2), None, (9, 17)),
        (("backends",), (11, 3), (11, 1)),
        (("backends", 0), (11, 3), (11, 1)),
        (("backends", 0, "name"), (12, 1), (12, 8)),
        (("backends", 1), (13, 4), (13, 1)),
        (("backends", 1, "at"), (14, 1), (14, 6)),
        (("backends", 1, "limits"), (15, 11), (15, 1)),
        (("backends", 1, "limits", "text"), (16, 1), (16, 8)),
        (("many",), None, None),
        ((), None, None),
    ],
)
def test_a_key_and_a_value_have_a_line_and_a_column(path: KeyPath, key: Place | None, value: Place | None) -> None:
    positions = find_positions(DOCUMENT)
    assert (positions.key(path), positions.value(path)) == (key, value)


def test_columns_count_characters_and_not_bytes() -> None:
    assert find_positions('"ключ😀" = "é"').value(("ключ😀",)) == (1, 11)


def test_a_table_that_only_stands_inside_a_header_has_the_place_of_its_key_and_of_no_value() -> None:
    positions = find_positions("[a.b]\n")
    assert (positions.key(("a",)), positions.value(("a",))) == ((1, 2), None)
    assert positions.key(("a", "b")) == (1, 4)


def test_a_header_that_comes_late_is_the_place_of_its_table() -> None:
    positions = find_positions("[a.b]\n[a]\n")
    assert (positions.key(("a",)), positions.value(("a",))) == ((2, 2), (2, 1))


def test_keys_are_known_by_what_their_escapes_write() -> None:
    text = r'"\b\t\n\f\r\"\\\u00e9\U0001F600" = 1'
    assert list(find_positions(text).keys) == [('\b\t\n\f\r"\\é😀',)]


def test_the_inline_tables_of_toml_1_1_are_understood() -> None:
    positions = find_positions('a = {\n  b = 1, # one\n  "\\x41\\e" = 2,\n}\nc = 3\n')
    assert positions.value(("a", "b")) == (2, 7)
    assert positions.key(("a", "A\x1b")) == (3, 3)
    assert positions.value(("c",)) == (5, 5)


# Repeated keys


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        pytest.param("a = 1\nb = 2\na = 3", [(("a",), (1, 1), (3, 1))], id="pair"),
        pytest.param("a = 1\na = 2\n a = 3", [(("a",), (1, 1), (2, 1)), (("a",), (1, 1), (3, 2))], id="thrice"),
        pytest.param("[a]\nx = 1\n[a]\nx = 1", [(("a",), (1, 2), (3, 2)), (("a", "x"), (2, 1), (4, 1))], id="table"),
        pytest.param("a.b = 1\n[a]", [(("a",), (1, 1), (2, 2))], id="dotted table"),
        pytest.param("a = {b = 1, b = 2}", [(("a", "b"), (1, 6), (1, 13))], id="inline"),
        pytest.param("a = {}\na.b = 1", [(("a",), (1, 1), (2, 1))], id="inline table that goes on"),
        pytest.param("a = 1\n[a.b]", [(("a",), (1, 1), (2, 2))], id="value as table"),
        pytest.param("a = []\n[[a]]", [(("a",), (1, 1), (2, 3))], id="array that goes on"),
        pytest.param("[[a]]\n[a]", [(("a",), (1, 3), (2, 2))], id="array as table"),
        pytest.param("[a.b]\n[a]\nb.c = 1", [(("a", "b"), (1, 4), (3, 1))], id="dots into a table"),
        pytest.param('a = 1\n"\\u0061" = 2', [(("a",), (1, 1), (2, 1))], id="other spelling"),
    ],
)
def test_a_repeated_key_has_both_places(text: str, repeats: list[tuple[KeyPath, Place, Place]]) -> None:
    assert find_positions(text).duplicates == tuple(Repeat(*repeat) for repeat in repeats)


def test_what_a_repeated_key_holds_is_passed_over() -> None:
    positions = find_positions("a = 1\na = {b = [1, {b = 2, b = 3}]}\nc = 4")
    assert [repeat.path for repeat in positions.duplicates] == [("a",)]
    assert list(positions.values) == [("a",), ("c",)]


def test_the_same_key_in_two_items_is_no_repetition() -> None:
    assert find_positions("[[a]]\nb.c = 1\n[[a]]\nb.c = 1\n[a.d]\n[[a]]\n[a.d]").duplicates == ()


# Text that is no TOML


@pytest.mark.parametrize(
    "rest",
    [
        "a",
        "a =",
        "a = \n",
        "[b",
        "[[b]",
        'b = "',
        "b = '''",
        "b = [1 2]",
        "b = {c}",
        "b = {c = 1",
        "= 1",
        "b.. = 1",
        "\0",
    ],
)
def test_what_stands_before_a_mistake_is_found(rest: str) -> None:
    positions = find_positions(f"x = 1\n{rest}\ny = 2\n")
    assert positions.value(("x",)) == (1, 5)
    assert positions.value(("y",)) is None


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "{a = " * 100_000, "a" + ".a" * 100_000 + " = 1"])
def test_the_finder_stops_where_nesting_never_ends(text: str) -> None:
    positions = find_positions(f"x = 1\n{text}")
    assert positions.value(("x",)) == (1, 5)
    assert len(positions.keys) < 100


def test_an_escape_of_a_character_that_does_not_exist_stays_as_it_is() -> None:
    assert list(find_positions(r'"\UFFFFFFFF\q" = 1').keys) == [(r"\UFFFFFFFFq",)]


# Time


def fastest_ms(run: Callable[[], object], times: int) -> float:
    """The time of one run, from the best of some rounds: others use this machine, too."""
    rounds = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(times):
            run()
        rounds.append((time.perf_counter() - start) * 1000 / times)
    return min(rounds)


def lines(count: int) -> str:
    return "".join(f"[table{n}]\n" if n % 10 == 0 else f'setting{n} = "value {n}"  # why\n' for n in range(count))


untraced = pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer takes more time than the finder")


@untraced
def test_thirty_lines_take_at_most_150_microseconds() -> None:
    text = lines(30)
    assert fastest_ms(lambda: find_positions(text), 100) <= 0.15


@untraced
def test_ten_thousand_lines_take_at_most_60_milliseconds() -> None:
    text = lines(10_000)
    assert fastest_ms(lambda: find_positions(text), 1) <= 60


@pytest.mark.parametrize(
    "statement",
    [
        "a{n}.b.c = [1, 2]",
        "[[a.b]]",
        "[a{n}.b]",
        "a{n} = '''\n\n'''",
        "a = 1",
        "a{n} = {{b = 1}}",
        "#\n",
        'a{n} = "\\\\"',
        "a{n} = 1979-05-27 07:32:00",
    ],
)
def test_time_is_linear_to_the_text(statement: str) -> None:
    short, long = ("\n".join(statement.format(n=n) for n in range(count)) for count in (2_000, 16_000))
    slowdown = fastest_ms(lambda: find_positions(long), 1) / fastest_ms(lambda: find_positions(short), 1)
    assert slowdown < 24  # eight times the text; a square would be 64
