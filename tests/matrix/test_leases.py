"""Leases: revoked behind us, asked for by a hundred threads, truncated, and a database that is down or loses a role."""

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.matrix.conftest import FollowsLogin
from tests.matrix.faults import FaultProxy, status
from tests.matrix.following import Events, told, wait_for
from tests.matrix.pool import run_pool
from tests.servers.database import Database, set_up_database
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import Secret, Settings, close
from wellkept.events import Topic
from wellkept.secret import State

CREDS = "database/creds/app"
THREADS = 100
Login = Secret[dict[str, str]]


@pytest.fixture
def leased(space: Space, database: Database) -> Space:
    """A space whose `database/creds/app` gives leases of three seconds, a minute long at the most."""
    set_up_database(space, database, default_ttl="3s", max_ttl="60s")
    return space


def by_way_of(proxy: FaultProxy, space: Space) -> dict[str, str]:
    """A client that loses no time: a lease of three seconds is over soon."""
    quick = {"VAULT_CLIENT_TIMEOUT": "2", "VAULT_MAX_RETRIES": "0"}
    return {**space.environ(), "VAULT_ADDR": proxy.address, **quick}


def user(secret: Login) -> str:
    return secret.reveal()["username"]


def is_good(secret: Login, database: Database) -> bool:
    login = secret.reveal()
    return database.logs_in(login["username"], login["password"])


def revoke_all(space: Space) -> None:
    space.do("PUT", f"sys/leases/revoke-prefix/{CREDS}", {"sync": True})


def test_a_lease_is_renewed_and_its_password_stays(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    first = user(secret)
    events.wait(Topic.RENEWED, number=2)  # more than one life
    assert user(secret) == first
    assert is_good(secret, database)
    assert len(proxy.asked(CREDS)) == 1
    assert not events.of(Topic.CHANGED)


def test_a_lease_that_is_revoked_behind_us_is_another_one_at_once_for_whoever_asks(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    revoke_all(leased)
    assert not is_good(secret, database)
    began = time.monotonic()
    assert secret.refresh() is True
    assert time.monotonic() - began < 2.0  # a second where the machine is idle
    assert is_good(secret, database)


def test_a_lease_that_is_revoked_behind_us_is_another_one_with_the_next_renewal(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    first = user(secret)
    revoke_all(leased)
    wait_until(lambda: user(secret) != first, "another login")
    (renewal, *_) = proxy.asked("sys/leases/renew")
    assert proxy.asked(CREDS)[1].at - renewal.at < 2.5
    wait_for(secret, State.FRESH)
    assert is_good(secret, database)
    assert not events.of(Topic.EXPIRED)
    assert not events.of(Topic.GONE)


def test_a_hundred_threads_that_need_another_one_make_one_request(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    revoke_all(leased)
    proxy.spoil(proxy.slowly(0.2))
    answers: list[bool] = []
    together = threading.Barrier(THREADS)

    def ask() -> None:
        together.wait()
        answers.append(secret.refresh())

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [True] * THREADS
    assert len(proxy.asked(CREDS)) == 2  # that of the start, and one more
    assert is_good(secret, database)


def test_a_renewal_that_gives_less_than_before_is_followed_by_another_lease_at_once(
    space: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(space, database, default_ttl="4s", max_ttl="5s")
    secret = follow_login(by_way_of(proxy, space), f"${{vault:{CREDS}}}")
    with run_pool(database, secret) as pool:
        wait_until(lambda: len(pool.users) >= 2, "another login")
    assert pool.faults == []
    assert len(proxy.asked("sys/leases/renew")) == 1
    assert is_good(secret, database)
    assert not events.of(Topic.EXPIRED)


def test_a_lease_whose_renewal_fails_is_replaced_before_its_end(
    space: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(space, database, default_ttl="5s", max_ttl="60s")  # a tenth of it is left for another one
    secret = follow_login(by_way_of(proxy, space), f"${{vault:{CREDS}}}")
    first = user(secret)
    proxy.spoil(status(500), only=lambda _method, path: path == "sys/leases/renew")
    wait_until(lambda: user(secret) != first, "another login")
    assert len(proxy.asked("sys/leases/renew")) >= 2
    assert is_good(secret, database)
    assert not events.of(Topic.EXPIRED)


def test_a_database_that_hangs_while_another_login_is_made_leaves_the_old_one_served(
    space: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    set_up_database(space, database, default_ttl="20s", max_ttl="60s")
    secret = follow_login(by_way_of(proxy, space), f"${{vault:{CREDS}}}")
    first = user(secret)
    with hanging(database):
        assert secret.refresh() is False
        assert user(secret) == first
        assert secret.state is State.STALE
        assert told(secret).failure == "unreachable"
        assert "the last good value is served" in events.wait(Topic.STALE)
    wait_until(lambda: user(secret) != first, "another login")
    assert is_good(secret, database)
    assert events.wait(Topic.RECOVERED)


def test_a_role_that_was_dropped_behind_everybody_is_another_one_for_whoever_asks(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    login = secret.reveal()
    with database.connect(login["username"], login["password"]) as held:
        with database.connect() as connection:
            connection.execute(f'DROP ROLE "{login["username"]}"')
        assert held.execute("SELECT 1").fetchone() == (1,)  # a session outlives its role: draining is the pool's job
        assert not is_good(secret, database)
        assert secret.refresh() is True
        assert is_good(secret, database)


def test_what_is_closed_is_given_back(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, configs: list[Settings]
) -> None:
    secret = follow_login(by_way_of(proxy, leased), f"${{vault:{CREDS}}}")
    name = user(secret)
    assert database.has_role(name)
    close(configs.pop())
    database.wait_dropped(name)
    assert len(proxy.asked("sys/leases/revoke")) == 1


@contextmanager
def hanging(database: Database) -> Generator[None]:
    """Hold the whole database still: it takes connections, and nobody answers, on old ones as little as on new ones."""
    with database.connect() as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
    pids = [int(pid) for (pid,) in rows]
    held = {*pids, *filter(None, map(_parent_of, pids))}
    for pid in held:
        _send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            _send(pid, signal.SIGCONT)


def _parent_of(pid: int) -> int | None:
    """The process that started another, whose own name may hold spaces, and stands in brackets."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])
    except FileNotFoundError:  # a connection that has ended meanwhile
        return None


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # a connection that has ended meanwhile
        os.kill(pid, number)
