"""One password of a database through its whole life, compressed: given, renewed, handed over, revoked; no login fails.

The lease lasts 12 seconds and 30 at the most, the token of the login 20 and 40: so both come to their ends more than
once, while a pool connects all the time. What is renewed at two thirds of them may be late by seconds: a busy machine.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.following import Events, told
from tests.matrix.pool import run_pool
from tests.servers.database import Database, set_up_database
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import Secret, Settings, close, load
from wellkept.events import Topic
from wellkept.refresh.engine import DRAIN_S
from wellkept.runtime.alive import runner
from wellkept.secret import State

LONG_S = 200.0
POLICY = """\
path "database/creds/app" {
  capabilities = ["read"]
}
path "sys/leases/revoke" {
  capabilities = ["update"]
}
path "sys/leases/renew" {
  capabilities = ["update"]
}
"""
FILE = """\
login = "${{vault:database/creds/app}}"

[wellkept]
drain = "5s"

[wellkept.providers.vault]
roleId = "{role_id}"
secretId = "{secret_id}"
"""


class Config(Settings):
    login: Secret[dict[str, str]]


@pytest.fixture
def config_file(space: Space, database: Database, tmp_path: Path) -> Iterator[Path]:
    """What the program reads; a drain of five seconds is the process's, so it ends with the test."""
    set_up_database(space, database, default_ttl="12s", max_ttl="30s")
    space.policy("app", POLICY)
    role_id, secret_id = space.enable_approle("app", ["app"], token_ttl="20s", token_max_ttl="40s")
    file = tmp_path / "Config.toml"
    file.touch(0o600)
    file.write_text(FILE.format(role_id=role_id, secret_id=secret_id), "utf-8")
    yield file
    runner().engine.set_drain(DRAIN_S)


def roles_of(database: Database) -> set[str]:
    """The roles that were made for somebody."""
    with database.connect() as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'").fetchall()
    return {str(name) for (name,) in rows}


@pytest.mark.timeout(400)
def test_a_password_is_renewed_handed_over_and_revoked_and_no_login_fails(
    space: Space, database: Database, config_file: Path, events: Events
) -> None:
    before = roles_of(database)
    config = load(Config, files=[config_file], environ=space.environ(""), redact=False)
    most, states = set[str](), set[State]()

    def has_lived() -> bool:
        most.update(roles_of(database))
        states.add(config.login.state)
        return len(events.of(Topic.LOGGED_IN, "vault")) >= 2 and len(events.of(Topic.CHANGED, "login")) >= 4

    with run_pool(database, config.login) as pool:
        wait_until(has_lived, "two handed-over logins, and four of the database", timeout_s=LONG_S)
        wait_until(lambda: config.login.reveal()["username"] in pool.users, "a connection with the newest one")
        wait_until(lambda: len(events.of(Topic.REVOKED, "vault:database/creds/app")) >= 2, "two that are revoked")
    assert pool.faults == []
    assert pool.logins > 100
    assert states == {State.FRESH}
    assert len(events.of(Topic.RENEWED, "login")) >= 3
    assert len(events.of(Topic.RENEWED, "vault")) >= 2
    assert [one for topic in (Topic.STALE, Topic.GONE, Topic.EXPIRED) for one in events.of(topic, "login")] == []
    assert set(pool.users) <= most
    assert told(config.login).failure is None
    assert config.login.reveal()["password"] not in events.text

    close(config)
    wait_until(lambda: roles_of(database) <= before, "no role is left")
