"""Rotates certificate, key and an unrelated CA under mTLS load, and prints what became of it: `… SERVER COUNT WARM_UP`.

First comes load without a rotation, until a server has the memory that connections take. A rotation counts when
a client was shown the new certificate; the next one begins then. The files are replaced one after the other (trust,
key, certificate), so in each rotation a moment passes with a pair that does not match.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.programs.tls_wire import Line, Load, end, replace, rss_kib
from cryptography.hazmat.primitives.serialization import Encoding

from tests.tls.pki import CA, new_key
from tests.tls.servers.programs import started

RECONNECTING: Final = 4
STAYING: Final = 10
CONNECTIONS_A_ROTATION: Final = 30  # of the warm-up: hypercorn grows until it has had 3,000 connections
EVERY_S: Final = 0.1  # less than the two seconds after which gunicorn ends a connection that is idle


async def rotate(
    port: int, folder: Path, ca: CA, client: ssl.SSLContext, *, count: int, warm_up: int
) -> dict[str, object]:
    """Rotate that often under load, and tell what happened; memory is compared from the end of the warm-up on.

    Args:
        port: of the server.
        folder: with its files.
        ca: of the server and its clients.
        client: of all clients.
        count: how many rotations.
        warm_up: after how many of them, and thirty times as many connections before, memory is looked at first.
    """
    line = await Line.open(port, client)
    process_id = int(await line.ask("/pid"))
    await line.close()
    load = Load(port, client)
    tasks = [asyncio.create_task(load.reconnect()) for _ in range(RECONNECTING)]
    tasks += [asyncio.create_task(load.stay(EVERY_S)) for _ in range(STAYING)]
    await load.wait_opened(CONNECTIONS_A_ROTATION * warm_up)
    before = 0
    for number in range(count):
        if number == warm_up:
            before = rss_kib(process_id)
        leaf = ca.issue("localhost")
        replace(folder / "trust.crt", ca.pem + CA(f"unrelated {number}", key=SPARE).pem)
        replace(folder / "server.key", leaf.key_pem)
        replace(folder / "server.crt", leaf.cert_pem)
        await load.wait_for(leaf.certificate.public_bytes(Encoding.DER))
    after = rss_kib(process_id)
    await end(tasks)
    return {
        "rotations": count,
        "opened": load.opened,
        "failures": load.failures,
        "broken": load.broken,
        "staying": STAYING,
        "rss_before_kib": before,
        "rss_after_kib": after,
    }


def main(name: str, count: int, warm_up: int) -> None:
    """Start the server, rotate, and print what happened."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        ca = CA("clients and server")
        ca.write(folder, "trust")
        ca.issue("localhost").write(folder, "server")
        client = ssl.create_default_context(cafile=ca.write(folder, "root"))
        client.load_cert_chain(*ca.issue("orders.test").write(folder, "client").pair)
        with started(name, folder) as port:
            print(json.dumps(asyncio.run(rotate(port, folder, ca, client, count=count, warm_up=warm_up))))


SPARE = new_key()  # of all unrelated CAs: what is measured is not how fast keys are made

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
