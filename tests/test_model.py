"""The facts: what a reference says of itself, and what a reading hides."""

import pytest

from wellkept.config.reference import parse_reference
from wellkept.model import Finding, Reading, Reference, Severity


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (Reference("vault", ("secret", "prod", "db"), ("password",)), "vault:secret/prod/db#password"),
        (Reference("file", ("etc", "a b"), is_absolute=True), "file:/etc/a b"),
        (Reference("vault", ("é", "50%?"), ("a#b",)), "vault:é/50%25%3F#a%23b"),
        (Reference("vault", ("a",), ("x", "y/z")), "vault:a#/x/y%2Fz"),
        (Reference("vault", ("a",), ("/x",)), "vault:a#/%2Fx"),
        (Reference("vault", ("a",), ("x/y",)), "vault:a#x/y"),
    ],
)
def test_a_reference_is_shown_as_one_would_write_it(reference: Reference, text: str) -> None:
    assert str(reference) == text
    assert parse_reference(text, {reference.scheme}) == reference


def test_options_are_found_by_name_and_flags_must_say_true() -> None:
    one = Reference("vault", ("a",), options=(("optional", "true"), ("plain", "false"), ("version", "3")))
    assert (one.option("version"), one.option("ttl")) == ("3", None)
    assert (one.is_optional, one.is_plain) == (True, False)


def test_references_to_one_place_are_one_key_of_a_dict() -> None:
    assert {Reference("vault", ("a",)): 1}[Reference("vault", ("a",))] == 1


@pytest.mark.parametrize("value", ["CANARY-text", b"CANARY-bytes", {"password": "CANARY-inner"}])
def test_a_reading_shows_no_value(value: object) -> None:
    shown = repr(Reading(value, "vault a", version="3"))
    assert "CANARY" not in shown
    assert "vault a" in shown


def test_a_finding_does_not_change() -> None:
    finding = Finding("SEC004", Severity.WARNING, "Config.toml:1:1", "a password", "move it")
    with pytest.raises(AttributeError):
        finding.fix = ""  # type: ignore[misc]  # that is what is tested
