"""Picking the part of an answer that `#key` means."""

from decimal import Decimal

import pytest

from wellkept.config.pick import pick
from wellkept.errors import Absent, Malformed, SourceError
from wellkept.model import Reading, Reference

V = "CANARY-pick-7f3a"


def picked(value: object, *key: str) -> object:
    answer = pick(Reading(value, "memory a", version="3"), Reference("mem", ("a",), key))
    return answer.value if isinstance(answer, Reading) else answer


@pytest.mark.parametrize("value", [V, b"\xff", {"a": V}, None])
def test_without_a_key_the_answer_is_as_it_is(value: object) -> None:
    assert picked(value) == value


@pytest.mark.parametrize(
    "value", [{"password": V}, f'{{"password": "{V}"}}', f' {{"password": "{V}"}}\n'.encode()], ids=["map", "text", "b"]
)
def test_a_key_is_looked_for_in_a_mapping_or_in_json(value: object) -> None:
    assert picked(value, "password") == V


def test_what_is_picked_keeps_the_facts_of_its_answer() -> None:
    reading = Reading({"a": V}, "memory a", version="3", ttl_s=30, note="stripped")
    answer = pick(reading, Reference("mem", ("a",), ("a",)))
    assert answer == Reading(V, "memory a", version="3", ttl_s=30, note="stripped")
    assert reading.value == {"a": V}


def test_steps_go_down_through_mappings_and_json_inside_of_them() -> None:
    assert picked({"outer": {"in/ner": V}}, "outer", "in/ner") == V
    assert picked({"outer": f'{{"inner": "{V}"}}'}, "outer", "inner") == V


def test_one_step_is_literal() -> None:
    assert picked({"a/b": V, "a": {"b": "other"}}, "a/b") == V


def test_a_number_in_json_keeps_all_of_its_digits() -> None:
    assert picked('{"pin": 12345678901234567890.10}', "pin") == Decimal("12345678901234567890.10")


def test_a_key_that_is_there_with_nothing_is_there() -> None:
    assert picked('{"a": null, "b": ""}', "a") is None
    assert picked('{"a": null, "b": ""}', "b") == ""


def test_an_absent_key_names_the_nearest_and_no_value() -> None:
    answer = picked({"password": V, "user": V}, "pasword")
    assert isinstance(answer, Absent)
    assert (answer.message, answer.hint) == ("mem:a#pasword: no such key", "did you mean password?")
    far = picked({"password": V}, "certificate")
    assert isinstance(far, Absent)
    assert far.hint == "name a key that is there"


@pytest.mark.parametrize(
    "value",
    [
        V,
        f'["{V}"]',
        f'"{V}"',
        [V],
        5,
        None,
        b"\xff\xfe",
        f'{{"a": "{V}"',
        "[" * 100_000,
        '{"a": 1e9999999999999999999}',
    ],
    ids=["text", "list", "string", "items", "int", "none", "bytes", "cut", "deep", "huge"],
)
def test_what_has_no_keys_is_said_to_have_none(value: object) -> None:
    answer = picked(value, "a")
    assert isinstance(answer, Malformed)
    assert answer.message == "mem:a#a: what is there has no keys"
    assert "CANARY" not in str(answer)


def test_going_down_past_a_value_is_malformed_and_not_absent() -> None:
    answer = picked({"a": V}, "a", "b")
    assert isinstance(answer, SourceError)
    assert isinstance(answer, Malformed)
