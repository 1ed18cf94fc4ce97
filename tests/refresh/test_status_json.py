"""A status as JSON: both ways, nothing but the known facts, and no value."""

import json
import os

import pytest

from tests.refresh.answering import secret, status
from wellkept import Secret
from wellkept.errors import Malformed
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.refresh.status_json import status_from_json, status_to_json
from wellkept.secret import State

US = os.getpid()
SOUND: dict[str, object] = {"name": "a", "origin": "b", "state": "due", "age_s": 1, "checked_s": 1, "source": "vault"}


def test_no_value_stands_in_an_answer() -> None:
    held = Secret("CANARY-status-password", name="db_password")
    facts = SecretStatus(held.name or "", str(held.origin), held.version, held.state, 1.0, 1.0)
    assert "CANARY" not in json.dumps(status_to_json(Status(US, (facts,))))


def test_an_answer_has_these_facts_and_no_other() -> None:
    document = json.loads(json.dumps(status_to_json(status(secret()))))
    assert document.keys() == {"format", "pid", "is_ready", "worst", "secrets", "sources"}
    assert document["secrets"][0].keys() == set(SecretStatus.__slots__)
    assert document["sources"][0].keys() == set(SourceStatus.__slots__)


def test_a_time_that_never_comes_is_none() -> None:
    endless = Status(US, (SecretStatus("a", "b", None, State.FRESH, 1.0, 1.0, expires_s=float("inf")),))
    assert status_from_json(status_to_json(endless)).secrets[0].expires_s is None


@pytest.mark.parametrize("document", [None, [], {}, "CANARY"])
def test_what_is_no_object_with_facts_is_refused(document: object) -> None:
    with pytest.raises(Malformed, match=r"^status: is not in the form that is read here"):
        status_from_json(document)


@pytest.mark.parametrize(
    "fact",
    [
        {"format": 2},
        {"pid": "7"},
        {"pid": True},
        {"secrets": {}},
        {"secrets": [7]},
        {"secrets": [SOUND | {"state": "CANARY"}]},
        {"secrets": [SOUND | {"origin": 1}]},
        {"secrets": [SOUND | {"age_s": "CANARY"}]},
        {"secrets": [SOUND | {"next_s": float("nan")}]},
        {"sources": [{"name": "vault", "is_answering": 1}]},
    ],
)
def test_a_fact_of_another_type_is_refused_and_not_quoted(fact: dict[str, object]) -> None:
    with pytest.raises(Malformed, match=r"^status: is not in the form that is read here") as raised:
        status_from_json(status_to_json(status(secret())) | fact)
    assert "CANARY" not in str(raised.value)
    assert raised.value.__context__ is None


def test_the_facts_of_these_tests_are_sound() -> None:
    assert status_from_json(status_to_json(status()) | {"secrets": [SOUND]}).secrets[0].state is State.DUE


def test_facts_that_a_later_version_adds_are_left_out() -> None:
    document = status_to_json(status()) | {"mood": "good"}
    assert status_from_json(document) == status()
