"""Declaring: what a class may be, what its instances are, and when it fails."""

import copy
import gc
import importlib.util
import pickle  # noqa: TID251 settings go to a worker process: that is what is tested
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, get_type_hints

import pytest

from wellkept import ConfigError, Secret, Settings, load, setting
from wellkept.config.declare import declared, declared_namespaces, documented, is_record
from wellkept.config.extras import MISSING
from wellkept.errors import DeclarationError, SecretLeak


class Documented(Settings):
    """First line.

    Attributes:
        host: where
            it listens.
        port: the port.

    More:
        other: not a field.
    """

    host: str = "h"
    port: int = 1
    count: ClassVar[int] = 0
    own: str = setting(default="x", doc="said at the field")


def test_docs_come_from_the_attributes_section_or_the_field() -> None:
    assert documented(Documented) == {"host": "where it listens.", "port": "the port."}
    assert {one.name: one.extras.doc for one in declared(Documented)} == {
        "host": "where it listens.",
        "port": "the port.",
        "own": "said at the field",
    }


def test_instances_are_frozen_compared_by_value_and_have_no_hash() -> None:
    one = Documented(port=2)
    assert one == Documented(port=2)
    assert one != Documented()
    assert one != 5
    assert repr(one) == "Documented(host='h', port=2, own='x')"
    assert copy.deepcopy(one) == one
    with pytest.raises(AttributeError, match="settings do not change"):
        del one.port
    with pytest.raises(TypeError):
        hash(one)


def test_an_instance_that_is_loaded_or_made_cannot_be_changed_and_the_error_shows_no_value() -> None:
    one = Documented()
    with pytest.raises(AttributeError, match="settings do not change") as caught:
        one.host = "CANARY-new"  # type: ignore[misc]  # that is what is tested
    own = caught.tb.tb_next  # the first frame is this test, which holds the text
    assert own is not None
    assert "CANARY" not in repr(own.tb_frame.f_locals)
    with pytest.raises(AttributeError):
        one.other = 1  # type: ignore[attr-defined]  # that is what is tested
    assert one.host == "h"


def test_a_copy_is_the_same_instance() -> None:
    one = Documented()
    assert copy.copy(one) is one
    assert copy.deepcopy([one])[0] is one


def test_instances_of_two_classes_are_not_equal_though_their_values_are() -> None:
    class Twin(Documented):
        pass

    assert Documented() != Twin()


class WithAddress(Settings):
    host: str = "h"

    @cached_property
    def address(self) -> str:
        return f"CANARY-address-{self.host}"

    @property
    def upper(self) -> str:
        return self.host.upper()


def test_what_a_cached_property_keeps_is_no_value_of_a_setting() -> None:
    one = WithAddress()
    assert (one.address, one.upper) == ("CANARY-address-h", "H")
    assert one == WithAddress()
    assert repr(one) == "WithAddress(host='h')"


def test_settings_go_to_another_process_and_secrets_do_not() -> None:
    one = Documented(port=2)
    again: Any = pickle.loads(pickle.dumps(one))  # noqa: S301 our own bytes
    assert again == one
    with pytest.raises(AttributeError):
        again.port = 3
    with pytest.raises(SecretLeak):
        pickle.dumps(Secret(one).reveal())
    with pytest.raises(SecretLeak):
        pickle.dumps(Documented(host=Secret("CANARY-host")))  # type: ignore[arg-type]  # any field would do


def test_a_class_inherits_the_settings_of_its_base() -> None:
    class Child(Documented):
        more: int = 5
        port: int = 8080

    assert [one.name for one in declared(Child)] == ["host", "port", "own", "more"]
    assert (Child().port, Child().more, Documented().port) == (8080, 5, 1)


def test_a_class_may_have_several_bases_and_plain_ones_too() -> None:
    class Plain:
        def both(self) -> str:
            return f"{vars(self)['a']}{vars(self)['b']}"

    class First(Settings):
        a: int = 1

    class Second(Settings):
        b: int = 2

    class Both(Plain, First, Second):
        pass

    assert {one.name for one in declared(Both)} == {"a", "b"}
    assert Both(a=5).both() == "52"


def test_an_inherited_name_takes_part_in_the_collisions() -> None:
    with pytest.raises(DeclarationError, match="own and oWn are one name"):

        class Collides(Documented):
            oWn: str = ""  # noqa: N815 that is what is tested


def test_a_list_as_a_default_is_not_shared_by_what_is_loaded() -> None:
    class Tags(Settings):
        tags: list[str] = []  # noqa: RUF012 that is what is tested

    first, second = (load(Tags, environ={}, files=[], redact=False) for _ in range(2))
    first.tags.append("x")
    assert second.tags == []


def test_made_by_hand_it_takes_values_as_they_are_and_needs_all_required_ones() -> None:
    class Needs(Settings):
        a: int
        b: list[int] = setting(default_factory=list)

    assert Needs(a=1).b is not Needs(a=1).b
    with pytest.raises(TypeError, match="needs a"):
        Needs()  # type: ignore[call-arg]  # that is what is tested
    with pytest.raises(TypeError, match="has no setting c"):
        Needs(a=1, c=2)  # type: ignore[call-arg]  # that is what is tested


def test_an_instance_that_cannot_be_made_leaves_no_value_in_the_traceback() -> None:
    with pytest.raises(TypeError) as caught:
        Documented(hots="CANARY-host")  # type: ignore[call-arg]  # that is what is tested
    own = caught.tb.tb_next
    assert own is not None
    assert "CANARY" not in repr(own.tb_frame.f_locals)


def test_two_names_that_are_one_outside_python_fail_when_the_class_is_made() -> None:
    with pytest.raises(DeclarationError, match="db_host and dbHost are one name") as caught:

        class Collides(Settings):
            db_host: str = ""
            dbHost: str = ""  # noqa: N815 that is what is tested

    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["_private", "a__b", "__", "validate", "wellkept", "Well_Kept"])
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"Refused.{name}: "):
        type("Refused", (Settings,), {"__annotations__": {name: int}})


@pytest.mark.parametrize("name", ["mro", "load", "name", "reveal", "validate_all", "self"])
def test_names_that_mean_nothing_else_are_taken(name: str) -> None:
    made: Any = type("Taken", (Settings,), {"__annotations__": {name: int}, name: 1})
    assert [one.name for one in declared(made)] == [name]


@pytest.mark.parametrize("name", ["a__b", "a.b", "wellkept", "_"])
def test_names_of_ones_own_that_no_place_can_hold_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        type("Refused", (Settings,), {"__annotations__": {"port": int}, "port": setting(name=name)})


@pytest.mark.parametrize("namespace", ["wellkept", "wellkept.acme", "acme..pay", ".acme", "acme.", "a b", "a__b", "1a"])
def test_a_namespace_that_is_no_dotted_name_of_ones_own_is_refused(namespace: str) -> None:
    with pytest.raises(DeclarationError):

        class Refused(Settings, namespace=namespace):
            port: int = 1


def test_a_method_with_the_name_of_the_hook_is_the_hook() -> None:
    class Range(Settings):
        low: int = 2
        high: int = 1

        def validate(self) -> list[tuple[str, str]]:
            return [("low", "must not be above high")] if self.low > self.high else []

    with pytest.raises(ConfigError) as caught:
        load(Range, environ={}, files=[], redact=False)
    assert [(one.setting, one.message) for one in caught.value.problems] == [("low", "must not be above high")]
    assert list(Documented().validate()) == []


def test_a_name_of_ones_own_takes_part_in_the_collisions() -> None:
    with pytest.raises(DeclarationError, match="one name"):

        class Collides(Settings):
            a: int = setting(default=1, name="port")
            port: int = 2


def test_a_hint_that_cannot_be_resolved_names_the_class_and_the_fix() -> None:
    class Unresolved(Settings):
        what: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 that is what is tested

    with pytest.raises(DeclarationError, match="names Nowhere") as caught:
        declared(Unresolved)
    assert "TYPE_CHECKING" in (caught.value.hint or "")
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("hint", "fact"),
    [
        ("list[Nowhere]", "names Nowhere"),
        ("gc.Nowhere", "names Nowhere"),
        ("list[", "is no type"),
    ],
)
def test_a_hint_that_is_no_type_is_an_error_of_the_declaration(hint: str, fact: str) -> None:
    made = type("Wrong", (Settings,), {"__annotations__": {"what": hint}, "__module__": __name__})
    with pytest.raises(DeclarationError, match=f"Wrong: has a hint that {fact}") as caught:
        declared(made)
    assert caught.value.__context__ is None


FUTURE = """
from __future__ import annotations

import typing as t
from typing import ClassVar, Optional

from wellkept import Secret, Settings, setting


class App(Settings):
    kind: ClassVar[str] = "app"
    other: t.ClassVar[int] = 1
    bare: ClassVar = 2
    password: Secret[str]
    later: Later
    children: list[App] = setting(default_factory=list)
    name: Optional[str] = None


class Later(Settings):
    port: int = 1
"""


@pytest.fixture
def future(tmp_path: Path) -> ModuleType:
    """A module whose annotations are all texts."""
    file = tmp_path / "wellkept_future.py"
    file.write_text(FUTURE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("wellkept_future", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # get_type_hints looks the module up by its name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(importlib.sys.modules, "wellkept_future", module)  # type: ignore[attr-defined]  # it imports sys
        spec.loader.exec_module(module)
        declared(module.App)
    return module


def test_annotations_that_are_texts_may_name_classes_that_come_later(future: ModuleType) -> None:
    hints = {one.name: one.hint for one in declared(future.App)}
    assert list(hints) == ["password", "later", "children", "name"]
    assert hints["password"] == Secret[str]
    assert hints["later"] is future.Later
    assert str(hints["children"]) == "list[wellkept_future.App]"


def test_class_variables_are_no_settings_however_they_are_written(future: ModuleType) -> None:
    assert (future.App.kind, future.App.other, future.App.bare) == ("app", 1, 2)
    assert {"kind", "other", "bare"} & {one.name for one in declared(future.App)} == set()


def test_a_class_of_a_function_may_name_what_stands_outside() -> None:
    class Local(Settings):
        inner: Documented = Documented()

    assert {one.name: one.hint for one in declared(Local)} == {"inner": Documented}
    assert get_type_hints(Local)["inner"] is Documented


def test_a_class_that_is_gone_leaves_its_namespace() -> None:
    def make() -> None:
        class Gone(Settings, namespace="test.gone"):
            port: int = 1

        assert "test.gone" in declared_namespaces()
        assert Gone().port == 1

    make()
    gc.collect()
    assert "test.gone" not in declared_namespaces()


def test_a_default_and_a_factory_together_are_refused() -> None:
    with pytest.raises(DeclarationError):
        setting(default=1, default_factory=int)  # type: ignore[call-overload]  # that is what is tested


def test_namespaces_are_known_while_their_class_lives() -> None:
    class Named(Settings, namespace="test.declare"):
        port: int = 1

    assert "test.declare" in declared_namespaces()
    assert Named().port == 1


@dataclass(frozen=True)
class Record:
    """A record.

    Attributes:
        cert_file: the certificate.
    """

    cert_file: str = field(metadata={"names": ("certFile", "cert")})
    ports: list[int] = field(default_factory=list)
    depth: int = 1
    made: int = field(default=0, init=False)


def test_a_dataclass_declares_its_fields_with_their_other_names() -> None:
    assert [(one.name, one.spellings, one.is_required, one.extras.doc) for one in declared(Record)] == [
        ("cert_file", ("cert_file", "certFile", "cert"), True, "the certificate."),
        ("ports", ("ports",), False, ""),
        ("depth", ("depth",), False, ""),
    ]
    assert [one.make_default() for one in declared(Record)[1:]] == [[], 1]


def test_only_settings_and_dataclasses_are_records() -> None:
    assert is_record(Documented)
    assert is_record(Record)
    assert not is_record(int)
    assert not is_record(list[int])
    assert repr(MISSING) == "MISSING"


def test_inside_a_secret_an_instance_masks_its_fields() -> None:
    secret = Secret(Documented(host="CANARY-host"))
    assert repr(secret.reveal()) == "Documented(***)"
    assert secret.reveal().host == "CANARY-host"


class Outer(Settings):
    inner: Documented
    others: list[Documented]


def test_inside_a_secret_an_instance_masks_what_is_in_its_fields_too() -> None:
    inner = Documented(host="CANARY-host")
    revealed = Secret(Outer(inner=inner, others=[inner])).reveal()
    shown = repr([revealed.inner, revealed.others, revealed.inner.host, vars(revealed)])
    assert "CANARY" not in shown
    assert revealed.inner == inner
    assert repr(inner) == "Documented(host='CANARY-host', port=1, own='x')"  # the one that was given is as it was
