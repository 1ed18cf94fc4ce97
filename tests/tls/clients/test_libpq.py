"""The parameters of libpq: where they lead, what is left behind, and what is refused because libpq cannot do it."""

import asyncio
import os
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.servers.postgres import USER
from tests.tls.clients.conftest import World, quick
from tests.tls.clients.drivers import UNTRUSTED
from tests.tls.pki import CA
from wellkept._dataclasses import replace
from wellkept.errors import UsageError
from wellkept.integrations.psycopg import libpq
from wellkept.secret import Secret
from wellkept.tls.client import ClientTLS
from wellkept.tls.live import Live
from wellkept.tls.material import CertKey, KeyStore
from wellkept.tls.policy import Profile, SystemTrust
from wellkept.tls.settings import CertValidation
from wellkept.tls.source import FilesSource

PASSWORD = "keystore-CANARY"

real = pytest.mark.parametrize("client", ["psycopg"])


def dsn_of(port: int) -> str:
    return f"postgresql://{USER}@localhost:{port}/postgres"


def connects(tls: ClientTLS, port: int) -> bool:
    with libpq(tls) as parameters, psycopg.connect(dsn_of(port), **parameters) as connection:
        return connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)


@real
def test_a_keystore_serves_without_a_file_of_its_key(world: World, client: str) -> None:
    leaf = world.clients.issue("orders.test", cn=USER)
    (world.folder / "secrets").mkdir()
    store = world.folder / "secrets" / "own.p12"
    store.write_bytes(leaf.p12(PASSWORD))
    store.chmod(0o600)
    assert connects(world.tls(key=KeyStore(store, Secret(PASSWORD))), world.serve(client))


@real
def test_texts_serve_without_any_file(world: World, client: str) -> None:
    leaf = world.clients.issue("orders.test", cn=USER)
    key = CertKey(Secret(leaf.cert_pem.decode()), Secret(leaf.key_pem.decode()))
    assert connects(world.tls(key=key, trust=world.ca.pem.decode()), world.serve(client))


@real
def test_without_memory_the_key_is_on_the_disk_encrypted_and_for_the_block_alone(
    world: World, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, port, folder = world.tls(), world.serve(client), world.folder / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delattr(os, "memfd_create")
    with libpq(tls) as parameters:
        key = Path(parameters["sslkey"])
        assert key.parent == folder
        assert key.stat().st_mode & 0o777 == 0o600
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes()
        assert not any(b"BEGIN PRIVATE KEY" in one.read_bytes() for one in folder.iterdir())
        psycopg.connect(dsn_of(port), **parameters).close()
    assert not list(folder.iterdir())


def test_the_block_leaves_nothing_open(world: World) -> None:
    tls = world.tls()
    tls.context()
    before = set(Path("/proc/self/fd").iterdir())
    with libpq(tls) as parameters:
        assert Path(parameters["sslkey"]).stat().st_mode & 0o777 == 0o600
        assert set(Path("/proc/self/fd").iterdir()) > before
    assert set(Path("/proc/self/fd").iterdir()) == before


@real
def test_a_connection_of_an_event_loop(world: World, client: str) -> None:
    async def ask() -> None:
        with libpq(world.tls()) as parameters:
            connection = await psycopg.AsyncConnection.connect(dsn_of(port), **parameters)
        async with connection:
            await connection.execute("select 1")

    port = world.serve(client)
    asyncio.run(ask())


@real
def test_a_revoked_server_is_refused(world: World, client: str) -> None:
    leaf, crl = world.ca.issue("localhost"), world.folder / "ca.crl"
    crl.write_bytes(world.ca.crl(leaf))
    tls = world.tls(cert_validation=CertValidation(crl=(crl,)))
    assert connects(tls, world.serve(client))
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connects(tls, world.serve(client, leaf))


@real
def test_modern_is_tls_1_3(world: World, client: str) -> None:
    tls = world.tls(profile=Profile.MODERN)
    with libpq(tls) as parameters:
        assert (parameters["ssl_min_protocol_version"], parameters["ssl_max_protocol_version"]) == (
            "TLSv1.3",
            "TLSv1.3",
        )
    assert connects(tls, world.serve(client))


# What is weaker there than with a context, by libpq's own rule; the documentation says so.
@real
def test_libpq_takes_a_common_name_for_a_host_name(world: World, client: str) -> None:
    assert connects(world.tls(), world.serve(client, world.ca.issue(cn="localhost")))


@real
def test_a_name_of_its_own_goes_with_an_address(world: World, client: str) -> None:
    port = world.serve(client, world.ca.issue("db.internal"))
    with libpq(world.tls()) as parameters:
        psycopg.connect(
            f"host=db.internal hostaddr=127.0.0.1 port={port} user={USER} dbname=postgres", **parameters
        ).close()


@real
def test_what_the_environment_says_is_overruled(world: World, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = CA("Stranger")
    monkeypatch.setenv("PGSSLROOTCERT", str(stranger.write(world.folder, "stranger")))
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(psycopg.OperationalError, match=UNTRUSTED):
        connects(world.tls(), world.serve(client, stranger.issue("localhost")))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"allow": ("dns:db.internal",)}, "allow: libpq cannot do it"),
        ({"server_name": "db.internal"}, "serverName: libpq cannot do it"),
        ({"cert_validation": CertValidation(type="OCSP")}, "certValidation: libpq cannot do it"),
    ],
)
def test_what_libpq_cannot_do_is_refused(world: World, settings: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text) as caught, libpq(world.tls(**settings)):
        pass
    assert caught.value.hint


def test_a_system_with_folders_only_is_refused(world: World) -> None:
    tls = quick(ClientTLS(trust=world.trust_file))
    policy = replace(tls.policy(), system=SystemTrust(None, ("/etc/ssl/certs",)))
    vars(tls)["live"] = Live(FilesSource(None, (world.trust_file,)), policy)
    with pytest.raises(UsageError, match="libpq takes CAs from one file"), libpq(tls):
        pass
