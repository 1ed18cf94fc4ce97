"""Withdraws a CA of clients from a service, and prints what its old clients still get, for each `onTrustChange`.

The service resumes sessions (`shareSession`), which is the harder case. It is uvicorn with `Drain`, which ends
connections; for `keep` it is one that has nothing of the kind. There are two CAs: the clients of one become old,
those of the other must not notice.
"""

import json
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.programs.tls_wire import HOST, replace

from tests.tls.pki import CA, pem_of
from tests.tls.servers.programs import started

ASKED: Final = 3  # requests on a connection that was open before
REACTION_S: Final = 0.1  # ten looks
SERVERS: Final = {"keep": "asyncio", "drain": "uvicorn-h11", "close": "uvicorn-h11"}
VERSIONS: Final = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Visitor:
    """A client of one version, with a connection that stays open."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        """Connect, ask, and remember the session."""
        self._port = port
        self._context = context
        self._line = self._connected(None)
        if not _is_answered(self._line):
            raise RuntimeError("a client of a trusted CA is not answered")
        self._session = self._line.session

    def is_let_in(self, *, resumes: bool) -> bool:
        """Whether a new connection is answered; with the session of the first one where it `resumes`."""
        with suppress(OSError), self._connected(self._session if resumes else None) as line:
            return _is_answered(line)
        return False

    def is_resumed(self) -> bool:
        """Whether the session is good for anything."""
        with self._connected(self._session) as line:
            return _is_answered(line) and bool(line.session_reused)

    def count_answers(self) -> int:
        """How many of some requests are answered on the connection that was open before."""
        return sum(_is_answered(self._line) for _ in range(ASKED))

    def close(self) -> None:
        """End the connection."""
        self._line.close()

    def _connected(self, session: ssl.SSLSession | None) -> ssl.SSLSocket:
        raw = socket.create_connection((HOST, self._port), timeout=5)
        try:
            return self._context.wrap_socket(raw, server_hostname="localhost", session=session)
        except OSError:
            raw.close()
            raise


def _is_answered(line: ssl.SSLSocket) -> bool:
    with suppress(OSError):
        line.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        data = b""
        while not data.endswith(b"\r\n\r\nok"):
            part = line.recv(4096)
            if not part:
                return False
            data += part
        return True
    return False


def measure(mode: str, folder: Path) -> Mapping[str, object]:
    """Withdraw the CA once, and tell what its clients got."""
    old, staying = CA("withdrawn"), CA("staying")
    staying.issue("localhost").write(folder, "server")
    replace(folder / "trust.crt", pem_of(old.certificate, staying.certificate))
    root = staying.write(folder, "root")
    contexts: list[list[ssl.SSLContext]] = []
    for name, ca in (("old", old), ("staying", staying)):
        pair = ca.issue(f"{name}.test").write(folder, name).pair
        contexts.append([_client(root, pair, version) for version in VERSIONS])
    with started(SERVERS[mode], folder, "--on-trust-change", mode, "--share-session") as port:
        visitors, others = ([Visitor(port, one) for one in each] for each in contexts)
        resumed = sum(one.is_resumed() for one in visitors)
        replace(folder / "trust.crt", staying.pem)
        time.sleep(REACTION_S)
        found = {
            "mode": mode,
            "resumed_before": resumed,
            "let_in": sum(one.is_let_in(resumes=resumes) for one in visitors for resumes in (False, True)),
            "answers": [one.count_answers() for one in visitors],
            "asked": ASKED,
            "others": [one.count_answers() for one in others],
        }
        for one in (*visitors, *others):
            one.close()
        return found


def _client(root: Path, pair: tuple[str, str], version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root)
    context.load_cert_chain(*pair)
    context.minimum_version = context.maximum_version = version
    return context


if __name__ == "__main__":
    for one in SERVERS:
        with TemporaryDirectory() as made:
            print(json.dumps(measure(one, Path(made))), flush=True)
