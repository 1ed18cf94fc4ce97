"""How soon a change of a secret is seen: by a handle that is watched, and in the file that `bao agent` renders."""

import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

from harness import Row
from openbao import BAO, MOUNT, TOKEN, OpenBao, open_openbao, wait_until
from tls_programs import scaled

from wellkept import Secret, Settings, close, load

CHANGES: Final = 21
EVERY_S: Final = 1.0  # both look that often: the shortest interval that is sensible for the agent
GOLDEN: Final = 0.618034  # changes come at another moment of the interval each, and evenly over it
PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.001
PATH: Final = "watched/db"

AGENT: Final = """\
vault {{
  address = "{address}"
}}
auto_auth {{
  method "token_file" {{
    config = {{
      token_file_path = "{folder}/token"
    }}
  }}
}}
template_config {{
  static_secret_render_interval = "{every_s:g}s"
}}
template {{
  contents = "{{{{ with secret \\"{path}\\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}"
  destination = "{folder}/rendered"
}}
"""


class Config(Settings):
    """What is watched."""

    db_password: Secret[str]


def measure() -> list[Row]:
    """Change a secret many times, and wait each time until both have seen it."""
    with open_openbao() as server, TemporaryDirectory() as made:
        folder = Path(made)
        server.write({PATH: {"password": "at-first"}})
        file = folder / "Config.toml"
        file.write_text(f'dbPassword = "${{vault:{MOUNT}/{PATH}?ttl={EVERY_S:g}s#password}}"\n', encoding="utf-8")
        config = load(Config, files=[file], environ={"VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN}, redact=False)
        with _agent(server, folder):
            times = [_change(server, config, folder / "rendered", number) for number in range(scaled(CHANGES))]
        close(config)
    ours, theirs = ([one[number] for one in times] for number in (0, 1))
    what, peer = f"a changed secret is revealed, ttl={EVERY_S:g}s", f"bao agent, rendered every {EVERY_S:g} s"
    return [
        Row(what, median(ours), "s", peer, median(theirs), most=1.3),
        Row(f"… the slowest of {len(ours)} changes", max(ours), "s", peer, max(theirs)),
    ]


def _change(server: OpenBao, config: Config, rendered: Path, number: int) -> tuple[float, float]:
    """Seconds from a change until the handle shows it, and until the agent's file holds it.

    Raises:
        RuntimeError: the handle does not show it in time.
    """
    time.sleep(number * GOLDEN % 1 * EVERY_S)
    version, value, seen_s = config.db_password.version, f"a-password-of-32-characters-{number:04}", [0.0]
    server.write({PATH: {"password": value}})
    start = time.perf_counter()

    def look() -> None:
        wait_until(lambda: rendered.read_text(encoding="utf-8") == value, "the agent's file")
        seen_s[0] = time.perf_counter() - start

    beside = Thread(target=look)
    beside.start()
    config.db_password.wait_newer(version, PATIENCE_S)
    ours_s = time.perf_counter() - start
    if config.db_password.reveal() != value:
        raise RuntimeError(f"a change was not seen within {PATIENCE_S:g} s")
    beside.join()
    return ours_s, seen_s[0]


@contextmanager
def _agent(server: OpenBao, folder: Path) -> Generator[None]:
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    text = AGENT.format(address=server.address, folder=folder, every_s=EVERY_S, path=f"{MOUNT}/data/{PATH}")
    (folder / "agent.hcl").write_text(text, encoding="utf-8")
    command = [BAO, "agent", f"-config={folder}/agent.hcl"]
    environ = {"HOME": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as process:
        try:
            wait_until((folder / "rendered").is_file, "the agent's first file")
            yield
        finally:
            process.terminate()
