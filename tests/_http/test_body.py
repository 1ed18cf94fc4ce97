"""JSON from a server that may be hostile."""

from decimal import Decimal
from json import dumps

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from wellkept._http.body import MAX_DEPTH, parse_body, to_json

JSON: SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_json_comes_back(value: object) -> None:

    assert parse_body(dumps(value).encode()) == (value, None)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    value, fault = parse_body(body)
    assert fault is None or (value is None and "CANARY" not in fault)


def test_a_number_with_a_point_keeps_its_digits() -> None:
    assert parse_body(b'{"price": 1.10}') == ({"price": Decimal("1.10")}, None)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<html>CANARY</html>", "is no JSON"),
        (b'{"a": 1', "is no JSON"),
        (b'{"a": NaN}', "is no JSON"),
        (b'{"a": Infinity}', "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"9" * 5000, "is no JSON"),
        (b'{"password": "CANARY", "password": "CANARY2"}', "gives a key twice"),
        (b'{"a": "\\ud800"}', "holds half a character"),
        (b'{"\\udfff": 1}', "holds half a character"),
        (b"[" * 200_000 + b"]" * 200_000, "has too many parts"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "is nested too deep"),
        (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, "is nested too deep"),
    ],
    ids=range(12),
)
def test_what_nobody_should_send_is_named_and_not_quoted(body: bytes, fault: str) -> None:
    assert parse_body(body) == (None, fault)


def test_vaults_own_depth_is_fine() -> None:
    assert parse_body(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)[1] is None


def test_what_is_written_again_keeps_its_digits() -> None:
    body = b'{"a": 1.10, "b": [1e400, -0.0], "c": "1.10", "d": "\\"x\\""}'
    value, fault = parse_body(body)
    assert fault is None
    assert parse_body(to_json(value)) == (value, None)
    assert to_json({"a": Decimal("1.10")}) == b'{"a": 1.10}'


def test_a_large_text_full_of_commas_is_one_part() -> None:
    body = b'{"a": "' + b"1,[{" * 60_000 + b'\\""}'
    assert parse_body(body)[1] is None
    assert parse_body(b"[" + b"1," * 60_000 + b"1]")[1] == "has too many parts"
