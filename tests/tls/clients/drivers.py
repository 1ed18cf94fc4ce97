"""The clients, each behind the same four calls; how a context is given to one, and how its pool is emptied, is here.

`get` asks the server what it saw, on a connection of the pool where there is one; `retire` is the client's recipe
for "let no old connection be used again".
"""

import asyncio
import http.client
import re
import time
import urllib.request
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, Protocol

import aiohttp
import asyncpg  # type: ignore[import-untyped]  # it has no types
import httpx
import psycopg
import requests
import sqlalchemy
import urllib3

from tests.servers.postgres import USER
from tests.tls.clients.server import Seen, seen_of
from wellkept.integrations.psycopg import libpq
from wellkept.integrations.requests import TLSAdapter
from wellkept.tls.client import ClientTLS

TIMEOUT_S: Final = 40
_KEPT: Final = httpx.Limits(keepalive_expiry=TIMEOUT_S)  # its own five seconds are soon over on a busy machine
_WHO: Final = "select client_serial::text, pg_backend_pid(), version from pg_stat_ssl where pid = pg_backend_pid()"


class Driver(Protocol):
    """A client of one server."""

    def get(self) -> Seen: ...
    def retire(self) -> None: ...
    def close(self) -> None: ...


Make = Callable[[ClientTLS, int], Driver]


class Httpx:
    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.url = f"https://localhost:{port}/"
        self.tls = tls
        self.client = self._made()

    def _made(self) -> httpx.Client:
        return httpx.Client(verify=self.tls.context(), timeout=TIMEOUT_S, limits=_KEPT)

    def get(self) -> Seen:
        return seen_of(self.client.get(self.url).content)

    def retire(self) -> None:
        old, self.client = self.client, self._made()
        old.close()

    def close(self) -> None:
        self.client.close()


class Loop:
    """What the clients of an event loop share."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def run(self, task: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 whatever it answers
        return self.runner.run(asyncio.wait_for(task, TIMEOUT_S))

    async def leave(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End it, when the connections that are being closed are closed: asyncio warns of each that is not."""
        self.run(self.leave())
        end = time.monotonic() + TIMEOUT_S
        while len(_watched(self.runner.get_loop())) > 1 and time.monotonic() < end:  # one is the loop's own
            self.run(asyncio.sleep(0.002))
        self.runner.close()


def _watched(loop: Any) -> Any:  # noqa: ANN401 no public name leads there
    return loop._selector.get_map()


class HttpxAsync(Loop):
    def __init__(self, tls: ClientTLS, port: int) -> None:
        super().__init__()
        self.url = f"https://localhost:{port}/"
        self.tls = tls
        self.client = self._made()

    def _made(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(verify=self.tls.context(), timeout=TIMEOUT_S, limits=_KEPT)

    def get(self) -> Seen:
        return seen_of(self.run(self.client.get(self.url)).content)

    def retire(self) -> None:
        old, self.client = self.client, self._made()
        self.run(old.aclose())

    async def leave(self) -> None:
        await self.client.aclose()


class Requests:
    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.url = f"https://localhost:{port}/"
        self.adapter = TLSAdapter(tls)
        self.session = requests.Session()
        self.session.mount("https://", self.adapter)

    def get(self) -> Seen:
        return seen_of(self.session.get(self.url, timeout=TIMEOUT_S).content)

    def retire(self) -> None:
        self.adapter.close()  # it goes on with new ones

    def close(self) -> None:
        self.session.close()


class Urllib3:
    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.url = f"https://localhost:{port}/"
        self.pool = urllib3.PoolManager(ssl_context=tls.context(), retries=False, timeout=TIMEOUT_S)

    def get(self) -> Seen:
        return seen_of(self.pool.request("GET", self.url).data)

    def retire(self) -> None:
        self.pool.clear()

    def close(self) -> None:
        self.pool.clear()


class Aiohttp(Loop):
    def __init__(self, tls: ClientTLS, port: int) -> None:
        super().__init__()
        self.url = f"https://localhost:{port}/"
        self.tls = tls
        self.session = self.run(self._made())

    async def _made(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.tls.context()))

    async def _get(self) -> bytes:
        async with self.session.get(self.url) as answer:
            return bytes(await answer.read())

    def get(self) -> Seen:
        return seen_of(self.run(self._get()))

    def retire(self) -> None:
        self.run(self.session.close())
        self.session = self.run(self._made())

    async def leave(self) -> None:
        await self.session.close()


class HttpClient:
    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.connection = http.client.HTTPSConnection("localhost", port, context=tls.context(), timeout=TIMEOUT_S)

    def get(self) -> Seen:
        try:
            self.connection.request("GET", "/")
            return seen_of(self.connection.getresponse().read())
        except BaseException:
            self.connection.close()
            raise

    def retire(self) -> None:
        self.connection.close()  # the next request opens it again

    def close(self) -> None:
        self.connection.close()


class UrllibRequest:
    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.url = f"https://localhost:{port}/"
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls.context()))

    def get(self) -> Seen:
        with self.opener.open(self.url, timeout=TIMEOUT_S) as answer:
            return seen_of(answer.read())

    def retire(self) -> None:
        """It has no pool."""

    def close(self) -> None:
        """Nothing is open."""


class Asyncpg(Loop):
    def __init__(self, tls: ClientTLS, port: int) -> None:
        super().__init__()
        self.tls, self.port = tls, port
        self.pool = self.run(self._made())

    async def _made(self) -> "asyncpg.Pool[Any]":
        return await asyncpg.create_pool(
            host="localhost",
            port=self.port,
            user=USER,
            database="postgres",
            ssl=self.tls.context(),
            min_size=0,
            max_size=1,
        )

    def get(self) -> Seen:
        return Seen(*self.run(self.pool.fetchrow(_WHO)))

    def retire(self) -> None:
        self.run(self.pool.expire_connections())

    async def leave(self) -> None:
        await self.pool.close()


class Psycopg:
    """psycopg has its pool in a package of its own; SQLAlchemy's does the same."""

    def __init__(self, tls: ClientTLS, port: int) -> None:
        self.tls = tls
        self.dsn = f"host=localhost port={port} user={USER} dbname=postgres connect_timeout={TIMEOUT_S}"
        self.engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=self._connect, pool_size=1)

    def _connect(self) -> "psycopg.Connection[Any]":
        with libpq(self.tls) as parameters:
            return psycopg.connect(self.dsn, **parameters)

    def get(self) -> Seen:
        with self.engine.connect() as connection:
            return Seen(*connection.exec_driver_sql(_WHO).one())

    def retire(self) -> None:
        self.engine.dispose()

    def close(self) -> None:
        self.engine.dispose()


HTTP: Final[Mapping[str, Make]] = {
    "httpx": Httpx,
    "httpx-async": HttpxAsync,
    "requests": Requests,
    "urllib3": Urllib3,
    "aiohttp": Aiohttp,
    "http.client": HttpClient,
    "urllib.request": UrllibRequest,
}
DATABASE: Final[Mapping[str, Make]] = {"asyncpg": Asyncpg, "psycopg": Psycopg}
ALL: Final[Mapping[str, Make]] = {**HTTP, **DATABASE}
HAVE_NO_POOL: Final = frozenset({"urllib.request"})

UNTRUSTED: Final = re.compile("certificate verify failed(?!: (Hostname|IP))")
WRONG_HOST: Final = re.compile("Hostname mismatch|does not match host name")


def told(fault: BaseException | None) -> str:
    """All that an error and those behind it say."""
    return "" if fault is None else f"{fault!r} {told(fault.__cause__ or fault.__context__)}"


def refused(driver: Driver, serials: set[str] | None = None) -> str:
    """Why a request fails; an empty text where it does not, and then the serial of what it showed goes to a set."""
    try:
        seen = driver.get()
    except Exception as fault:  # noqa: BLE001 each client has errors of its own
        return told(fault)
    if serials is not None:
        serials.add(seen.serial)
    return ""
