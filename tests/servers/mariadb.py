"""A real MariaDB behind the database engine of a real OpenBao: it makes users, with passwords that are asked for.

    with mariadb_template() as template, run_mariadb(template) as mariadb:
        set_up_mariadb(space, mariadb, default_ttl="60s")
        # now `database/creds/app` gives a login that `mariadb.logs_in(username, password)` tries

A data folder is made once (that takes most of a second) and copied for each server, which starts in a tenth. MariaDB
refuses to run as root: then it runs as `mysql` or `nobody`, and its folder belongs to that user. Only its own root
comes in without a password, and only over the loopback.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pymysql  # type: ignore[import-untyped]  # it has no types

from tests.servers.other_user import as_other, give
from tests.servers.process import PATIENCE_S, NotStarted, end, free_port, running, wait_until
from tests.servers.space import Space

_RUNS_IT: Final = "mysql"  # where we are root, which the server refuses to run as
USER: Final = "root"
DENIED: Final = 1045  # ER_ACCESS_DENIED_ERROR: a wrong password, and a user that is not there
DATABASE: Final = "orders"  # a user of the engine may read all of it
QUESTION: Final = "SELECT name FROM orders.items"
ANSWER: Final = [("a pen",)]
CONFIG: Final = "orders-mariadb"  # what the engine calls its connection
CREATION: Final = "CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'; GRANT SELECT ON orders.* TO '{{name}}'@'%';"

_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"  # Debian keeps the server where only root's PATH looks
_PROGRAMS: Final = ("mariadbd", "mariadb-install-db", "my_print_defaults")  # the second calls the third
_PLAIN: Final = {"PATH": _PATH, "LC_ALL": "C"}
# Small, and careless with the disk: nobody reads the folder of a server that has crashed.
_SMALL: Final = (
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=8M",
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",
)
_SET_UP: Final = """\
CREATE DATABASE orders;
CREATE TABLE orders.items (name VARCHAR(40)) ENGINE=InnoDB;
INSERT INTO orders.items VALUES ('a pen');
"""


class MariaDB:
    """A server that runs, and that a test may stop and start again, on the same port and with all that it knew.

    Attributes:
        port: where it listens, on the loopback.
        process: the server itself.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Start none yet.

        Args:
            folder: holds its `data`, and its `log`.
            stack: ends what was started.
        """
        self.port = free_port()
        self._folder = folder
        self._stack = stack

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            NotStarted: it does not.
        """
        own = (f"--datadir={self._folder / 'data'}", f"--port={self.port}", "--bind-address=127.0.0.1")
        rest = ("--socket=socket", "--pid-file=pid", "--skip-name-resolve", "--loose-feedback=off")
        command: list[str | Path] = [*as_other(_RUNS_IT), mariadb_programs()[0], "--no-defaults", *own, *rest, *_SMALL]
        log_file = self._folder / "log"
        self.process = self._stack.enter_context(running(command, log_file=log_file, environ=_PLAIN))
        wait_until(lambda: self.logs_in(USER, "") or self.process.poll() is not None, "MariaDB is ready")
        if self.process.poll() is not None:
            raise NotStarted(f"MariaDB: {log_file.read_text('utf-8', 'replace')}")

    def stop(self) -> None:
        """End it: who connects is refused."""
        end(self.process, PATIENCE_S)

    def connect(self, user: str = USER, password: str = "", database: str | None = None) -> Any:  # noqa: ANN401 PyMySQL has no types
        """Log in; without more, as root, and to no database of its."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            ssl_disabled=True,
            connect_timeout=10,
            autocommit=True,
        )

    def refusal(self, user: str, password: str) -> int | None:
        """The number of the error that a login gets, or None where it opens the database."""
        try:
            self.connect(user, password).close()
        except pymysql.OperationalError as error:
            number: int = error.args[0]
            return number
        return None

    def logs_in(self, user: str, password: str) -> bool:
        """Whether a login opens it."""
        return self.refusal(user, password) is None

    def users(self) -> set[str]:
        """The users that an engine has made."""
        with self.connect() as connection:
            return {name for (name,) in rows(connection, "SELECT user FROM mysql.user WHERE user LIKE 'v-%'")}

    def wait_dropped(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait until there is no such user any more.

        Raises:
            NotStarted: it is still there.
        """
        wait_until(lambda: name not in self.users(), f"the user {name} is dropped", timeout_s=timeout_s)


def rows(connection: Any, statement: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 PyMySQL has no types
    """What a statement answers over a connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def mariadb_programs() -> tuple[Path, Path]:
    """Where `mariadbd` and `mariadb-install-db` are.

    Raises:
        NotStarted: they are not installed.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), _PATH))
    found = [Path(one) for one in (shutil.which(name, path=path) for name in _PROGRAMS) if one is not None]
    if len(found) < len(_PROGRAMS):
        raise NotStarted("mariadbd is not installed: apt-get install mariadb-server-core mariadb-client-core")
    return found[0], found[1]


@contextmanager
def mariadb_template() -> Generator[Path]:
    """A data folder that servers are copied from, with what `QUESTION` asks for in it.

    Raises:
        NotStarted: MariaDB is not installed, or it makes no folder.
    """
    _, install = mariadb_programs()
    with tempfile.TemporaryDirectory(prefix="mariadb-") as made:
        set_up, data = Path(made, "set-up.sql"), Path(made, "data")
        set_up.write_text(_SET_UP, "ascii")
        give(Path(made), _RUNS_IT)
        ways = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
        own = (f"--datadir={data}", f"--extra-file={set_up}", *ways)
        command: list[str | Path] = [*as_other(_RUNS_IT), install, "--no-defaults", *own, *_SMALL]
        told = subprocess.run(command, env=_PLAIN, check=False, capture_output=True, text=True, cwd="/")
        if told.returncode != 0:
            raise NotStarted(f"mariadb-install-db: {told.stdout}{told.stderr}")
        yield data


@contextmanager
def run_mariadb(template: Path) -> Generator[MariaDB]:
    """Run a server; leaving the context ends it, and then the engine's database is down.

    Args:
        template: see `mariadb_template`.

    Raises:
        NotStarted: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="mariadb-") as made, ExitStack() as stack:
        shutil.copytree(template, Path(made, "data"))
        give(Path(made), _RUNS_IT)
        server = MariaDB(Path(made), stack)
        server.start()
        yield server


def set_up_mariadb(
    space: Space, mariadb: MariaDB, *, role: str = "app", default_ttl: str = "60s", max_ttl: str = "120s"
) -> None:
    """Lead the database engine of a space at `database` to it, and make a role of it: `database/creds/ROLE`."""
    mounts: Mapping[str, object] = space.do("GET", "sys/mounts")["data"]
    if "database/" not in mounts:
        space.do("POST", "sys/mounts/database", {"type": "database"})
    url = f"{{{{username}}}}:{{{{password}}}}@tcp(127.0.0.1:{mariadb.port})/"
    config = {"plugin_name": "mysql-database-plugin", "connection_url": url, "allowed_roles": "*"}
    space.do("POST", f"database/config/{CONFIG}", {**config, "username": USER, "password": ""})
    body = {"db_name": CONFIG, "creation_statements": CREATION, "default_ttl": default_ttl, "max_ttl": max_ttl}
    space.do("POST", f"database/roles/{role}", body)
