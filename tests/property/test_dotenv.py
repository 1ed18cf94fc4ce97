"""Any text that is written as .env is read back the same, and anything that is read is text or a number of a line."""

from hypothesis import given
from hypothesis import strategies as st

from wellkept.crypto.dotenv import LineFault, parse_dotenv, to_dotenv

TEXTS = st.text(
    st.sampled_from("ab \t\n\r'\"\\$`#={}!") | st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@given(st.dictionaries(NAMES, TEXTS, max_size=5))
def test_what_is_written_is_read_back_the_same(texts: dict[str, str]) -> None:
    found = parse_dotenv(to_dotenv(texts.items()))
    assert not isinstance(found, LineFault)
    assert {one.name: one.text for one in found} == texts


@given(
    st.lists(st.sampled_from(["A", "B=", "=", "'", '"', "\\", "\n", " ", "#", "$", "export ", "x", "\0"])).map("".join)
)
def test_any_text_is_read_or_refused_by_a_line_that_it_has(text: str) -> None:
    found = parse_dotenv(text)
    if isinstance(found, LineFault):
        assert 1 <= found.line <= text.count("\n") + 1
    else:
        assert len({one.name for one in found}) == len(found)
