"""The page's mutual TLS: `verifyClient: REQUIRE` with a CA; in both spellings, on TLS 1.2 and 1.3."""

import ssl
from pathlib import Path

import pytest

from tests.seed_page.tls_pages import Page, fetch, serving
from tests.tls.pki import CA
from wellkept import ConfigError, Settings
from wellkept.tls import CertKey, MutualTLS, ServerTLS, VerifyClient

BALLERINA = """\
[mtlsListener.secureSocket]
key = {{ certFile = "{{folder}}/server.crt", keyFile = "{{folder}}/server.key" }}
mutualSsl = {{ verifyClient = "{wanted}", cert = "{{folder}}/ca.crt" }}
"""
PYTHON = """\
[mtls_listener.secure_socket]
key = {{ certificate = "{{folder}}/server.crt", private_key = "{{folder}}/server.key" }}
mutual = {{ verify_client = "{wanted}", trust = "{{folder}}/ca.crt" }}
"""
SPELLINGS = {
    "ballerina-require": BALLERINA.format(wanted="REQUIRE"),
    "python-require": PYTHON.format(wanted="require"),
}
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Listener(Settings):
    """What the page gives its listener."""

    secure_socket: ServerTLS


class App(Settings):
    """The program around it."""

    mtls_listener: Listener


@pytest.fixture
def page(tmp_path: Path) -> Page:
    made = Page(tmp_path)
    made.server()
    return made


def listener(page: Page, text: str) -> ServerTLS:
    return page.load(App, text).mtls_listener.secure_socket


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_client_of_the_ca_passes_and_is_known_by_name(page: Page, text: str, version: ssl.TLSVersion) -> None:
    page.client()
    with serving(listener(page, text)) as port:
        found = fetch(port, page.client_context(shows=True, version=version))
    assert found.said == b"passed orders.test"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_client_without_a_certificate_is_refused(page: Page, text: str, version: ssl.TLSVersion) -> None:
    # With TLS 1.3 the client learns it at its first read: its own handshake is over by then.
    with serving(listener(page, text)) as port, pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(port, page.client_context(version=version))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wanted", ["REQUIRE", "OPTIONAL"])
def test_a_client_of_another_ca_is_refused(page: Page, wanted: str, version: ssl.TLSVersion) -> None:
    page.client(ca=CA())
    with (
        serving(listener(page, BALLERINA.format(wanted=wanted))) as port,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        fetch(port, page.client_context(shows=True, version=version))


@pytest.mark.parametrize("version", VERSIONS)
def test_optional_lets_a_client_without_a_certificate_in_as_nobody(page: Page, version: ssl.TLSVersion) -> None:
    with serving(listener(page, PYTHON.format(wanted="optional"))) as port:
        assert fetch(port, page.client_context(version=version)).said == b"anonymous"


@pytest.mark.parametrize("version", VERSIONS)
def test_optional_knows_a_client_that_shows_one(page: Page, version: ssl.TLSVersion) -> None:
    page.client()
    with serving(listener(page, BALLERINA.format(wanted="OPTIONAL"))) as port:
        assert fetch(port, page.client_context(shows=True, version=version)).said == b"passed orders.test"


def test_the_same_in_code(page: Page) -> None:
    page.client()
    tls = ServerTLS(
        key=CertKey(page.folder / "server.crt", page.folder / "server.key"),
        mutual=MutualTLS(trust=page.folder / "ca.crt", verify_client=VerifyClient.REQUIRE),
    )
    with serving(tls) as port:
        assert fetch(port, page.client_context(shows=True)).said == b"passed orders.test"


def test_a_ca_alone_means_require(page: Page) -> None:
    text = BALLERINA.format(wanted="REQUIRE").replace('verifyClient = "REQUIRE", ', "")
    with serving(listener(page, text)) as port, pytest.raises((ssl.SSLError, ConnectionError)):
        fetch(port, page.client_context())


def test_require_without_a_ca_does_not_start(page: Page) -> None:
    text = BALLERINA.format(wanted="REQUIRE").replace(', cert = "{folder}/ca.crt"', "")
    with pytest.raises(ConfigError, match="names no CA, so nobody could get in"):
        listener(page, text)
