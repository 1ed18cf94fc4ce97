"""What clients let their users write to verify less: an error, or nothing, and never an unverified connection."""

import asyncio
import copy
import re
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg  # type: ignore[import-untyped]  # it has no types
import httpx
import psycopg
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.servers.postgres import USER, run_postgres
from tests.servers.process import PATIENCE_S
from tests.tls.clients.conftest import World
from tests.tls.clients.drivers import UNTRUSTED, told
from tests.tls.clients.server import seen_of
from tests.tls.pki import CA
from wellkept.errors import TLSWeakened
from wellkept.integrations.psycopg import libpq
from wellkept.integrations.requests import TLSAdapter
from wellkept.tls.client import ClientTLS

SEALED: Final = re.compile("TLSWeakened|TLS context is sealed")

Attempt = Callable[[ClientTLS, str, Path], Any]


def with_requests(tls: ClientTLS, adapter: HTTPAdapter | None = None) -> requests.Session:
    session = requests.Session()
    session.mount("https://", TLSAdapter(tls) if adapter is None else adapter)
    return session


class Naive(HTTPAdapter):
    """The adapter that one finds in answers everywhere: it gives a context, and leaves the rest to requests."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:  # noqa: ANN401 as in requests
        super().init_poolmanager(*sizes, **options, ssl_context=self.context)


def unverifying(tls: ClientTLS, url: str) -> Any:  # noqa: ANN401 a response that never comes
    with with_requests(tls) as session:
        session.verify = False
        return session.get(url, timeout=PATIENCE_S)


def through_naive(tls: ClientTLS, url: str, **options: Any) -> Any:  # noqa: ANN401 a response that never comes
    with with_requests(tls, Naive(tls.context())) as session:
        return session.get(url, timeout=PATIENCE_S, **options)


def pooled(tls: ClientTLS, url: str, **options: Any) -> Any:  # noqa: ANN401 a response that never comes
    with urllib3.PoolManager(ssl_context=tls.context(), retries=False, timeout=PATIENCE_S, **options) as pool:
        return pool.request("GET", url)


async def resolved(tls: ClientTLS, url: str, **options: Any) -> Any:  # noqa: ANN401 a response that never comes
    connector = aiohttp.TCPConnector(ssl=tls.context())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url, **options) as answer:
        return await answer.read()


REFUSED: Final[dict[str, Attempt]] = {
    "requests verify=False": lambda tls, url, _: with_requests(tls).get(url, verify=False, timeout=PATIENCE_S),
    "requests session.verify=False": lambda tls, url, _: unverifying(tls, url),
    "requests cert=": lambda tls, url, ca: with_requests(tls).get(url, cert=str(ca), timeout=PATIENCE_S),
    "requests, an adapter without ours": lambda tls, url, _: through_naive(tls, url),
    "requests, an adapter without ours, verify=False": lambda tls, url, _: through_naive(tls, url, verify=False),
    "requests, an adapter without ours, verify=path": lambda tls, url, ca: through_naive(tls, url, verify=str(ca)),
    "urllib3 cert_reqs": lambda tls, url, _: pooled(tls, url, cert_reqs="CERT_NONE"),
    "urllib3 assert_hostname=False": lambda tls, url, _: pooled(tls, url, assert_hostname=False),
    "urllib3 assert_fingerprint": lambda tls, url, _: pooled(tls, url, assert_fingerprint="0" * 64),
    "urllib3 ca_certs": lambda tls, url, ca: pooled(tls, url, ca_certs=str(ca)),
    "httpx cert=": lambda tls, _, ca: httpx.Client(verify=tls.context(), cert=str(ca)),
}


@pytest.mark.filterwarnings("ignore:`cert=:DeprecationWarning")  # of httpx
@pytest.mark.parametrize("attempt", REFUSED)
def test_an_attempt_to_verify_less_is_an_error(world: World, attempt: str) -> None:
    stranger = CA("Stranger")
    url = f"https://localhost:{world.serve('requests', stranger.issue('localhost'))}/"
    with pytest.raises(Exception) as caught:  # noqa: PT011 each client has errors of its own
        REFUSED[attempt](world.tls(), url, stranger.write(world.folder, "stranger"))
    assert SEALED.search(told(caught.value))


def test_requests_ca_bundle_adds_no_trust(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = CA("Stranger")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.write(world.folder, "stranger")))
    bad = world.serve("requests", stranger.issue("localhost"))
    with with_requests(world.tls()) as session:
        with pytest.raises(requests.exceptions.SSLError, match=UNTRUSTED):
            session.get(f"https://localhost:{bad}/", timeout=PATIENCE_S)
        assert session.get(f"https://localhost:{world.serve('requests')}/", timeout=PATIENCE_S).ok


def test_a_bundle_that_takes_the_place_of_verify_false_verifies_nobody_less(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = CA("Stranger")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stranger.write(world.folder, "stranger")))
    with pytest.raises(requests.exceptions.SSLError, match=UNTRUSTED):
        unverifying(world.tls(), f"https://localhost:{world.serve('requests', stranger.issue('localhost'))}/")


def test_a_bundle_that_does_not_exist_hurts_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with with_requests(world.tls()) as session:
        assert session.get(f"https://localhost:{world.serve('requests')}/", timeout=PATIENCE_S).ok


# aiohttp has a switch of its own beside every context: what it does is not ours to refuse.
def test_aiohttp_with_ssl_false_never_asks_our_context(world: World) -> None:
    url = f"https://localhost:{world.serve('aiohttp', CA('Stranger').issue('localhost'))}/"
    with pytest.raises(aiohttp.ClientConnectorCertificateError, match=UNTRUSTED):
        asyncio.run(resolved(world.tls(), url))
    with pytest.raises(aiohttp.ClientError) as caught:  # the server hangs up: it got no certificate
        asyncio.run(resolved(world.tls(), url, ssl=False))
    assert not UNTRUSTED.search(told(caught.value))


@pytest.fixture
def plain_postgres(world: World, client: str) -> int:
    """A PostgreSQL that has no TLS."""
    del client  # `world` asks for PostgreSQL because of it
    leaf = world.ca.issue("localhost")
    return world.stack.enter_context(run_postgres(world.template(), leaf, world.clients.pem, speaks_tls=False))


@pytest.mark.parametrize("client", ["asyncpg"])
def test_asyncpg_speaks_to_nobody_without_tls(world: World, plain_postgres: int) -> None:
    dsn = f"postgresql://{USER}@localhost:{plain_postgres}/postgres?sslmode=disable"
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        asyncio.run(asyncpg.connect(dsn, ssl=world.tls().context(), timeout=PATIENCE_S))


@pytest.mark.parametrize("client", ["psycopg"])
def test_libpq_speaks_to_nobody_without_tls(world: World, plain_postgres: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    dsn = f"postgresql://{USER}@localhost:{plain_postgres}/postgres?sslmode=disable"
    with libpq(world.tls()) as parameters, pytest.raises(psycopg.OperationalError, match="server does not support SSL"):
        psycopg.connect(dsn, **parameters)


def test_our_refusals_say_what_to_do(world: World) -> None:
    with with_requests(world.tls()) as session, pytest.raises(TLSWeakened) as caught:
        session.get("https://localhost:1/", verify=False, timeout=PATIENCE_S)
    assert caught.value.hint == "leave it out: trust the server's CA in the settings of TLS"


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy that tunnels, wherever its clients want."""

    def handle(self) -> None:
        target = self.rfile.readline().split()[1].decode().rpartition(":")
        while self.rfile.readline().strip():
            pass
        with socket.create_connection((target[0], int(target[2]))) as far, suppress(OSError):
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            ends = {self.request: far, far: self.request}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    ends[end].sendall(data)


@pytest.fixture
def proxy() -> Iterator[str]:
    """The address of a proxy."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_requests_shows_and_verifies_the_same_through_a_proxy(world: World, proxy: str) -> None:
    stranger = CA("Stranger")
    serial, adapter = world.rotate(), TLSAdapter(world.tls())
    with with_requests(world.tls(), adapter) as session:
        session.proxies = {"https": proxy}
        url = f"https://localhost:{world.serve('requests')}/"
        first = seen_of(session.get(url, timeout=PATIENCE_S).content)
        assert first.serial == serial
        adapter.close()
        assert seen_of(session.get(url, timeout=PATIENCE_S).content).connection != first.connection
        bad = f"https://localhost:{world.serve('requests', stranger.issue('localhost'))}/"
        with pytest.raises(requests.exceptions.SSLError, match=UNTRUSTED):
            session.get(bad, timeout=PATIENCE_S)


def test_a_copy_of_the_adapter_has_the_same_context(world: World) -> None:
    copied = copy.deepcopy(TLSAdapter(world.tls()))
    with with_requests(world.tls(), copied) as session:
        assert session.get(f"https://localhost:{world.serve('requests')}/", timeout=PATIENCE_S).ok
