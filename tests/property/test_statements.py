"""A TOML text is taken apart without loss, and each value stands where its statement says."""

import tomllib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from wellkept.crypto.statements import Statement, statements

SCALARS = [
    "1",
    "-0.5",
    "true",
    "1979-05-27 07:32:00",
    '"a # [ \\" b"',
    "'# ]} \\'",
    '"""\n# x = 1\n[y]\n\\""""""',
    "'''\n''#'''",
]
VALUES: st.SearchStrategy[str] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ # c ]\n" + ",\n".join(items) + "\n]"),
        st.lists(inner, max_size=2).map(
            lambda items: "{ " + ", ".join(f"k{number} = {item}" for number, item in enumerate(items)) + " }"
        ),
    ),
    max_leaves=6,
)
TAILS = st.sampled_from(["", " ", "\t# a [ comment", "#'\""])
HEADS = st.sampled_from(["", "  ", "\t"])
GAPS = st.sampled_from(["", "\n", "# a = [\n", '   # """\n\n'])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents with tables, and keys of all spellings."""
    lines: list[str] = []
    for number in range(draw(st.integers(0, 6))):
        lines.append(draw(GAPS))
        if draw(st.booleans()):
            lines.append(f"{draw(HEADS)}[ t{number} . 'x y' ]{draw(TAILS)}\n")
        key = draw(st.sampled_from(["a", "a-1 . b", '"a # ="', "'[x]'"]))
        lines.append(f"{draw(HEADS)}{key}{number} = {draw(VALUES)}{draw(TAILS)}\n" if key == "a" else "")
        lines.append(f"{draw(HEADS)}k{number} . {key}={draw(VALUES)}{draw(TAILS)}\n")
    return "".join(lines)


def at(data: object, path: Sequence[str]) -> object:
    for step in path:
        assert isinstance(data, dict)
        data = data[step]
    return data


@given(documents())
def test_statements_are_all_of_the_text_and_have_its_values(text: str) -> None:
    data = tomllib.loads(text)
    found = list(statements(text))
    assert "".join(f"{one.text}\n" for one in found) == text
    for one in found:
        if one.path is not None:
            assert tomllib.loads(f"v = {one.text[one.start : one.end]}")["v"] == at(data, one.path)
            assert at(tomllib.loads(one.with_value("0")), one.path[-1:] if "." not in one.text else ()) is not None
        line, column = one.place
        assert one.is_plain or text.splitlines()[line - 1][column - 1 :].strip()


@given(st.text(st.sampled_from("a=[]{}\"'#\n\t .,\\1"), max_size=40))
def test_any_text_is_taken_apart_without_loss(text: str) -> None:
    found: list[Statement] = list(statements(text))
    assert "".join(f"{one.text}\n" for one in found).rstrip("\n") == text.rstrip("\n")
