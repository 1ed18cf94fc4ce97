"""SQLAlchemy hands `connect_args` to asyncpg, which takes the context as it is; needs `sqlalchemy[asyncio]`."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from wellkept.tls import ClientTLS


def engine(tls: ClientTLS, url: str) -> AsyncEngine:
    return create_async_engine(url, connect_args={"ssl": tls.context()})
