"""What stands inside a ciphertext: each type of TOML comes back as it was."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from wellkept.crypto.plaintext import from_plaintext, to_literal, to_plaintext
from wellkept.errors import Malformed

ODD = 'CANARY "quoted" \\ \t \n \r\n \0 \x7f \u2028 é ☃ 🔑 ${enc:1:AAAA}'


@pytest.mark.parametrize(
    "value",
    [
        "CANARY",
        "",
        ODD,
        "t5",
        "s",
        0,
        -17,
        2**63 - 1,
        2**70,
        True,
        False,
        Decimal("0.1"),
        Decimal("-0.0"),
        Decimal("1E+400"),
        Decimal("6.02E-23"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        datetime(1979, 5, 27, 7, 32, tzinfo=UTC),
        datetime.fromisoformat("1979-05-27T00:32:00.999999-07:00"),
        datetime.fromisoformat("1979-05-27T07:32:00"),
        date(1, 1, 1),
        time(7, 32, 0, 1000),
        [],
        {},
        [[1, ["CANARY"]], {"a": {"b c": [True]}}],
        {"user": "CANARY", "a.b": 1, "": 2, "ü\n": {"x": []}},
    ],
    ids=repr,
)
def test_a_value_comes_back_with_its_type(value: object) -> None:
    found = from_plaintext(to_plaintext(value))
    assert found == value
    assert type(found) is type(value)


def test_a_float_that_is_no_number_comes_back() -> None:
    found = from_plaintext(to_plaintext(Decimal("NaN")))
    assert isinstance(found, Decimal)
    assert found.is_nan()


@pytest.mark.parametrize(("value", "expected"), [(0.1, "0.1"), (1e22, "1E+22"), (5.0, "5.0"), (Decimal(5), "5.0")])
def test_a_float_stays_a_float(value: object, expected: str) -> None:
    assert from_plaintext(to_plaintext(value)) == Decimal(expected)
    assert isinstance(from_plaintext(to_plaintext(value)), Decimal)


def test_a_tuple_becomes_a_list() -> None:
    assert from_plaintext(to_plaintext((1, 2))) == [1, 2]


@pytest.mark.parametrize(
    ("value", "plaintext"),
    [
        ("CANARY ü", "sCANARY ü".encode()),
        (5432, b"t5432"),
        (True, b"ttrue"),
        (Decimal("5.0"), b"t5.0"),
        ([1, "a\nb"], b't[1, "a\\nb"]'),
        ({"a b": 1}, b't{"a b" = 1}'),
        (date(1979, 5, 27), b"t1979-05-27"),
    ],
    ids=repr,
)
def test_a_letter_says_which_form_follows(value: object, plaintext: bytes) -> None:
    assert to_plaintext(value) == plaintext


def test_a_value_stands_on_one_line() -> None:
    assert "\n" not in to_literal({"a": ["one\ntwo", {"b\nc": "\r"}]})


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"t", id="no value"),
        pytest.param(b"tCANARY", id="no TOML"),
        pytest.param(b"xCANARY", id="another letter"),
        pytest.param(b"S", id="a capital"),
        pytest.param(b"\xff", id="no letter"),
        pytest.param(b"sCANARY\xff", id="no UTF-8"),
        pytest.param(b"t'CANARY\xff'", id="no UTF-8 in TOML"),
        pytest.param(b"t1\nw = 2", id="two values"),
        pytest.param(b"t1\n[w]", id="a table behind it"),
        pytest.param(b"t1 2", id="two values in one line"),
        pytest.param(b"t" + b"[" * 100_000, id="brackets without end"),
        pytest.param(b"t" + b"9" * 100_000, id="digits without end"),
    ],
)
def test_bytes_that_are_no_value_are_none(plaintext: bytes) -> None:
    assert from_plaintext(plaintext) is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="nothing"),
        pytest.param(b"CANARY", id="bytes"),
        pytest.param([None], id="nothing in a list"),
        pytest.param({"a": object()}, id="an object in a table"),
        pytest.param([{1, 2}], id="a set in a list"),
    ],
)
def test_what_toml_has_no_type_for_is_refused_and_not_quoted(value: object) -> None:
    with pytest.raises(Malformed) as caught:
        to_plaintext(value)
    assert "CANARY" not in str(caught.value)
