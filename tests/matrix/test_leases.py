"""Leases: revoked behind us, asked for by a hundred threads, truncated, and a database that is down or loses a role."""

import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.matrix.compressed import Life
from tests.matrix.conftest import FollowsLogin
from tests.matrix.faults import FaultProxy, status
from tests.matrix.following import LONG_S, Events, told, wait_for
from tests.matrix.pool import run_pool
from tests.servers.database import Database, set_up_database
from tests.servers.listener import Visit
from tests.servers.process import held_still, wait_until
from tests.servers.space import Space
from wellkept import Secret, Settings, close
from wellkept.events import Topic
from wellkept.providers.vault import Vault
from wellkept.refresh.engine import Engine
from wellkept.secret import State

CREDS = "database/creds/app"
THREADS = 100
Login = Secret[dict[str, str]]


@pytest.fixture
def leased(space: Space, database: Database) -> Space:
    """A space whose `database/creds/app` gives leases of two minutes: none is renewed in a test."""
    set_up_database(space, database, default_ttl="120s", max_ttl="240s")
    return space


@pytest.fixture
def renewed(space: Space, database: Database) -> Space:
    """The same with leases of 16 seconds: the last third, for a renewal, is longer than a busy machine holds us up."""
    set_up_database(space, database, default_ttl="16s", max_ttl="120s")
    return space


def by_way_of(proxy: FaultProxy, space: Space, timeout_s: int = 5) -> dict[str, str]:
    """A client that asks once."""
    quick = {"VAULT_CLIENT_TIMEOUT": str(timeout_s), "VAULT_MAX_RETRIES": "0"}
    return {**space.environ(), "VAULT_ADDR": proxy.address, **quick}


def user(secret: Login) -> str:
    return secret.reveal()["username"]


def is_good(secret: Login, database: Database) -> bool:
    login = secret.reveal()
    return database.logs_in(login["username"], login["password"])


def revoke_all(space: Space) -> None:
    space.do("PUT", f"sys/leases/revoke-prefix/{CREDS}", {"sync": True})


@pytest.mark.timeout(180)
def test_a_lease_is_renewed_and_its_password_stays(
    renewed: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    secret = follow_login(by_way_of(proxy, renewed), f"${{vault:{CREDS}}}")
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
    assert time.monotonic() - began < LONG_S  # a second where the machine is idle; its renewal is due after 72 s
    assert is_good(secret, database)


def test_a_lease_that_is_revoked_behind_us_is_another_one_with_the_next_renewal(
    renewed: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    secret = follow_login(by_way_of(proxy, renewed), f"${{vault:{CREDS}}}")
    first = user(secret)
    revoke_all(renewed)
    wait_until(lambda: user(secret) != first, "another login")
    asked = [one.path for one in proxy.seen if one.path in {CREDS, "sys/leases/renew"}]
    assert asked[:3] == [CREDS, "sys/leases/renew", CREDS]
    wait_for(secret, State.FRESH)
    assert is_good(secret, database)
    assert not events.of(Topic.EXPIRED)
    assert not events.of(Topic.GONE)


def test_a_hundred_threads_that_need_another_one_make_one_request(
    leased: Space, proxy: FaultProxy, database: Database, follow_login: FollowsLogin
) -> None:
    secret = follow_login(by_way_of(proxy, leased, timeout_s=60), f"${{vault:{CREDS}}}")
    revoke_all(leased)
    answers: list[bool] = []
    together = threading.Barrier(THREADS)

    def answer(visit: Visit) -> None:
        wait_until(lambda: joining(threads) == THREADS - 1, "all others wait for the one that asks")
        proxy.pass_on(visit)

    proxy.spoil(answer, only=lambda _method, path: path == CREDS)

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
    set_up_database(space, database, default_ttl="16s", max_ttl="20s")
    secret = follow_login(by_way_of(proxy, space), f"${{vault:{CREDS}}}")
    with run_pool(database, secret) as pool:
        wait_until(lambda: len(pool.users) >= 2, "another login")
    assert pool.faults == []
    assert len(proxy.asked("sys/leases/renew")) == 1
    assert is_good(secret, database)
    assert not events.of(Topic.EXPIRED)


def test_a_lease_whose_renewal_fails_is_replaced_before_its_end(
    space: Space, proxy: FaultProxy, database: Database, events: Events
) -> None:
    set_up_database(space, database, default_ttl="60s", max_ttl="120s")  # a tenth of it is left for another one
    life = Life()
    held = life.follow(Vault.from_environ(by_way_of(proxy, space)), CREDS)
    first, ends_at = held.reveal()["username"], life.now + 60.0
    proxy.spoil(status(500), only=lambda _method, path: path == "sys/leases/renew")
    life.passes(60.0, until=lambda: held.reveal()["username"] != first)
    assert life.now < ends_at
    assert len(proxy.asked("sys/leases/renew")) >= 2
    assert database.logs_in(held.reveal()["username"], held.reveal()["password"])
    assert held.state is State.FRESH
    assert not events.of(Topic.EXPIRED, CREDS)


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
    with held_still(*{*pids, *filter(None, map(_parent_of, pids))}):
        yield


def joining(threads: Sequence[threading.Thread]) -> int:
    """How many of some threads wait for a question that another one asks."""
    frames = sys._current_frames()
    return sum(_is_joining(frames.get(one.ident or 0)) for one in threads)


def _is_joining(frame: FrameType | None) -> bool:
    """Whether a thread waits at the place of the engine that does it: the end of `refresh`."""
    if frame is None or frame.f_code.co_filename != threading.__file__:
        return False
    while frame is not None and frame.f_code.co_filename == threading.__file__:
        frame = frame.f_back
    return frame is not None and frame.f_code is Engine.refresh.__code__


def _parent_of(pid: int) -> int | None:
    """The process that started another, whose own name may hold spaces, and stands in brackets."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[1])
    except FileNotFoundError:  # a connection that has ended meanwhile
        return None
