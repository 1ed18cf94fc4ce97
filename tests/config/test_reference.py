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


@pytest.mark.parametrize("ttl", ["30s", "5m", "1h", "2d", "500ms"])
def test_a_time_to_live_has_a_unit(ttl: str) -> None:
    assert parsed(f"vault:a?ttl={ttl}").option("ttl") == ttl


def test_reserved_characters_are_percent_encoded() -> None:
    one = parsed("vault:a%7Bb%7D%3F%23%25c?label=x%26y%3Dz#p%23%25")
    assert (one.path, one.option("label"), one.key) == (("a{b}?#%c",), "x&y=z", ("p#%",))


def test_a_relative_path_remembers_where_it_starts() -> None:
    made = parse_reference("file:db", SCHEMES, "conf")
    assert isinstance(made, Reference)
    assert made.base == "conf"


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
        "vault:a?x=%zz",
        "vault:a?x=CANARY%00",
        "vault:a?",
        "vault:a?&x=1",
        "vault:a#CANARY%zz",
        "vault:a#/x//CANARY",
        "vault:/",
        "vault:CANARY/",
        "vault:CANARY%C2%85",
        "vault:CANARY\udc80",
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


def test_a_reference_inside_a_reference_is_told_as_that() -> None:
    made = parse_strict("${vault:${env:CANARY}}", SCHEMES)
    assert isinstance(made, Refusal)
    assert made.hint == "references do not nest; write $${ for a plain ${"
    assert str(parse_lenient("${vault:${env:X}}", SCHEMES)) == "${vault:${env:X}}"
    assert [str(one) for one in parse_lenient("${vault:${env:X}}", SCHEMES).references] == ["env:X"]


def test_an_empty_text_holds_nothing() -> None:
    for made in (parse_strict("", SCHEMES), parse_lenient("", SCHEMES)):
        assert made == Template(())
        assert str(made) == ""


def test_what_a_strict_text_says_of_an_unknown_scheme_is_all_that_is_known() -> None:
    made = parse_strict("${CANARY:x}", SCHEMES)
    assert isinstance(made, Refusal)
    assert made.hint == "known are env, file, vault; write $${ for a plain ${"
    assert "CANARY" not in made.message


@pytest.mark.parametrize(
    "text",
    ["${" * 60_000 + "}", "${vault:" * 20_000, "$" * 130_000, "${vault:" + "%41" * 40_000],
    ids=["nested", "open", "dollars", "escapes"],
)
def test_a_text_without_end_costs_no_time(text: str) -> None:
    assert parse_lenient(text, SCHEMES).references == ()
    assert isinstance(parse_strict(text, SCHEMES), (Template, Refusal))


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
