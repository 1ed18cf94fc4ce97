"""Lists, tuples, sets and dicts."""

from collections import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Annotated, Any

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer
from wellkept.config.declare import Settings
from wellkept.config.types import Byte, Pattern
from wellkept.errors import DeclarationError, Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]


class Backend(Settings):
    name: str
    port: int = 80


@dataclass(frozen=True)
class Pool:
    backends: list[Backend]
    token: Secret[str]


@pytest.mark.parametrize(
    ("hint", "value", "made"),
    [
        (list[int], [1, 2], [1, 2]),
        (list[int], (1, 2), [1, 2]),
        (list[int], [], []),
        (list[list[int]], [[1], []], [[1], []]),
        (list, [1, "a", Decimal("0.5")], [1, "a", 0.5]),
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (tuple[()], [], ()),
        (tuple, [1, "a"], (1, "a")),
        (set[int], [1, 1, 2], {1, 2}),
        (set[int], {1}, {1}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (set[tuple[int, str]], [[1, "a"]], {(1, "a")}),
        (set[frozenset[int]], [[1, 1]], {frozenset({1})}),
        (set[int | str], [1, "a"], {1, "a"}),
        (set[Byte], [255], {255}),
        (Sequence[int], [1], (1,)),
        (abc.MutableSequence[int], [1], [1]),
        (abc.Collection[int], [1], (1,)),
        (abc.Iterable[int], [1], (1,)),
        (abc.Set[int], [1], frozenset({1})),
        (abc.MutableSet[int], [1], {1}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (dict, {"a": {"b": Decimal("0.5")}}, {"a": {"b": 0.5}}),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (abc.MutableMapping[str, int], {}, {}),
        (list[Backend], [{"name": "a"}], [Backend(name="a")]),
    ],
    ids=map(str, count()),
)
def test_each_item_is_converted(convert: Convert, hint: object, value: object, made: object) -> None:
    result = convert(hint, value)
    assert result == made
    assert type(result) is type(made)


@pytest.mark.parametrize(
    ("hint", "text", "made"),
    [
        (list[int], "[1, 2]", [1, 2]),
        (list[int], '["1", 2]', [1, 2]),
        (list[str], "['a', 1]", ["a", "1"]),
        (tuple[int, bool], '["1", "yes"]', (1, True)),
        (dict[str, float], "{ a = 0.5 }", {"a": 0.5}),
        (dict[str, float], '{"a": 0.5}', {"a": 0.5}),
        (list[Backend], '[{"name": "a", "port": "8080"}]', [Backend(name="a", port=8080)]),
        (list[Backend], "[{ name = 'a' }]", [Backend(name="a")]),
    ],
    ids=map(str, count()),
)
def test_a_literal_in_a_variable_is_read_with_lax_items(
    convert: Convert, hint: object, text: str, made: object
) -> None:
    assert convert(hint, text, lax=True) == made


def test_a_list_of_a_source_is_used_directly_with_lax_items(convert: Convert) -> None:
    answer = Answer(["1", 2], Origin(Layer.FILE, "Config.toml:1:5", answer="file a"), is_secret=False)
    assert convert(list[int], answer) == [1, 2]


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (list[int], "[1]", "a list, each item a whole number"),
        (list[int], {"a": 1}, "a list, each item a whole number"),
        (tuple[int, str], [1], "a list of 2: a whole number, text"),
        (tuple[int, str], [1, "a", 2], "a list of 2: a whole number, text"),
        (tuple[()], [1], "an empty list"),
        (tuple[int, str], 5, "a list of 2: a whole number, text"),
        (dict[str, int], [1], "a table, each value a whole number"),
        (dict[str, int], "{}", "a table, each value a whole number"),
    ],
    ids=map(str, count()),
)
def test_another_shape_is_refused(refuse: Refuse, hint: object, value: object, expected: str) -> None:
    (problem,) = refuse(hint, value)
    assert problem.message == f"expected {expected}"


@pytest.mark.parametrize(("hint", "text"), [(list[int], "1, 2"), (dict[str, int], "a=1"), (tuple[int, int], "1")])
def test_text_that_is_no_literal_is_told_how_to_write_one(refuse: Refuse, hint: object, text: str) -> None:
    (problem,) = refuse(hint, text, lax=True)
    assert problem.hint.startswith("write it as JSON")


def test_every_bad_item_is_reported_at_its_own_place(refuse: Refuse) -> None:
    problems = refuse(dict[str, list[int]], {"a": [1, "x", True], "b": "y"})
    assert [(problem.setting, problem.place) for problem in problems] == [
        ("x.a[1]", "Config.toml/a/1"),
        ("x.a[2]", "Config.toml/a/2"),
        ("x.b", "Config.toml/b"),
    ]


def test_a_bad_item_of_a_tuple_is_reported(refuse: Refuse) -> None:
    (problem,) = refuse(tuple[int, str], [1, 2])
    assert problem.setting == "x[1]"


def test_the_report_on_a_list_has_an_end(refuse: Refuse) -> None:
    problems = refuse(list[int], ["x"] * 100_000)
    assert len(problems) == 17
    assert str(problems[-1]) == "x: holds 16 items that cannot be used; later ones were not read (Config.toml)"


def test_a_key_inside_a_secret_is_not_shown(refuse: Refuse) -> None:
    (problem,) = refuse(Secret[dict[str, int]], {"CANARY-f1": "x"})
    assert str(problem).startswith("x.*: expected a whole number")


def test_a_long_or_unprintable_key_is_shown_in_part(refuse: Refuse) -> None:
    (problem,) = refuse(dict[str, int], {"a\x1b" + "b" * 100: "x"})
    assert problem.setting == "x.a?" + "b" * 62 + "…"


class TestKey:
    """Two items of a list of records with the same key."""

    def test_different_keys_are_fine(self, convert: Convert) -> None:
        items = [{"name": "a"}, {"name": "b"}]
        assert convert(list[Backend], items, key="name") == [Backend(name="a"), Backend(name="b")]

    def test_the_same_key_is_refused_with_both_places(self, refuse: Refuse) -> None:
        items = [{"name": "CANARY-f2"}, {"name": "b"}, {"name": "CANARY-f2"}, {"name": "CANARY-f2"}]
        problems = refuse(list[Backend], items, key="name")
        assert [str(problem) for problem in problems] == [
            "x[2]: has the same name as x[0] (Config.toml/0) (Config.toml/2)",
            "x[3]: has the same name as x[0] (Config.toml/0) (Config.toml/3)",
        ]

    def test_it_is_found_under_a_secret_a_union_with_none_and_a_constraint(self, refuse: Refuse) -> None:
        hint = Annotated[Secret[Annotated[list[Backend], Pattern(".*")]] | None, "doc"]
        assert len(refuse(hint, [{"name": "a"}, {"name": "a"}], key="name")) == 1

    @pytest.mark.parametrize(
        ("hint", "key"),
        [
            (list[Backend], "nam"),
            (list[Pool], "token"),
            (list[Pool], "backends"),
            (list[int], "name"),
            (Backend, "name"),
        ],
        ids=map(str, count()),
    )
    def test_what_cannot_be_a_key_is_refused_when_it_is_declared(self, hint: object, key: str) -> None:
        with pytest.raises(DeclarationError):
            converter_for(hint, key=key)


class TestAnything:
    """`object` and `Any`."""

    def test_pythons_own_types_come_out(self, convert: Convert) -> None:
        value = {"version": 1, "ratio": Decimal("0.5"), "on": True, "list": [Decimal(1), "a"], "none": None}
        made = convert(dict[str, Any], value)
        assert made == {"version": 1, "ratio": 0.5, "on": True, "list": [1.0, "a"], "none": None}
        assert isinstance(made, dict)
        assert type(made["ratio"]) is float

    def test_a_number_beyond_all_floats_stays_exact(self, convert: Convert) -> None:
        assert convert(object, Decimal("1e999")) == Decimal("1e999")

    def test_text_that_is_no_literal_stays_text(self, convert: Convert) -> None:
        assert convert(Any, "[half", lax=True) == "[half"
        assert convert(Any, "[1]", lax=True) == [1]

    def test_text_in_toml_is_never_parsed(self, convert: Convert) -> None:
        assert convert(Any, "[1]") == "[1]"

    def test_a_secret_answer_deep_inside_is_refused(self, refuse: Refuse) -> None:
        answer = Answer("CANARY-f3", Origin(Layer.FILE, "Config.toml:1:5", answer="vault a"), is_secret=True)
        assert len(refuse(Any, {"a": [answer], "b": answer})) == 2

    def test_endless_nesting_is_refused(self, refuse: Refuse) -> None:
        value: list[object] = []
        for _ in range(500):
            value = [value]
        (problem,) = refuse(Any, value)
        assert problem.message == "is nested too deep"
