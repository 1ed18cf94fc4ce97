"""References in text: what is one, what is refused, and that nothing of it is quoted."""

import pytest

from wellkept.config.reference import Refusal, Template, parse_lenient, parse_reference, parse_strict
from wellkept.model import Reference

SCHEMES = frozenset({"vault", "file", "env"})


def parsed(body: str) -> Reference:
    made = parse_reference(body, SCHEMES)
    assert isinstance(made, Reference), made
    return made


def test_a_whole_reference_is_taken_apart() -> None:
    one = parsed("vault:secret/prod/a%2Db?version=3&ttl=30s&optional=true#pass%20word")
    assert (one.scheme, one.path, one.key) == ("vault", ("secret", "prod", "a-b"), ("pass word",))
    assert (one.option("version"), one.option("absent"), one.is_optional, one.is_plain) == ("3", None, True, False)
    assert str(one) == "vault:secret/prod/a-b#pass word"


def test_a_key_that_begins_with_a_slash_goes_down() -> None:
    assert parsed("vault:a#/x/y%2Fz").key == ("x", "y/z")
    assert parsed("vault:a#x/y").key == ("x/y",)
    assert parsed("vault:a#/x/y").fragment == "#/x/y"
    assert parsed("vault:a").fragment == ""


def test_a_file_path_may_be_absolute() -> None:
    one = parsed("file:/etc/secrets/db")
    assert one.is_absolute
    assert one.location == "/etc/secrets/db"


@pytest.mark.parametrize(
    "body",
    [
        "CANARY",
        "CANARY:x",
        "vault:",
        "vault:CANARY//b",
        "vault:CANARY/../b",
        "vault:CANARY/%2e%2E/b",
        "vault:./CANARY",
        "vault:CANARY%2Fb",
        "vault:CANARY\\b",
        "vault:CANARY%5Cb",
        "vault:CANARY\x7f",
        "vault:CANARY%0a",
        "vault:CANARY%zz",
        "vault:CANARY%ff",
        "vault:CANARY\u202e",
        "vault:a?CANARY",
        "vault:a?x=",
        "vault:a?X=CANARY",
        "vault:a?version=1&version=CANARY",
        "vault:a?optional=CANARY",
        "vault:a?plain=CANARY",
        "vault:a?ttl=CANARY",
        "vault:a#",
        "vault:a#/",
        "vault:a#CANARY%00",
        "vault:a#b#CANARY",
        "vault:a?b?CANARY",
        "//vault:a",
    ],
)
def test_what_is_no_reference_is_refused_without_being_quoted(body: str) -> None:
    made = parse_reference(body, SCHEMES)
    assert isinstance(made, Refusal)
    assert "CANARY" not in made.message + made.hint


def test_strict_text_is_split_at_its_references() -> None:
    made = parse_strict("a ${vault:x} b $${c} ${env:Y}", SCHEMES)
    assert isinstance(made, Template)
    assert [str(one) for one in made.pieces] == ["a ", "vault:x", " b ${c} ", "env:Y"]
    assert made.alone is None
    assert str(made) == "a ${vault:x} b ${c} ${env:Y}"


@pytest.mark.parametrize("text", ["${", "a ${vault:x", "${HOME}", "${vault:${env:X}}", "x ${} y", "$${a} ${b}"])
def test_in_strict_text_every_opening_must_begin_a_reference(text: str) -> None:
    made = parse_strict(text, SCHEMES)
    assert isinstance(made, Refusal)
    assert "$${" in made.hint


@pytest.mark.parametrize(
    "text", ["${HOME}", "${", "a ${debian:+x}", "$${HOME}", "${vault:../x}", "${nope:x}", "${a ${b}"]
)
def test_in_lenient_text_what_is_no_reference_stays_as_it_is(text: str) -> None:
    assert str(parse_lenient(text, SCHEMES)) == text
    assert parse_lenient(text, SCHEMES).references == ()


def test_in_lenient_text_an_escape_counts_before_a_reference_only() -> None:
    assert str(parse_lenient("$${vault:x} $${y}", SCHEMES)) == "${vault:x} $${y}"
    alone = parse_lenient("${vault:x}", SCHEMES).alone
    assert alone is not None
    assert alone.path == ("x",)


def test_a_misspelt_scheme_names_the_nearest_one() -> None:
    made = parse_reference("valt:x", SCHEMES)
    assert isinstance(made, Refusal)
    assert made.hint.startswith("did you mean vault:?")
