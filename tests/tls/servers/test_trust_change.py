"""What becomes of an open connection whose CA is withdrawn: `keep`, `drain` and `close`, on real servers."""

import asyncio
from pathlib import Path

import pytest

from tests.tls.servers.answers import plain_asgi
from tests.tls.servers.clients import Streams, client_context
from tests.tls.servers.folder import ServerFolder
from tests.tls.servers.given import quick_tls
from tests.tls.servers.in_process import IN_PROCESS, run, serving
from tests.tls.servers.programs import started
from wellkept.integrations.asgi import Drain
from wellkept.tls.policy import OnTrustChange

PAUSE_S = 0.05
UVICORN = [name for name in IN_PROCESS if name != "asyncio"]


async def _kept_after_the_change(folder: ServerFolder, streams: Streams, *, withdraw: bool) -> list[bool]:
    """For three requests of an open connection, whether it is kept; it ends with the list."""
    if withdraw:
        folder.withdraw_client_ca()
    else:
        folder.replace_unrelated_ca()
    await asyncio.sleep(PAUSE_S)
    kept: list[bool] = []
    for _ in range(3):
        try:
            status, text, is_kept = await streams.get()
        except OSError:
            break
        assert (status, text) == (200, "ok")
        kept.append(is_kept)
        if not is_kept:
            assert await streams.is_ended()
            break
    return kept


async def _in_process(
    name: str, what: str, folder: ServerFolder, tmp_path: Path, *, withdraw: bool = True, app: object = None
) -> list[bool]:
    context = quick_tls(folder.path, on_trust_change=what).context()
    async with serving(name, context, Drain(plain_asgi) if app is None else app) as port:
        streams = await Streams.open(port, client_context(folder.server_ca, folder.client(), tmp_path))
        assert await streams.get() == (200, "ok", True)
        kept = await _kept_after_the_change(folder, streams, withdraw=withdraw)
        await streams.close()
        return kept


@pytest.mark.parametrize("name", IN_PROCESS)
def test_keep_lets_an_open_connection_go_on(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    assert run(name, _in_process(name, "keep", folder, tmp_path, app=plain_asgi)) == [True, True, True]


@pytest.mark.parametrize("name", UVICORN)
def test_drain_ends_it_behind_the_next_answer(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    assert run(name, _in_process(name, "drain", folder, tmp_path)) == [False]


def test_drain_without_http_of_ours_is_keep(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    assert run("asyncio", _in_process("asyncio", "drain", folder, tmp_path)) == [True, True, True]


@pytest.mark.parametrize("name", IN_PROCESS)
def test_close_ends_it_before_the_next_answer(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    assert run(name, _in_process(name, "close", folder, tmp_path)) == []


@pytest.mark.parametrize("what", OnTrustChange)
@pytest.mark.parametrize("name", IN_PROCESS)
def test_another_ca_that_comes_or_goes_touches_nobody(name: str, what: OnTrustChange, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    assert run(name, _in_process(name, what, folder, tmp_path, withdraw=False)) == [True, True, True]


@pytest.mark.parametrize(
    ("name", "what", "kept"),
    [
        ("gunicorn-gthread", "keep", [True, True, True]),
        ("gunicorn-gthread", "close", []),
        ("http.server", "keep", [True, True, True]),
        ("http.server", "close", []),
        ("aiohttp", "close", []),
        ("hypercorn", "drain", [False]),
        ("hypercorn", "close", []),
        ("gunicorn-asgi", "drain", [False]),
        ("gunicorn-asgi", "close", []),
        ("gunicorn-uvicorn", "drain", [False]),
        ("gunicorn-uvicorn", "close", []),
    ],
)
def test_servers_of_their_own_process_do_the_same(name: str, what: str, kept: list[bool], tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path)

    async def changed(port: int) -> list[bool]:
        streams = await Streams.open(port, context)
        assert await streams.get() == (200, "ok", True)
        found = await _kept_after_the_change(folder, streams, withdraw=True)
        await streams.close()
        return found

    with started(name, folder.path, "--on-trust-change", what) as port:
        assert asyncio.run(changed(port)) == kept
