"""redis-py for asyncio builds its context once, and keeps it in an attribute: ours goes there."""
# ruff: noqa: ANN401 as in redis-py

from typing import Any

import redis.asyncio

from wellkept.tls import ClientTLS


def client(tls: ClientTLS, host: str, port: int) -> redis.asyncio.Redis:
    class Connection(redis.asyncio.SSLConnection):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.ssl_context.context = tls.context()

    pool = redis.asyncio.ConnectionPool(connection_class=Connection, host=host, port=port)
    return redis.asyncio.Redis(connection_pool=pool)
