"""A real agent renders files, runs a program with secrets, and stands between a client and the server."""

import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.servers.agent import auto_auth, run_agent, run_proxy
from tests.servers.openbao import Space
from tests.servers.process import NotStarted, free_port, wait_until

PASSWORD = '{{ with secret \\"secret/data/prod/db\\" }}{{ .Data.data.password }}{{ end }}'


@pytest.fixture
def login(space: Space, tmp_path: Path) -> str:
    """An agent's login into a space that holds `secret/prod/db`."""
    space.put("secret/prod/db", password="db-CANARY")
    return auto_auth(space, tmp_path)


def test_an_agent_renders_a_file(space: Space, login: str, tmp_path: Path) -> None:
    rendered = tmp_path / "db.secret"
    text = f'{login}\ntemplate {{\n  contents = "{PASSWORD}"\n  destination = "{rendered}"\n}}\n'
    with run_agent(text, tmp_path, environ=space.environ(token="")) as agent:
        agent.wait_for(rendered)
        assert rendered.read_text() == "db-CANARY"
    assert agent.process.returncode == 0


def test_an_agent_runs_a_program_and_ends_it(space: Space, login: str, tmp_path: Path) -> None:
    seen, pid_file = tmp_path / "seen.secret", tmp_path / "pid"
    script = f"printenv DB_PASSWORD > {seen}; echo $$ > {pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60"
    text = (
        f'{login}\nenv_template "DB_PASSWORD" {{\n  contents = "{PASSWORD}"\n}}\n'
        f'exec {{\n  command = ["/bin/sh", "-c", "{script}"]\n}}\n'
    )
    with run_agent(text, tmp_path, environ=space.environ(token="")) as agent:
        agent.wait_for(pid_file)
        assert seen.read_text() == "db-CANARY\n"
    wait_until(lambda: not Path("/proc", pid_file.read_text().strip()).exists(), "the program has ended")


def test_a_proxy_adds_its_token_on_tcp_and_on_a_unix_socket(space: Space, login: str, tmp_path: Path) -> None:
    port, path = free_port(), tmp_path / "proxy.sock"
    listeners = "\n".join(
        f'listener "{kind}" {{\n  address = "{address}"\n  tls_disable = true\n}}'
        for kind, address in (("tcp", f"127.0.0.1:{port}"), ("unix", path))
    )
    text = f"{login}\napi_proxy {{\n  use_auto_auth_token = true\n}}\n{listeners}\n"
    with run_proxy(text, tmp_path, environ=space.environ(token="")) as proxy:
        proxy.wait_for_login(path)
        local = HTTPConnection("localhost")
        local.sock = socket.socket(socket.AF_UNIX)
        local.sock.connect(str(path))
        for connection in (HTTPConnection("127.0.0.1", port), local):
            connection.request("GET", "/v1/secret/data/prod/db", headers={"X-Vault-Namespace": space.name})
            answer = connection.getresponse()
            assert (answer.status, b"db-CANARY" in answer.read()) == (200, True)
            connection.close()


@pytest.mark.usefixtures("bao")
def test_an_agent_that_ends_says_so_with_its_log(tmp_path: Path) -> None:
    with run_agent("this is no HCL", tmp_path) as agent, pytest.raises(NotStarted, match=r"(?s)ended with 1:.*HCL|hcl"):
        agent.wait_for(tmp_path / "never")
