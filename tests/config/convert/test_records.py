"""Settings classes and dataclasses that are converted whole."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer
from wellkept.config.convert.records import RecordConverter
from wellkept.config.declare import Settings, setting
from wellkept.errors import DeclarationError, Kind, Problem
from wellkept.origin import Layer, Origin
from wellkept.secret import Secret

Convert = Callable[..., object]
Refuse = Callable[..., list[Problem]]


class Login(Settings):
    user_name: str
    password: Secret[str]
    port: int = 5432


class Tls(Settings):
    is_on: bool = True
    port: int = 443


class Outer(Settings):
    tls: Tls
    other: Tls = Tls(port=8443)


class Outermost(Settings):
    outer: Outer = Outer(tls=Tls(port=1), other=Tls(port=2))


class Node(Settings):
    name: str
    children: "list[Node]" = setting(default_factory=list, key="name")


class Endless(Settings):
    inner: "Endless"


class Empty(Settings):
    pass


class Wide(Settings):
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0
    f: int = 0
    g: int = 0


class Ruled(Settings):
    low: int
    high: int = 10
    token: Secret[bytes] = Secret(b"CANARY-h0")

    def validate(self) -> Iterable[tuple[str, str]]:
        if self.low > self.high:
            yield "low", f"must not be above high, by {self.token.reveal().decode()}"
        if self.low == 7:
            yield "tls.port", "must agree"
        if self.low == 8:
            raise ValueError(self.token.reveal())


class Vouched(Settings):
    user: str

    def validate(self) -> Iterable[tuple[str, str]]:
        yield "user", f"must not be {self.user}"


@dataclass(frozen=True)
class Cert:
    """A certificate and its key.

    Attributes:
        cert_file: where the certificate is.
    """

    cert_file: Path = field(metadata={"names": ("certFile", "certificate")})
    sizes: list[int] = field(default_factory=lambda: [1])
    kind: str = "pem"
    computed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if "CANARY" in self.kind:
            raise ValueError(self.kind)


def test_a_table_becomes_an_instance(convert: Convert) -> None:
    made = convert(Login, {"user_name": "ann", "password": "CANARY-h1"})
    assert isinstance(made, Login)
    assert (made.user_name, made.password.reveal(), made.port) == ("ann", "CANARY-h1", 5432)
    assert made.password.name == "x.password"


@pytest.mark.parametrize("spelling", ["userName", "user_name", "USER_NAME", "username"])
def test_names_are_equal_without_underscores_and_case(convert: Convert, spelling: str) -> None:
    made = convert(Login, {spelling: "ann", "password": "CANARY-h2"})
    assert isinstance(made, Login)
    assert made.user_name == "ann"


@pytest.mark.parametrize("spelling", ["cert_file", "certFile", "certificate"])
def test_every_spelling_of_a_dataclass_field_counts(convert: Convert, spelling: str) -> None:
    assert convert(Cert, {spelling: "a.pem"}, base="/etc") == Cert(Path("/etc/a.pem"))


def test_a_literal_in_a_variable_becomes_an_instance(convert: Convert) -> None:
    made = convert(Login, '{"userName": "ann", "password": "CANARY-h3", "port": "1"}', lax=True)
    assert isinstance(made, Login)
    assert made.port == 1


def test_an_instance_is_taken_as_it_is(convert: Convert) -> None:
    given = Tls(port=1)
    assert convert(list[Tls], [given]) == [given]


@pytest.mark.parametrize("value", [5, "text", ["a"], None])
def test_what_is_no_table_is_refused(refuse: Refuse, value: object) -> None:
    (problem,) = refuse(Login, value)
    assert problem.message == "expected a table with userName, password, port"


def test_an_empty_record_takes_an_empty_table(convert: Convert, refuse: Refuse) -> None:
    assert convert(Empty, {}) == Empty()
    assert refuse(Empty, 5)[0].message == "expected an empty table"


def test_a_wide_record_names_its_first_fields(refuse: Refuse) -> None:
    assert refuse(Wide, 5)[0].message == "expected a table with a, b, c, d, e, f, …"


def test_all_problems_of_a_table_are_found_at_once(refuse: Refuse) -> None:
    problems = refuse(Login, {"userName": 5, "pasword": "CANARY-h4"})
    assert [(one.setting, one.kind, one.place, one.hint) for one in problems] == [
        ("x.pasword", Kind.UNKNOWN, "Config.toml/pasword", "did you mean password?"),
        ("x.user_name", Kind.INVALID, "Config.toml/userName", "write it in quotes"),
        ("x.password", Kind.MISSING, "Config.toml/password", "add password = …"),
    ]


def test_a_key_that_is_close_to_nothing_is_told_what_there_is(refuse: Refuse) -> None:
    (problem,) = refuse(Tls, {"zzz": 1})
    assert problem.message == "unused configuration value 'zzz'"
    assert problem.hint == "Tls has isOn, port: remove other keys"


def test_the_report_on_a_table_has_an_end(refuse: Refuse) -> None:
    assert len(refuse(Tls, {f"zzz{number}": 1 for number in range(10_000)})) == 16


def test_an_unknown_key_inside_a_secret_is_not_shown(refuse: Refuse) -> None:
    (problem,) = refuse(Secret[Tls], {"CANARY-h5": 1})
    assert str(problem).startswith("x.*: holds a key that nobody declares (")


def test_two_spellings_that_agree_are_one(convert: Convert) -> None:
    assert convert(Tls, {"isOn": False, "is_on": False}) == Tls(is_on=False)


def test_two_spellings_that_disagree_are_a_problem_that_names_them(refuse: Refuse) -> None:
    (problem,) = refuse(Tls, {"isOn": False, "is_on": True})
    assert problem.setting == "x.is_on"
    assert problem.message == "is given twice and differently: isOn and is_on"


class TestNesting:
    """A Settings class in a record."""

    def test_a_nested_class_whose_fields_have_defaults_may_be_left_out(self, convert: Convert) -> None:
        assert convert(Outer, {}) == Outer(tls=Tls(), other=Tls(port=8443))

    def test_what_is_missing_in_it_is_named_itself(self, refuse: Refuse) -> None:
        class Holder(Settings):
            login: Login

        problems = refuse(Holder, {"login": {"userName": "ann"}})
        assert [problem.setting for problem in problems] == ["x.login.password"]
        assert len(refuse(Holder, {})) == 2

    def test_a_table_changes_single_fields_of_a_default_instance(self, convert: Convert) -> None:
        assert convert(Outer, {"other": {"isOn": False}}) == Outer(tls=Tls(), other=Tls(is_on=False, port=8443))

    def test_so_it_is_at_any_depth(self, convert: Convert) -> None:
        made = convert(Outermost, {"outer": {"other": {"isOn": False}}})
        assert made == Outermost(outer=Outer(tls=Tls(port=1), other=Tls(is_on=False, port=2)))

    def test_what_is_no_table_there_is_refused(self, refuse: Refuse) -> None:
        (problem,) = refuse(Outer, {"other": 5})
        assert problem.message == "expected a table with isOn, port"

    def test_a_class_may_hold_a_list_of_itself(self, convert: Convert) -> None:
        made = convert(Node, {"name": "a", "children": [{"name": "b"}]})
        assert made == Node(name="a", children=[Node(name="b", children=[])])

    def test_the_key_of_such_a_list_counts(self, refuse: Refuse) -> None:
        twins = [{"name": "b"}, {"name": "b"}]
        (problem,) = refuse(Node, {"name": "a", "children": twins})
        assert problem.setting == "x.children[1]"

    def test_nesting_without_end_is_refused(self, refuse: Refuse) -> None:
        value: dict[str, object] = {"name": "a"}
        for _ in range(500):
            value = {"name": "a", "children": [value]}
        (problem,) = refuse(Node, value)
        assert problem.message == "is nested too deep"

    def test_a_class_that_needs_itself_is_refused(self, refuse: Refuse) -> None:
        (problem,) = refuse(Endless, {})
        assert problem.message == "is nested too deep"


class TestRules:
    """`validate` and `__post_init__`."""

    def test_what_validate_yields_is_a_problem_at_its_field(self, refuse: Refuse) -> None:
        (problem,) = refuse(Ruled, {"low": 11})
        assert str(problem) == "x.low: must not be above high, by *** (Config.toml/low)"

    def test_a_field_that_was_not_given_has_the_place_of_its_table(self, refuse: Refuse) -> None:
        (problem,) = refuse(Ruled, {"low": 7})
        assert problem.setting == "x.tls.port"

    def test_a_validate_that_raises_is_a_problem_without_its_text(self, refuse: Refuse) -> None:
        (problem,) = refuse(Ruled, {"low": 8})
        assert problem.message == "its validate() raised ValueError"

    def test_inside_a_secret_all_fields_are_masked_in_it(self, refuse: Refuse) -> None:
        (problem,) = refuse(Secret[Vouched], {"user": "CANARY-h6"})
        assert problem.message == "must not be ***"

    def test_a_dataclass_that_refuses_its_values_is_a_problem_without_its_text(self, refuse: Refuse) -> None:
        (problem,) = refuse(Cert, {"certFile": "a", "kind": "CANARY-h7"})
        assert problem.message == "was refused by Cert"


class TestSecretRecords:
    """`Secret[SomeSettings]`."""

    def test_it_converts_whole_from_a_table(self, convert: Convert) -> None:
        made = convert(Secret[Login], {"userName": "ann", "password": "CANARY-h8"})
        assert isinstance(made, Secret)
        assert made.reveal().password.reveal() == "CANARY-h8"
        assert repr(made.reveal()) == "Login(***)"

    def test_it_converts_whole_from_the_json_answer_of_a_source(self, convert: Convert) -> None:
        origin = Origin(Layer.FILE, "Config.toml:1:5", answer="vault db", version="3")
        for value in ({"user_name": "ann", "password": "CANARY-h9"}, '{"user_name": "ann", "password": "CANARY-h9"}'):
            made = convert(Secret[Login], Answer(value, origin, is_secret=True))
            assert isinstance(made, Secret)
            assert made.reveal().user_name == "ann"
            assert (made.origin, made.version) == (origin, "3")

    def test_its_texts_show_nothing_in_a_repr(self, convert: Convert) -> None:
        made = convert(Secret[Cert], {"certFile": "a", "kind": "CANARX-h10"})
        assert isinstance(made, Secret)
        assert "CANARX" not in repr(made.reveal())


def test_a_name_that_two_spellings_share_is_refused_when_it_is_declared() -> None:
    @dataclass
    class Clash:
        one: int = field(metadata={"names": ("both",)})
        two: int = field(metadata={"names": ("Both",)})

    with pytest.raises(DeclarationError) as caught:
        converter_for(Clash)
    assert caught.value.message.endswith("one and two share a name outside Python")


def test_a_bad_hint_deep_inside_names_its_field() -> None:
    @dataclass
    class Bad:
        z: complex

    with pytest.raises(DeclarationError) as caught:
        converter_for(dict[str, Bad])
    assert caught.value.message.endswith("Bad.z: complex is no type that a setting can have")


def test_the_schema_says_what_may_be_written() -> None:
    schema: dict[str, Any] = converter_for(Login).json_schema()
    assert schema == {
        "type": "object",
        "properties": {
            "userName": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
            "port": {"type": "integer", "default": 5432},
        },
        "additionalProperties": False,
        "required": ["userName", "password"],
    }


def test_the_schema_takes_descriptions_from_docstrings() -> None:
    schema: dict[str, Any] = converter_for(Annotated[Cert, "doc"]).json_schema()
    assert schema["properties"]["certFile"]["description"] == "where the certificate is."


def test_the_schema_of_a_class_that_holds_itself_ends() -> None:
    schema: dict[str, Any] = converter_for(Node).json_schema()
    assert schema["properties"]["children"]["items"] == {"type": "object"}


def test_the_schema_of_a_table_with_a_default_requires_nothing() -> None:
    schema: dict[str, Any] = converter_for(Outermost).json_schema()
    assert "required" not in schema["properties"]["outer"]


def test_a_table_with_a_default_is_called_as_one_without() -> None:
    outer = converter_for(Outer)
    assert isinstance(outer, RecordConverter)
    assert outer.fields[1].converter.expected == outer.fields[0].converter.expected == "a table with isOn, port"
