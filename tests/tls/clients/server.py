"""An HTTPS server that asks for a client certificate, and answers every request with what it saw of the client.

It uses Python's own ssl alone: nothing of the package is on its side.
"""

import json
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from tests.servers.answers import respond
from tests.servers.listener import Listener, Visit
from tests.tls.pki import CA, Leaf


@dataclass(frozen=True)
class Seen:
    """What a server saw.

    Attributes:
        serial: of the client's certificate, decimal.
        connection: the same number, the same connection.
        version: of TLS.
        name: what the client asked for (SNI); None where the server cannot tell.
    """

    serial: str
    connection: int
    version: str
    name: str | None = None


@contextmanager
def https_server(
    folder: Path,
    leaf: Leaf,
    clients: CA,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> Generator[int]:
    """Run a server that shows this certificate, and answer its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*leaf.write(folder, "https").pair)
    context.load_verify_locations(cadata=clients.pem.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = newest
    names: dict[int, str | None] = {}  # by the descriptor of the connection

    def remember(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        names[connection.fileno()] = name

    context.sni_callback = remember

    def answer(visit: Visit) -> None:
        connection = visit.connection
        assert isinstance(connection, ssl.SSLSocket)
        der = connection.getpeercert(binary_form=True)
        assert der is not None
        seen = {
            "serial": str(x509.load_der_x509_certificate(der).serial_number),
            "connection": connection.getpeername()[1],
            "version": connection.version(),
            "name": names[connection.fileno()],
        }
        respond(visit, json.dumps(seen).encode())

    with Listener(answer, context) as server:
        yield server.port


def seen_of(body: str | bytes) -> Seen:
    """What stands in an answer."""
    return Seen(**json.loads(body))
