"""The token of a login: revoked, over, near its longest life, not renewed, without a policy; and logins used up."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.matrix.compressed import Life
from tests.matrix.conftest import Follows, FollowsLogin
from tests.matrix.durable import tokens_of
from tests.matrix.faults import FaultProxy, drop, status
from tests.matrix.following import Events, told, wait_for, wait_for_value
from tests.matrix.pool import run_pool
from tests.servers.database import Database, set_up_database
from tests.servers.listener import Answer
from tests.servers.openbao import OpenBao
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, close, load
from wellkept.events import Topic
from wellkept.ports import Source
from wellkept.providers.vault import AppRole, TokenFile, Vault, WrappedToken
from wellkept.secret import State

READ: Final = """\
path "secret/*" {
  capabilities = ["read", "list", "scan"]
}
path "database/creds/*" {
  capabilities = ["read"]
}
path "sys/leases/*" {
  capabilities = ["update"]
}
"""
LOGIN: Final = "auth/approle/login"
RENEWAL: Final = "auth/token/renew-self"


@pytest.fixture
def readable(space: Space) -> Space:
    """A space with the policy `reader`."""
    space.policy("reader", READ)
    return space


def approle(space: Space, address: str, role: str = "orders", **options: object) -> Mapping[str, Source]:
    """A Vault that logs in by AppRole."""
    role_id, secret_id = space.enable_approle(role, ["reader"], **options)
    login = AppRole(role_id, Secret(secret_id))
    return {"vault": Vault(address, login=login, ca=space.ca_file, namespace=space.name)}


def is_renewal(_method: str, path: str) -> bool:
    return path == RENEWAL


def revoke_logins(space: Space) -> None:
    for accessor in tokens_of(space, "reader"):
        space.do("POST", "auth/token/revoke-accessor", {"accessor": accessor})


def is_calm(events: Events) -> bool:
    return not [one for topic in (Topic.STALE, Topic.GONE, Topic.EXPIRED) for one in events.of(topic)]


def test_a_token_that_is_revoked_is_followed_by_one_login(
    readable: Space, proxy: FaultProxy, follow: Follows, events: Events
) -> None:
    readable.put("secret/revoked", password="one-CANARY")
    secret = follow({}, "${vault:secret/revoked?ttl=500ms#password}", approle(readable, proxy.address))
    revoke_logins(readable)
    readable.put("secret/revoked", password="two-CANARY")
    wait_for_value(secret, "two-CANARY")
    assert len(proxy.asked(LOGIN)) == 2
    assert len(proxy.asked("auth/token/lookup-self")) >= 1
    assert len(tokens_of(readable, "reader")) == 1
    assert is_calm(events)


def test_what_was_leased_under_a_revoked_token_is_leased_anew(
    readable: Space, proxy: FaultProxy, database: Database, follow: Follows, follow_login: FollowsLogin
) -> None:
    set_up_database(readable, database)
    readable.put("secret/beside", password="one-CANARY")
    providers = approle(readable, proxy.address)
    beside = follow({}, "${vault:secret/beside?ttl=500ms#password}", providers)
    secret = follow_login({}, "${vault:database/creds/app}", providers)
    first = secret.reveal()["username"]
    assert beside == "one-CANARY"
    revoke_logins(readable)
    database.wait_dropped(first)  # it went with its token
    wait_until(lambda: secret.reveal()["username"] != first, "another login to the database")
    assert database.logs_in(secret.reveal()["username"], secret.reveal()["password"])
    assert len(proxy.asked(LOGIN)) == 2


def test_a_token_that_ends_again_and_again_is_no_news(
    readable: Space, proxy: FaultProxy, follow: Follows, events: Events
) -> None:
    readable.put("secret/short", password="one-CANARY")
    providers = approle(readable, proxy.address, token_ttl="8s", token_max_ttl="8s")
    secret = follow({}, "${vault:secret/short?ttl=500ms#password}", providers)
    wait_until(lambda: len(proxy.asked(LOGIN)) >= 2, "another login")
    readable.put("secret/short", password="two-CANARY")
    wait_for_value(secret, "two-CANARY")
    assert is_calm(events)


@pytest.mark.timeout(180)
def test_a_token_near_its_longest_life_is_followed_by_another_beside_it_and_no_query_fails(
    readable: Space, openbao: OpenBao, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(readable, database)
    providers = approle(readable, openbao.address, token_ttl="16s", token_max_ttl="20s")
    secret = follow_login({}, "${vault:database/creds/app}", providers)
    with run_pool(database, secret) as pool:
        events.wait(Topic.LOGGED_IN, "vault")
        wait_until(lambda: len(pool.users) > 1, "a login to the database under the other token")
        database.wait_dropped(pool.users[0])
        wait_until(lambda: pool.logins > len(pool.users), "more connections")
    assert pool.faults == []
    assert is_calm(events)


@pytest.mark.timeout(180)
def test_a_lease_ends_with_its_token_and_is_replaced_before(
    readable: Space, openbao: OpenBao, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(readable, database)
    providers = approle(readable, openbao.address, token_ttl="20s", token_max_ttl="20s")
    secret = follow_login({}, "${vault:database/creds/app}", providers)
    left_s = told(secret).expires_s
    assert left_s is not None
    assert left_s <= 20  # the lease itself says 60 s
    first, ends_at = secret.reveal()["username"], time.monotonic() + left_s
    wait_until(lambda: secret.reveal()["username"] != first, "another login to the database")
    assert time.monotonic() < ends_at
    assert is_calm(events)
    database.wait_dropped(first)


@pytest.mark.timeout(180)
def test_a_lease_and_its_login_are_renewed_together_and_the_password_stays(
    readable: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(readable, database)
    providers = approle(readable, proxy.address, token_ttl="16s", token_max_ttl="120s")
    secret = follow_login({}, "${vault:database/creds/app}", providers)
    first = secret.reveal()["username"]
    events.wait(Topic.RENEWED, "vault", number=2)
    events.wait(Topic.RENEWED)
    assert secret.reveal()["username"] == first
    assert len(proxy.asked("database/creds/app")) == 1
    assert is_calm(events)


def test_what_nobody_follows_any_more_is_logged_in_for_no_more(
    readable: Space, proxy: FaultProxy, follow: Follows, configs: list[Settings]
) -> None:
    readable.put("secret/closed", password="one-CANARY")
    providers = approle(readable, proxy.address, token_ttl="3s", token_max_ttl="3s")
    assert follow({}, "${vault:secret/closed?ttl=200ms#password}", providers) == "one-CANARY"
    wait_until(lambda: len(proxy.seen) > 4, "some polls")
    close(configs.pop())
    closed_at = time.monotonic()
    wait_until(lambda: time.monotonic() > closed_at + 9.0, "three lives of a token")
    assert len([one for one in proxy.asked(LOGIN) if one.at > closed_at]) <= 1  # one was under way, perhaps


@pytest.mark.parametrize("fault", [status(500), status(503), drop], ids=["500", "503", "drop"])
def test_a_renewal_that_fails_is_tried_until_a_tenth_is_left(
    readable: Space, proxy: FaultProxy, database: Database, events: Events, fault: Answer
) -> None:
    set_up_database(readable, database)
    ttl_s = 60.0
    proxy.spoil(fault, only=is_renewal)
    life = Life()
    held = life.follow(approle(readable, proxy.address, token_ttl="60s")["vault"], "database/creds/app")
    began = life.now
    life.passes(ttl_s, until=lambda: len(proxy.asked(LOGIN)) >= 2)
    assert len(proxy.asked(RENEWAL)) >= 2
    assert 0.8 * ttl_s < life.now - began < ttl_s
    life.passes(2.0)
    assert held.state is State.FRESH
    assert len(held.versions) == 2
    assert not [one for topic in (Topic.STALE, Topic.GONE, Topic.EXPIRED) for one in events.of(topic, held.name)]


def test_a_renewal_that_is_refused_is_followed_by_another_login(
    readable: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(readable, database)
    proxy.spoil(status(403), only=is_renewal)
    secret = follow_login({}, "${vault:database/creds/app}", approle(readable, proxy.address, token_ttl="16s"))
    known = secret.reveal()["username"]
    events.wait(Topic.LOGGED_IN, "vault")
    assert len(proxy.asked(LOGIN)) == 2
    assert len(proxy.asked(RENEWAL)) == 1
    wait_until(lambda: secret.reveal()["username"] != known, "another login to the database")
    assert is_calm(events)


def test_a_lost_permission_names_the_path_and_what_it_lacks_and_the_value_is_served_on(
    readable: Space, openbao: OpenBao, follow: Follows, events: Events
) -> None:
    readable.put("secret/lost", password="one-CANARY")
    secret = follow({}, "${vault:secret/lost?ttl=500ms#password}", approle(readable, openbao.address))
    readable.policy("reader", 'path "secret/data/elsewhere" {\n  capabilities = ["read"]\n}\n')
    wait_for(secret, State.GONE)
    assert secret == "one-CANARY"
    assert told(secret).failure == "denied"
    detail = events.wait(Topic.GONE)
    assert "gives read on secret/data/lost" in detail
    assert "the last good value is served" in detail
    readable.put("secret/lost", password="two-CANARY")
    assert secret.refresh() is False
    assert secret == "one-CANARY"
    readable.policy("reader", READ)
    wait_until(secret.refresh, "an answer")
    assert secret == "two-CANARY"
    assert events.wait(Topic.RECOVERED)
    assert secret.state is State.FRESH


def test_a_secret_id_that_is_used_up_is_not_tried_again_and_again(
    readable: Space, proxy: FaultProxy, follow: Follows, events: Events
) -> None:
    readable.put("secret/used-up", password="one-CANARY")
    providers = approle(readable, proxy.address, secret_id_num_uses=1)
    secret = follow({}, "${vault:secret/used-up?ttl=500ms#password}", providers)
    revoke_logins(readable)
    wait_for(secret, State.GONE)
    assert secret == "one-CANARY"
    assert told(secret).failure == "denied"
    assert "login approle is refused" in events.wait(Topic.GONE)
    tried, end_at = len(proxy.asked(LOGIN)), time.monotonic() + 1.5
    assert tried <= 3
    wait_until(lambda: time.monotonic() > end_at, "three polls")
    assert len(proxy.asked(LOGIN)) == tried
    left_s = told(secret).next_s
    assert left_s is not None
    assert 5 < left_s < 36  # it was asked for every half a second; what a busy machine has spent since is off


def test_a_wrapping_that_somebody_else_has_opened_ends_the_start_with_an_alarm(readable: Space, events: Events) -> None:
    made = readable.do("POST", "auth/token/create", {"policies": ["reader"]}, headers={"X-Vault-Wrap-TTL": "60s"})
    wrapping = made["wrap_info"]["token"]
    assert readable.call("POST", "sys/wrapping/unwrap", token=wrapping)[0] == 200

    class Config(Settings):
        value: Secret[str]

    login = WrappedToken(Secret(wrapping))
    vault = Vault(readable.address, login=login, ca=readable.ca_file, namespace=readable.name)
    environ = {"BAL_CONFIG_VAR_VALUE": "${vault:secret/wrapped#password}"}
    with pytest.raises(ConfigError, match="somebody else may have unwrapped it") as caught:
        load(Config, files=[], environ=environ, providers={"vault": vault}, redact=False)
    assert caught.value.exit_code == 77
    assert events.of(Topic.INTERCEPTED, "vault")
    assert wrapping not in f"{caught.value}{events.text}"


def test_a_token_that_was_given_and_dies_is_denied_and_the_value_is_served_on(
    readable: Space, proxy: FaultProxy, follow: Follows, events: Events
) -> None:
    readable.put("secret/given", password="one-CANARY")
    token = readable.make_token(["reader"])
    environ = {**readable.environ(token), "VAULT_ADDR": proxy.address}
    secret = follow(environ, "${vault:secret/given?ttl=500ms#password}")
    revoke_logins(readable)
    wait_for(secret, State.GONE)
    assert secret == "one-CANARY"
    assert "the token of VAULT_TOKEN is expired, revoked or unknown there" in events.wait(Topic.GONE)
    assert token not in events.text


def test_a_token_of_a_file_that_was_written_anew_is_used_at_once(
    readable: Space, follow: Follows, tmp_path: Path, events: Events
) -> None:
    readable.put("secret/file", password="one-CANARY")
    file = tmp_path / "token.secret"
    file.write_text(readable.make_token(["reader"]), "utf-8")
    vault = Vault(readable.address, login=TokenFile(str(file)), ca=readable.ca_file, namespace=readable.name)
    secret = follow({}, "${vault:secret/file?ttl=500ms#password}", {"vault": vault})
    old = list(tokens_of(readable, "reader"))
    file.write_text(readable.make_token(["reader"]), "utf-8")
    for accessor in old:
        readable.do("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    readable.put("secret/file", password="two-CANARY")
    wait_for_value(secret, "two-CANARY")
    assert is_calm(events)
