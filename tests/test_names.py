"""One setting's names in each place, and which name a misspelt one means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept._names import (
    camel,
    canonical,
    canonical_path,
    closest,
    did_you_mean,
    is_plain_spelling,
    namespace_prefix,
    snake,
    steps,
    toml_key,
    variable,
)

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*_?", fullmatch=True)


@pytest.mark.parametrize("name", ["db_password", "dbPassword", "DB_PASSWORD", "DBPASSWORD", "DbPassword"])
def test_spellings_without_underscore_and_case_are_one_name(name: str) -> None:
    assert canonical(name) == "dbpassword"


def test_each_place_has_its_spelling() -> None:
    assert camel("db_password") == "dbPassword"
    assert camel("dbPassword") == "dbPassword"
    assert snake("dbPassword") == "db_password"
    assert toml_key(("db", "max_size")) == "db.maxSize"
    assert variable("PAY_", ("db", "max_size")) == "PAY_DB__MAX_SIZE"


@given(name=NAMES)
def test_every_spelling_that_we_write_is_the_same_name(name: str) -> None:
    form = canonical(name)
    assert {canonical(camel(name)), canonical(snake(name)), canonical(variable("", [name]))} == {form}
    assert snake(name).islower()


@given(path=st.lists(NAMES, min_size=1))
def test_a_variable_leads_back_to_its_setting(path: list[str]) -> None:
    written = variable("PAY_", [name.strip("_") for name in path]).removeprefix("PAY_")
    assert canonical_path(written.split("__")) == canonical_path(path)


@pytest.mark.parametrize(
    ("namespace", "prefix"),
    [
        ("acme.payments", "BAL_CONFIG_VAR_ACME_PAYMENTS_"),
        ("acmePay", "BAL_CONFIG_VAR_ACME_PAY_"),
        ("", "BAL_CONFIG_VAR_"),
    ],
)
def test_a_namespace_stands_in_the_prefix_of_its_variables(namespace: str, prefix: str) -> None:
    assert namespace_prefix(namespace) == prefix


def test_the_empty_name_has_no_steps() -> None:
    assert steps("") == ()
    assert steps("acme.payments") == ("acme", "payments")


def test_a_name_of_underscores_is_spelt_as_it_is() -> None:
    assert camel("_") == "_"


@pytest.mark.parametrize(
    ("name", "setting", "is_meant"),
    [
        ("dbPassword", "db_password", True),
        ("db_password", "db_password", True),
        ("DB_PASSWORD", "db_password", True),
        ("DBPASSWORD", "db_password", False),
        ("USER", "user", False),
        ("user", "user", True),
        ("HOME", "home", False),
    ],
)
def test_plain_names_are_exact_and_the_logins_own_are_left_alone(name: str, setting: str, *, is_meant: bool) -> None:
    assert is_plain_spelling(name, setting) is is_meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dbPasword", "dbPassword"),
        ("dbPasswrod", "dbPassword"),
        ("prt", "port"),
        ("timeout_", "timeout"),
        ("TIMEOUT", "timeout"),
        ("xyz", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_the_one_with_few_typing_mistakes(name: str, meant: str | None) -> None:
    known = ["dbPassword", "port", "timeout"]
    assert closest(name, known) == meant
    assert did_you_mean(name, known) == (None if meant is None else f"did you mean {meant}?")


def test_a_name_without_end_costs_no_time() -> None:
    assert closest("x" * 100_000, ["y" * 100_000] * 100) is None
