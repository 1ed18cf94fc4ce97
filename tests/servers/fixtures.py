"""The fixtures of the servers; with pytest-xdist each worker has servers of its own.

`openbao`, `ca`, `signer` and `tokenreviews` live as long as the session; `space`, `sealed_openbao` and
`hostile` as long as the test. A session's fixture cannot ask for `missing`, so its rule stands here once more.
"""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.servers.certificates import Authority, Signer
from tests.servers.hostile import HOSTILE, Answer, HostileServer
from tests.servers.kubernetes import TokenReviews, run_tokenreviews
from tests.servers.openbao import OpenBao, SealedOpenBao, Space, run_openbao, run_sealed_openbao
from tests.servers.process import NotStarted, bao_binary


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of every server here; it makes good and bad certificates."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def bao() -> None:
    """Skip what needs OpenBao where it is not installed; the servers here ask for it themselves."""
    try:
        bao_binary()
    except NotStarted as problem:
        reason = str(problem)
    else:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing, and CI=true: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def openbao(bao: None, ca: Authority) -> Iterator[OpenBao]:  # noqa: ARG001 it skips
    """A real OpenBao for all tests: do not seal or stop it, and use a `space`."""
    with run_openbao(ca) as server:
        yield server


@pytest.fixture
def space(openbao: OpenBao) -> Space:
    """A namespace that is this test's alone."""
    return openbao.namespace()


@pytest.fixture
def sealed_openbao(bao: None, ca: Authority) -> Iterator[SealedOpenBao]:  # noqa: ARG001 it skips
    """A real OpenBao that is this test's alone: it may be sealed, stalled and stopped."""
    with run_sealed_openbao(ca) as server:
        yield server


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Signs JSON Web Tokens."""
    return Signer()


@pytest.fixture(scope="session")
def tokenreviews(ca: Authority, signer: Signer) -> Iterator[TokenReviews]:
    """A cluster whose service accounts the signer knows."""
    with run_tokenreviews(ca, signer) as cluster:
        yield cluster


@pytest.fixture
def hostile() -> Iterator[Callable[..., HostileServer]]:
    """Start a hostile server: `hostile("gzip-bomb")`, by a name of `HOSTILE` or with an answer; and a TLS context."""
    with ExitStack() as stack:

        def start(answer: str | Answer, context: ssl.SSLContext | None = None) -> HostileServer:
            given = HOSTILE[answer] if isinstance(answer, str) else answer
            return stack.enter_context(HostileServer(given, context))

        yield start
