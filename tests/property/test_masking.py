"""Masking, for any value and any text around it."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept.leaks.forms import SHORTEST, forms_of
from wellkept.leaks.matcher import GramMatcher, LoopMatcher
from wellkept.leaks.redact import Redactor

VALUES = st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=80)
AROUND = st.text("abc XYZ=%&\"'/+", max_size=40)

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": lambda value: json.dumps(value)[1:-1],
    "repr": lambda value: repr(value)[1:-1],
    "url": lambda value: quote(value, safe=""),
    "hex": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(value=VALUES, before=AROUND, after=AROUND)
def test_no_single_encoding_of_a_value_gets_through(
    encode: Callable[[str], str], value: str, before: str, after: str
) -> None:
    redactor = Redactor()
    redactor.learn(None, value)
    if redactor.not_maskable:
        return
    masked = redactor.mask(before + encode(value) + after)
    core = encode(value)
    assert core not in masked.replace("<secret>", "") or core in before + after


@given(prefix=st.binary(max_size=5), value=VALUES, suffix=st.binary(max_size=5))
def test_base64_of_a_text_around_a_value_shows_no_more_than_its_edges(prefix: bytes, value: str, suffix: bytes) -> None:
    redactor = Redactor()
    redactor.learn(None, value)
    if redactor.not_maskable:
        return
    assert "<secret>" in redactor.mask(base64.b64encode(prefix + value.encode() + suffix).decode())


@given(values=st.lists(VALUES, max_size=20), text=st.text(max_size=200), picks=st.lists(st.integers(0, 19), max_size=5))
def test_both_matchers_make_the_same_of_a_text(values: list[str], text: str, picks: list[int]) -> None:
    masks = {form: "<secret>" for value in values for form in forms_of(value)}
    for pick in picks:
        if pick < len(values):
            text = text[: len(text) // 2] + values[pick] + text[len(text) // 2 :]
    few, many = LoopMatcher(masks), GramMatcher(masks)
    # Equal lengths may overlap, and then either may come first: what counts is that none is left.
    left = [form for form in masks if form in many.mask(text) and form not in few.mask(text)]
    assert left == []


@given(value=st.binary(min_size=SHORTEST, max_size=40))
def test_bytes_have_forms_too_and_none_is_too_short(value: bytes) -> None:
    forms = forms_of(value)
    assert value.hex() in forms
    assert all(len(form) >= SHORTEST for form in forms)
