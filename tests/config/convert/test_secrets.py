"""`Secret[T]`."""

from collections.abc import Callable

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer
from wellkept.errors import DeclarationError, Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]

_ANSWERED = Origin(Layer.FILE, "Config.toml:2:14", answer="vault secret/db#password", version="3")


@pytest.mark.parametrize("hint", [Secret, Secret[str], Secret[str] | None], ids=range(3))
def test_a_text_goes_into_a_handle_that_knows_its_name_and_place(convert: Convert, hint: object) -> None:
    made = convert(hint, "CANARY-j1")
    assert isinstance(made, Secret)
    assert made.reveal() == "CANARY-j1"
    assert repr(made) == "<Secret x from Config.toml>"
    assert made.version is None


def test_an_answer_gives_its_origin_and_version(convert: Convert) -> None:
    made = convert(Secret[str], Answer("CANARY-j2", _ANSWERED, is_secret=True))
    assert isinstance(made, Secret)
    assert made.reveal() == "CANARY-j2"
    assert str(made.origin) == "vault secret/db#password v3"
    assert made.version == "3"


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (Secret[int], 4711, 4711),
        (Secret[bytes], b"\xffCANARY-j3", b"\xffCANARY-j3"),
        (Secret[list[str]], ["CANARY-j4"], ["CANARY-j4"]),
        (Secret[dict[str, str]], {"a": "CANARY-j5"}, {"a": "CANARY-j5"}),
        (Secret[int | str], "CANARY-j6", "CANARY-j6"),
    ],
    ids=range(5),
)
def test_any_type_may_be_secret(convert: Convert, hint: object, value: object, made: object) -> None:
    result = convert(hint, value)
    assert isinstance(result, Secret)
    assert result.reveal() == made


def test_a_text_of_a_source_is_lax(convert: Convert) -> None:
    made = convert(Secret[int], Answer("4711", _ANSWERED, is_secret=True))
    assert isinstance(made, Secret)
    assert made.reveal() == 4711


@pytest.mark.parametrize(
    "value",
    ["", b"", Answer("", _ANSWERED, is_secret=True), Answer(b"", _ANSWERED, is_secret=True)],
    ids=range(4),
)
@pytest.mark.parametrize("hint", [Secret[str], Secret[bytes], Secret[int]], ids=range(3))
def test_an_empty_one_is_refused(refuse: Refuse, hint: object, value: object) -> None:
    (problem,) = refuse(hint, value)
    assert problem.message == "expected a secret that is not empty"


def test_one_that_becomes_empty_is_refused(refuse: Refuse) -> None:
    (problem,) = refuse(Secret[bytes], [])
    assert problem.message == "expected a secret that is not empty"


def test_a_bad_one_is_refused_as_its_type_is(refuse: Refuse) -> None:
    (problem,) = refuse(Secret[int], "CANARY-j7")
    assert problem.message == "expected a whole number"


def test_one_that_is_a_secret_already_stays_that_handle(convert: Convert) -> None:
    given = Secret("CANARY-j8")
    made = convert(list[Secret[str]], [given])
    assert isinstance(made, list)
    assert made[0] is given


def test_a_list_of_secrets_says_so(refuse: Refuse) -> None:
    (problem,) = refuse(list[Secret[str]], 5)
    assert problem.message == "expected a list, each item a secret: text"


def test_a_secret_in_a_secret_is_refused_when_it_is_declared() -> None:
    with pytest.raises(DeclarationError):
        converter_for(Secret[Secret[str]])


def test_the_schema_is_write_only() -> None:
    assert converter_for(Secret[str]).json_schema() == {"type": "string", "writeOnly": True}
