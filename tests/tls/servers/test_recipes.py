"""The programs of the docs, run as they stand there: at the pace of a real service, that looks once a second."""

import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # it has no types
import pytest

from tests.servers.process import PATIENCE_S, free_port, wait_until
from tests.tls.pki import Leaf
from tests.tls.servers.clients import Refused, call, client_context, serial_of
from tests.tls.servers.folder import ServerFolder, write_by_rename
from tests.tls.servers.programs import ROOT, is_listening, paths, run

RECIPES = Path(__file__).with_name("recipes")
GUNICORN = ("-m", "gunicorn", "--no-control-socket", "-c", str(RECIPES / "django_gunicorn_conf.py"))
COMMANDS = {
    "flask_werkzeug": (str(RECIPES / "flask_werkzeug.py"),),
    "starlette_uvicorn": (str(RECIPES / "starlette_uvicorn.py"),),
    "django_gunicorn": (*GUNICORN, "django_app:application"),
    "tornado_web": (str(RECIPES / "tornado_web.py"),),
}


@contextmanager
def _started(folder: Path, *command: str) -> Generator[int]:
    port = free_port()
    with run(folder, *command, PORT=str(port), PYTHONPATH=paths(ROOT, RECIPES)) as process:
        wait_until(lambda: is_listening(port) or process.poll() is not None, command[0])
        yield port


@pytest.mark.parametrize("name", COMMANDS)
def test_a_recipe_of_the_docs_verifies_reloads_and_tells_the_peer(name: str, tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    somebody = client_context(folder.server_ca, folder.client(), tmp_path)
    nobody = client_context(folder.server_ca, None, tmp_path)
    with _started(folder.path, *COMMANDS[name]) as port:
        first = call(port, somebody, "/who")
        assert (first.status, first.serial) == (200, folder.serial)
        assert "sa/orders" in first.text
        with pytest.raises(Refused):
            call(port, nobody, "/who")
        folder.rotate(write_by_rename)
        wait_until(lambda: call(port, somebody, "/who").serial == folder.serial, "it shows the new certificate")
        new = client_context(folder.server_ca, folder.client(ca=folder.withdraw_client_ca()), tmp_path)
        wait_until(lambda: _is_refused(lambda: call(port, somebody, "/who")), "who is trusted no more is refused")
        assert "sa/orders" in call(port, new, "/who").text


def _is_refused(ask: Callable[[], object]) -> bool:
    """Whether a call is refused: one that is late is not."""
    try:
        ask()
    except Refused as refusal:
        return not any(word in str(refusal) for word in ("timed out", "DEADLINE"))
    return False


def _ask_by_grpc(port: int, folder: ServerFolder, leaf: Leaf | None) -> str:
    key, chain = (None, None) if leaf is None else (leaf.key_pem, leaf.cert_pem)
    credentials = grpc.ssl_channel_credentials(folder.server_ca.pem, key, chain)
    with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
        ask: Callable[..., bytes] = channel.unary_unary("/demo.Demo/Who")
        try:
            return ask(b"", timeout=PATIENCE_S).decode()
        except grpc.RpcError as error:
            raise Refused(error.code().name) from None


def _serial_of_grpc(port: int, context: ssl.SSLContext) -> int:
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        return serial_of(connection)


def test_the_recipe_of_a_grpc_server_verifies_reloads_and_tells_the_peer(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    old = folder.client()
    with _started(folder.path, str(RECIPES / "grpc_server.py")) as port:
        assert "sa/orders" in _ask_by_grpc(port, folder, old)
        with pytest.raises(Refused, match="UNAVAILABLE"):
            _ask_by_grpc(port, folder, None)
        folder.rotate(write_by_rename)
        client = client_context(folder.server_ca, old, tmp_path)
        wait_until(lambda: _serial_of_grpc(port, client) == folder.serial, "it shows the new certificate")
        assert "sa/orders" in _ask_by_grpc(port, folder, old)
        new = folder.client(ca=folder.withdraw_client_ca())
        wait_until(lambda: _is_refused(lambda: _ask_by_grpc(port, folder, old)), "who is trusted no more is refused")
        assert "sa/orders" in _ask_by_grpc(port, folder, new)
