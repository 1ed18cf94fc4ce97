"""TLS sessions and reloads: one of an older bundle is dropped, never an error, and never a way round the new trust."""

import http.client
import socket
import ssl
from dataclasses import dataclass

import pytest

from tests.servers.process import PATIENCE_S
from tests.tls.clients.conftest import World, settle
from tests.tls.clients.server import Seen, seen_of
from tests.tls.pki import CA
from wellkept.tls.client import ClientTLS

versions = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@dataclass
class Call:
    """One connection, when it is over."""

    seen: Seen
    session: ssl.SSLSession | None
    is_resumed: bool


def call(tls: ClientTLS, port: int, session: ssl.SSLSession | None = None) -> Call:
    """Ask once, on a connection that begins with a session."""
    plain = socket.create_connection(("localhost", port), timeout=PATIENCE_S)
    with tls.context().wrap_socket(plain, server_hostname="localhost", session=session) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        seen = seen_of(answer.read())
        return Call(seen, connection.session, bool(connection.session_reused))


@versions
def test_a_session_of_the_same_bundle_is_resumed(world: World, newest: ssl.TLSVersion) -> None:
    tls, port = world.tls(), world.serve("ssl", newest=newest)
    first = call(tls, port)
    again = call(tls, port, first.session)
    assert (first.is_resumed, again.is_resumed) == (False, True)
    assert again.seen.serial == first.seen.serial


@versions
def test_a_session_of_an_older_bundle_is_dropped_and_the_new_certificate_shown(
    world: World, newest: ssl.TLSVersion
) -> None:
    tls, port = world.tls(), world.serve("ssl", newest=newest)
    first = call(tls, port)
    serial = world.rotate()
    settle()
    again = call(tls, port, first.session)
    assert (again.is_resumed, again.seen.serial) == (False, serial)


@versions
def test_a_session_with_a_server_whose_ca_is_gone_does_not_let_it_in(world: World, newest: ssl.TLSVersion) -> None:
    tls, port = world.tls(), world.serve("ssl", newest=newest)
    first = call(tls, port)
    world.trust(CA("Next CA"))
    settle()
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        call(tls, port, first.session)


@versions
def test_a_session_of_a_stranger_is_dropped(world: World, newest: ssl.TLSVersion) -> None:
    port = world.serve("ssl", newest=newest)
    of_another = call(world.tls(), port).session
    assert not call(world.tls(), port, of_another).is_resumed


@versions
def test_an_event_loops_connection_drops_it_too(world: World, newest: ssl.TLSVersion) -> None:
    tls, port = world.tls(), world.serve("ssl", newest=newest)
    old = call(tls, port).session
    world.rotate()
    settle()
    made = tls.context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost", session=old)
    assert made.session is None


@versions
def test_share_session_false_resumes_nothing(world: World, newest: ssl.TLSVersion) -> None:
    tls, port = world.tls(share_session=False), world.serve("ssl", newest=newest)
    first = call(tls, port)
    assert not call(tls, port, first.session).is_resumed
