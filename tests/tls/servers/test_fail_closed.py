"""What must never get an answer gets not one byte of it, from any server, and whenever it shakes hands.

With the servers' own options, naming the CA of the clients was not enough: uvicorn, hypercorn and gunicorn
answered 200 to a client without a certificate.
"""

import socket
import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.process import PATIENCE_S, wait_until
from tests.tls.pki import CA, DAY, Leaf
from tests.tls.servers.clients import Refused, call, call_plainly, client_context
from tests.tls.servers.folder import CLIENT, ServerFolder
from tests.tls.servers.programs import PROGRAMS, run, started

SOMEBODY_ELSE = "spiffe://prod/ns/shop/sa/billing"
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nobody_who_is_not_allowed_gets_a_byte_of_an_answer(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    good = client_context(folder.server_ca, folder.client(), tmp_path)
    answers: list[str] = []
    with started(name, folder.path, "--allow", "spiffe://prod/ns/*/sa/orders") as port:
        for who, leaf in _uninvited(folder).items():
            for version, number in VERSIONS.items():
                try:
                    call(port, client_context(folder.server_ca, leaf, tmp_path, number))
                except Refused:
                    continue
                answers.append(f"{who}, TLS {version}")
        plain = call_plainly(port)
        invited = call(port, good).status
    assert answers == []
    assert b"200" not in plain
    assert b"ok" not in plain
    assert invited == 200


def _uninvited(folder: ServerFolder) -> dict[str, Leaf | None]:
    foreign = CA("Client CA")
    ca = folder.client_ca
    return {
        "without a certificate": None,
        "of a CA with the same name": folder.client(ca=foreign),
        "expired": ca.issue(uris=[CLIENT], server=False, not_before=-2 * DAY, not_after=-DAY),
        "not yet valid": ca.issue(uris=[CLIENT], server=False, not_before=timedelta(days=1)),
        "for servers only": ca.issue(uris=[CLIENT], client=False),
        "not in allow": folder.client(SOMEBODY_ELSE),
    }


@pytest.mark.parametrize("kind", ["sync", "gthread", "asgi", "uvicorn"])
def test_gunicorn_does_not_start_to_serve_without_tls_when_a_file_is_broken(kind: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    (folder.path / "server.key").write_bytes(b"")
    arguments = ("-m", "tests.tls.servers.gunicorn_run", "--folder", str(folder.path), "--kind", kind)
    with run(folder.path, *arguments) as process:
        assert process.wait(50) != 0
    log = (folder.path / "log").read_text()
    assert "server.key: " in log
    assert "it is empty" in log
    assert "Listening" not in log


def test_an_idle_connection_does_not_stop_the_others_of_http_server(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path)
    with (
        started("http.server", folder.path, "--handshake-timeout", "120") as port,
        socket.create_connection(("127.0.0.1", port)),
    ):
        assert call(port, context).text == "ok"


@pytest.mark.parametrize("name", ["gunicorn-sync", "http.server"])
def test_an_idle_connection_ends_with_the_handshake_timeout(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    context = client_context(folder.server_ca, folder.client(), tmp_path)
    with started(name, folder.path, "--handshake-timeout", "0.5") as port:
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as idle:
            assert idle.recv(1) == b""
        assert time.monotonic() - begun > 0.3
        wait_until(lambda: _is_answered(port, context), "somebody else is answered")


def _is_answered(port: int, context: ssl.SSLContext) -> bool:
    """Whether a call is answered: on a busy machine it may take longer than that handshake may."""
    try:
        return call(port, context).text == "ok"
    except Refused:
        return False
