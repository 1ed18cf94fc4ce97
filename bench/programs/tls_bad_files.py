"""Spoils the files of a service under mTLS load, in four ways, and prints what became of the clients: `… HOLD_S`.

Each fault stays for a while in which the service looks at its files over and over; then a good pair comes, and
the service has to take it. Server and clients share one loop: what is counted here is no time.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.programs.tls_wire import HOST, Load, end, replace
from cryptography.hazmat.primitives.serialization import Encoding

from tests.tls.pki import CA, Leaf
from tests.tls.servers.asyncio_streams import answer
from tests.tls.servers.given import QuickTLS
from wellkept.events import BUS, Event, Topic
from wellkept.secret import Secret
from wellkept.tls import CertKey, MutualTLS

PASSWORD: Final = "right-CANARY"
LOOK_S: Final = 0.01
CLIENTS: Final = 2  # of each kind


@dataclass(frozen=True)
class Files:
    """The files of the service, and who signs for them."""

    folder: Path
    ca: CA

    def put(self, leaf: Leaf, password: str = PASSWORD) -> None:
        """Replace key and certificate."""
        replace(self.folder / "server.key", leaf.key_pem_as(password=password))
        replace(self.folder / "server.crt", leaf.cert_pem)

    def renew(self) -> bytes:
        """Put a good pair there, and return its certificate, DER."""
        leaf = self.ca.issue("localhost")
        self.put(leaf)
        return leaf.certificate.public_bytes(Encoding.DER)


def break_file(files: Files) -> None:
    """Cut the certificate in two."""
    data = files.ca.issue("localhost").cert_pem
    replace(files.folder / "server.crt", data[: len(data) // 2])


def mix_pair(files: Files) -> None:
    """Replace the certificate, and forget its key."""
    replace(files.folder / "server.crt", files.ca.issue("localhost").cert_pem)


def use_another_password(files: Files) -> None:
    """Encrypt the key in another way than the settings say."""
    files.put(files.ca.issue("localhost"), "another-CANARY")


def expire(files: Files) -> None:
    """Put a pair there whose time is over."""
    files.put(files.ca.issue("localhost", not_before=timedelta(days=-2), not_after=timedelta(days=-1)))


FAULTS: Final[Mapping[str, Callable[[Files], None]]] = {
    "broken file": break_file,
    "mixed pair": mix_pair,
    "wrong password": use_another_password,
    "expired": expire,
}


async def measure(files: Files, tls: QuickTLS, client: ssl.SSLContext, hold_s: float) -> None:
    """Spoil, wait, mend; print a line of JSON for each fault."""
    told: list[Event] = []
    BUS.subscribe(told.append)
    server = await asyncio.start_server(answer, HOST, 0, ssl=tls.context())
    load = Load(server.sockets[0].getsockname()[1], client)
    tasks = [asyncio.create_task(load.reconnect()) for _ in range(CLIENTS)]
    tasks += [asyncio.create_task(load.stay(LOOK_S)) for _ in range(CLIENTS)]
    for name, spoil in FAULTS.items():
        good = files.renew()
        await load.wait_for(good)
        told.clear()
        load.shown.clear()
        opened = load.opened
        spoil(files)
        await asyncio.sleep(hold_s)
        others, events = load.shown - {good}, [one for one in told if one.topic is Topic.RELOAD_FAILED]
        opened = load.opened - opened
        await load.wait_for(files.renew())
        print(
            json.dumps(
                {
                    "name": name,
                    "events": len(events),
                    "opened": opened,
                    "hurt": len(load.failures) + len(load.broken) + len(others),
                }
            ),
            flush=True,
        )
    await end(tasks)
    server.close()


def main(hold_s: float) -> None:
    """Make the files, and measure."""
    with TemporaryDirectory() as made:
        files = Files(Path(made), CA("clients and server"))
        trust = files.ca.write(files.folder, "trust")
        files.renew()
        client = ssl.create_default_context(cafile=trust)
        client.load_cert_chain(*files.ca.issue("orders.test").write(files.folder, "client").pair)
        tls = QuickTLS(
            key=CertKey(files.folder / "server.crt", files.folder / "server.key", Secret(PASSWORD)),
            mutual=MutualTLS(trust=trust),
            check_interval_s=LOOK_S,
        )
        asyncio.run(measure(files, tls, client, hold_s))


if __name__ == "__main__":
    main(float(sys.argv[1]))
