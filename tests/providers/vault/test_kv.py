"""Reading and listing key-value secrets, without a socket; test_real_kv.py does it for real."""

from collections.abc import Mapping

import pytest

from tests.providers.vault.dancing import path_of, perform
from wellkept._http.message import Failure, Response
from wellkept.errors import Absent, Deleted, Destroyed, Malformed, PolicyDenied, TokenRefused, WrongPath
from wellkept.providers.vault.kv import Held, Kv
from wellkept.providers.vault.mounts import Mount, Mounts

PATH = ("secret", "prod", "db")
VALUES = {"password": "CANARY-p"}
NOTHING = Response(404, {"errors": []})
FORBIDDEN = Response(403, {"errors": ["permission denied"]})


def v2(values: object = VALUES, **metadata: object) -> Response:
    about = {"created_time": "2026-01-01T00:00:00Z", "version": 3, "deletion_time": "", "destroyed": False, **metadata}
    status = 404 if values is None else 200
    return Response(status, {"lease_duration": 0, "data": {"data": values, "metadata": about}})


def mounted(path: str, version: str | None, kind: str = "kv") -> Response:
    options = None if version is None else {"version": version}
    return Response(200, {"data": {"path": path, "type": kind, "options": options}})


def kv(**options: int) -> Kv:
    return Kv(Mounts(**options), "the token of VAULT_TOKEN")


def test_the_first_answer_of_a_v2_mount_is_the_proof_and_the_only_request() -> None:
    engine = kv()
    held, asked = perform(engine.read(PATH), v2())
    assert isinstance(held, Held)
    assert (held.values, held.version) == (VALUES, 3)
    assert [path_of(one) for one in asked] == ["GET v1/secret/data/prod/db"]
    assert engine.mounts.find(("secret", "other")) == Mount(("secret",), 2)


def test_a_v1_mount_is_asked_for_once() -> None:
    engine = kv()
    answer = Response(200, {"lease_duration": 2764800, "data": VALUES})
    held, asked = perform(engine.read(("old", "db")), NOTHING, mounted("old/", "1"), answer)
    assert isinstance(held, Held)
    assert (held.values, held.version, held.lease_s) == (VALUES, None, None)
    assert [path_of(one) for one in asked] == [
        "GET v1/old/data/db",
        "GET v1/sys/internal/ui/mounts/old/db",
        "GET v1/old/db",
    ]
    _again, asked = perform(engine.read(("old", "other")), answer)
    assert [path_of(one) for one in asked] == ["GET v1/old/other"]


def test_a_v1_secret_that_looks_like_an_answer_of_v2_is_not_taken_for_one() -> None:
    look_alike = {"data": {"password": "CANARY-wrong"}, "metadata": {"created_time": "x", "version": 1}}
    held, _asked = perform(
        kv().read(("old", "db")),
        Response(200, {"lease_duration": 2764800, "data": look_alike}),
        mounted("old/", None),
        Response(200, {"lease_duration": 2764800, "data": VALUES}),
    )
    assert isinstance(held, Held)
    assert held.values == VALUES


def test_a_mount_with_a_longer_path_is_found() -> None:
    engine = kv()
    held, asked = perform(engine.read(("team", "kv", "db")), NOTHING, mounted("team/kv/", "2"), v2())
    assert isinstance(held, Held)
    assert path_of(asked[-1]) == "GET v1/team/kv/data/db"


def test_what_a_person_says_of_version_1_saves_the_guess_and_not_the_question() -> None:
    answer = Response(200, {"data": {**VALUES, "ttl": "30s"}, "lease_duration": 30})
    held, asked = perform(kv(kv_version=1).read(("old", "db")), mounted("old/", "1"), answer)
    assert isinstance(held, Held)
    assert held.lease_s == 30
    assert [path_of(one) for one in asked] == ["GET v1/sys/internal/ui/mounts/old/db", "GET v1/old/db"]


def test_another_engine_is_not_read_whatever_a_person_says_of_its_version() -> None:
    found, asked = perform(kv(kv_version=1).read(("database", "creds", "app")), mounted("database/", None, "database"))
    assert found == Mount(("database",), 1, "database")
    assert len(asked) == 1  # reading would have made a login


@pytest.mark.parametrize("path", [("auth", "token", "lookup-self"), ("sys", "policies"), ("identity", "entity")])
@pytest.mark.parametrize("options", [{}, {"kv_version": 1}, {"kv_version": 2}])
def test_the_api_of_vault_itself_is_no_secret(path: tuple[str, ...], options: dict[str, int]) -> None:
    for dance in (kv(**options).read(path), kv(**options).names(path)):
        failure, asked = perform(dance)
        assert isinstance(failure, Failure)
        assert failure.error is WrongPath
        assert not asked


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"message": "no Route matched"},
        {"errors": "none"},
        {"errors": [{"status": "404"}]},
        {"errors": ["no"]},
    ],
)
def test_a_404_of_something_in_front_of_vault_is_no_absence(data: object) -> None:
    failure, _asked = perform(kv(kv_version=2).read(PATH), Response(404, data))
    assert isinstance(failure, Failure)
    assert failure.error is Malformed


def test_a_mount_that_is_another_one_by_now_is_found_out() -> None:
    engine = kv()
    engine.mounts.note(Mount(("old",), 1))
    held, _asked = perform(engine.read(("old", "db")), NOTHING, mounted("old/", "2"), v2())
    assert isinstance(held, Held)
    assert engine.mounts.find(("old", "db")) == Mount(("old",), 2)


def test_a_pinned_version_is_asked_for() -> None:
    _held, asked = perform(kv().read(PATH, "7"), v2(version=7))
    assert asked[0].query == {"version": "7"}


@pytest.mark.parametrize("version", ["0", "-1", "latest", "1.5", "1" * 12, "٣"])
def test_a_version_that_is_no_number_is_refused_before_any_request(version: str) -> None:
    failure, asked = perform(kv().read(PATH, version))
    assert isinstance(failure, Failure)
    assert failure.error is Malformed
    assert not asked


KNOWN: Mapping[str, tuple[tuple[Response, ...], type[Exception], str]] = {
    "absent": ((NOTHING, mounted("secret/", "2")), Absent, "absent"),
    "deleted": ((v2(None, deletion_time="2026-11-24T03:00:00.5Z"),), Deleted, "deleted"),
    "destroyed": ((v2(None, destroyed=True),), Destroyed, "destroyed"),
    "no mount": (
        (Response(404, {"errors": ['no handler for route "x". route entry not found.']}), FORBIDDEN),
        WrongPath,
        "absent",
    ),
    "token": ((FORBIDDEN, FORBIDDEN, FORBIDDEN), TokenRefused, "denied"),
    "policy": (
        (
            FORBIDDEN,
            FORBIDDEN,
            Response(200, {"data": {"policies": ["default", "app"]}}),
            Response(200, {"data": {"secret/data/prod/db": ["deny"]}}),
        ),
        PolicyDenied,
        "denied",
    ),
}
WORDS = ("absent", "deleted", "destroyed", "no such key", "denied", "unreachable")


@pytest.mark.parametrize("name", KNOWN)
def test_each_answer_has_a_word_of_its_own(name: str) -> None:
    answers, error, word = KNOWN[name]
    failure, _asked = perform(kv().read(PATH), *answers)
    assert isinstance(failure, Failure)
    assert failure.error is error
    assert [one for one in WORDS if one in f"{failure.fact} {failure.hint}"] == [word]


def test_the_error_of_a_policy_names_what_is_missing_and_the_line_to_add() -> None:
    failure, asked = perform(kv().read(PATH), *KNOWN["policy"][0])
    assert isinstance(failure, Failure)
    assert failure.fact == (
        "denied: no policy of the token of VAULT_TOKEN gives read on secret/data/prod/db (it has default, app)"
    )
    assert failure.hint == 'add to a policy of it: path "secret/data/prod/db" { capabilities = ["read"] }'
    assert asked[-1].body == {"paths": ["secret/data/prod/db"]}


def test_a_denial_in_spite_of_the_policy_says_so() -> None:
    answers = (*KNOWN["policy"][0][:3], Response(200, {"data": {"secret/data/prod/db": ["read", "list"]}}))
    failure, _asked = perform(kv().read(PATH), *answers)
    assert isinstance(failure, Failure)
    assert "although a policy gives read" in failure.fact


def test_a_path_as_the_api_has_it_is_recognised() -> None:
    failure, _asked = perform(kv().read(("secret", "data", "prod", "db")), NOTHING, mounted("secret/", "2"))
    assert isinstance(failure, Failure)
    assert failure.error is WrongPath
    assert failure.hint == "leave out data/, which is added for you: secret/prod/db"


def test_a_v2_mount_that_is_read_as_v1_is_recognised() -> None:
    failure, _asked = perform(
        kv(kv_version=1).read(PATH), FORBIDDEN, Response(404, {"errors": [], "warnings": ["Invalid path"]})
    )
    assert isinstance(failure, Failure)
    assert failure.error is WrongPath
    assert failure.hint == "leave out kv_version"


def test_another_engine_is_told_by_its_mount() -> None:
    engine = kv()
    found, _asked = perform(engine.read(("database", "creds", "app")), NOTHING, mounted("database/", None, "database"))
    assert found == Mount(("database",), 1, "database")
    assert engine.mounts.find(("database", "creds", "other")) == found


@pytest.mark.parametrize("kind", ["transit", "system", "identity", "token", "ns_system", "ns_token", "ns_identity"])
def test_an_engine_that_gives_no_settings_is_refused(kind: str) -> None:
    failure, asked = perform(kv().read(("x", "keys", "k")), NOTHING, mounted("x/", None, kind))
    assert isinstance(failure, Failure)
    assert failure.fact == f"the mount x/ is of kind {kind}, which gives no settings"
    assert len(asked) == 2


def test_a_login_method_of_a_namespace_is_no_engine() -> None:
    path = ("team", "auth", "approle", "role", "orders", "secret-id")
    failure, asked = perform(kv().read(path), NOTHING, mounted("team/auth/approle/", None, "approle"))
    assert isinstance(failure, Failure)
    assert "which gives no settings" in failure.fact
    assert len(asked) == 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"data": None, "metadata": {"version": 1, "created_time": "x"}},
        {"data": [], "metadata": {"version": 1, "created_time": "x"}},
        {"data": {}, "metadata": {"version": True, "created_time": "x"}},
        {"data": {}, "metadata": {"version": -1, "created_time": "x"}},
        {"data": {}, "metadata": {"version": 10**23, "created_time": "x"}},
        {"data": {}, "metadata": []},
    ],
    ids=range(8),
)
def test_an_answer_of_another_shape_is_malformed(data: object) -> None:
    failure, _asked = perform(
        kv(kv_version=2).read(PATH), Response(200, {"lease_duration": 0, "data": data, "errors": ["CANARY"]})
    )
    assert isinstance(failure, Failure)
    assert failure.error is Malformed
    assert "CANARY" not in str(failure)


def test_a_mount_alone_names_no_secret() -> None:
    failure, asked = perform(kv().read(("secret",)))
    assert isinstance(failure, Failure)
    assert failure.error is WrongPath
    assert not asked


def test_names_are_listed_below_a_path_and_keys_below_a_secret() -> None:
    keys = Response(200, {"data": {"keys": ["web", "db/", "api"]}})
    names, asked = perform(kv().names(("secret", "prod")), mounted("secret/", "2"), keys)
    assert names == ["api", "db/", "web"]
    assert path_of(asked[-1]) == "GET v1/secret/metadata/prod"
    assert asked[-1].query == {"list": "true"}
    names, _asked = perform(kv(kv_version=2).names(PATH), NOTHING, v2())
    assert names == ["#password"]


def test_a_denied_list_names_the_capability_that_is_missing() -> None:
    failure, _asked = perform(
        kv(kv_version=2).names(PATH),
        FORBIDDEN,
        Response(200, {"data": {"policies": ["app"]}}),
        Response(200, {"data": {}}),
    )
    assert isinstance(failure, Failure)
    assert failure.hint == 'add to a policy of it: path "secret/metadata/prod/db" { capabilities = ["list"] }'
