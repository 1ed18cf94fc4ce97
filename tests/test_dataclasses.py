"""The light `dataclass` behaves as the standard library's, for the same declaration."""

import copy
import dataclasses
import pickle  # noqa: TID251 a fact may be sent to another process: that is what is tested
from collections.abc import Callable
from typing import Any

import pytest

from wellkept import _dataclasses
from wellkept.origin import Layer, Origin


def declared(maker: Any, *, frozen: bool) -> Any:  # noqa: ANN401 either module
    """The same class, made by either."""

    @maker.dataclass(frozen=frozen, slots=True)
    class Fact:
        """A fact."""

        name: str
        number: int = 3
        items: list[int] = maker.field(default_factory=list, repr=False)
        fixed: str = maker.field(default="always", init=False)

        def __post_init__(self) -> None:
            if not self.name:
                raise ValueError("a name")

        @property
        def shouted(self) -> str:
            return self.name.upper()

    return Fact


CALLS: dict[str, Callable[[Any], object]] = {
    "defaults": lambda cls: repr(cls("a")),
    "keywords": lambda cls: repr(cls(name="a", number=4, items=[1])),
    "equal": lambda cls: cls("a", 1) == cls("a", 1),
    "not equal": lambda cls: cls("a", 1) == cls("a", 2),
    "not equal to another type": lambda cls: cls("a") == ("a", 3, [], "always"),
    "a fresh list each": lambda cls: cls("a").items is cls("a").items,
    "a property": lambda cls: cls("a").shouted,
    "slots": lambda cls: hasattr(cls("a"), "__dict__"),
    "match": lambda cls: cls.__match_args__,
    "copy": lambda cls: copy.copy(cls("a", 5)) == cls("a", 5),
    "deepcopy": lambda cls: copy.deepcopy(cls("a", 5, [1])).items,
    "too few": lambda cls: cls(),
    "too many": lambda cls: cls("a", 1, [], "x", 5),
    "unknown": lambda cls: cls("a", other=1),
    "not to be given": lambda cls: cls("a", fixed="x"),
    "post init": lambda cls: cls(""),
}


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "open"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_it_answers_as_the_standard_library_does(call: Callable[[Any], object], *, frozen: bool) -> None:
    def outcome(maker: object) -> object:
        try:
            return call(declared(maker, frozen=frozen))
        except (TypeError, ValueError) as error:
            return type(error)

    assert outcome(_dataclasses) == outcome(dataclasses)


def test_a_frozen_one_refuses_changes_and_an_open_one_has_no_hash() -> None:
    fact = Origin(Layer.FILE, "here")
    with pytest.raises(AttributeError, match="is frozen"):
        fact.place = "there"  # type: ignore[misc]  # that is what is tested
    with pytest.raises(AttributeError, match="is frozen"):
        del fact.place
    assert hash(fact) == hash(Origin(Layer.FILE, "here"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(declared(_dataclasses, frozen=False)("a"))


def test_replace_makes_a_twin_with_some_fields_changed() -> None:
    fact = Origin(Layer.FILE, "here", line=2)
    assert _dataclasses.replace(fact, place="there") == Origin(Layer.FILE, "there", line=2)


def test_a_frozen_one_can_be_sent_to_another_process() -> None:
    fact = Origin(Layer.FILE, "here", line=2)
    assert pickle.loads(pickle.dumps(fact)) == fact  # noqa: S301 our own bytes


def test_only_classes_of_the_standard_library_have_standard_fields() -> None:
    fields = _dataclasses.standard_fields(declared(dataclasses, frozen=True))
    assert fields is not None
    assert [field.name for field in fields] == ["name", "number", "items", "fixed"]
    assert _dataclasses.standard_fields(Origin) is None
