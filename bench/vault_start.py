"""What secrets of a Vault cost at the start of a process: beside `bao agent`, and pydantic-settings with hvac.

It looks into /proc, so it needs Linux.
"""

import os
import select
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from harness import PYTHON, Row, compare_processes, read_output
from openbao import BAO, HOST, MOUNT, PATIENCE_S, TOKEN, OpenBao, open_line, open_openbao, wait_until
from settings import OVERRIDES, TEN_SECRETS, TEN_TEXTS, TWENTY, write_config

RTT_MS: Final = 5
ROUNDS: Final = 9
AGENT_ROUNDS: Final = 5  # the agent takes more than two seconds to start
COUNTS: Final = (10, 100)
PROGRAMS: Final = Path(__file__).with_name("programs")
WELLKEPT: Final = str(Path(sys.executable).with_name("wellkept"))

CHILD: Final = 'echo $$ > "$0"; exec sleep 60'  # it says who it is, and stays

AGENT: Final = """\
vault {{
  address = "{address}"
}}
auto_auth {{
  method "token_file" {{
    config = {{
      token_file_path = "{token_file}"
    }}
  }}
}}
exec {{
  command = [{command}]
  restart_on_secret_changes = "never"
}}
{templates}
"""
TEMPLATE: Final = """\
env_template "{name}" {{
  contents = "{{{{ with secret \\"{path}\\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}"
  error_on_missing_key = true
}}
"""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a command that starts a child.

    Attributes:
        wall_s: from its start to the first step of the child.
        rss_kib: its memory while the child runs.
    """

    wall_s: float
    rss_kib: int


def measure() -> list[Row]:
    """Start processes that need ten secrets, and a hundred."""
    with open_openbao() as server:
        rows = [row for count in COUNTS for row in _beside_agent(server, count)]
        return rows + _beside_pydantic_settings(server)


def _beside_agent(server: OpenBao, count: int) -> list[Row]:
    """Compare `wellkept run` with `bao agent`, which stays beside the child."""
    values = {f"SECRET_{number}": f"a-password-of-32-characters-{number:04}" for number in range(count)}
    server.write({f"run/{name}": {"password": value} for name, value in values.items()})
    references = {name: f"${{vault:{MOUNT}/run/{name}#password}}" for name in values}
    environ = {"VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN, **references}
    with TemporaryDirectory() as folder:
        said = str(Path(folder, "said"))
        os.mkfifo(said)
        child = (_sh(), "-c", CHILD, said)
        agent = (BAO, "agent", f"-config={_agent_config(folder, server, list(values), child)}")
        commands = {"wellkept": ((WELLKEPT, "run", "--", *child), environ), "agent": (agent, {"HOME": folder})}
        for command, variables in commands.values():  # an untimed start each, to see that they do the same
            _start(command, variables, said, expected=values)
        starts: dict[str, list[Start]] = {name: [] for name in commands}
        for _ in range(AGENT_ROUNDS):
            for name, (command, variables) in commands.items():
                starts[name].append(_start(command, variables, said))
        peak = (*PYTHON, str(PROGRAMS / "peak_before_exec.py"), "run", "--", _true())
        peaks_kib = [int(read_output(peak, environ=environ)) for _ in range(AGENT_ROUNDS)]
    ours_s, theirs_s = (median(one.wall_s for one in starts[name]) for name in commands)
    rss_mib = median(one.rss_kib for one in starts["agent"]) / 1024
    what = f"`wellkept run`, {count} Vault secrets"
    return [
        Row(f"{what}, start to child", ours_s * 1e3, "ms", "bao agent", theirs_s * 1e3, most_ratio=0.05),
        Row(f"{what}, peak memory", median(peaks_kib) / 1024, "MiB", "bao agent", rss_mib, most_ratio=0.333),
    ]


def _start(
    command: Sequence[str], variables: Mapping[str, str], said: str, *, expected: Mapping[str, str] | None = None
) -> Start:
    """Start a command, wait for its child, look at both, and end them.

    Args:
        command: what to start.
        variables: its variables beside PATH.
        said: the FIFO into which the child writes its process id.
        expected: variables that the child must have, or None for no look.

    Raises:
        RuntimeError: there is no child in time, or it lacks a variable.
    """
    environ = {"PATH": os.environ.get("PATH", os.defpath), **variables}
    heard = os.open(said, os.O_RDWR)  # for writing, too: else it would end with its first writer
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ready, _, _ = select.select([heard], [], [], PATIENCE_S)
        wall_s = time.perf_counter() - start
        if not ready:
            raise RuntimeError(f"{command[0]} started no child within {PATIENCE_S:g} s")
        child = int(os.read(heard, 64))
        if expected is not None:
            wait_until(lambda: expected.items() <= _environ_of(child).items(), f"the child of {command[0]}")
        return Start(wall_s, _rss_kib(process.pid))
    finally:
        os.close(heard)
        process.terminate()
        process.wait()


def _agent_config(folder: str, server: OpenBao, names: Sequence[str], child: Sequence[str]) -> Path:
    token_file = Path(folder, "token")
    token_file.write_text(TOKEN, encoding="utf-8")
    quoted = ", ".join('"' + one.replace('"', '\\"') + '"' for one in child)
    templates = "".join(TEMPLATE.format(name=name, path=f"{MOUNT}/data/run/{name}") for name in names)
    text = AGENT.format(address=server.address, token_file=token_file, command=quoted, templates=templates)
    path = Path(folder, "agent.hcl")
    path.write_text(text, encoding="utf-8")
    return path


def _beside_pydantic_settings(server: OpenBao) -> list[Row]:
    """Compare times from start to end, with the interpreter's own start, here and at 5 ms.

    Raises:
        RuntimeError: the programs did not read the same values.
    """
    secrets: Mapping[str, str] = tomllib.loads(TEN_SECRETS)
    server.write({f"payments/{name}": {"value": value} for name, value in secrets.items()})
    references = "".join(f'{name} = "${{vault:{MOUNT}/payments/{name}#value}}"\n' for name in secrets)
    programs = {name: (*PYTHON, str(PROGRAMS / f"vault_{name}.py")) for name in ("wellkept", "pydantic_settings")}
    rows: list[Row] = []
    with TemporaryDirectory() as folder, open_line(server.port, RTT_MS) as far:
        write_config(folder, text=TWENTY + TEN_TEXTS + references)
        for port, way in ((server.port, ""), (far, f", +{RTT_MS} ms")):
            environ = {**OVERRIDES, "VAULT_ADDR": f"http://{HOST}:{port}", "VAULT_TOKEN": TOKEN}
            ours, theirs = (
                sorted(read_output(program, folder=folder, environ=environ).splitlines())
                for program in programs.values()
            )
            if ours != theirs:
                raise RuntimeError("pydantic-settings reads other values than wellkept")
            costs = compare_processes(programs, folder=folder, environ=environ, rounds=ROUNDS)
            walls_ms = [costs[name].wall_ms for name in programs]
            what = f"a process with 30 settings, 10 Vault secrets{way}"
            rows.append(Row(what, walls_ms[0], "ms", "pydantic-settings, hvac", walls_ms[1], most_ratio=0.4))
    return rows


def _environ_of(process_id: int) -> Mapping[str, str]:
    variables = Path(f"/proc/{process_id}/environ").read_text(encoding="utf-8").split("\0")
    return {name: value for name, _, value in (one.partition("=") for one in variables)}


def _rss_kib(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def _sh() -> str:
    return shutil.which("sh") or "/bin/sh"


def _true() -> str:
    return shutil.which("true") or "/bin/true"
