"""A real Vault Agent or Proxy (OpenBao's): runs with a configuration until the test has seen enough."""

import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.servers.process import PATIENCE_S, NotStarted, bao_binary, running, wait_until
from tests.servers.space import Space

_AUTO_AUTH: Final = """\
auto_auth {{
  method "token_file" {{
    config = {{
      token_file_path = "{token_file}"
    }}
  }}
  sink "file" {{
    config = {{
      path = "{sink}"
    }}
  }}
}}
"""
_SINK: Final = "agent-sink.secret"


@dataclass(frozen=True, slots=True)
class Agent:
    """One that runs.

    Attributes:
        process: the agent itself; in exec mode the program that it runs is its child.
        log_file: what it, and the program that it runs, print.
    """

    process: "Popen[bytes]"
    log_file: Path

    def wait_until(self, is_so: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> None:
        """Wait until something is so.

        Raises:
            NotStarted: it is not so in time, or the agent has ended; its log stands in it.
        """

        def is_over() -> bool:
            return is_so() or self.process.poll() is not None

        wait_until(is_over, f"{what}: {self.log_file}", timeout_s=timeout_s)
        if not is_so():
            raise NotStarted(f"{what}: the agent ended with {self.process.returncode}:\n{self.log_file.read_text()}")

    def wait_for(self, file: Path, *, timeout_s: float = PATIENCE_S) -> None:
        """Wait until a file or a socket is there."""
        self.wait_until(file.exists, file.name, timeout_s=timeout_s)

    def wait_for_login(self, listens: Path) -> None:
        """Wait until it adds the token of its `auto_auth`: it listens earlier, and writes its sink earlier, too.

        Args:
            listens: its socket.
        """
        self.wait_for(self.log_file.parent / _SINK)
        self.wait_for(listens)
        self.wait_until(lambda: _knows_its_token(listens), "it adds its token")


def _knows_its_token(listens: Path) -> bool:
    """Whether a request without a token has one behind the agent: any answer but 403."""
    connection = HTTPConnection("localhost", timeout=PATIENCE_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    with closing(connection):
        connection.sock.connect(str(listens))
        connection.request("GET", "/v1/auth/token/lookup-self", headers={"X-Vault-Request": "true"})
        return connection.getresponse().status == HTTPStatus.OK


def auto_auth(space: Space, folder: Path) -> str:
    """What makes an agent log in with the token of a space, HCL; the token goes into its folder."""
    token_file = folder / "agent-token.secret"
    token_file.touch(0o600)
    token_file.write_text(space.token, "utf-8")
    return _AUTO_AUTH.format(token_file=token_file, sink=folder / _SINK)


@contextmanager
def run_agent(config_text: str, folder: Path, *, environ: Mapping[str, str] | None = None) -> Generator[Agent]:
    """Run `bao agent`; files with secrets that the text asks for belong in `*.secret`, as everywhere.

    Args:
        config_text: its configuration, HCL.
        folder: its home: `agent.hcl` and `agent.log` are written there.
        environ: all that it sees, next to `HOME` and `PATH`: `space.environ(token="")` leads it into a space.
    """
    with _run("agent", config_text, folder, environ or {}) as agent:
        yield agent


@contextmanager
def run_proxy(config_text: str, folder: Path, *, environ: Mapping[str, str] | None = None) -> Generator[Agent]:
    """Run `bao proxy`, in the same way."""
    with _run("proxy", config_text, folder, environ or {}) as proxy:
        yield proxy


@contextmanager
def _run(kind: str, config_text: str, folder: Path, environ: Mapping[str, str]) -> Generator[Agent]:
    config, log_file = folder / f"{kind}.hcl", folder / f"{kind}.log"
    config.write_text(config_text, "utf-8")
    command: list[str | Path] = [bao_binary(), kind, "-config", config]
    known = {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    with running(command, log_file=log_file, environ={**known, **environ}, grace_s=PATIENCE_S) as process:
        yield Agent(process, log_file)
