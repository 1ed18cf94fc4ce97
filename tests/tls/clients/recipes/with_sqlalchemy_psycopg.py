"""SQLAlchemy and psycopg: libpq takes paths, which lead to what is served now; `dispose()` retires the pool."""

from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine

from wellkept.integrations.psycopg import libpq
from wellkept.tls import ClientTLS


def engine(tls: ClientTLS, dsn: str) -> Engine:
    def connect() -> "psycopg.Connection[Any]":
        with libpq(tls) as parameters:
            return psycopg.connect(dsn, **parameters)

    return create_engine("postgresql+psycopg://", creator=connect)
