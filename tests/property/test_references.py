"""Any text is refused, or names exactly one place that it cannot leave."""

from hypothesis import given, settings
from hypothesis import strategies as st

from wellkept.config.reference import Refusal, Template, parse_lenient, parse_reference, parse_strict
from wellkept.model import Reference

SCHEMES = frozenset({"vault", "file"})
PATHS = st.text(st.sampled_from("ab./\\%2eEfF5cC0?#&={}$: \n\0é\u202e"), max_size=24)


@settings(max_examples=3000)
@given(path=PATHS)
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
@given(path=PATHS)
def test_a_reference_round_trips_to_the_same_place(path: str) -> None:
    made = parse_reference(f"vault:{path}", SCHEMES)
    if isinstance(made, Reference):
        again = parse_reference(f"vault:{made.location}", SCHEMES)
        assert isinstance(again, Reference)
        assert (again.path, again.is_absolute) == (made.path, made.is_absolute)


@settings(max_examples=2000)
@given(text=st.text(st.sampled_from("${}:vaultfile/#?ab$ "), max_size=40))
def test_no_text_makes_a_parser_raise(text: str) -> None:
    assert isinstance(parse_strict(text, SCHEMES), (Template, Refusal))
    assert isinstance(parse_lenient(text, SCHEMES), Template)


@given(text=st.text(max_size=60))
def test_text_without_an_opening_is_itself(text: str) -> None:
    if "${" not in text:
        assert str(parse_strict(text, SCHEMES)) == text
        assert str(parse_lenient(text, SCHEMES)) == text
