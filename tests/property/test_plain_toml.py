"""The one-pass reader of plain TOML says what tomllib says, and what the finder of places finds, or nothing."""

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from wellkept._toml.lines import read_plain
from wellkept._toml.positions import find_positions

STEPS = st.sampled_from(["a", "b", "c", "a-1", "B_2", "3"])
KEYS = st.one_of(
    st.lists(STEPS, min_size=1, max_size=3).map(".".join),
    st.sampled_from(['"a"', '"a b"', '""', '"x.y"', 'a."b"', '"\\u0061"']),
)
PLAIN = ('"text"', '""', '"${enc:1:abc}"', '"# no comment"', "0", "-7", "12345", "true", "false")
OTHER = (
    "01",
    "1_000",
    "1.5",
    "1e3",
    "'literal'",
    '"\\n"',
    "[1]",
    "{x = 1}",
    "2026-11-24",
    "07:32:00",
    "inf",
    "truey",
    "",
)
VALUES = st.sampled_from([*PLAIN, *OTHER, '"a" "b"'])
SPACES = st.sampled_from(["", " ", "\t", "  "])
LINES = st.one_of(
    st.builds(lambda key, value, one, two: f"{one}{key}{two}={two}{value}{one}", KEYS, VALUES, SPACES, SPACES),
    st.builds(lambda key, one: f"{one}[{one}{key}{one}]", KEYS, SPACES),
    st.sampled_from(["", "# comment", "  # [a]", "[[a]]", "a", "[a", 'x = "1" # y']),
)


@settings(max_examples=1500)
@given(st.lists(LINES, max_size=8).map("\n".join), st.sampled_from(["", "\n"]))
def test_it_agrees_with_tomllib_and_with_the_finder(body: str, end: str) -> None:
    text = body + end
    found = read_plain(text)
    if found is None:
        return
    data, positions = found
    assert data == tomllib.loads(text)
    finder = find_positions(text)
    assert (dict(positions.keys), dict(positions.values)) == (dict(finder.keys), dict(finder.values))
    assert list(positions.lines) == list(finder.lines)
    assert not finder.duplicates


@given(st.dictionaries(st.sampled_from(["a", "B_2", '"a b"', '"x.y"']), st.sampled_from(['"x"', "1", "true"])))
def test_a_plain_text_is_read_by_it(values: dict[str, str]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    found = read_plain(text)
    assert found is not None
    assert found[0] == tomllib.loads(text)


@given(st.text())
def test_no_text_is_too_strange_for_it(text: str) -> None:
    found = read_plain(text)
    assert found is None or isinstance(found[0], dict)
