"""A real OpenBao that remembers: killed without a word and started again, on the same port, with all that it knew.

    with run_durable(authority) as server, server.killed():
        ...

Its raft storage is a folder. It takes three seconds to be ready for the first time, and a quarter of a second later on.
"""

import secrets
import subprocess
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.servers.certificates import HOST, Authority
from tests.servers.openbao import ROOT_TOKEN, OpenBao, Space
from tests.servers.process import NotStarted, bao_binary, free_port, held_still, running, wait_until

# One attribute a line: OpenBao's reader refuses two. The multiplier shortens the first election from 6 s to 2 s.
_SERVER: Final = """\
storage "raft" {{
  path = "{folder}/raft"
  node_id = "n1"
  performance_multiplier = "1"
}}
listener "tcp" {{
  address = "{host}:{port}"
  cluster_address = "{host}:{cluster_port}"
  tls_cert_file = "{cert_file}"
  tls_key_file = "{key_file}"
}}
api_addr = "https://{host}:{port}"
cluster_addr = "https://{host}:{cluster_port}"
log_level = "warn"
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


class DurableOpenBao(OpenBao):
    """A server whose process may die."""

    def __init__(self, port: int, authority: Authority, folder: Path, stack: ExitStack) -> None:
        """Start the process; `start` waits for it."""
        self._stack = stack
        self._command: list[str | Path] = [bao_binary(), "server", "-config", folder / "server.hcl"]
        super().__init__(port, authority, self._run(folder), folder)

    def start(self) -> None:
        """Start it again where it does not run, and wait until it answers."""
        if self.process.poll() is not None:
            self.process = self._run(self.folder)
        wait_until(self._answers, "OpenBao with its storage")

    @contextmanager
    def killed(self) -> Generator[None]:
        """End it as a lack of memory would, without a goodbye to anybody; at the end it is started again."""
        self.close()
        self.process.kill()
        self.process.wait()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def stalled(self) -> Generator[None]:
        """Hold the process still: the kernel takes connections, and nobody answers."""
        with held_still(self.process.pid):
            yield

    def _run(self, folder: Path) -> "subprocess.Popen[bytes]":
        log_file = folder / "log"
        return self._stack.enter_context(running(self._command, log_file=log_file, environ={"HOME": str(folder)}))

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise NotStarted(f"bao server ended:\n{(self.folder / 'log').read_text('utf-8')}")
        with suppress(OSError, HTTPException):
            # A node that is not the active one yet knows tokens already.
            return {self.call("GET", path)[0] for path in ("sys/health", "auth/token/lookup-self")} == {200}
        return False


@contextmanager
def run_durable(authority: Authority) -> Generator[DurableOpenBao]:
    """A server that is ready.

    Raises:
        NotStarted: it is not installed, or does not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="openbao-")))
        (folder / "raft").mkdir()
        certificate, port = authority.server(), free_port()
        text = _SERVER.format(
            folder=folder,
            host=HOST,
            port=port,
            cluster_port=free_port(),
            cert_file=certificate.cert_file,
            key_file=certificate.key_file,
            key=b64encode(secrets.token_bytes(32)).decode(),
            token=ROOT_TOKEN,
        )
        (folder / "server.hcl").write_text(text, "utf-8")
        server = DurableOpenBao(port, authority, folder, stack)
        stack.callback(server.close)
        server.start()
        yield server


def tokens(space: Space) -> list[str]:
    """The accessors of all tokens of a space: how often somebody has logged in stands in their number."""
    keys: list[str] = space.do("LIST", "auth/token/accessors")["data"]["keys"]
    return sorted(keys)


def tokens_of(space: Space, policy: str) -> Mapping[str, Mapping[str, Any]]:
    """What the server says of each token of a space that has a policy, by its accessor."""
    told = ((one, space.call("POST", "auth/token/lookup-accessor", {"accessor": one})) for one in tokens(space))
    return {one: said["data"] for one, (status, said) in told if status == 200 and policy in said["data"]["policies"]}
