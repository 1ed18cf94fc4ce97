"""Leases behind a real proxy with a cache: it gives the same one to all of its machine, so none of them ends it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.agent import auto_auth, run_proxy
from tests.servers.database import Database, set_up_database
from tests.servers.space import Space
from wellkept import Secret, Settings, close, load
from wellkept.secret import State

pytestmark = pytest.mark.timeout(180)

DRAIN_S = 0.5
PROXY = """
vault {{
  address = "{address}"
  ca_cert = "{ca_file}"
  namespace = "{name}"
}}
{auto_auth}
cache {{}}
api_proxy {{
  use_auto_auth_token = true
}}
listener "unix" {{
  address = "{socket}"
  tls_disable = true
  require_request_header = true
}}
"""
OTHER = """
import sys
from wellkept import Secret, Settings, load

class App(Settings):
    db: Secret[dict[str, str]]

print(load(App, files=[sys.argv[1]], redact=False).db.reveal()["username"])
"""


class App(Settings):
    db: Secret[dict[str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "Config.toml"
    text = f'db = "${{vault:database/creds/app}}"\n[wellkept]\ndrain = "{DRAIN_S * 1000:.0f}ms"\n'
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def environ(space: Space, database: Database, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What leads to a proxy with a cache, which has the token."""
    set_up_database(space, database, default_ttl="600s", max_ttl="1200s")
    socket = tmp_path / "proxy.sock"
    text = PROXY.format(
        address=space.address,
        ca_file=space.ca_file,
        name=space.name,
        auto_auth=auto_auth(space, tmp_path),
        socket=socket,
    )
    with run_proxy(text, tmp_path) as proxy:
        proxy.wait_for_login(socket)
        yield {"VAULT_AGENT_ADDR": f"unix://{socket}", "HOME": str(tmp_path), "VAULT_NAMESPACE": space.name}


def load_again(config: Path, environ: dict[str, str], _app: App) -> None:
    close(load(App, files=[config], environ=environ, redact=False))


def refresh(_config: Path, _environ: dict[str, str], app: App) -> None:
    time.sleep(0.6)  # an answer of the last half second is good enough
    assert app.db.refresh()


def end_another_process(config: Path, environ: dict[str, str], app: App) -> None:
    own = {**os.environ, **environ}
    made = subprocess.run([sys.executable, "-c", OTHER, config], capture_output=True, text=True, env=own, check=True)
    assert made.stdout.strip() == app.db.reveal()["username"], "both have one user"


@pytest.mark.parametrize("what", [load_again, refresh, end_another_process])
def test_the_user_in_use_stays(
    config: Path, environ: dict[str, str], database: Database, what: Callable[[Path, dict[str, str], App], None]
) -> None:
    app = load(App, files=[config], environ=environ, redact=False)
    what(config, environ, app)
    time.sleep(6 * DRAIN_S)  # what is to be ended is ended by then, or it is no fault that this finds
    assert database.has_role(app.db.reveal()["username"])
    assert app.db.state is State.FRESH
    close(app)
