"""A real PostgreSQL that speaks TLS only and wants a client certificate; it starts in a quarter of a second.

A data folder is made once (`initdb` takes a second) and copied for each server. PostgreSQL refuses to run as root:
then it runs as `postgres` or `nobody`, and its folder belongs to that user.
"""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.servers.other_user import as_other, give
from tests.servers.process import PATIENCE_S, NotStarted, free_port, running, wait_until
from tests.tls.pki import Leaf

_RUNS_IT: Final = "postgres"  # where we are root, which the server refuses to run as
USER: Final = "orders"  # the superuser; a client certificate has to carry it as its common name

_PLACES: Final = "lib/postgresql"  # Debian keeps each version's programs below /usr
_PLAIN: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
_SETTINGS: Final = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
autovacuum = off
shared_buffers = 1MB
max_wal_senders = 0
wal_level = minimal
ssl = {ssl}
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ca_file = 'clients.crt'
"""
_ACCESS: Final = {
    True: "hostssl all all 127.0.0.1/32 trust clientcert=verify-full\n",
    False: "host all all 127.0.0.1/32 trust\n",
}


def postgres_folder() -> Path:
    """Where `postgres` and `initdb` are.

    Raises:
        NotStarted: they are not installed.
    """
    found = shutil.which("pg_config")
    told = subprocess.check_output([found, "--bindir"], text=True).strip() if found else "/nowhere"
    newest = sorted(Path("/usr", _PLACES).glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
    for folder in (Path(told), *newest):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise NotStarted("PostgreSQL is not installed: apt-get install postgresql")


@contextmanager
def postgres_template() -> Generator[Path]:
    """A data folder that servers are copied from.

    Raises:
        NotStarted: PostgreSQL is not installed, or `initdb` fails.
    """
    programs = postgres_folder()
    with tempfile.TemporaryDirectory(prefix="postgres-") as made:
        data = Path(made, "data")
        give(Path(made), _RUNS_IT)
        command: list[str | Path] = [
            *as_other(_RUNS_IT),
            programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ]
        told = subprocess.run(command, env=_PLAIN, check=False, capture_output=True, text=True, cwd="/")
        if told.returncode != 0:
            raise NotStarted(f"initdb: {told.stderr}")
        yield data


@contextmanager
def run_postgres(template: Path, server: Leaf, clients: bytes, *, speaks_tls: bool = True) -> Generator[int]:
    """Run a server, and answer its port.

    Args:
        template: see `postgres_template`.
        server: what it shows.
        clients: the CA of its clients, PEM.
        speaks_tls: False makes one that has no TLS, and refuses it.

    Raises:
        NotStarted: it does not start.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postgres-") as made:
        data, log_file = Path(made, "data"), Path(made, "log")
        shutil.copytree(template, data)
        server.write(data, "server")
        (data / "clients.crt").write_bytes(clients)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS.format(ssl="on" if speaks_tls else "off"))
        (data / "pg_hba.conf").write_text(_ACCESS[speaks_tls], "ascii")
        give(Path(made), _RUNS_IT)
        command: list[str | Path] = [*as_other(_RUNS_IT), postgres_folder() / "postgres", "-D", data, "-p", str(port)]
        with running(command, log_file=log_file, environ=_PLAIN) as process:
            wait_until(lambda: _is_ready(data) or process.poll() is not None, "PostgreSQL is ready")
            if process.poll() is not None:
                raise NotStarted(f"PostgreSQL: {log_file.read_text('utf-8', 'replace')}")
            try:
                yield port
            finally:
                process.send_signal(signal.SIGINT)  # "fast": SIGTERM waits until the last client has left
                process.wait(PATIENCE_S)


def _is_ready(data: Path) -> bool:
    """Whether it says so itself: it listens earlier."""
    pid_file = data / "postmaster.pid"
    return pid_file.is_file() and pid_file.read_text("ascii").rstrip().endswith("ready")
