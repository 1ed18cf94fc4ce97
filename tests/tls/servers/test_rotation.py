"""Each server really runs, under mutual TLS, while its certificate, key and an unrelated CA are replaced."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from tests.servers.process import PATIENCE_S, wait_until
from tests.tls.servers.clients import Refused, Tally, call, client_context, many_clients
from tests.tls.servers.folder import WAYS, ServerFolder
from tests.tls.servers.programs import PROGRAMS, started

ROTATIONS = 30
PAUSE_S = 0.05  # five times the interval at which the servers look

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_client_notices_that_certificate_key_and_trust_are_replaced(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path)
    with started(name, folder.path) as port:
        _wait_for_all(name, port, context)
        tally = asyncio.run(_rotated(name, folder, port, context))
        times = range(2 * PROGRAMS[name].processes)
        wait_until(lambda: {call(port, context).serial for _ in times} == {folder.serial}, "all show the last one")
    assert (tally.failed, tally.broken) == ([], [])
    assert len(tally.serials) >= ROTATIONS


def _wait_for_all(name: str, port: int, context: ssl.SSLContext) -> None:
    """Until each process has answered: one that starts while a file is half written does not start."""
    seen: set[str] = set()

    def are_there() -> bool:
        seen.add(call(port, context, "/pid").text)
        return len(seen) == PROGRAMS[name].processes

    wait_until(are_there, f"all processes of {name} answer")


async def _rotated(name: str, folder: ServerFolder, port: int, context: ssl.SSLContext) -> Tally:
    staying = 4 if PROGRAMS[name].keeps_alive else 0
    async with many_clients(port, context, coming=3, staying=staying) as tally:
        for write in WAYS.values():
            for _ in range(ROTATIONS // len(WAYS)):
                folder.rotate(write)
                await asyncio.sleep(PAUSE_S)
                async with asyncio.timeout(PATIENCE_S):
                    while folder.serial not in tally.serials:  # noqa: ASYNC110 clients have no event of it
                        await asyncio.sleep(PAUSE_S)
    return tally


@VERSIONS
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_client_whose_ca_was_withdrawn_is_refused_with_and_without_a_session(
    name: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    folder = ServerFolder(tmp_path / "server")
    old = client_context(folder.server_ca, folder.client(), tmp_path, version)
    with started(name, folder.path, "--share-session") as port:
        session = call(port, old).session
        if PROGRAMS[name].processes == 1:  # each process has ticket keys of its own
            assert call(port, old, session=session).is_resumed
            session = call(port, old).session
        new = client_context(folder.server_ca, folder.client(ca=folder.withdraw_client_ca()), tmp_path, version)
        time.sleep(PAUSE_S)
        for _ in range(2 * PROGRAMS[name].processes):
            with pytest.raises(Refused):
                call(port, old, session=session)
            with pytest.raises(Refused):
                call(port, old)
            assert call(port, new).text == "ok"
