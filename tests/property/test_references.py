"""Any text is refused, or names exactly one place that it cannot leave."""

from hypothesis import given, settings
from hypothesis import strategies as st

from wellkept.config.reference import Refusal, Template, parse_lenient, parse_reference, parse_strict
from wellkept.model import Reference

SCHEMES = frozenset({"vault", "file"})
ODD = st.text(st.sampled_from("ab./\\%2eEfF5cC0?#&={}$: \n\0é\u202e"), max_size=24)

STEP = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S"], exclude_characters="/\\"), min_size=1, max_size=8
).filter(lambda step: step not in {".", ".."} and step.isprintable())
KEY = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.isprintable), max_size=3)
REFERENCES = st.builds(
    Reference,
    scheme=st.sampled_from(sorted(SCHEMES)),
    path=st.lists(STEP, min_size=1, max_size=3).map(tuple),
    key=KEY.map(tuple),
    is_absolute=st.booleans(),
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="$"), min_size=1, max_size=8)
PIECES = st.lists(st.one_of(REFERENCES, PLAIN), max_size=5)


def written(pieces: list[Reference | str]) -> str:
    return "".join(piece if isinstance(piece, str) else f"${{{piece}}}" for piece in pieces)


def joined(pieces: list[Reference | str]) -> tuple[Reference | str, ...]:
    """The pieces with neighbouring texts made one, as a parser sees them."""
    made: list[Reference | str] = []
    for piece in pieces:
        if made and isinstance(piece, str) and isinstance(made[-1], str):
            made[-1] += piece
        else:
            made.append(piece)
    return tuple(made)


@settings(max_examples=3000)
@given(path=ODD)
def test_a_path_that_is_taken_stays_where_it_is(path: str) -> None:
    made = parse_reference(f"vault:{path}", SCHEMES)
    if isinstance(made, Reference):
        assert made.path
        for step in made.path:
            assert step not in {"", ".", ".."}
            assert "/" not in step
            assert "\\" not in step
            assert step.isprintable()


@settings(max_examples=2000)
@given(body=ODD)
def test_what_is_taken_from_odd_text_is_written_back_as_the_same_place(body: str) -> None:
    made = parse_reference(f"vault:{body}", SCHEMES)
    if isinstance(made, Reference):
        again = parse_reference(str(made), SCHEMES)
        assert isinstance(again, Reference)
        assert (again.path, again.key, again.is_absolute) == (made.path, made.key, made.is_absolute)


@settings(max_examples=2000)
@given(reference=REFERENCES)
def test_every_place_can_be_written_and_is_read_back(reference: Reference) -> None:
    assert parse_reference(str(reference), SCHEMES) == reference


@settings(max_examples=1000)
@given(pieces=PIECES)
def test_references_are_found_in_whatever_text_is_around_them(pieces: list[Reference | str]) -> None:
    for made in (parse_strict(written(pieces), SCHEMES), parse_lenient(written(pieces), SCHEMES)):
        assert isinstance(made, Template)
        assert made.pieces == joined(pieces)


@settings(max_examples=1000)
@given(reference=REFERENCES, before=PLAIN, after=PLAIN)
def test_an_escaped_reference_is_text_in_both_readings(reference: Reference, before: str, after: str) -> None:
    plain = f"{before}${{{reference}}}{after}"
    escaped = f"{before}$${{{reference}}}{after}"
    assert parse_strict(escaped, SCHEMES) == parse_lenient(escaped, SCHEMES) == Template((plain,))


@settings(max_examples=2000)
@given(text=st.text(st.sampled_from("${}:vaultfile/#?ab$ "), max_size=40))
def test_no_text_makes_a_parser_raise_and_a_strict_one_leaves_no_opening(text: str) -> None:
    strict, lenient = parse_strict(text, SCHEMES), parse_lenient(text, SCHEMES)
    assert isinstance(strict, Refusal) or str(strict).count("${") == text.count("${")
    if not lenient.references and "$${" not in text:
        assert str(lenient) == text


@settings(max_examples=1000)
@given(text=st.text(max_size=60))
def test_text_without_an_opening_is_itself(text: str) -> None:
    if "${" not in text:
        assert str(parse_strict(text, SCHEMES)) == text
        assert str(parse_lenient(text, SCHEMES)) == text
