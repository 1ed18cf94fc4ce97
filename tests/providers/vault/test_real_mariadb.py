"""Leased logins of a real OpenBao and a real MariaDB: given, renewed, revoked, handed over while a program logs in."""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pymysql  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.refresh.sources import listening
from tests.servers.mariadb import (
    ANSWER,
    DATABASE,
    DENIED,
    QUESTION,
    MariaDB,
    mariadb_programs,
    mariadb_template,
    rows,
    run_mariadb,
    set_up_mariadb,
)
from tests.servers.process import NotStarted, wait_until
from tests.servers.space import Space
from wellkept import Secret, Settings, close, load, status
from wellkept.errors import Absent, Unreachable
from wellkept.events import Topic
from wellkept.model import Lease, Reference
from wellkept.providers.vault import Vault
from wellkept.refresh.engine import DRAIN_S
from wellkept.runtime.alive import runner
from wellkept.secret import State

APP: Final = Reference("vault", ("database", "creds", "app"))
NO_RIGHTS: Final = 1142  # ER_TABLEACCESS_DENIED_ERROR
NOBODY_THERE: Final = 2003  # CR_CONN_HOST_ERROR
OWN_DRAIN_S: Final = 1.0
PATIENCE_S: Final = 150.0


@dataclass(frozen=True)
class Login:
    username: str
    password: str = field(repr=False)


class Config(Settings):
    db: Secret[Login]


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A data folder that servers are copied from; what needs one is skipped where there is no MariaDB."""
    try:
        mariadb_programs()
    except NotStarted as error:
        problem = str(error)
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing, and CI=true: {problem}", pytrace=False)
        pytest.skip(problem)
    with mariadb_template() as made:
        yield made


@pytest.fixture
def mariadb(template: Path) -> Iterator[MariaDB]:
    """A server that is this test's alone: it may be stopped."""
    with run_mariadb(template) as server:
        yield server


@pytest.fixture
def follow(space: Space, tmp_path: Path) -> Iterator[Callable[[], Config]]:
    """Load the login of `database/creds/app`, and close it at the end; the drain is the process's, so it ends, too."""
    made: list[Config] = []

    def begin() -> Config:
        file = tmp_path / "Config.toml"
        file.touch(0o600)
        file.write_text(f'db = "${{vault:database/creds/app}}"\n[wellkept]\ndrain = "{OWN_DRAIN_S:.0f}s"\n', "utf-8")
        made.append(load(Config, files=[file], environ=space.environ(), redact=False))
        return made[-1]

    yield begin
    for one in made:
        close(one)
    runner().engine.set_drain(DRAIN_S)


class Program:
    """Logs in all the time with the login that is valid now, and keeps the first connection of each user open.

    Attributes:
        logins: how many there were.
        faults: the numbers of the errors that some got, before the drain of their login was over.
        held: the connection of each user, in order.
    """

    def __init__(self, mariadb: MariaDB, secret: Secret[Login]) -> None:
        """Connect to nothing yet."""
        self.logins = 0
        self.faults: list[int] = []
        self.held: dict[str, Any] = {}
        self._mariadb = mariadb
        self._secret = secret
        self._ended = threading.Event()

    def run(self) -> None:
        """Connect until it is ended."""
        while not self._ended.wait(0.03):
            began = time.monotonic()
            login = self._secret.reveal()
            number = self._log_in(login)
            self.logins += 1
            if number is not None and time.monotonic() - began < OWN_DRAIN_S:  # a machine may hold us up for longer
                self.faults.append(number)

    def end(self) -> None:
        """Connect no more."""
        self._ended.set()

    def _log_in(self, login: Login) -> int | None:
        if login.username in self.held:
            return self._mariadb.refusal(login.username, login.password)
        try:
            self.held[login.username] = self._mariadb.connect(login.username, login.password, DATABASE)
        except pymysql.OperationalError as error:
            number: int = error.args[0]
            return number
        return None


@contextmanager
def run_program(mariadb: MariaDB, secret: Secret[Login]) -> Generator[Program]:
    """Run one beside the test; what it holds open is closed when the context is left."""
    program = Program(mariadb, secret)
    thread = threading.Thread(target=program.run, name="program")
    thread.start()
    try:
        yield program
    finally:
        program.end()
        thread.join()
        for connection in program.held.values():
            connection.close()


def made_by(vault: Vault) -> tuple[Login, Lease]:
    reading = vault.fetch(APP)
    assert isinstance(reading.value, dict)
    assert reading.lease is not None
    return Login(**reading.value), reading.lease


def test_a_login_is_made_that_opens_the_database(space: Space, mariadb: MariaDB) -> None:
    set_up_mariadb(space, mariadb)
    login, lease = made_by(Vault.from_environ(space.environ()))
    assert (lease.duration_s, lease.is_renewable) == (60.0, True)
    with mariadb.connect(login.username, login.password) as connection:
        assert rows(connection, QUESTION) == ANSWER
    assert mariadb.refusal(login.username, "CANARY-wrong") == DENIED


def test_a_renewal_lengthens_the_life_of_a_user(space: Space, mariadb: MariaDB) -> None:
    set_up_mariadb(space, mariadb, default_ttl="8s", max_ttl="60s")
    vault = Vault.from_environ(space.environ())
    login, lease = made_by(vault)
    end_at = time.monotonic() + 12.0
    while time.monotonic() < end_at:  # one life and a half
        lease = vault.renew(APP, lease)
        assert lease.duration_s == 8.0
        time.sleep(0.4)
    assert mariadb.logs_in(login.username, login.password)
    mariadb.wait_dropped(login.username)
    assert mariadb.refusal(login.username, login.password) == DENIED
    with pytest.raises(Absent, match="absent: its lease is over"):
        vault.renew(APP, lease)


def test_a_revoked_user_logs_in_no_more_and_what_is_open_goes_on(space: Space, mariadb: MariaDB) -> None:
    set_up_mariadb(space, mariadb)
    vault = Vault.from_environ(space.environ())
    login, lease = made_by(vault)
    with mariadb.connect(login.username, login.password, DATABASE) as connection:
        assert rows(connection, QUESTION) == ANSWER
        vault.revoke(lease)
        mariadb.wait_dropped(login.username)
        assert mariadb.refusal(login.username, login.password) == DENIED
        assert rows(connection, QUESTION) == ANSWER
        assert rows(connection, "SELECT CURRENT_USER()") == [(f"{login.username}@%",)]
    vault.revoke(lease)


def test_what_is_open_without_a_database_of_its_own_goes_on_and_reads_no_table(space: Space, mariadb: MariaDB) -> None:
    """A session keeps the rights on the database that it has chosen; those on any other are looked up each time."""
    set_up_mariadb(space, mariadb)
    vault = Vault.from_environ(space.environ())
    login, lease = made_by(vault)
    with mariadb.connect(login.username, login.password) as connection:
        assert rows(connection, QUESTION) == ANSWER
        vault.revoke(lease)
        mariadb.wait_dropped(login.username)
        assert rows(connection, "SELECT 1") == [(1,)]
        with pytest.raises(pymysql.OperationalError, match=f"\\({NO_RIGHTS}, "):
            rows(connection, QUESTION)


@pytest.mark.timeout(300)  # two lives of a lease, of which a third is longer than a busy machine holds us up
def test_a_login_is_handed_over_near_its_longest_life_and_no_login_fails(
    space: Space, mariadb: MariaDB, follow: Callable[[], Config]
) -> None:
    set_up_mariadb(space, mariadb, default_ttl="12s", max_ttl="26s")
    seen = set[State]()
    with listening() as heard:
        config = follow()
        first = config.db.reveal()

        def details_of(topic: Topic, subject: str = "db") -> list[str]:
            return [one.detail for one in heard.copy() if (one.topic, one.subject) == (topic, subject)]

        def has_lived() -> bool:
            seen.add(config.db.state)
            return len(details_of(Topic.CHANGED)) >= 2 and first.username not in mariadb.users()

        with run_program(mariadb, config.db) as program:
            wait_until(has_lived, "two hand-overs, and the first user is dropped", timeout_s=PATIENCE_S)
            wait_until(lambda: config.db.reveal().username in program.held, "a connection of the newest user")
            assert rows(program.held[first.username], QUESTION) == ANSWER
    assert program.faults == []
    assert program.logins > 100
    assert len(program.held) >= 3
    assert seen == {State.FRESH}
    topics = [one.topic for one in heard if one.subject == "db"]
    assert topics.index(Topic.RENEWED) < topics.index(Topic.CHANGED)
    assert details_of(Topic.REVOKED, "vault:database/creds/app")
    assert mariadb.refusal(first.username, first.password) == DENIED
    assert first.password not in repr(heard)

    close(config)
    wait_until(lambda: mariadb.users() == set(), "no user is left")


@pytest.mark.timeout(240)
def test_a_database_that_is_down_while_another_login_is_made_leaves_the_old_one_served(
    space: Space, mariadb: MariaDB, follow: Callable[[], Config]
) -> None:
    set_up_mariadb(space, mariadb)
    config = follow()
    first = config.db.reveal()
    mariadb.stop()
    assert mariadb.refusal(first.username, first.password) == NOBODY_THERE
    words = r"unreachable: the mount database/ is of kind database, and what it leads to fails \(500\)"
    with pytest.raises(Unreachable, match=words):
        Vault.from_environ(space.environ()).fetch(APP)
    assert config.db.refresh() is False
    assert (config.db.reveal().username, config.db.state) == (first.username, State.STALE)
    assert [one.failure for one in status().secrets if one.name == "db"] == ["unreachable"]

    mariadb.start()
    assert mariadb.logs_in(first.username, first.password)
    wait_until(lambda: config.db.reveal().username != first.username, "another login", timeout_s=PATIENCE_S)
    second = config.db.reveal()
    assert mariadb.logs_in(second.username, second.password)
    assert config.db.state is State.FRESH
    mariadb.wait_dropped(first.username)
