"""Declaring: what a class may be, what its instances are, and when it fails."""

import copy
from typing import ClassVar

import pytest

from wellkept import Secret, Settings, setting
from wellkept.config.declare import MISSING, declared, declared_namespaces, documented, is_record
from wellkept.errors import DeclarationError


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


def test_a_class_inherits_the_settings_of_its_base() -> None:
    class Child(Documented):
        more: int = 5

    assert [one.name for one in declared(Child)] == ["host", "port", "own", "more"]


def test_made_by_hand_it_takes_values_as_they_are_and_needs_all_required_ones() -> None:
    class Needs(Settings):
        a: int
        b: list[int] = setting(default_factory=list)

    assert Needs(a=1).b is not Needs(a=1).b
    with pytest.raises(TypeError, match="needs a"):
        Needs()  # type: ignore[call-arg]  # that is what is tested
    with pytest.raises(TypeError, match="has no setting c"):
        Needs(a=1, c=2)  # type: ignore[call-arg]  # that is what is tested


def test_two_names_that_are_one_outside_python_fail_when_the_class_is_made() -> None:
    with pytest.raises(DeclarationError, match="db_host and dbHost are one name") as caught:

        class Collides(Settings):
            db_host: str = ""
            dbHost: str = ""  # noqa: N815 that is what is tested

    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["_private", "a__b", "validate", "wellkept"])
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        type("Refused", (Settings,), {"__annotations__": {name: int}})


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


def test_a_default_and_a_factory_together_are_refused() -> None:
    with pytest.raises(DeclarationError):
        setting(default=1, default_factory=int)  # type: ignore[call-overload]  # that is what is tested


def test_namespaces_are_known_while_their_class_lives() -> None:
    class Named(Settings, namespace="test.declare"):
        port: int = 1

    assert "test.declare" in declared_namespaces()
    assert Named().port == 1


def test_only_settings_and_dataclasses_are_records() -> None:
    assert is_record(Documented)
    assert not is_record(int)
    assert not is_record(list[int])
    assert repr(MISSING) == "MISSING"


def test_inside_a_secret_an_instance_masks_its_fields() -> None:
    secret = Secret(Documented(host="CANARY-host"))
    assert repr(secret.reveal()) == "Documented(***)"
    assert secret.reveal().host == "CANARY-host"
