"""A real PostgreSQL behind the database engine of a real OpenBao, and settings that lease a login of it.

It is imported by programs that are started as `-m bench.programs.…` in the root of the repository.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Final

from bench.openbao import HOST, PATIENCE_S, TOKEN, OpenBao, open_openbao

from tests.servers.postgres import USER, postgres_template, run_postgres
from tests.tls.pki import CA
from wellkept import Secret, Settings

PATH: Final = "database/creds/app"
CREATION: Final = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
DATABASE: Final = "postgresql://{{{{username}}}}:{{{{password}}}}@{host}:{port}/postgres?sslmode=disable"


class Login(Settings):
    """A user of the database, and its password: they change together."""

    username: str
    password: Secret[str]


class Leased(Settings):
    """What leases a login."""

    db: Secret[Login]


@contextmanager
def open_database() -> Generator[OpenBao]:
    """Start both, and let OpenBao make logins; it writes down every request."""
    ca = CA()
    with (
        postgres_template() as template,
        run_postgres(template, ca.issue(HOST), ca.pem, speaks_tls=False) as port,
        open_openbao(writes_audit=True) as server,
    ):
        do(server, "sys/mounts/database", {"type": "database"})
        config = {
            "plugin_name": "postgresql-database-plugin",
            "connection_url": DATABASE.format(host=HOST, port=port),
            "allowed_roles": "*",
            "username": USER,
            "password": "unused",
        }
        do(server, "database/config/app", config)
        yield server


def set_life(server: OpenBao, life_s: float) -> None:
    """Let every login that is made from now on live for so long, and no longer."""
    life = f"{life_s:g}s"
    body = {"db_name": "app", "creation_statements": CREATION, "default_ttl": life, "max_ttl": life}
    do(server, "database/roles/app", body)


def do(server: OpenBao, path: str, body: object) -> None:
    """Write something.

    Raises:
        RuntimeError: OpenBao does not take it.
    """
    connection = HTTPConnection(HOST, server.port, timeout=PATIENCE_S)
    connection.request("POST", f"/v1/{path}", json.dumps(body), {"X-Vault-Token": TOKEN})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status not in {200, 204}:  # OK, or nothing to say
        raise RuntimeError(f"{path}: OpenBao answers with status {answer.status}")
