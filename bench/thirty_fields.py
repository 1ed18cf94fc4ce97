"""Thirty settings from Config.toml and the environment: a whole process, beside two peers."""

from pathlib import Path
from tempfile import TemporaryDirectory

from harness import BARE, PYTHON, Row, compare_processes, read_output
from settings import OVERRIDES, write_config

PEERS = {"pydantic-settings": 0.4, "dynaconf": 0.6}  # the most that our time may be of theirs


def measure() -> list[Row]:
    """Compare times from start to end, less those of an interpreter that does nothing.

    Raises:
        RuntimeError: the programs did not read the same values.
    """
    programs = {name: _program(name) for name in ("wellkept", *PEERS)}
    with TemporaryDirectory() as folder:
        write_config(folder)
        said = {
            name: sorted(read_output(program, folder=folder, environ=OVERRIDES).splitlines())
            for name, program in programs.items()
        }
        differs = [name for name in PEERS if said[name] != said["wellkept"]]
        if differs:
            raise RuntimeError(f"{differs[0]} reads other values than wellkept")
        costs = compare_processes({"bare": BARE, **programs}, folder=folder, environ=OVERRIDES)
    net = {name: costs[name] - costs["bare"] for name in programs}
    ours = net["wellkept"]
    return [
        *(
            Row("a process with 30 settings, wall", ours.wall_ms, "ms", peer, net[peer].wall_ms, most_ratio=most_ratio)
            for peer, most_ratio in PEERS.items()
        ),
        *(Row("a process with 30 settings, CPU", ours.cpu_ms, "ms", peer, net[peer].cpu_ms) for peer in PEERS),
    ]


def _program(name: str) -> tuple[str, ...]:
    path = Path(__file__).with_name("programs") / f"thirty_{name.replace('-', '_')}.py"
    return (*PYTHON, str(path))
