"""Each server really runs, under mutual TLS, while its certificate, key and an unrelated CA are replaced."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.tls.servers.clients import Tally, call, client_context, many_clients
from tests.tls.servers.folder import WAYS, ServerFolder
from tests.tls.servers.programs import PROGRAMS, started

ROTATIONS = 30
PAUSE_S = 0.05


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_client_notices_that_certificate_key_and_trust_are_replaced(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path)
    with started(name, folder.path) as port:
        call(port, context)
        tally = asyncio.run(_rotated(name, folder, port))
        last = _served_in_the_end(port, context, folder)
    assert (tally.failed, tally.broken) == ([], [])
    assert len(tally.serials) > ROTATIONS // 3
    assert last == folder.serial
    assert tally.connections > ROTATIONS


async def _rotated(name: str, folder: ServerFolder, port: int) -> Tally:
    context = client_context(folder.server_ca, folder.client(), folder.path)
    staying = 4 if PROGRAMS[name].keeps_alive else 0
    async with many_clients(port, context, coming=3, staying=staying) as tally:
        for write in WAYS.values():
            for _ in range(ROTATIONS // len(WAYS)):
                folder.rotate(write)
                await asyncio.sleep(PAUSE_S)
    return tally


def _served_in_the_end(port: int, context: "object", folder: ServerFolder) -> int:
    """The serial that every process serves, once each has looked: the second connection of each sees it."""
    time.sleep(PAUSE_S)
    return call(port, context).serial  # type: ignore[arg-type]  # see client_context
