"""What gRPC's own TLS cannot do is refused, and what it can is followed; a whole server is in tests/tls/servers/."""

import socket
import ssl
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.servers.process import PATIENCE_S
from tests.tls.servers.clients import client_context
from tests.tls.servers.folder import ServerFolder
from tests.tls.servers.given import quick_tls
from wellkept.errors import UsageError
from wellkept.integrations.grpc import server_credentials
from wellkept.tls.policy import OnTrustChange, VerifyClient
from wellkept.tls.server import MutualTLS, ServerTLS
from wellkept.tls.settings import CertValidation, Versions

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allow", ("dns:job.internal",)),
        ("cert_validation", CertValidation(crl=("ca.crl",))),
        ("protocol", Versions(versions=("TLSv1.3",))),
        ("ciphers", ("ECDHE-ECDSA-AES256-GCM-SHA384",)),
        ("on_trust_change", OnTrustChange.CLOSE),
        ("mutual", MutualTLS(trust="trust.crt", verify_client=VerifyClient.OPTIONAL)),
    ],
)
def test_what_it_would_leave_out_is_an_error(field: str, value: object, tmp_path: Path) -> None:
    good = quick_tls(ServerFolder(tmp_path).path)
    given: dict[str, object] = {"key": good.key, "mutual": good.mutual, field: value}
    tls = ServerTLS(**given)  # type: ignore[arg-type]  # one field, whichever
    with pytest.raises(UsageError, match=rf"ServerTLS\.{field}"):
        server_credentials(tls)


@pytest.mark.parametrize(
    ("share_session", "is_resumed"), [(None, False), (True, True)], ids=["by default", "shareSession"]
)
def test_a_client_certificate_is_verified_at_each_handshake(
    *, share_session: bool | None, is_resumed: bool, tmp_path: Path
) -> None:
    folder = ServerFolder(tmp_path)
    context = client_context(folder.server_ca, folder.client(), tmp_path, ssl.TLSVersion.TLSv1_2)
    context.set_alpn_protocols(["h2"])
    with _serving(quick_tls(folder.path, share_session=share_session)) as port:
        session = _resumed(port, context, None)[1]
        assert _resumed(port, context, session)[0] is is_resumed


def test_a_session_dies_with_the_trust_that_it_came_from(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path)
    old = client_context(folder.server_ca, folder.client(), tmp_path, ssl.TLSVersion.TLSv1_2)
    old.set_alpn_protocols(["h2"])
    with _serving(quick_tls(folder.path, share_session=True)) as port:
        session = _resumed(port, old, None)[1]
        folder.withdraw_client_ca()
        time.sleep(0.05)
        with pytest.raises(OSError, match=r"EOF|alert|reset"):
            _resumed(port, old, session)


@contextmanager
def _serving(tls: ServerTLS) -> Generator[int]:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_secure_port("localhost:0", server_credentials(tls))
    server.start()
    yield port
    server.stop(None).wait()


def _resumed(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
    ):
        connection.sendall(HELLO)
        assert connection.recv(100)
        return bool(connection.session_reused), connection.session
