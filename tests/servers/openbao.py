"""A real OpenBao: TLS, in memory, unsealed and set up by itself, or sealed by hand.

    with run_openbao(authority) as server:
        space = server.namespace()
        space.put("secret/prod/db", password="db-CANARY")

`tests/servers/fixtures.py` offers it as fixtures.
"""

import json
import secrets
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final

from tests.servers.certificates import HOST, Authority
from tests.servers.process import NotStarted, bao_binary, end, free_port, held_still, running, wait_until
from tests.servers.space import ALL, Space

__all__ = ["ROOT_TOKEN", "OpenBao", "SealedOpenBao", "Space", "run_openbao", "run_sealed_openbao"]

ROOT_TOKEN: Final = "root-CANARY-token"

_TIMEOUT_S: Final = 30.0
_ATTEMPTS: Final = 3  # another process may take a free port before the server does
_LISTENS: Final = b"server started!"

# One attribute a line: OpenBao's reader refuses two.
_SERVER: Final = """\
storage "inmem" {{}}
listener "tcp" {{
  address = "{host}:{port}"
  cluster_address = "{host}:{cluster_port}"
  tls_cert_file = "{cert_file}"
  tls_key_file = "{key_file}"
}}
api_addr = "https://{host}:{port}"
cluster_addr = "https://{host}:{cluster_port}"
log_level = "warn"
"""
_UNSEALED: Final = """\
seal "static" {{
  current_key_id = "k1"
  current_key = "{key}"
}}
initialize "setup" {{
  request "token" {{
    operation = "update"
    path = "auth/token/create"
    data = {{ id = "{token}", policies = ["root"], no_parent = true }}
  }}
}}
"""


class OpenBao:
    """A server that runs.

    Attributes:
        port: where it speaks TLS.
        address: the same as a URL.
        ca_file: PEM path of the CA that it is trusted by.
        token: of root; it holds a canary.
        process: the server itself.
        folder: its home, with its configuration and its `log`; it goes with the server.
    """

    def __init__(self, port: int, authority: Authority, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        """Talk to a server that is being started."""
        self.port = port
        self.address = f"https://{HOST}:{port}"
        self.ca_file = authority.ca_file
        self.token = ROOT_TOKEN
        self.process = process
        self.folder = folder
        self._connection = HTTPSConnection(HOST, port, timeout=_TIMEOUT_S, context=authority.client_context())
        self._lock = Lock()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str | None = None,
        namespace: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One request: its status, and what it says.

        Args:
            method: of HTTP, or `LIST` and `SCAN`.
            path: what follows `/v1/`.
            body: sent as JSON.
            token: instead of that of root; `""` sends none.
            namespace: where the path begins.
            headers: more of them; they win.
            context: goes over a connection of its own, that may show a client certificate.
        """
        used = self.token if token is None else token
        known = {"X-Vault-Token": used, "X-Vault-Namespace": namespace or "", "Content-Type": "application/json"}
        sent = {name: text for name, text in known.items() if text} | dict(headers or {})
        text = None if body is None else json.dumps(body)
        if context is not None:
            own = HTTPSConnection(HOST, self.port, timeout=_TIMEOUT_S, context=context)
            return _call(own, method, path, text, {**sent, "Connection": "close"})
        with self._lock:
            is_kept = self._connection.sock is not None
            try:
                return _call(self._connection, method, path, text, sent)
            except (OSError, HTTPException) as problem:
                self._connection.close()
                if not is_kept or not isinstance(problem, (ConnectionError, ssl.SSLEOFError)):
                    raise
            return _call(self._connection, method, path, text, sent)  # the server had closed it meanwhile

    def namespace(self) -> Space:
        """A new namespace for one test, and a token that may do everything in it."""
        space = Space(self, f"ns-{secrets.token_hex(6)}", f"space-CANARY-{secrets.token_hex(12)}")
        root = Space(self, "", self.token)
        root.do("POST", f"sys/namespaces/{space.name}", {})
        # A token inside of a namespace cannot have a text of our choice, so this one looks in from outside.
        root.policy(space.name, f'path "{space.name}/*" {{\n  capabilities = {ALL}\n}}\n')
        root.do("POST", "auth/token/create", {"id": space.token, "policies": [space.name], "no_parent": True})
        space.mount("secret", version=2)
        space.mount("kv1", version=1)
        return space

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class SealedOpenBao(OpenBao):
    """A server with a seal of Shamir's kind, that a test may seal, unseal, stall and stop."""

    def __init__(self, port: int, authority: Authority, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        """Talk to a server that has not been set up."""
        super().__init__(port, authority, process, folder)
        self._key = ""

    def initialize(self) -> None:
        """Set the server up, with one key; it is unsealed then."""
        status, made = self.call("POST", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token="")
        if status != 200:
            raise NotStarted(f"sys/init: {status}")
        self._key = made["keys_base64"][0]
        self.unseal()
        root = {"id": self.token, "policies": ["root"], "no_parent": True}
        self.call("POST", "auth/token/create", root, token=made["root_token"])
        for path, version in (("secret", 2), ("kv1", 1)):
            Space(self, "", self.token).mount(path, version)

    def seal(self) -> None:
        """Seal it: it answers everything with 503."""
        self.call("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal it, and wait until it is ready."""
        self.call("PUT", "sys/unseal", {"key": self._key}, token="")
        wait_until(lambda: self.call("GET", "sys/health", token="")[0] == 200, "unsealing")

    @contextmanager
    def stalled(self) -> Generator[None]:
        """Hold the process still: the kernel takes connections, and nobody answers."""
        with held_still(self.process.pid):
            yield

    def stop(self) -> None:
        """End the server: connections are refused."""
        self.close()
        end(self.process)


@contextmanager
def run_openbao(authority: Authority) -> Generator[OpenBao]:
    """A server that unseals and sets itself up: ready about 0.2 s after its start.

    Raises:
        NotStarted: it is not installed, or does not start.
    """
    with ExitStack() as stack:
        key = b64encode(secrets.token_bytes(32)).decode()
        seal = _UNSEALED.format(key=key, token=ROOT_TOKEN)
        server = OpenBao(*_started(stack, authority, seal))
        stack.callback(server.close)
        _wait(lambda: server.call("GET", "auth/token/lookup-self")[0] == 200)
        yield server


@contextmanager
def run_sealed_openbao(authority: Authority) -> Generator[SealedOpenBao]:
    """A server with a key of its own; it is unsealed at first, and has the mounts `secret` and `kv1`.

    Raises:
        NotStarted: it is not installed, or does not start.
    """
    with ExitStack() as stack:
        server = SealedOpenBao(*_started(stack, authority, ""))
        stack.callback(server.close)
        _wait(lambda: server.call("GET", "sys/init", token="")[0] == 200)
        server.initialize()
        yield server


def _started(
    stack: ExitStack, authority: Authority, seal: str
) -> tuple[int, Authority, "subprocess.Popen[bytes]", Path]:
    """A server that listens; it ends with the stack."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="openbao-")))
    certificate = authority.server()
    for _ in range(_ATTEMPTS):
        port = free_port()
        text = _SERVER.format(
            host=HOST,
            port=port,
            cluster_port=free_port(),
            cert_file=certificate.cert_file,
            key_file=certificate.key_file,
        )
        process = _listening(stack, folder, text + seal)
        if process is not None:
            return port, authority, process, folder
    raise NotStarted(f"bao server ended at once:\n{(folder / 'log').read_text('utf-8')}")


def _listening(stack: ExitStack, folder: Path, text: str) -> "subprocess.Popen[bytes] | None":
    """A process with this configuration that listens, or nothing if it ended."""
    config, log_file = folder / "server.hcl", folder / "log"
    config.write_text(text, "utf-8")
    command: list[str | Path] = [bao_binary(), "server", "-config", config]
    process = stack.enter_context(running(command, log_file=log_file, environ={"HOME": str(folder)}))
    wait_until(lambda: process.poll() is not None or _LISTENS in log_file.read_bytes(), "bao server")
    return process if process.poll() is None else None


def _wait(is_ready: Callable[[], bool]) -> None:
    def answers() -> bool:
        with suppress(OSError, HTTPException):
            return is_ready()
        return False

    wait_until(answers, "OpenBao")


def _call(
    connection: HTTPSConnection, method: str, path: str, text: str | None, headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    connection.request(method, f"/v1/{path}", text, dict(headers))
    answer = connection.getresponse()
    content = answer.read()
    said: dict[str, Any] = json.loads(content) if content else {}
    return answer.status, said
