"""What a thousand secrets cost a process while nothing happens to them: processor time and memory.

It looks into /proc, so it needs Linux.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from harness import Row
from openbao import MOUNT, ROOT, TOKEN, open_openbao
from tls_programs import scaled

SECRETS: Final = 1_000
STEADY_S: Final = 60  # six looks at a backend, and thirty at files
BESIDE: Final = 3  # processes of each kind, all at the same time: they wait nearly always
PATH: Final = "many/s{:04}"


@dataclass(frozen=True, slots=True)
class Held:
    """What it cost a process to hold its secrets.

    Attributes:
        share: of one core, in percent.
        rss_mib: its memory at the end.
    """

    share: float
    rss_mib: float


def measure() -> list[Row]:
    """Watch a thousand secrets of a backend, and a thousand files of a mount; beside programs that only hold them."""
    with open_openbao() as server, TemporaryDirectory() as made:
        server.write({PATH.format(number): {"password": _value(number)} for number in range(SECRETS)})
        file, mount = Path(made, "Config.toml"), Path(made, "mount")
        file.write_text(_references(), encoding="utf-8")
        _write_mount(mount)
        environ = {"PATH": os.environ.get("PATH", os.defpath), "VAULT_ADDR": server.address, "VAULT_TOKEN": TOKEN}
        kinds = {f"{place} {kind}": (place, kind) for place in (file, mount) for kind in ("watched", "closed")}
        processes = {
            name: [_start(place, kind, environ) for _ in range(BESIDE)] for name, (place, kind) in kinds.items()
        }
        held = {name: [_ended(one) for one in each] for name, each in processes.items()}
    return [
        row
        for place, what in ((file, "secrets of one OpenBao folder"), (mount, "files of a Kubernetes mount"))
        for row in _rows(f"{SECRETS:,} watched {what}", held[f"{place} watched"], held[f"{place} closed"])
    ]


def _rows(what: str, watched: list[Held], closed: list[Held]) -> list[Row]:
    ours_mib, theirs_mib = (median(one.rss_mib for one in each) for each in (watched, closed))
    share = median(one.share for one in watched)
    return [
        Row(f"{what}, steady: CPU of a core", share, "%", most=0.5),
        Row(f"{what}: memory over the same program without", ours_mib - theirs_mib, "MiB", most=12),
        Row("… all of it", ours_mib, "MiB", "the same, closed", theirs_mib),
    ]


def _start(config: Path, kind: str, environ: Mapping[str, str]) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-m",
        "bench.programs.refresh_cost",
        str(SECRETS),
        str(scaled(STEADY_S)),
        kind,
        str(config),
    ]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)


def _ended(process: "subprocess.Popen[str]") -> Held:
    """What a program found out.

    Raises:
        RuntimeError: it failed, or read something else than what was written.
    """
    printed, _ = process.communicate()
    told = json.loads(printed) if process.returncode == 0 else {}
    if told.get("length") != sum(len(_value(number)) for number in range(SECRETS)):
        raise RuntimeError("bench.programs.refresh_cost failed")
    return Held(told["cpu_s"] / told["wall_s"] * 100, told["rss_kib"] / 1024)


def _write_mount(mount: Path) -> None:
    """A Secret as Kubernetes mounts it: each file is a link into `..data`, which is a link, too."""
    data = mount / "..2026_01_01"
    data.mkdir(parents=True)
    (mount / "..data").symlink_to(data.name)
    for number in range(SECRETS):
        name = f"setting_{number}"
        (data / name).write_text(_value(number), encoding="utf-8")
        (data / name).chmod(0o600)
        (mount / name).symlink_to(f"..data/{name}")


def _references() -> str:
    lines = [f'setting_{number} = "${{vault:{MOUNT}/{PATH.format(number)}#password}}"\n' for number in range(SECRETS)]
    return "".join(lines)


def _value(number: int) -> str:
    return f"a-password-of-32-characters-{number:04}"
