"""SQLAlchemy and psycopg: libpq takes paths, which lead to what is served now; `dispose()` retires the pool."""

from typing import Any

from sqlalchemy import Engine, create_engine, event

from wellkept.integrations.psycopg import libpq
from wellkept.tls import ClientTLS


def engine(tls: ClientTLS, url: str) -> Engine:
    made = create_engine(url)

    @event.listens_for(made, "do_connect")
    def connect(dialect: Any, _: Any, arguments: Any, options: Any) -> Any:
        with libpq(tls) as parameters:
            return dialect.connect(*arguments, **options, **parameters)

    return made
