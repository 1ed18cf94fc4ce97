"""The page's server TLS: a listener on 9443 with a certificate and its key; in both spellings.

The port is a free one: 9443 may be taken on the machine that runs the tests.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.seed_page.tls_pages import Page, fetch, serving
from tests.tls.pki import CA
from wellkept import ConfigError, Settings
from wellkept.errors import BundleError
from wellkept.tls import CertKey, ServerTLS

BALLERINA = """\
[secureListener.secureSocket.key]
certFile = "{folder}/server.crt"
keyFile = "{folder}/server.key"
"""
PYTHON = """\
[secure_listener.secure_socket.key]
cert_file = "{folder}/server.crt"
key_file = "{folder}/server.key"
"""


class Listener(Settings):
    """What the page gives its listener."""

    secure_socket: ServerTLS
    port: int = 9443


class App(Settings):
    """The program around it."""

    secure_listener: Listener


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


@pytest.mark.parametrize("text", [BALLERINA, PYTHON], ids=["ballerina", "python"])
def test_the_listener_of_the_page_serves_its_certificate(page: Page, text: str) -> None:
    leaf = page.server()
    tls = page.load(App, text).secure_listener.secure_socket
    with serving(tls) as port:
        assert fetch(port, page.client_context()).serial == leaf.certificate.serial_number


def test_the_default_port_is_that_of_the_page(page: Page) -> None:
    page.server()
    assert page.load(App, BALLERINA).secure_listener.port == 9443


def test_the_same_in_code(page: Page) -> None:
    leaf = page.server()
    tls = ServerTLS(key=CertKey(page.folder / "server.crt", page.folder / "server.key"))
    with serving(tls) as port:
        assert fetch(port, page.client_context()).serial == leaf.certificate.serial_number


def test_files_that_are_swapped_are_served_at_the_next_handshake_and_open_connections_live(page: Page) -> None:
    page.server()
    tls = page.load(App, BALLERINA).secure_listener.secure_socket
    with serving(tls) as port:
        first = fetch(port, page.client_context(), keeps=True)
        new = page.server()
        assert tls.live.reload()
        assert fetch(port, page.client_context()).serial == new.certificate.serial_number
        assert first.again() == b"again"


def test_a_broken_swap_keeps_the_old_certificate(page: Page) -> None:
    old = page.server()
    tls = page.load(App, BALLERINA).secure_listener.secure_socket
    with serving(tls) as port:
        (page.folder / "server.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\nMIIB")
        with pytest.raises(BundleError, match="is cut off"):
            tls.live.reload()
        assert fetch(port, page.client_context()).serial == old.certificate.serial_number


def test_five_mistakes_have_five_messages_that_name_the_file(page: Page) -> None:
    said = {one: message(page, one) for one in ("mismatch", "trust", "missing", "expired", "password")}
    assert len(set(said.values())) == len(said)
    assert "server.crt: the private key in" in said["mismatch"]
    assert "does not match" in said["mismatch"]
    assert "server.key: holds no private key in PEM: it holds a certificate" in said["trust"]
    assert "server.key: does not exist" in said["missing"]
    assert "has expired" in said["expired"]
    assert "server.key: is an encrypted private key, and no password is given" in said["password"]


def message(page: Page, mistake: str) -> str:
    """What a start says with one mistake in the files."""
    page.server()
    key, other = page.folder / "server.key", CA().issue("localhost")
    match mistake:
        case "mismatch":
            key.write_bytes(other.key_pem)
        case "trust":
            key.write_bytes(page.ca.pem)
        case "missing":
            key.unlink()
        case "expired":
            now = datetime.now(UTC)
            page.write(page.ca.issue("localhost", not_before=now - timedelta(2), not_after=now - timedelta(1)))
        case _:
            key.write_bytes(other.key_pem_as("pkcs8", password="password-CANARY"))
    with pytest.raises(BundleError) as caught:
        page.load(App, BALLERINA).secure_listener.secure_socket.context()
    return str(caught.value)


def test_turning_tls_off_is_refused_with_the_reason(page: Page) -> None:
    page.server()
    with pytest.raises(ConfigError, match="TLS always verifies"):
        page.load(App, BALLERINA + "[secureListener.secureSocket]\nenable = false\n")
