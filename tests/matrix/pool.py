"""A program that connects to a database all the time with the login that is valid now, and counts what fails.

As a pool does it: one login is revealed, a connection is made with it, a query goes over it, and it stays open for a
moment beside the next ones.
"""

import threading
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from tests.servers.database import Database
from wellkept import Secret
from wellkept.errors import SecretExpired

_OPEN: Final = 5
_BREATH_S: Final = 0.03


class Pool:
    """What happened.

    Attributes:
        logins: how many connections were made.
        faults: how some failed, at the login or at the query, as PostgreSQL says it: without any password.
        users: the roles that it logged in as, in order.
    """

    def __init__(self, database: Database, secret: Secret[Mapping[str, str]]) -> None:
        """Connect to nothing yet."""
        self.logins = 0
        self.faults: list[str] = []
        self.users: list[str] = []
        self._database = database
        self._secret = secret
        self._ended = threading.Event()
        self._open: deque[psycopg.Connection[tuple[Any, ...]]] = deque()

    def run(self) -> None:
        """Connect until it is ended."""
        while not self._ended.wait(_BREATH_S):
            try:
                self._connect()
            except (psycopg.Error, SecretExpired) as error:
                self.faults.append(f"{len(self.users)}. role: {type(error).__name__}: {error}")
        while self._open:
            self._open.popleft().close()

    def end(self) -> None:
        """Connect no more."""
        self._ended.set()

    def _connect(self) -> None:
        login = self._secret.reveal()
        connection = self._database.connect(login["username"], login["password"])
        self.logins += 1
        self._open.append(connection)
        if len(self._open) > _OPEN:
            self._open.popleft().close()
        connection.execute("SELECT 1")
        if login["username"] not in self.users[-1:]:
            self.users.append(login["username"])


@contextmanager
def run_pool(database: Database, secret: Secret[dict[str, str]]) -> Generator[Pool]:
    """Run one beside the test; it has ended when the context is left."""
    pool = Pool(database, secret)
    thread = threading.Thread(target=pool.run, name="pool")
    thread.start()
    try:
        yield pool
    finally:
        pool.end()
        thread.join()
