"""The page's client TLS: a client that trusts a private CA, and no other; in both spellings."""

import ssl
from pathlib import Path

import pytest

from tests.seed_page.tls_pages import Page, fetch, serving
from tests.tls.pki import CA
from wellkept import ConfigError, Settings
from wellkept.errors import BundleError
from wellkept.tls import CertKey, ClientTLS, ServerTLS

BALLERINA = """\
[secureClient.secureSocket]
cert = "{folder}/ca.crt"
"""
PYTHON = """\
[secure_client.secure_socket]
trust = "{folder}/ca.crt"
"""


class Client(Settings):
    """What the page gives its client."""

    secure_socket: ClientTLS = ClientTLS()
    url: str = "https://internal-api.example.com"


class App(Settings):
    """The program around it."""

    secure_client: Client


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


def server(page: Page, ca: CA | None = None, name: str = "internal-api.example.com") -> ServerTLS:
    """A server of that name, of a CA of its own where one is given."""
    page.write((ca or page.ca).issue(name))
    return ServerTLS(key=CertKey(page.folder / "server.crt", page.folder / "server.key"))


def client(page: Page, text: str = BALLERINA) -> ssl.SSLContext:
    return page.load(App, text).secure_client.secure_socket.context()


@pytest.mark.parametrize("text", [BALLERINA, PYTHON], ids=["ballerina", "python"])
def test_the_client_of_the_page_trusts_its_ca(page: Page, text: str) -> None:
    with serving(server(page)) as port:
        assert fetch(port, client(page, text), "internal-api.example.com").said == b"unasked"


@pytest.mark.parametrize("text", [BALLERINA, PYTHON], ids=["ballerina", "python"])
def test_it_trusts_no_other_ca_not_even_the_system_s(page: Page, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    public = CA()
    (page.folder / "public.pem").write_bytes(public.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(page.folder / "public.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(page.folder))
    with (
        serving(server(page, public)) as port,
        pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"),
    ):
        fetch(port, client(page, text), "internal-api.example.com")


def test_system_adds_the_system_s_cas(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    public = CA()
    (page.folder / "public.pem").write_bytes(public.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(page.folder / "public.pem"))
    both = client(page, BALLERINA + "system = true\n")
    for ca in (public, page.ca):
        with serving(server(page, ca)) as port:
            assert fetch(port, both, "internal-api.example.com").said == b"unasked"


def test_without_a_ca_the_system_s_are_trusted_alone(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    public = CA()
    (page.folder / "public.pem").write_bytes(public.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(page.folder / "public.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(page.folder))
    context = client(page, "[secureClient]\n")
    with serving(server(page, public)) as port:
        fetch(port, context, "internal-api.example.com")
    with serving(server(page)) as port, pytest.raises(ssl.SSLCertVerificationError):
        fetch(port, context, "internal-api.example.com")


def test_a_wrong_host_name_is_refused(page: Page) -> None:
    with (
        serving(server(page, name="other.example.com")) as port,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        fetch(port, client(page), "internal-api.example.com")


def test_server_name_is_asked_for_and_verified(page: Page) -> None:
    with serving(server(page, name="other.example.com")) as port:
        named = client(page, BALLERINA + 'serverName = "other.example.com"\n')
        assert fetch(port, named, "internal-api.example.com").said == b"unasked"


@pytest.mark.parametrize("off", ["enable = false", "verifyHostName = false", "verify_host_name = false"])
def test_turning_verification_off_is_refused_with_the_reason(page: Page, off: str) -> None:
    with pytest.raises(ConfigError, match="TLS always verifies"):
        page.load(App, f"{BALLERINA}{off}\n")


def test_a_ca_file_that_is_missing_is_named(page: Page) -> None:
    (page.folder / "ca.crt").unlink()
    with pytest.raises(BundleError, match=r"ca\.crt: does not exist"):
        client(page)
