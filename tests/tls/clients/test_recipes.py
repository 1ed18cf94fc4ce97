"""The recipes of the documentation, run as they stand there."""

import asyncio
import importlib.util
import ssl
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, NoReturn

import aiohttp
import httpx
import psycopg
import pymysql  # type: ignore[import-untyped]  # it has no types
import pytest
import redis
from sqlalchemy import text

from tests.fakes.databases import run_mysql, run_redis
from tests.servers.postgres import USER
from tests.servers.process import PATIENCE_S
from tests.tls.clients.conftest import World, settle
from tests.tls.clients.drivers import UNTRUSTED, told
from tests.tls.clients.recipes import (
    retire,
    with_psycopg_pool,
    with_pymysql,
    with_redis,
    with_redis_asyncio,
    with_sqlalchemy_psycopg,
)
from tests.tls.clients.server import seen_of
from tests.tls.pki import CA
from wellkept.events import BUS, Event, Topic
from wellkept.tls.client import ClientTLS

Run = Callable[[ssl.SSLContext], AbstractContextManager[tuple[int, list[str]]]]
IDLE_S: Final = 0.05
WHO: Final = "select client_serial::text from pg_stat_ssl where pid = pg_backend_pid()"


def ask_pymysql(tls: ClientTLS, port: int) -> None:
    with with_pymysql.connect(tls, "localhost", port) as connection:
        connection.ping(reconnect=False)


def ask_redis(tls: ClientTLS, port: int) -> None:
    with with_redis.client(tls, "localhost", port) as client:
        assert client.ping()
        client.connection_pool.disconnect()


def ask_redis_asyncio(tls: ClientTLS, port: int) -> None:
    async def ask() -> None:
        async with with_redis_asyncio.client(tls, "localhost", port) as client:
            assert await client.ping()
            await client.connection_pool.disconnect()

    asyncio.run(ask())


FAKES: Final[dict[str, tuple[Run, Callable[[ClientTLS, int], None]]]] = {
    "pymysql": (run_mysql, ask_pymysql),
    "redis": (run_redis, ask_redis),
    "redis.asyncio": (run_redis, ask_redis_asyncio),
}
each_fake = pytest.mark.parametrize("name", FAKES)


@contextmanager
def fake(world: World, name: str, ca: CA | None = None) -> Generator[tuple[int, list[str]]]:
    """The server of a recipe."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*(ca or world.ca).issue("localhost").write(world.folder, "fake").pair)
    context.load_verify_locations(cadata=world.clients.pem.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    with FAKES[name][0](context) as found:
        yield found


@each_fake
def test_the_recipe_shows_the_certificate_of_now(world: World, name: str) -> None:
    first, tls = world.rotate(), world.tls()
    with fake(world, name) as (port, serials):
        FAKES[name][1](tls, port)
        second = world.rotate()
        settle()
        FAKES[name][1](tls, port)
    assert serials == [first, second]


@each_fake
def test_the_recipe_refuses_a_server_of_another_ca(world: World, name: str) -> None:
    with fake(world, name, CA("Stranger")) as (port, serials):
        with pytest.raises((pymysql.OperationalError, redis.ConnectionError, ssl.SSLError)) as caught:
            FAKES[name][1](world.tls(), port)
        assert UNTRUSTED.search(told(caught.value))
    assert serials == []


@pytest.mark.parametrize("client", ["psycopg"])
def test_sqlalchemy_with_psycopg(world: World, client: str) -> None:
    tls, port = world.tls(), world.serve(client)
    engine = with_sqlalchemy_psycopg.engine(tls, f"postgresql://{USER}@localhost:{port}/postgres")
    serials = []
    for _ in range(2):
        serials.append(world.rotate())
        settle()
        with engine.connect() as connection:
            assert connection.scalar(text(WHO)) == serials[-1]
        engine.dispose()


@pytest.mark.parametrize("client", ["psycopg"])
def test_the_connection_class_for_a_pool_of_psycopg(world: World, client: str) -> None:
    tls, port = world.tls(), world.serve(client)
    made = with_psycopg_pool.connection_class(tls)
    dsn = f"postgresql://{USER}@localhost:{port}/postgres"
    for _ in range(2):
        serial = world.rotate()
        settle()
        with made.connect(dsn, autocommit=True) as connection:
            assert isinstance(connection, psycopg.Connection)
            row = connection.execute(
                "select client_serial::text from pg_stat_ssl where pid = pg_backend_pid()"
            ).fetchone()
            assert row == (serial,)


@pytest.mark.parametrize("client", ["asyncpg"])
def test_sqlalchemy_with_asyncpg(world: World, client: str, missing: Callable[[str], NoReturn]) -> None:
    if importlib.util.find_spec("greenlet") is None:
        missing("greenlet is not installed: pip install 'sqlalchemy[asyncio]'")

    recipe = importlib.import_module("tests.tls.clients.recipes.with_sqlalchemy_asyncpg")  # it needs greenlet itself

    async def ask() -> None:
        url = f"postgresql+asyncpg://{USER}@localhost:{world.serve(client)}/postgres"
        engine = recipe.engine(world.tls(), url)
        async with engine.connect() as connection:
            assert await connection.scalar(text(WHO)) == serial
        await engine.dispose()

    serial = world.rotate()
    asyncio.run(ask())


def test_idle_connections_are_retired_when_another_bundle_is_served(world: World) -> None:
    tls, url = world.tls(), f"https://localhost:{world.serve('requests')}/"
    with retire.session(tls) as session:
        first = seen_of(session.get(url, timeout=PATIENCE_S).content)
        assert seen_of(session.get(url, timeout=PATIENCE_S).content) == first
        serial = world.rotate()
        assert tls.live.reload()
        after = seen_of(session.get(url, timeout=PATIENCE_S).content)
    assert after.serial == serial


def test_they_are_retired_by_the_connection_that_finds_the_new_files(world: World) -> None:
    tls, url = world.tls(), f"https://localhost:{world.serve('requests')}/"
    with retire.session(tls) as session:
        session.get(url, timeout=PATIENCE_S)
        serial = world.rotate()
        settle()
        other = f"https://localhost:{world.serve('requests')}/"
        assert (
            seen_of(session.get(other, timeout=PATIENCE_S).content).serial == serial
        )  # it looks, in the middle of urllib3
        assert seen_of(session.get(url, timeout=PATIENCE_S).content).serial == serial


def test_httpx_ends_idle_connections_after_their_time(world: World) -> None:
    tls, url = world.tls(), f"https://localhost:{world.serve('httpx')}/"
    with httpx.Client(verify=tls.context(), limits=httpx.Limits(keepalive_expiry=IDLE_S)) as client:
        client.get(url)
        serial = world.rotate()
        time.sleep(2 * IDLE_S)
        assert seen_of(client.get(url).content).serial == serial


def test_aiohttp_ends_idle_connections_after_their_time(world: World) -> None:
    async def ask() -> None:
        connector = aiohttp.TCPConnector(ssl=tls.context(), keepalive_timeout=IDLE_S)
        async with aiohttp.ClientSession(connector=connector) as session:
            await (await session.get(url)).read()
            serial = world.rotate()
            await asyncio.sleep(2 * IDLE_S)
            assert seen_of(await (await session.get(url)).read()).serial == serial

    tls, url = world.tls(), f"https://localhost:{world.serve('aiohttp')}/"
    asyncio.run(ask())


def test_a_pool_that_opens_nothing_looks_at_nothing(world: World) -> None:
    swapped: list[Event] = []
    stop = BUS.subscribe(lambda event: swapped.append(event) if event.topic is Topic.BUNDLE_SWAPPED else None)
    tls, url = world.tls(), f"https://localhost:{world.serve('requests')}/"
    with retire.session(tls) as session:
        session.get(url, timeout=PATIENCE_S)
        serial = world.rotate()
        settle()
        assert seen_of(session.get(url, timeout=PATIENCE_S).content).serial != serial
        assert swapped == []
        assert tls.live.bundle.generation == 2  # whoever asks looks: before a request, or from a timer
        assert len(swapped) == 1
        assert seen_of(session.get(url, timeout=PATIENCE_S).content).serial == serial
    stop()
