"""Servers with certificates, and the files of a client; each test has a world of its own."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from tests.servers.postgres import USER, postgres_folder, postgres_template, run_postgres
from tests.servers.process import NotStarted
from tests.tls.clients.drivers import ALL, DATABASE, Driver
from tests.tls.clients.server import https_server
from tests.tls.pki import CA, Leaf
from wellkept.tls.client import ClientTLS
from wellkept.tls.live import Live
from wellkept.tls.material import CertKey, trust_files
from wellkept.tls.source import FilesSource

CHECK_S: Final = 0.01

# Clients listen to these; a test that wants one sets it.
_ENVIRONMENT: Final = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGHOST", "PGHOSTADDR", "PGPASSFILE"),
)


@dataclass
class World:
    """Two CAs, the files of a client, and what was started.

    Attributes:
        folder: for all files.
        ca: signs the servers' certificates; `trust.crt` holds it.
        clients: signs those of clients.
    """

    folder: Path
    stack: ExitStack
    template: Callable[[], Path]
    ca: CA = field(default_factory=lambda: CA("Server CA"))
    clients: CA = field(default_factory=lambda: CA("Client CA"))

    @property
    def trust_file(self) -> Path:
        return self.folder / "trust.crt"

    def trust(self, *cas: CA) -> None:
        """Replace the CAs that the client trusts."""
        self.trust_file.write_bytes(b"".join(one.pem for one in cas))

    def rotate(self) -> str:
        """Give the client another certificate, one file after the other; its serial."""
        leaf = self.clients.issue("orders.test", cn=USER)
        leaf.write(self.folder, "client")
        return str(leaf.certificate.serial_number)

    def tls(self, **settings: Any) -> ClientTLS:  # noqa: ANN401 as ClientTLS
        """The client's settings, with a look at the files every 10 ms."""
        files = CertKey(self.folder / "client.crt", self.folder / "client.key")
        return quick(ClientTLS(**{"trust": self.trust_file, "key": files, **settings}))

    def serve(self, client: str, leaf: Leaf | None = None, *, newest: ssl.TLSVersion | None = None) -> int:
        """Start the server of a client, and answer its port."""
        shown = self.ca.issue("localhost") if leaf is None else leaf
        if client in DATABASE:
            return self.stack.enter_context(run_postgres(self.template(), shown, self.clients.pem))
        newest = ssl.TLSVersion.MAXIMUM_SUPPORTED if newest is None else newest
        return self.stack.enter_context(https_server(self.folder, shown, self.clients, newest=newest))

    def drive(self, client: str, tls: ClientTLS, port: int) -> Driver:
        """A client of a server."""
        driver = ALL[client](tls, port)
        self.stack.callback(driver.close)
        return driver


def quick(tls: ClientTLS) -> ClientTLS:
    """The same, with a look at the files every 10 ms, not every second."""
    source = FilesSource(tls.key, trust_files(tls.trust), tls.cert_validation)
    # Where a frozen dataclass keeps what `cached_property` has computed.
    vars(tls)["live"] = Live(source, tls.policy(), check_interval_s=CHECK_S, remake=tls.context)
    return tls


def settle() -> None:
    """Wait until the next use of a context looks at the files."""
    time.sleep(2 * CHECK_S)


@pytest.fixture(scope="session")
def template() -> Iterator[Callable[[], Path]]:
    """The data folder of PostgreSQL, made where the first test wants it."""
    made: list[Path] = []
    with ExitStack() as stack:

        def make() -> Path:
            if not made:
                made.append(stack.enter_context(postgres_template()))
            return made[0]

        yield make


@pytest.fixture
def world(
    tmp_path: Path,
    template: Callable[[], Path],
    request: pytest.FixtureRequest,
    missing: Callable[[str], NoReturn],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """A client whose files are good, and no server yet."""
    if "client" in request.fixturenames and request.getfixturevalue("client") in DATABASE:
        _ask_for_postgres(missing)
    for name in _ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        made = World(tmp_path, stack, template)
        made.trust(made.ca)
        made.rotate()
        yield made


def _ask_for_postgres(missing: Callable[[str], NoReturn]) -> None:
    reason = ""
    try:
        postgres_folder()
    except NotStarted as problem:
        reason = str(problem)
    if reason:
        missing(reason)
