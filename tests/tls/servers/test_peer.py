"""`peer(request)` on each server: who sent this request, and never who sent another one."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from tests.tls.servers.answers import Message, Receive, Send
from tests.tls.servers.clients import Refused, Streams, call, call_plainly, client_context
from tests.tls.servers.folder import CLIENT, ServerFolder
from tests.tls.servers.given import quick_tls
from tests.tls.servers.in_process import serving
from tests.tls.servers.programs import PROGRAMS, started
from wellkept.errors import UsageError
from wellkept.tls.peers import peer

OTHER = "spiffe://prod/ns/shop/sa/billing"
KEEPING = [name for name, program in PROGRAMS.items() if program.keeps_alive]


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_optional_certificate_opens_what_is_protected(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    somebody = client_context(folder.server_ca, folder.client(), tmp_path)
    nobody = client_context(folder.server_ca, None, tmp_path)
    with started(name, folder.path, "--verify", "optional") as port:
        for path, context, status, text in [
            ("/", nobody, 200, "ok"),
            ("/who", nobody, 200, "nobody"),
            ("/protected", nobody, 401, ""),
            ("/", somebody, 200, "ok"),
            ("/who", somebody, 200, CLIENT),
            ("/protected", somebody, 200, CLIENT),
        ]:
            answer = call(port, context, path)
            assert (path, answer.status, answer.text) == (path, status, text)
        with pytest.raises(Refused):
            call(port, client_context(folder.server_ca, folder.client(ca=folder.server_ca), tmp_path))


@pytest.mark.parametrize("name", KEEPING)
def test_requests_of_kept_connections_never_show_the_other_client(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    contexts = {who: client_context(folder.server_ca, folder.client(who), tmp_path) for who in (CLIENT, OTHER)}
    nobody = client_context(folder.server_ca, None, tmp_path)
    with started(name, folder.path, "--verify", "optional") as port:
        seen = asyncio.run(_interleaved(port, contexts | {"nobody": nobody}))
    assert len(seen) == 270
    assert [(who, text) for who, text in seen if who != text] == []


async def _interleaved(port: int, contexts: dict[str, ssl.SSLContext]) -> list[tuple[str, str]]:
    """Who asked, and whom the server saw: one by one in turn, and all at once."""
    open_ones = [(who, await Streams.open(port, context)) for who, context in contexts.items() for _ in range(2)]
    seen: list[tuple[str, str]] = []

    async def ask(who: str, streams: Streams) -> None:
        seen.append((who, (await streams.get("/who"))[1]))

    for _ in range(15):
        for who, streams in open_ones:
            await ask(who, streams)
        for _ in range(2):
            await asyncio.gather(*(ask(who, streams) for who, streams in open_ones))
    for _, streams in open_ones:
        await streams.close()
    return seen


async def _telling(scope: Message, _receive: Receive, send: Send) -> None:
    """Answer whom `peer` names, or that it names nobody."""
    try:
        text = str(peer(scope))
    except UsageError:
        text = "it cannot be told"
    length = (b"content-length", str(len(text)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": text.encode()})


def test_uvicorn_that_hides_the_context_of_its_tasks_tells_nobody(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    client = client_context(folder.server_ca, folder.client(), tmp_path)

    async def ask() -> str:
        tls = quick_tls(folder.path)
        async with serving("uvicorn-h11", tls.context(), _telling, lifespan="off", reset_contextvars=True) as port:
            return (await asyncio.to_thread(call, port, client)).text

    assert asyncio.run(ask()) == "it cannot be told"


def test_a_server_without_tls_that_a_request_has_started_does_not_know_that_client(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    client = client_context(folder.server_ca, folder.client(), tmp_path)
    answers: list[bytes] = []

    async def starting(scope: Message, receive: Receive, send: Send) -> None:
        async with serving("uvicorn-h11", None, _telling, lifespan="off") as plain:
            answers.append(await asyncio.to_thread(call_plainly, plain))
        await _telling(scope, receive, send)

    async def ask() -> None:
        tls = quick_tls(folder.path)
        async with serving("uvicorn-h11", tls.context(), starting, lifespan="off") as port:
            answers.append((await asyncio.to_thread(call, port, client)).text.encode())

    asyncio.run(ask())
    assert answers[0].endswith(b"it cannot be told")
    assert b"sa/orders" in answers[1]


def test_hypercorn_tells_the_peer_of_streams_of_http_2(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    contexts = {who: client_context(folder.server_ca, folder.client(who), tmp_path) for who in (CLIENT, OTHER)}
    with started("hypercorn", folder.path) as port:
        seen = asyncio.run(_over_http_2(f"https://localhost:{port}/who", contexts))
    assert set(seen) == {(CLIENT, CLIENT, "HTTP/2"), (OTHER, OTHER, "HTTP/2")}
    assert len(seen) == 40


async def _over_http_2(url: str, contexts: dict[str, ssl.SSLContext]) -> list[tuple[str, str, str]]:
    seen: list[tuple[str, str, str]] = []
    async with (
        httpx.AsyncClient(http2=True, verify=contexts[CLIENT]) as one,
        httpx.AsyncClient(http2=True, verify=contexts[OTHER]) as other,
    ):

        async def ask(who: str, client: httpx.AsyncClient) -> None:
            answer = await client.get(url)
            seen.append((who, answer.text, answer.http_version))

        await ask(CLIENT, one)
        await ask(OTHER, other)
        for _ in range(2):
            await asyncio.gather(*[ask(CLIENT, one) for _ in range(10)], *[ask(OTHER, other) for _ in range(9)])
    return seen
