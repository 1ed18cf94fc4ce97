"""psycopg's pool opens connections by a class: this one asks for the parameters each time."""
# ruff: noqa: ANN401 as in psycopg

from typing import Any

import psycopg

from wellkept.integrations.psycopg import libpq
from wellkept.tls import ClientTLS


def connection_class(tls: ClientTLS) -> type["psycopg.Connection[Any]"]:
    class Connection(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, conninfo: str = "", **options: Any) -> Any:
            with libpq(tls) as parameters:
                return super().connect(conninfo, **options, **parameters)

    return Connection  # ConnectionPool(dsn, connection_class=connection_class(config.tls), max_lifetime=3600)
