"""The CA that the package gives to tests of services: real servers, real clients, good certificates and bad ones."""

import http.client
import http.server
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

from wellkept import testing
from wellkept.errors import UsageError
from wellkept.testing import CertificateAuthority, Credentials, ManualClock
from wellkept.tls.certificates import names_of
from wellkept.tls.material import CertKey
from wellkept.tls.server import MutualTLS, ServerTLS

Serve = Callable[..., str]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as http.server calls it
        del format, args


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__(("127.0.0.1", 0), Answer)

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        request.settimeout(10)
        with self.context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address  # a client that was refused is what these tests want


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a service that lets in clients of a CA only, or one with a context of its own; its URL."""
    started: list[Server] = []

    def start(credentials: Credentials | ssl.SSLContext, *files: Path) -> str:
        context = credentials if isinstance(credentials, ssl.SSLContext) else demanding(credentials, *files)
        server = Server(context)
        started.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"https://localhost:{server.server_port}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def demanding(credentials: Credentials, ca_file: Path, crl_file: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(credentials.cert_file, credentials.key_file)
    context.load_verify_locations(ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if crl_file is not None:
        context.load_verify_locations(crl_file)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def get(url: str, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def ca(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


def test_the_example_of_the_docstring_is_a_test_of_mutual_tls_in_three_lines(tmp_path: Path, serve: Serve) -> None:
    found = re.search(r"three lines:\n\n(.+?)\n\n", CertificateAuthority.__doc__ or "", re.DOTALL)
    assert found
    lines = dedent(found[1])
    assert len(lines.splitlines()) == 3
    names = {"tmp_path": tmp_path, "serve": serve, "get": get, "CertificateAuthority": CertificateAuthority}
    exec(lines, names)  # noqa: S102 the example is ours


def test_a_client_without_a_certificate_is_refused(ca: CertificateAuthority, serve: Serve) -> None:
    with pytest.raises(OSError):  # noqa: PT011 an alert, or the connection is closed
        get(serve(ca.server("localhost"), ca.ca_file), ca.client_context())


@pytest.mark.parametrize(
    "made",
    [
        lambda ca: ca.expired("orders", client=True),
        lambda ca: ca.not_yet_valid("orders", client=True),
        lambda ca: ca.untrusted("orders", client=True),
        lambda ca: ca.revoked("orders", client=True),
        lambda ca: ca.server("orders"),
    ],
    ids=["expired", "not-yet-valid", "untrusted", "revoked", "server"],
)
def test_a_bad_client_is_refused(
    ca: CertificateAuthority, serve: Serve, made: Callable[[CertificateAuthority], Credentials]
) -> None:
    bad = made(ca)
    url = serve(ca.server("localhost"), ca.ca_file, ca.crl_file)
    assert get(url, ca.client_context(ca.client("orders"))) == 200
    with pytest.raises(OSError):  # noqa: PT011 an alert, or the connection is closed
        get(url, ca.client_context(bad))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda ca: ca.expired("localhost"), "certificate has expired"),
        (lambda ca: ca.not_yet_valid("localhost"), "certificate is not yet valid"),
        (lambda ca: ca.untrusted("localhost"), "unable to get local issuer certificate"),
        (lambda ca: ca.server("other.test"), "Hostname mismatch"),
        (lambda ca: ca.client("localhost"), "unsuitable certificate purpose"),
    ],
    ids=["expired", "not-yet-valid", "untrusted", "wrong-host", "client"],
)
def test_a_bad_server_is_refused_for_its_own_reason(
    ca: CertificateAuthority, serve: Serve, made: Callable[[CertificateAuthority], Credentials], reason: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        get(serve(made(ca), ca.ca_file), ca.client_context(ca.client("orders")))


def test_its_own_server_lets_in_its_clients_only(ca: CertificateAuthority) -> None:
    context = ca.server_context(ca.server("localhost"))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_STRICT


def test_an_allow_list_of_ours_is_tested_with_it(ca: CertificateAuthority, serve: Serve) -> None:
    own = ca.server("localhost")
    allow = ("spiffe://prod/ns/*/sa/orders",)
    mutual = MutualTLS(trust=ca.ca_file)
    url = serve(ServerTLS(key=CertKey(own.cert_file, own.key_file), mutual=mutual, allow=allow).context())
    assert get(url, ca.client_context(ca.client(spiffe="spiffe://prod/ns/pay/sa/orders"))) == 200
    with pytest.raises(OSError):  # noqa: PT011 an alert, or the connection is closed
        get(url, ca.client_context(ca.client(spiffe="spiffe://prod/ns/pay/sa/intruder")))


def test_what_is_revoked_later_is_on_the_list(ca: CertificateAuthority, serve: Serve) -> None:
    server, orders = ca.server("localhost"), ca.client("orders")
    assert get(serve(server, ca.ca_file, ca.crl_file), ca.client_context(orders)) == 200
    ca.revoke(orders)
    with pytest.raises(OSError):  # noqa: PT011 an alert, or the connection is closed
        get(serve(server, ca.ca_file, ca.crl_file), ca.client_context(orders))


def test_a_rotation_puts_a_new_pair_in_the_same_files(ca: CertificateAuthority, serve: Serve) -> None:
    old = ca.client("orders", spiffe="spiffe://prod/sa/orders")
    held = old.key_file.read_bytes(), old.cert_file.read_bytes()
    new = ca.rotate(old)
    assert (new.cert_file, new.key_file) == (old.cert_file, old.key_file)
    assert names_of(new.certificate) == names_of(old.certificate)
    assert all(
        one != two for one, two in zip(held, (new.key_file.read_bytes(), new.cert_file.read_bytes()), strict=True)
    )
    assert new.key_file.stat().st_mode & 0o777 == 0o600
    assert get(serve(ca.server("localhost"), ca.ca_file), ca.client_context(new)) == 200


def test_what_another_ca_issued_is_not_rotated(ca: CertificateAuthority, tmp_path: Path) -> None:
    other = CertificateAuthority(tmp_path / "other")
    with pytest.raises(UsageError, match="was not issued by this CA"):
        ca.rotate(other.server("localhost"))


def test_two_certificates_of_one_name_are_two_pairs_of_files(ca: CertificateAuthority) -> None:
    made = [ca.server("localhost"), ca.server("localhost"), ca.client("localhost"), ca.server("ca")]
    assert [one.cert_file.name for one in made] == ["localhost.crt", "localhost-2.crt", "localhost-3.crt", "ca-2.crt"]


def test_validity_counts_from_the_clock_of_the_test(tmp_path: Path) -> None:
    ca = CertificateAuthority(str(tmp_path), clock=ManualClock(datetime(2030, 1, 1, tzinfo=UTC)))
    made = ca.server("localhost", lifetime=timedelta(hours=1))
    assert made.not_after == datetime(2030, 1, 1, 1, tzinfo=UTC)


def test_the_package_names_what_it_has() -> None:
    assert set(testing.__all__) <= set(dir(testing))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        testing.Nothing  # noqa: B018 asking is what is tested


def test_tests_without_tls_do_not_pay_for_it() -> None:
    lines = "import sys, wellkept.testing; sys.exit('cryptography' in sys.modules or 'ssl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", lines], check=False).returncode == 0
