"""The page's one sentence on the Vault Agent sidecar: a real agent gives files, or the environment.

Rendered files are read as they are, with what agents get wrong by default said out loud; a
program that the agent starts finds its settings under the page's names and under Ballerina's.
"""

import json
import sys
from pathlib import Path

import pytest

from tests.servers.agent import Agent, auto_auth, run_agent
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, load
from wellkept.errors import InsecurePermissions

# What a template without toJSON makes a broken file of, and one without replaceAll a reference.
ODD = 'CANARY"quoted" \\ ${env:NOTHING} and\nnew line'

# The page's file, and how an agent is told to write it well: quoted, complete, and for its owner only.
WELL = """\
template {{
  destination = "{file}"
  perms = "0600"
  error_on_missing_key = true
  contents = <<EOT
{{{{- with secret "secret/data/prod/db" -}}}}
dbPassword = {{{{ .Data.data.password | replaceAll "${{" "$${{" | toJSON }}}}
apiKey = {{{{ .Data.data.api_key | replaceAll "${{" "$${{" | toJSON }}}}
{{{{- end }}}}
EOT
}}
"""

# The same as the first hit of a search has it.
BADLY = """\
template {{
  destination = "{file}"
  contents = <<EOT
{{{{ with secret "secret/data/prod/db" }}}}
dbPassword = "{{{{ .Data.data.password }}}}"
apiKey = "{{{{ .Data.data.api_key }}}}"
{{{{ end }}}}
EOT
}}
"""

CHILD = """\
import sys
from wellkept import Secret, Settings, load

class App(Settings):
    db_password: Secret[str]

config = load(App)
with open(sys.argv[1], "w") as file:
    file.write(f"{config.db_password.origin}\\n{config.db_password.reveal()}")
"""


class App(Settings):
    """The page's two configurables."""

    db_password: Secret[str]
    api_key: Secret[str]


class OneFile(Settings):
    """What a file of the agent holds, by its path."""

    db_password: Secret[str]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def agent_text(space: Space, folder: Path, text: str) -> str:
    """The configuration of an agent that logs in, looks every second, and does what the text says."""
    config = 'template_config {\n  static_secret_render_interval = "1s"\n}\n'
    return f"{auto_auth(space, folder)}{config}{text}"


def wait_for(agent: Agent, file: Path, text: str) -> None:
    """Wait until a file is there, whole, with a text in it."""
    agent.wait_until(lambda: file.exists() and text in file.read_text("utf-8"), f"{file.name} is written")


def test_a_rendered_config_toml_is_read_and_the_next_load_sees_what_changed(space: Space, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    space.put("secret/prod/db", password=ODD, api_key="CANARY-key-1")
    text = agent_text(space, tmp_path, WELL.format(file=file))
    with run_agent(text, tmp_path, environ=space.environ("")) as agent:
        wait_for(agent, file, "CANARY-key-1")
        first = load(App, environ={}, redact=False, strict_permissions=True)
        assert (first.db_password.reveal(), first.api_key.reveal()) == (ODD, "CANARY-key-1")
        before = file.stat()
        space.put("secret/prod/db", password="CANARY-second", api_key="CANARY-key-2")
        wait_for(agent, file, "CANARY-key-2")
        second = load(App, environ={}, redact=False, strict_permissions=True)
    assert (second.db_password.reveal(), second.api_key.reveal()) == ("CANARY-second", "CANARY-key-2")
    assert first.db_password.reveal() == ODD  # a load is a moment
    assert before.st_mode & 0o777 == 0o600
    assert file.stat().st_ino != before.st_ino  # a file is written beside it and renamed: who holds the old one sees it


def test_a_reference_to_a_rendered_file_follows_it_by_its_path(space: Space, tmp_path: Path) -> None:
    file = tmp_path / "db.secret"
    space.put("secret/prod/db", password="CANARY-first", api_key="CANARY-key")
    contents = '{{- with secret \\"secret/data/prod/db\\" -}}{{ .Data.data.password }}{{- end -}}'
    template = f'template {{\n  destination = "{file}"\n  perms = "0600"\n  contents = "{contents}"\n}}\n'
    environ = {"BAL_CONFIG_VAR_DB_PASSWORD": f"${{file:{file}}}"}
    with run_agent(agent_text(space, tmp_path, template), tmp_path, environ=space.environ("")) as agent:
        wait_for(agent, file, "CANARY-first")
        assert load(OneFile, environ=environ, redact=False).db_password.reveal() == "CANARY-first"
        space.put("secret/prod/db", password="CANARY-second")
        wait_for(agent, file, "CANARY-second")
        assert load(OneFile, environ=environ, redact=False).db_password.reveal() == "CANARY-second"


def test_the_agents_own_mode_lets_others_read_and_that_is_a_warning(space: Space, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    space.put("secret/prod/db", password="CANARY-first", api_key="CANARY-key")
    text = agent_text(space, tmp_path, BADLY.format(file=file))
    with run_agent(text, tmp_path, environ=space.environ("")) as agent:
        wait_for(agent, file, "CANARY-key")
    assert file.stat().st_mode & 0o777 == 0o644
    with pytest.warns(InsecurePermissions, match="Config.toml: holds secrets and can be read by other users"):
        assert load(App, environ={}, redact=False).api_key.reveal() == "CANARY-key"


def test_a_key_that_the_agent_did_not_find_is_an_error_with_its_place(space: Space, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    space.put("secret/prod/db", password="CANARY-first")
    text = agent_text(space, tmp_path, BADLY.format(file=file))
    with run_agent(text, tmp_path, environ=space.environ("")) as agent:
        wait_for(agent, file, "apiKey")
    with pytest.raises(ConfigError) as caught:
        load(App, environ={}, redact=False)
    (problem,) = caught.value.problems
    assert (problem.setting, problem.place) == ("api_key", "Config.toml:3:10")
    assert problem.message == "was rendered from a key that does not exist"
    assert "error_on_missing_key" in problem.hint


def test_an_agent_that_is_told_so_writes_no_file_without_the_key(space: Space, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    space.put("secret/prod/db", password="CANARY-first")
    text = agent_text(space, tmp_path, WELL.format(file=file))
    with run_agent(text, tmp_path, environ=space.environ("")) as agent:
        agent.wait_until(lambda: "map has no entry for key" in agent.log_file.read_text("utf-8"), "a fault in the log")
        assert not file.exists()


@pytest.mark.parametrize("name", ["BAL_CONFIG_VAR_DB_PASSWORD", "BAL_CONFIG_VAR_DBPASSWORD"])
def test_a_program_that_the_agent_starts_finds_its_setting(space: Space, tmp_path: Path, name: str) -> None:
    seen = tmp_path / "seen.secret"
    space.put("secret/prod/db", password=ODD)
    with run_agent(child_text(space, tmp_path, name, seen), tmp_path, environ=space.environ("")) as agent:
        agent.process.wait(20)
    assert seen.read_text("utf-8") == f"env {name}\n{ODD}"
    assert agent.process.returncode == 0
    assert "CANARY" not in agent.log_file.read_text("utf-8")


def child_text(space: Space, folder: Path, name: str, seen: Path) -> str:
    (folder / "app.py").write_text(CHILD, encoding="utf-8")
    contents = '{{ with secret \\"secret/data/prod/db\\" }}{{ .Data.data.password }}{{ end }}'
    command = json.dumps([sys.executable, str(folder / "app.py"), str(seen)])
    program = f'env_template "{name}" {{\n  contents = "{contents}"\n  error_on_missing_key = true\n}}\n'
    program += f'env_template "WELLKEPT_RESOLVED" {{\n  contents = "{name}"\n}}\n'  # what it names is final
    return agent_text(space, folder, f"{program}exec {{\n  command = {command}\n}}\n")
