"""Changing key-value secrets, without a socket."""

import pytest

from tests.providers.vault.dancing import path_of, perform
from tests.providers.vault.test_kv import FORBIDDEN, NOTHING, VALUES, kv, v2
from wellkept._http.message import Failure, Response
from wellkept.errors import Absent, Conflict, Malformed, PolicyDenied
from wellkept.providers.vault.change import remove_key, set_key
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.mounts import Mount
from wellkept.secret import Secret

PATH = ("secret", "prod", "db")


def v1() -> Kv:
    """A session that knows the mount `old`."""
    made = kv()
    made.mounts.note(Mount(("old",), 1))
    return made


WRITTEN = Response(200, {"data": {"version": 4}})


def test_a_key_is_set_beside_the_others_on_the_version_that_was_read() -> None:
    version, asked = perform(set_key(kv(kv_version=2), PATH, ("user",), Secret("CANARY-u"), None), v2(), WRITTEN)
    assert version == 4
    assert [path_of(one) for one in asked] == ["GET v1/secret/data/prod/db", "POST v1/secret/data/prod/db"]
    assert asked[-1].body == {"data": {**VALUES, "user": "CANARY-u"}, "options": {"cas": 3}}
    assert not asked[-1].may_repeat


@pytest.mark.parametrize(("before", "cas"), [(NOTHING, 0), (v2(None, deletion_time="2026-01-01T00:00:00Z"), 3)])
def test_a_secret_that_is_not_there_is_made_and_never_overwrites_one_that_came_meanwhile(
    before: Response, cas: int
) -> None:
    _version, asked = perform(set_key(kv(kv_version=2), PATH, ("user",), Secret("CANARY-u"), None), before, WRITTEN)
    assert asked[-1].body == {"data": {"user": "CANARY-u"}, "options": {"cas": cas}}


def test_a_change_in_between_is_a_conflict() -> None:
    refused = Response(400, {"errors": ["check-and-set parameter did not match the current version"]})
    failure, _asked = perform(set_key(kv(kv_version=2), PATH, ("user",), Secret("CANARY-u"), None), v2(), refused)
    assert isinstance(failure, Failure)
    assert failure.error is Conflict
    assert "CANARY" not in str(failure)


def test_another_version_than_the_expected_one_is_a_conflict_and_nothing_is_written() -> None:
    failure, asked = perform(set_key(kv(kv_version=2), PATH, ("user",), Secret("CANARY-u"), "2"), v2())
    assert isinstance(failure, Failure)
    assert failure.error is Conflict
    assert len(asked) == 1


def test_a_key_is_removed_and_the_others_stay() -> None:
    _version, asked = perform(
        remove_key(kv(kv_version=2), PATH, ("user",), "3"), v2({**VALUES, "user": "CANARY-u"}), WRITTEN
    )
    assert asked[-1].body == {"data": VALUES, "options": {"cas": 3}}


def test_without_a_key_the_whole_secret_is_deleted() -> None:
    version, asked = perform(remove_key(kv(kv_version=2), PATH, (), None), v2(), Response(204))
    assert version is None
    assert path_of(asked[-1]) == "POST v1/secret/delete/prod/db"
    assert asked[-1].body == {"versions": [3]}  # and no newer one


@pytest.mark.parametrize(
    ("key", "answer", "fact"),
    [(("nope",), v2(), "no such key"), ((), NOTHING, "absent: there is nothing to remove")],
)
def test_what_is_not_there_cannot_be_removed(key: tuple[str, ...], answer: Response, fact: str) -> None:
    failure, _asked = perform(remove_key(kv(kv_version=2), PATH, key, None), answer)
    assert isinstance(failure, Failure)
    assert (failure.error, failure.fact) == (Absent, fact)


def test_a_denied_write_names_the_capability() -> None:
    failure, asked = perform(
        set_key(kv(kv_version=2), PATH, ("user",), Secret("CANARY-u"), None),
        NOTHING,
        FORBIDDEN,
        Response(200, {"data": {"policies": []}}),
        Response(200, {"data": {"secret/data/prod/db": ["read"]}}),
    )
    assert isinstance(failure, Failure)
    assert failure.error is PolicyDenied
    assert failure.hint == 'add to a policy of it: path "secret/data/prod/db" { capabilities = ["create"] }'
    assert "CANARY" not in f"{failure}{asked}"


def test_a_v1_mount_has_no_versions_to_hold_a_change_to() -> None:
    failure, asked = perform(set_key(v1(), ("old", "db"), ("user",), Secret("CANARY-u"), "3"))
    assert isinstance(failure, Failure)
    assert failure.error is Malformed
    assert not asked
    done, asked = perform(
        set_key(v1(), ("old", "db"), ("user",), Secret("CANARY-u"), None),
        Response(200, {"data": VALUES}),
        Response(204),
    )
    assert done is None
    assert asked[-1].body == {**VALUES, "user": "CANARY-u"}


@pytest.mark.parametrize("key", [(), ("a", "b")])
def test_a_value_is_written_under_one_key(key: tuple[str, ...]) -> None:
    failure, asked = perform(set_key(kv(), PATH, key, Secret("CANARY-u"), None))
    assert isinstance(failure, Failure)
    assert failure.error is Malformed
    assert not asked
