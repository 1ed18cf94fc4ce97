"""Every client against a real server: who is trusted, what is shown, and what follows when files are replaced."""

import ssl
import threading
import time
from typing import Final

import pytest

from tests.tls.clients.conftest import World, settle
from tests.tls.clients.drivers import ALL, DATABASE, HAVE_NO_POOL, HTTP, UNTRUSTED, WRONG_HOST, refused
from tests.tls.pki import CA
from wellkept.tls.client import ClientTLS

LOAD_S: Final = 0.7
WITH_CONTEXT: Final = sorted(ALL.keys() - {"psycopg"})

every = pytest.mark.parametrize("client", sorted(ALL))


@every
def test_shows_its_certificate_to_a_server_of_the_trusted_ca(world: World, client: str) -> None:
    serial = world.rotate()
    seen = world.drive(client, world.tls(), world.serve(client)).get()
    assert (seen.serial, seen.version) == (serial, "TLSv1.3")


@pytest.mark.parametrize("client", sorted(HTTP))
def test_speaks_tls_1_2_where_the_server_has_no_better(world: World, client: str) -> None:
    port = world.serve(client, newest=ssl.TLSVersion.TLSv1_2)
    assert world.drive(client, world.tls(), port).get().version == "TLSv1.2"


@every
def test_refuses_a_server_of_another_ca(world: World, client: str) -> None:
    port = world.serve(client, CA("Other CA").issue("localhost"))
    assert UNTRUSTED.search(refused(world.drive(client, world.tls(), port)))


@every
def test_a_named_ca_is_trusted_alone(world: World, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system = CA("System CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(system.write(world.folder, "system")))
    port = world.serve(client, system.issue("localhost"))
    assert UNTRUSTED.search(refused(world.drive(client, world.tls(), port)))


@every
def test_system_adds_the_cas_of_the_moment_when_the_context_is_made(
    world: World, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = CA("System CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(system.write(world.folder, "system")))
    tls = world.tls(system=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(CA("Later CA").write(world.folder, "later")))
    for ca in (system, world.ca):
        assert world.drive(client, tls, world.serve(client, ca.issue("localhost"))).get().version == "TLSv1.3"


@every
def test_refuses_a_server_with_another_name(world: World, client: str) -> None:
    port = world.serve(client, world.ca.issue("other.test"))
    assert WRONG_HOST.search(refused(world.drive(client, world.tls(), port)))


@pytest.mark.parametrize("client", WITH_CONTEXT)
def test_server_name_is_asked_for_and_verified(world: World, client: str) -> None:
    port = world.serve(client, world.ca.issue("other.test"))
    seen = world.drive(client, world.tls(server_name="other.test"), port).get()
    assert seen.name == (None if client in DATABASE else "other.test")


@pytest.mark.parametrize("client", WITH_CONTEXT)
def test_server_name_takes_the_place_of_the_host(world: World, client: str) -> None:
    driver = world.drive(client, world.tls(server_name="other.test"), world.serve(client))
    assert WRONG_HOST.search(refused(driver))


@pytest.mark.parametrize("client", WITH_CONTEXT)
def test_a_common_name_is_no_host_name(world: World, client: str) -> None:
    port = world.serve(client, world.ca.issue(cn="localhost"))
    assert WRONG_HOST.search(refused(world.drive(client, world.tls(), port)))


@every
def test_shows_no_certificate_that_it_does_not_have(world: World, client: str) -> None:
    assert refused(world.drive(client, world.tls(key=None), world.serve(client)))


@every
def test_a_new_connection_shows_the_new_certificate(world: World, client: str) -> None:
    driver = world.drive(client, world.tls(), world.serve(client))
    first = driver.get()
    serial = world.rotate()
    settle()
    driver.retire()
    after = driver.get()
    assert first.serial != after.serial == serial


@pytest.mark.parametrize("client", sorted(ALL.keys() - HAVE_NO_POOL))
def test_a_pooled_connection_stays_what_it_was_until_it_is_retired(world: World, client: str) -> None:
    driver = world.drive(client, world.tls(), world.serve(client))
    first = driver.get()
    world.rotate()
    settle()
    assert driver.get() == first
    driver.retire()
    assert driver.get().connection != first.connection


@every
def test_a_ca_that_is_trusted_no_longer_vouches_for_nobody(world: World, client: str) -> None:
    driver = world.drive(client, world.tls(), world.serve(client))
    driver.get()
    after = CA("Next CA")
    world.trust(after)
    settle()
    driver.retire()
    assert UNTRUSTED.search(refused(driver))
    assert refused(world.drive(client, world.tls(), world.serve(client, after.issue("localhost")))) == ""


@every
def test_rotation_under_load_fails_no_connection(world: World, client: str) -> None:
    tls, port = world.tls(), world.serve(client)
    load = [Load(world, client, tls, port) for _ in range(3)]
    end = time.monotonic() + LOAD_S
    serial = ""
    while time.monotonic() < end or len({one for each in load for one in each.serials}) <= 5:
        serial = world.rotate()
        time.sleep(0.02)
    faults = [fault for one in load for fault in one.stop()]
    assert faults == []
    settle()
    assert world.drive(client, tls, port).get().serial == serial


class Load:
    """A thread that opens connection after connection."""

    def __init__(self, world: World, client: str, tls: ClientTLS, port: int) -> None:
        self.driver = world.drive(client, tls, port)
        self.serials: set[str] = set()
        self.faults: list[str] = []
        self.is_over = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        world.stack.callback(self.stop)

    def _run(self) -> None:
        while not self.is_over:
            self.driver.retire()
            fault = refused(self.driver, self.serials)
            if fault:
                self.faults.append(fault)

    def stop(self) -> list[str]:
        self.is_over = True
        self.thread.join()
        return self.faults
