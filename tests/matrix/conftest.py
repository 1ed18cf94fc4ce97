"""What the tests of the failure matrix share: servers that die, a proxy that spoils, and secrets that follow."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.matrix.durable import DurableOpenBao, run_durable
from tests.matrix.faults import FaultProxy
from tests.matrix.following import Events
from tests.servers.certificates import Authority
from tests.servers.database import Database, run_database
from tests.servers.openbao import OpenBao
from tests.servers.process import NotStarted
from wellkept import Secret, Settings, close, load
from wellkept.ports import Source


class One(Settings):
    value: Secret[str]


class Both(Settings):
    value: Secret[dict[str, str]]


class Follows(Protocol):
    """Loads one secret that follows its reference, until the test ends."""

    def __call__(
        self, environ: Mapping[str, str], reference: str, providers: Mapping[str, Source] | None = None
    ) -> Secret[str]: ...


class FollowsLogin(Protocol):
    """The same, of a leased login: `username` and `password` in one."""

    def __call__(
        self, environ: Mapping[str, str], reference: str, providers: Mapping[str, Source] | None = None
    ) -> Secret[dict[str, str]]: ...


@pytest.fixture
def configs() -> Iterator[list[Settings]]:
    """What the test has loaded; it is closed at the end."""
    made: list[Settings] = []
    yield made
    for one in made:
        close(one)


@pytest.fixture
def follow(configs: list[Settings]) -> Follows:
    def begin(environ: Mapping[str, str], reference: str, providers: Mapping[str, Source] | None = None) -> Secret[str]:
        variables = {**environ, "BAL_CONFIG_VAR_VALUE": reference}
        made = load(One, files=[], environ=variables, providers=providers, redact=False)
        configs.append(made)
        return made.value

    return begin


@pytest.fixture
def follow_login(configs: list[Settings]) -> FollowsLogin:
    def begin(
        environ: Mapping[str, str], reference: str, providers: Mapping[str, Source] | None = None
    ) -> Secret[dict[str, str]]:
        variables = {**environ, "BAL_CONFIG_VAR_VALUE": reference}
        made = load(Both, files=[], environ=variables, providers=providers, redact=False)
        configs.append(made)
        return made.value

    return begin


@pytest.fixture
def events() -> Iterator[Events]:
    """What happened since the test began."""
    with Events() as told:
        yield told


@pytest.fixture
def proxy(openbao: OpenBao, ca: Authority) -> Iterator[FaultProxy]:
    """A fault proxy before the server of all tests."""
    with FaultProxy(openbao.port, ca.client_context(), ca.server().server_context()) as made:
        yield made


@pytest.fixture
def proxies(openbao: OpenBao, ca: Authority) -> Iterator[Callable[[], FaultProxy]]:
    """More of them, without TLS: many clients would need many handshakes."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(FaultProxy(openbao.port, ca.client_context(), None))


@pytest.fixture(scope="session")
def durable(bao: None, ca: Authority) -> Iterator[DurableOpenBao]:  # noqa: ARG001 it skips
    """A real OpenBao that may be killed and stalled."""
    with run_durable(ca) as server:
        yield server


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A real PostgreSQL for all tests of this folder."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(run_database())
        except NotStarted as problem:
            reason = str(problem)
        else:
            yield made
            return
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing, and CI=true: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one thing pass that CPython does: a peer that resets before TLS makes it leave a socket of its own open."""
    left_open = pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
    )
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(left_open)
