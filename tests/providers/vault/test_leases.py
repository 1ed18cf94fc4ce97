"""Engines that give for a time, leases and the life of a token, without a socket; test_real_leases.py is for real."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.vault.dancing import path_of, perform
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import (
    Absent,
    Denied,
    Malformed,
    PolicyDenied,
    RateLimited,
    SourceError,
    TokenRefused,
    Unreachable,
    WrongPath,
)
from wellkept.providers.vault import ask
from wellkept.providers.vault.change import set_key
from wellkept.providers.vault.dance import Dance, Faulty
from wellkept.providers.vault.engine import Given, give, names
from wellkept.providers.vault.kv import Held, Kv
from wellkept.providers.vault.lease import (
    Granted,
    Life,
    look_up_self,
    renew,
    renew_self,
    revoke,
    revoke_self,
)
from wellkept.providers.vault.login import Token
from wellkept.providers.vault.logins import NEVER, Logins, cut
from wellkept.providers.vault.mounts import Mount, Mounts
from wellkept.secret import Secret

WORDS = (
    "data",
    "errors",
    "warnings",
    "keys",
    "lease_id",
    "lease_duration",
    "ttl",
    "renewable",
    "auth",
    "rotation_period",
)

# What a server, or something in front of it, could say under the words that are looked at.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just("CANARY") | st.just(""),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)

DATABASE = Mount(("database",), 1, "database")
APP = ("database", "creds", "app")
LABEL = "the token of VAULT_TOKEN"
LOGIN = {"username": "v-app", "password": "CANARY-p"}
CREDS = Response(200, {"lease_id": "database/creds/app/x", "lease_duration": 60, "renewable": True, "data": LOGIN})
UNSUPPORTED = Response(404, {"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})
NOTHING = Response(404, {"errors": []})
FORBIDDEN = Response(403, {"errors": ["permission denied"]})
ABOUT = Response(200, {"data": {"policies": ["default", "app"]}})
NO_POLICY = (FORBIDDEN, ABOUT, Response(200, {"data": {}}))


def mounted(path: str, kind: str, version: str | None = None) -> Response:
    options = None if version is None else {"version": version}
    return Response(200, {"data": {"path": path, "type": kind, "options": options}})


def v2(values: object) -> Response:
    about = {"created_time": "2026-01-01T00:00:00Z", "version": 3, "deletion_time": "", "destroyed": False}
    return Response(200, {"lease_duration": 0, "data": {"data": values, "metadata": about}})


def kv(version: int | None = None, *known: Mount) -> Kv:
    made = Kv(Mounts(version), LABEL)
    for one in known:
        made.mounts.note(one)
    return made


def failed(found: object, error: type[SourceError], *words: str) -> Failure:
    """The failure that something is, of that very class and with those words."""
    assert isinstance(found, Failure)
    assert found.error is error
    assert [word for word in words if word not in f"{found.fact} {found.hint}"] == []
    assert "CANARY" not in f"{found}"
    return found


def faulty(dance: Dance[object], failure: Failure, *, is_of_engine: bool) -> object:
    """What a dance ends in whose request gets no answer."""
    next(dance)
    try:
        dance.throw(Faulty(failure, is_of_engine=is_of_engine))
    except StopIteration as end:
        return end.value
    raise AssertionError("it goes on")


def test_a_login_that_an_engine_makes_is_leased() -> None:
    found, asked = perform(ask.read(kv(), APP, {}), UNSUPPORTED, mounted("database/", "database"), CREDS)
    assert isinstance(found, Given)
    assert found.values == LOGIN
    assert found.lease == Granted("database/creds/app/x", 60.0, is_renewable=True)
    assert found.ttl_s is None
    assert [path_of(one) for one in asked] == [
        "GET v1/database/data/creds/app",
        "GET v1/sys/internal/ui/mounts/database/creds/app",
        "GET v1/database/creds/app",
    ]
    assert "CANARY" not in f"{found}"


def test_a_mount_that_is_known_costs_one_request_and_that_is_never_sent_twice() -> None:
    _found, asked = perform(ask.read(kv(None, DATABASE), APP, {}), CREDS)
    assert [path_of(one) for one in asked] == ["GET v1/database/creds/app"]
    assert not asked[0].may_repeat  # it makes a login each time


@pytest.mark.parametrize("first", [UNSUPPORTED, FORBIDDEN, Response(405, {"errors": ["unsupported operation"]})])
def test_a_version_that_a_person_gives_is_that_of_key_value_mounts(first: Response) -> None:
    engine = kv(2)
    found, _asked = perform(ask.read(engine, APP, {}), first, mounted("database/", "database"), CREDS)
    assert isinstance(found, Given)
    assert engine.mounts.find(("secret", "db")) == Mount(("secret",), 2)
    found, asked = perform(ask.read(kv(1), APP, {}), mounted("database/", "database"), CREDS)
    assert isinstance(found, Given)
    assert len(asked) == 2


def test_a_version_that_a_person_gives_is_not_overruled() -> None:
    engine = kv(2)
    found, _asked = perform(
        ask.read(engine, ("secret", "db"), {}), FORBIDDEN, mounted("secret/", "kv", "1"), ABOUT, Response(200, {})
    )
    failed(found, PolicyDenied, "read on secret/data/db")
    assert engine.mounts.find(("secret", "db")) == Mount(("secret",), 2)


def test_a_static_role_is_not_leased_and_says_when_its_password_changes() -> None:
    data = {**LOGIN, "ttl": 40, "rotation_period": 3600, "last_vault_rotation": "2026-01-01T00:00:00Z"}
    found, _asked = perform(give(DATABASE, ("database", "static-creds", "app"), LABEL), Response(200, {"data": data}))
    assert isinstance(found, Given)
    assert (found.values, found.lease, found.ttl_s) == (LOGIN, None, 41.0)


@pytest.mark.parametrize(
    "data",
    [
        {"ttl": 0, "rotation_period": 60},
        {"rotation_period": 60},
        {"ttl": -1, "rotation_period": 60},
        {"ttl": "9", "rotation_period": 60},
        {"ttl": True, "rotation_period": 60},
        {"ttl": 40},
    ],
)
def test_a_time_that_is_none_is_no_time(data: dict[str, object]) -> None:
    found, _asked = perform(give(DATABASE, ("database", "static-creds", "app"), LABEL), Response(200, {"data": data}))
    assert isinstance(found, Given)
    assert found.ttl_s is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"lease_id": ""},
        {"lease_id": 7, "lease_duration": 9},
        {"lease_id": "x"},
        {"lease_id": "x", "lease_duration": 0},
    ],
)
def test_an_answer_without_a_lease_is_not_leased(told: dict[str, object]) -> None:
    found, _asked = perform(give(DATABASE, APP, LABEL), Response(200, {**told, "data": LOGIN}))
    assert isinstance(found, Given)
    assert found.lease is None


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response(400, {"errors": ["unknown role: app"]}), Absent, ("there is no role app in the mount database/",)),
        (Response(400, {"errors": ["Role 'app' not found"]}), Absent, ("there is no role app",)),
        (Response(400, {"errors": ["CANARY"]}), Malformed, ("is of kind database, and refuses the request (400)",)),
        (Response(405, {"errors": ["CANARY"]}), Malformed, ("nobody can read this of it (405)", "database/creds/NAME")),
        (UNSUPPORTED, WrongPath, ("and has no such path", "write vault:database/creds/NAME")),
        (NOTHING, Absent, ("there is nothing of that name in the mount database/",)),
        (Response(404, {"errors": ["no handler for route"]}), WrongPath, ("no secrets engine is mounted",)),
        (Response(404, {"message": "CANARY"}), Malformed, ("status 404",)),
        (Response(200, {"data": None}), Malformed, ("status 200",)),
        (Response(204), Malformed, ("status 204",)),
        (Response(200, {"data": []}), Malformed, ("status 200",)),
    ],
    ids=range(11),
)
def test_each_answer_of_an_engine_has_words_of_its_own(
    answer: Response, error: type[SourceError], words: tuple[str, ...]
) -> None:
    found, _asked = perform(give(DATABASE, APP, LABEL), answer)
    failed(found, error, *words)


def test_a_name_that_could_be_a_sentence_is_not_repeated() -> None:
    answer = Response(400, {"errors": ["unknown role"]})
    found, _asked = perform(give(DATABASE, ("database", "creds", "a b\tc"), LABEL), answer)
    failed(found, Absent, "there is no role in the mount database/")


def test_the_key_of_a_one_time_password_is_called_so() -> None:
    answer = Response(400, {"errors": ["unknown key: me"]})
    found, _asked = perform(give(Mount(("totp",), 1, "totp"), ("totp", "code", "me"), LABEL), answer)
    failed(found, Absent, "there is no key me in the mount totp/", "wellkept list vault:totp/code")


def test_a_fault_behind_the_engine_is_no_fault_of_the_server() -> None:
    of_server = Failure(Unreachable, "unreachable: it has a fault of its own (500)", "look")
    found = faulty(give(DATABASE, APP, LABEL), of_server, is_of_engine=True)
    failed(found, Unreachable, "the mount database/ is of kind database, and what it leads to fails (500)")
    limited = Failure(RateLimited, "unreachable: it takes no more requests now (429)", "wait", retry_after_s=3)
    assert faulty(give(DATABASE, APP, LABEL), limited, is_of_engine=False) == limited


def test_a_denied_engine_names_the_line_to_add() -> None:
    found, _asked = perform(give(DATABASE, APP, LABEL), *NO_POLICY)
    failed(found, PolicyDenied, 'path "database/creds/app" { capabilities = ["read"] }')
    found, _asked = perform(give(DATABASE, APP, LABEL), FORBIDDEN, FORBIDDEN)
    failed(found, TokenRefused)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (APP, 'path "database/creds/app" { capabilities = ["read"] }'),
        (("pki", "issue", "web"), 'path "pki/issue/web" { capabilities = ["update"] }'),
        (("secret", "prod", "db"), 'path "secret/data/prod/db" { capabilities = ["read"] }'),
        (("secret", "creds", "a", "b"), 'path "secret/data/creds/a/b" { capabilities = ["read"] }'),
    ],
)
def test_where_nothing_may_be_asked_the_path_tells_which_line_is_missing(path: tuple[str, ...], line: str) -> None:
    found, _asked = perform(ask.read(kv(), path, {}), FORBIDDEN, *NO_POLICY)
    failed(found, PolicyDenied, line)


def test_a_mount_that_became_a_key_value_engine_is_read_as_one() -> None:
    invalid = Response(404, {"errors": [], "warnings": ["Invalid path for a versioned K/V secrets engine"]})
    engine = kv(None, DATABASE)
    found, _asked = perform(ask.read(engine, APP, {}), invalid, v2({"a": "CANARY-1"}))
    assert isinstance(found, Held)
    assert engine.mounts.find(APP) == Mount(("database",), 2)
    keys = Response(200, {"data": {"keys": ["app"]}})
    engine = kv(None, DATABASE)
    listed, _asked = perform(ask.names(engine, ("database", "creds")), invalid, mounted("database/", "kv", "2"), keys)
    assert listed == ["app"]


def test_a_mount_that_became_another_engine_is_asked_as_that() -> None:
    engine = kv(None, Mount(("database",), 2))
    found, _asked = perform(ask.read(engine, APP, {}), UNSUPPORTED, mounted("database/", "database"), CREDS)
    assert isinstance(found, Given)
    engine = kv(None, Mount(("db",), 2))
    setting = set_key(engine, ("db", "a"), ("k",), Secret("CANARY"), None)
    done, _asked = perform(setting, NOTHING, mounted("db/", "ldap"))
    failed(done, Malformed, "holds nothing that could be written")


def test_an_option_of_certificates_is_refused_elsewhere() -> None:
    found, _asked = perform(ask.read(kv(None, DATABASE), APP, {"common_name": "a.example"}))
    failed(found, Malformed, "common_name= is for a mount of kind pki, and this is none")
    found, _asked = perform(ask.read(kv(), ("secret", "db"), {"alt_names": "a.example"}), v2({"a": "b"}))
    failed(found, Malformed, "alt_names= is for a mount of kind pki")


def test_an_engine_has_no_versions() -> None:
    found, asked = perform(ask.read(kv(None, DATABASE), APP, {"version": "3"}))
    failed(found, Malformed, "is of kind database, which has no versions")
    assert not asked


def test_a_mount_alone_names_nothing_to_give() -> None:
    found, asked = perform(give(Mount(("team", "db"), 1, "database"), ("team", "db"), LABEL))
    failed(found, WrongPath)
    assert not asked


def test_nothing_is_written_to_an_engine() -> None:
    found, asked = perform(set_key(kv(None, DATABASE), APP, ("password",), Secret("CANARY-n"), None))
    failed(found, Malformed, "the mount database/ is of kind database, and holds nothing that could be written")
    assert not asked


def test_the_roles_of_an_engine_are_listed_as_they_are_referred_to() -> None:
    found, asked = perform(ask.names(kv(None, DATABASE), ("database",)))
    assert (found, asked) == (["creds/", "static-creds/"], [])
    keys = Response(200, {"data": {"keys": ["web", "app"]}})
    found, asked = perform(ask.names(kv(None, DATABASE), ("database", "static-creds")), keys)
    assert found == ["app", "web"]
    assert [path_of(one) for one in asked] == ["GET v1/database/static-roles"]
    assert asked[0].query == {"list": "true"}
    found, _asked = perform(names(DATABASE, ("database", "creds"), LABEL), NOTHING)
    assert found == ()
    found, _asked = perform(names(DATABASE, ("database", "creds"), LABEL), *NO_POLICY)
    failed(found, PolicyDenied, "list on database/roles")
    found, _asked = perform(names(DATABASE, ("database", "creds"), LABEL), Response(200, {"data": {}}))
    failed(found, Malformed)


@pytest.mark.parametrize("path", [APP, ("database", "config")])
def test_a_role_is_not_read_to_be_listed(path: tuple[str, ...]) -> None:
    found, asked = perform(names(DATABASE, path, LABEL))
    failed(found, Malformed, "lists nothing here")
    assert not asked


def test_renewing_asks_for_what_the_role_gives() -> None:
    answer = Response(200, {"lease_id": "x", "lease_duration": 60, "renewable": True})
    found, asked = perform(renew("x", LABEL), answer)
    assert found == Granted("x", 60.0, is_renewable=True)
    at_its_end = Response(200, {"lease_id": "x", "lease_duration": 0, "renewable": True})
    assert perform(renew("x", LABEL), at_its_end)[0] == Granted("x", 0.0, is_renewable=True)
    assert asked == [Request("PUT", ("v1", "sys", "leases", "renew"), body={"lease_id": "x"}, is_repeatable=True)]


DOWN = "failed to renew entry: resp: (*logical.Response)(nil) err: CANARY: connection refused"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Response(400, {"errors": ["lease not found"]}), Absent, ("its lease is over or was revoked",)),
        (Response(400, {"errors": ["lease expired"]}), Absent, ("its lease is over or was revoked",)),
        (Response(400, {"errors": ["lease is not renewable"]}), Denied, ("cannot be renewed",)),
        (Response(400, {"errors": [DOWN]}), Unreachable, ("its engine fails to renew the lease",)),
        (Response(200, {"lease_id": "x"}), Malformed, ()),
        (Response(204), Malformed, ()),
    ],
)
def test_each_refusal_to_renew_has_words_of_its_own(
    answer: Response, error: type[SourceError], words: tuple[str, ...]
) -> None:
    found, _asked = perform(renew("lease-CANARY-id", LABEL), answer)
    failed(found, error, *words)


def test_a_lease_that_may_not_be_renewed_or_revoked_names_the_line_to_add() -> None:
    found, _asked = perform(renew("lease-CANARY-id", LABEL), *NO_POLICY)
    failed(found, PolicyDenied, 'path "sys/leases/renew" { capabilities = ["update"] }')
    done, _asked = perform(revoke("lease-CANARY-id", LABEL), *NO_POLICY)
    failed(done, PolicyDenied, 'path "sys/leases/revoke" { capabilities = ["update"] }')
    found, _asked = perform(renew("lease-CANARY-id", LABEL), FORBIDDEN, FORBIDDEN)
    failed(found, TokenRefused)


def test_a_lease_that_is_over_is_revoked() -> None:
    for answer in (Response(204), Response(200), Response(400, {"errors": ["lease not found"]})):
        assert perform(revoke("x", LABEL), answer)[0] is None
    found, _asked = perform(revoke("x", LABEL), Response(400, {"errors": ["failed to revoke entry: CANARY"]}))
    failed(found, Unreachable, "its engine fails to revoke the lease")
    found, _asked = perform(revoke("x", LABEL), Response(302))
    failed(found, Malformed)


def test_a_token_tells_how_long_it_lives() -> None:
    answer = Response(200, {"data": {"ttl": 40, "renewable": True}})
    assert perform(look_up_self(LABEL), answer)[0] == Life(40.0, is_renewable=True)
    endless = Response(200, {"data": {"ttl": 0, "expire_time": None, "renewable": False}})
    assert perform(look_up_self(LABEL), endless)[0] == Life(None, is_renewable=False)
    in_its_last_second = Response(200, {"data": {"ttl": 0, "expire_time": "2026-01-01T00:00:00Z", "renewable": True}})
    assert perform(look_up_self(LABEL), in_its_last_second)[0] == Life(0.0, is_renewable=True)
    failed(perform(look_up_self(LABEL), FORBIDDEN)[0], TokenRefused, "is expired, revoked or unknown there")
    failed(perform(look_up_self(LABEL), Response(200, {"data": {"ttl": "x"}}))[0], Malformed)


def test_a_token_is_renewed() -> None:
    answer = Response(200, {"auth": {"lease_duration": 60, "renewable": True, "client_token": "CANARY"}})
    assert perform(renew_self(LABEL), answer)[0] == Life(60.0, is_renewable=True)
    failed(perform(renew_self(LABEL), Response(400, {"errors": ["CANARY"]}))[0], Denied, "cannot be renewed")
    failed(perform(renew_self(LABEL), *NO_POLICY)[0], PolicyDenied, "update on auth/token/renew-self")
    failed(perform(renew_self(LABEL), Response(200, {"auth": None}))[0], Malformed)


def test_a_token_is_revoked_and_one_that_is_over_is_as_well() -> None:
    for answers in ((Response(204),), (Response(400, {"errors": ["batch tokens"]}),), (FORBIDDEN, FORBIDDEN)):
        assert perform(revoke_self(LABEL), *answers)[0] is None
    failed(perform(revoke_self(LABEL), *NO_POLICY)[0], PolicyDenied, "update on auth/token/revoke-self")
    failed(perform(revoke_self(LABEL), Response(302))[0], Malformed)


@given(st.sampled_from([200, 204, 400, 404, 405]), JSON)
def test_no_answer_breaks_a_dance_or_is_repeated_in_words(status: int, data: object) -> None:
    answer = Response(status, data)
    dances = (
        give(DATABASE, APP, LABEL),
        names(DATABASE, ("database", "creds"), LABEL),
        renew("x", LABEL),
        revoke("x", LABEL),
        look_up_self(LABEL),
        renew_self(LABEL),
        revoke_self(LABEL),
    )
    for dance in dances:
        found, _asked = perform(dance, answer)
        if isinstance(found, Failure):
            assert "CANARY" not in f"{found}"


def ours(text: str, lifetime_s: int | None) -> Token:
    return Token(Secret(f"CANARY-{text}"), lifetime_s, is_ours=True, is_renewable=True)


def test_each_login_has_a_name_and_the_one_before_it_is_still_known() -> None:
    logins = Logins()
    first = logins.use(ours("1", 100), 0.0)
    second = logins.use(ours("2", None), 10.0)
    assert [first.name, second.name] == ["login 1", "login 2"]
    assert (first.ends_at, second.ends_at) == (100.0, NEVER)
    assert (logins.find("login 1"), logins.now) == (first, second)
    logins.drop("login 1")
    assert logins.find("login 1") is None
    logins.drop("login 2")
    assert logins.now is None


def test_the_same_token_is_the_same_login() -> None:
    logins, given = Logins(), Token(Secret("CANARY-given"))
    first = logins.use(given, 0.0)
    assert (first.name, first.ends_at, first.is_ours) == ("login 1", None, False)
    assert logins.use(given, 5.0) == first
    logins.leave()
    assert logins.now is None
    assert logins.use(given, 5.0) == first
    assert logins.use(Token(Secret("CANARY-other")), 5.0).name == "login 2"


def test_what_is_learnt_of_a_login_is_kept_wherever_it_is() -> None:
    logins = Logins()
    first = logins.use(ours("1", 100), 0.0)
    logins.use(ours("2", 100), 0.0)
    for login in (first, logins.now):
        assert login is not None
        known = login.until(Life(50.0, is_renewable=False), 7.0)
        logins.learn(known)
        assert logins.find(login.name) == known
        assert known.ends_at == 57.0


def test_no_more_than_some_logins_are_kept() -> None:
    logins = Logins()
    for number in range(100):
        logins.use(ours(str(number), 10), 0.0)
    assert logins.find("login 1") is None
    assert logins.find("login 99") is not None


def test_a_login_is_followed_by_another_a_moment_before_it_ends_unless_it_was_given() -> None:
    life = Life(1000.0, is_renewable=True)
    assert Logins().use(ours("1", 1000), 0.0).worn_at == 995.0
    assert Logins().use(ours("1", 10), 0.0).worn_at == 9.0
    assert Logins().use(ours("1", None), 0.0).worn_at == NEVER
    assert Logins().use(Token(Secret("CANARY-given")), 0.0).until(life, 0.0).worn_at == NEVER


def test_in_a_forked_child_a_login_is_the_parents() -> None:
    logins = Logins()
    logins.use(ours("1", 100), 0.0)
    logins.use(ours("2", 100), 0.0)
    logins.after_fork()
    for name in ("login 1", "login 2"):
        found = logins.find(name)
        assert found is not None
        assert not found.is_ours


def test_a_lease_lives_no_longer_than_its_login() -> None:
    granted = Granted("x", 60.0, is_renewable=True)
    short = Logins().use(ours("1", 40), 100.0)
    assert cut(granted, short, 110.0) == 30.0
    assert cut(granted, short, 200.0) == 0.0
    assert cut(granted, Logins().use(ours("1", None), 0.0), 9.0) == 60.0
    assert cut(granted, Logins().use(Token(Secret("CANARY-given")), 0.0), 9.0) == 60.0
