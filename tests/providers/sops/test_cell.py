"""The types of encrypted values, and the bytes by which each counts in the MAC: those that Go writes."""

import math

import pytest

from wellkept.providers.sops.cell import as_bytes, typed


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("str", b"5", "5"),
        ("str", b"\xff", b"\xff"),
        ("bytes", b"5", b"5"),
        ("time", b"2001-12-14T00:00:00Z", "2001-12-14T00:00:00Z"),
        ("int", b"-5", -5),
        ("float", b"5", 5),
        ("float", b"0.5", 0.5),
        ("float", b"+Inf", math.inf),
        ("bool", b"True", True),
        ("bool", b"False", False),
    ],
)
def test_a_value_is_of_the_type_that_is_written_there(kind: str, data: bytes, value: object) -> None:
    found = typed(kind, data)
    assert (type(found), found) == (type(value), value)
    assert as_bytes(found) == data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("int", b"5x"),
        ("int", b"1_0"),
        ("int", "５".encode()),
        ("int", b"9" * 20),
        ("int", b"\xff"),
        ("float", b"0x1"),
        ("float", b"inf"),
        ("float", b"9" * 401),
        ("bool", b"yes"),
        ("list", b"x"),
    ],
)
def test_what_is_none_of_its_type_is_nothing(kind: str, data: bytes) -> None:
    assert typed(kind, data) is None


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (1e21, b"1000000000000000000000"),
        (1e-7, b"0.0000001"),
        (100000000.5, b"100000000.5"),
        (-0.0, b"-0"),
        (5.0, b"5"),
        (-math.inf, b"-Inf"),
        (math.nan, b"NaN"),
        (True, b"True"),
        (12345678901234567890, b"12345678901234567890"),
        ("é", b"\xc3\xa9"),
        ("\ud800", b"?"),
    ],
)
def test_a_number_counts_as_its_shortest_digits_without_an_exponent(value: object, data: bytes) -> None:
    assert as_bytes(value) == data
