"""One setting's names in each place, and which name a misspelt one means."""

import pytest

from wellkept.config.names import camel, canonical, closest, did_you_mean, is_plain_spelling, snake, toml_key, variable


@pytest.mark.parametrize("name", ["db_password", "dbPassword", "DB_PASSWORD", "DBPASSWORD", "DbPassword"])
def test_spellings_without_underscore_and_case_are_one_name(name: str) -> None:
    assert canonical(name) == "dbpassword"


def test_each_place_has_its_spelling() -> None:
    assert camel("db_password") == "dbPassword"
    assert camel("dbPassword") == "dbPassword"
    assert snake("dbPassword") == "db_password"
    assert toml_key(("db", "max_size")) == "db.maxSize"
    assert variable("PAY_", ("db", "max_size")) == "PAY_DB__MAX_SIZE"


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
