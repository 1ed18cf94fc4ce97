"""From a hint to its converter."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, NewType, TypeVar

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.declare import Settings
from wellkept.errors import DeclarationError

T = TypeVar("T")
Port = NewType("Port", int)


class Color(Enum):
    RED = "red"


class Record(Settings):
    port: int


@dataclass
class Box(Generic[T]):
    value: T


def test_a_class_is_compiled_once() -> None:
    assert converter_for(Record) is converter_for(Record)
    assert converter_for(Color) is converter_for(Color)
    assert converter_for(int) is converter_for(int)


def test_a_name_for_a_type_is_that_type() -> None:
    assert converter_for(Port) is converter_for(int)
    assert converter_for(Final[int]) is converter_for(int)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is syntax since Python 3.12")
def test_a_type_statement_is_the_type_that_it_names() -> None:
    names: dict[str, Any] = {}
    exec("type Alias = int", names)  # noqa: S102 a SyntaxError for 3.11 otherwise
    assert converter_for(names["Alias"]) is converter_for(int)


@pytest.mark.parametrize(
    ("hint", "name"),
    [
        (complex, "complex"),
        (Box[int], "tests"),
        (T, "T"),
        ("int", "int"),
        (None, "None"),
        ([], "[]"),
        (type(None), "NoneType"),
        (Callable[[], int], "Callable"),
        (list[complex], "complex"),
        (dict[str, complex], "complex"),
        (tuple[int, complex], "complex"),
        (int | complex, "complex"),
    ],
    ids=range(12),
)
def test_a_type_that_cannot_be_read_names_itself_and_what_can(hint: object, name: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        converter_for(hint)
    assert name in caught.value.message or name == "tests"
    assert caught.value.message.endswith("is no type that a setting can have")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("use int, Byte, float")
    assert caught.value.__context__ is None


@pytest.mark.parametrize("hint", [set[list[int]], set[dict[str, int]], frozenset[Record], set[Any]], ids=range(4))
def test_a_set_of_what_has_no_hash_is_refused_when_it_is_declared(hint: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        converter_for(hint)
    assert caught.value.message.startswith("a set cannot hold ")


def test_a_dict_with_other_keys_than_text_is_refused_when_it_is_declared() -> None:
    with pytest.raises(DeclarationError) as caught:
        converter_for(dict[int, str])
    assert caught.value.message == "dict[int, str]: the keys of a table are text"


def test_a_class_that_failed_is_not_kept() -> None:
    @dataclass
    class Bad:
        z: complex

    for _ in range(2):
        with pytest.raises(DeclarationError):
            converter_for(Bad)
