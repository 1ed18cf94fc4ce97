"""A real PostgreSQL behind the database engine of a real OpenBao: it makes roles, with passwords that are asked for.

    with run_database() as database:
        set_up_database(space, database, default_ttl="60s")
        # now `database/creds/app` gives a login that `database.logs_in(username, password)` tries

Only its superuser comes in without a password, and only over the loopback.
"""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from tests.servers.postgres import USER, postgres_template, run_postgres
from tests.servers.process import wait_until
from tests.servers.space import Space
from tests.tls.pki import CA

CREATION: Final = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
CONFIG: Final = "orders-db"  # what the engine calls its connection

_ACCESS: Final = (f"host all {USER} 127.0.0.1/32 trust", "host all all 127.0.0.1/32 scram-sha-256")


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL whose roles log in with passwords.

    Attributes:
        port: where it listens, on the loopback.
    """

    port: int

    def connect(self, user: str = USER, password: str = "") -> "psycopg.Connection[tuple[Any, ...]]":
        """Log in; without more, as the superuser."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=user,
            password=password,
            sslmode="disable",
            connect_timeout=10,
            autocommit=True,
        )

    def logs_in(self, user: str, password: str) -> bool:
        """Whether a login opens it."""
        try:
            self.connect(user, password).close()
        except psycopg.OperationalError:
            return False
        return True

    def has_role(self, name: str) -> bool:
        """Whether there is such a role."""
        with self.connect() as connection:
            return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None

    def wait_dropped(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait until there is no such role any more.

        Raises:
            NotStarted: it is still there.
        """
        wait_until(lambda: not self.has_role(name), f"the role {name} is dropped", timeout_s=timeout_s)

    def make_role(self, name: str, password: str) -> None:
        """A role that stays: for `set_up_static_role`."""
        statement = sql.SQL("CREATE ROLE {} WITH LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password))
        with self.connect() as connection:
            connection.execute(statement)

    def _ask_for_passwords(self) -> None:
        """Change who comes in, from within: the folder of the server is not ours to write."""
        with self.connect() as connection:
            file = connection.execute("SHOW hba_file").fetchone()
            assert file is not None
            lines = sql.SQL(", ").join(sql.SQL("({})").format(sql.Literal(line)) for line in _ACCESS)
            connection.execute(sql.SQL("COPY (VALUES {}) TO {}").format(lines, sql.Literal(file[0])))
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: not self.logs_in("nobody", ""), "PostgreSQL asks for passwords")


@contextmanager
def run_database(template: Path | None = None) -> Generator[Database]:
    """Run one; leaving the context ends it, and then the engine's database is down.

    Args:
        template: see `postgres_template`, which saves a second; None makes one.

    Raises:
        NotStarted: PostgreSQL is not installed, or does not start.
    """
    with ExitStack() as stack:
        folder = template or stack.enter_context(postgres_template())
        ca = CA()
        leaf = ca.issue("127.0.0.1", ips=["127.0.0.1"])
        database = Database(stack.enter_context(run_postgres(folder, leaf, ca.pem, speaks_tls=False)))
        database._ask_for_passwords()
        yield database


def set_up_database(
    space: Space, database: Database, *, role: str = "app", default_ttl: str = "60s", max_ttl: str = "120s"
) -> None:
    """Mount the database engine of a space at `database`, and make a role of it: `database/creds/ROLE`."""
    set_up_connection(space, database)
    body = {"db_name": CONFIG, "creation_statements": CREATION, "default_ttl": default_ttl, "max_ttl": max_ttl}
    space.do("POST", f"database/roles/{role}", body)


def set_up_static_role(space: Space, database: Database, *, role: str, user: str, period: str = "1h") -> None:
    """Make a static role of the same engine, `database/static-creds/ROLE`, for a user that is there."""
    set_up_connection(space, database)
    space.do("POST", f"database/static-roles/{role}", {"db_name": CONFIG, "username": user, "rotation_period": period})


def set_up_connection(space: Space, database: Database) -> None:
    """Mount the engine, where it is not, and lead it to this database."""
    mounts: Mapping[str, object] = space.do("GET", "sys/mounts")["data"]
    if "database/" not in mounts:
        space.do("POST", "sys/mounts/database", {"type": "database"})
    url = f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{database.port}/postgres?sslmode=disable"
    config = {"plugin_name": "postgresql-database-plugin", "connection_url": url, "allowed_roles": "*"}
    space.do("POST", f"database/config/{CONFIG}", {**config, "username": USER, "password": "unused"})
