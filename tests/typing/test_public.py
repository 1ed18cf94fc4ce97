"""What both type checkers say of the public API; mypy and pyright read this file, pytest runs it.

A line that must be refused carries the ignore of its error: if it were accepted, the ignore
would be unused, and that is an error of its own.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import assert_type

import pytest

from wellkept import Secret, Settings, load, setting


class Database(Settings):
    host: str = "localhost"
    port: int = 5432


class Config(Settings):
    db: Database
    password: Secret[str]
    login: Secret[Database] | None = None
    timeout: timedelta = setting(default=timedelta(seconds=30), doc="how long")
    tags: list[str] = setting(default_factory=list[str])
    token: Secret[bytes] = setting(reference="vault:secret/token")


def made() -> Config:
    return Config(db=Database(port=1), password=Secret("CANARY-typed"), token=Secret(b"CANARY-typed"))


def test_fields_have_their_declared_types() -> None:
    config = made()
    assert_type(config.db.port, int)
    assert_type(config.password, Secret[str])
    assert_type(config.password.reveal(), str)
    assert_type(config.token.reveal(), bytes)
    assert_type(config.timeout, timedelta)
    assert_type(config.tags, list[str])
    assert_type(config.password.map(len), Secret[int])
    assert_type(config.password.header("Bearer"), Secret[str])


def test_load_gives_the_class_it_was_given() -> None:
    assert_type(load(Database, environ={}, files=[], redact=False), Database)


def test_unknown_names_are_refused() -> None:
    config = made()
    with pytest.raises(AttributeError):
        config.nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # noqa: B018


def test_mutation_is_refused() -> None:
    config = made()
    with pytest.raises(AttributeError):
        config.db.port = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        config.db.prot = 2  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_secret_is_no_text() -> None:
    config = made()
    text: str = config.password  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    assert text is not None


def test_what_is_made_of_text_does_not_take_a_secret() -> None:
    config = made()
    with pytest.raises(TypeError):
        "postgresql://" + config.password  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    with pytest.raises(TypeError):
        len(config.password)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        for _part in config.password:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
            pass


def test_values_of_another_type_are_refused() -> None:
    with_text = Database(port="5432")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert vars(with_text)["port"] == "5432"  # made by hand, values are taken as they are
    with pytest.raises(TypeError):
        Database("localhost")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_a_callback_takes_the_secret_that_it_is_given_to() -> None:
    def told(one: Secret[str]) -> None:
        assert_type(one.reveal(), str)

    assert_type(made().password.on_change(told), Callable[[], None])
    made().token.on_change(told)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_secret_gives_only_so_it_is_covariant() -> None:
    wide: Secret[object] = made().password
    assert wide.reveal() == "CANARY-typed"


def test_misspelt_arguments_and_keywords_are_refused() -> None:
    with pytest.raises(TypeError):
        Database(prt=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        Config(db=Database())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):

        class Misspelt(Settings, env_prefx="PAY_"):  # type: ignore[call-arg]  # pyright: ignore[reportGeneralTypeIssues, reportCallIssue, reportUnusedClass]
            port: int = 1
