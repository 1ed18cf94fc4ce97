"""Secrets.toml: opening and reading it, a load, one `set`, and what git makes of a change; beside sops.

sops keeps the same values in a YAML file for one age key. Both files stand in repositories of
their own, where every change is a commit.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from harness import Row, compare_calls, compare_processes, compare_waits
from pyrage import x25519

from wellkept import Secret, Settings, load
from wellkept.crypto.change import with_header, with_secret
from wellkept.crypto.header import new_header, with_access
from wellkept.crypto.keys import Identity
from wellkept.crypto.opened import Opened
from wellkept.crypto.store import SecretsFile
from wellkept.crypto.text import read_text

ROUNDS = 15
BIN = Path(sys.executable).parent


def measure() -> list[Row]:
    """Measure with files of their own, which are removed at the end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        identity = Identity.new()
        environ = {"WELLKEPT_IDENTITY": identity.text(), "PATH": os.environ["PATH"], "HOME": made}
        files = {count: write_store(folder / str(count), identity, count) for count in (1, 100, 1000, 5000)}
        return [
            *_reading({count: files[count] for count in (1, 100, 5000)}, environ),
            *_loading(files[100], environ, folder),
            *_setting(files[1000], environ),
            *_merging(folder, identity, environ),
        ]


def name_of(number: int) -> str:
    """The key of one value."""
    return f"service{number // 10}.secret{number}"


def write_store(folder: Path, identity: Identity, count: int) -> Path:
    """Write a Secrets.toml with that many values."""
    folder.mkdir()
    header, key = new_header()
    header = with_access(header, key, "bench", identity.recipient, None)
    text = read_text(with_header(read_text("# of a benchmark\n"), header.values()))
    opened = Opened("Secrets.toml", text, header, key)
    paths = [tuple(name_of(number).split(".")) for number in range(count)]
    blocks = [
        f'# {".".join(path)}\n{".".join(path)} = "${{enc:1:{opened.seal(path, "-".join(path))}}}"\n' for path in paths
    ]
    path = folder / "Secrets.toml"
    path.write_text("\n".join([*blocks, *text.lines]) + "\n")
    return path


def read_all(path: Path, environ: Mapping[str, str]) -> list[object]:
    """Open a file and decrypt all that it holds."""
    opened = SecretsFile(str(path), environ).open()
    return [opened.value(entry) for (entry,) in opened.text.secrets.values()]


def _reading(files: Mapping[int, Path], environ: Mapping[str, str]) -> list[Row]:
    reach = {1: 1.0, 100: 3.0, 5000: 100.0}
    times = compare_calls({str(count): partial(read_all, path, environ) for count, path in files.items()}, calls=3)
    return [
        Row(f"Secrets.toml: open and read {count:,}", times[str(count)] * 1e3, "ms", most=reach[count])
        for count in files
    ]


def _loading(path: Path, environ: Mapping[str, str], folder: Path) -> list[Row]:
    tables = {
        f"service{group}": type(
            f"Service{group}",
            (Settings,),
            {"__annotations__": {f"secret{group * 10 + n}": Secret[str] for n in range(10)}},
        )
        for group in range(10)
    }
    config = type("Config", (Settings,), {"__annotations__": tables})
    sops = sops_file(folder, 100)
    decrypt = partial(_sops, folder, "--decrypt", str(sops))

    def us() -> Any:  # noqa: ANN401 whichever class it is
        return load(config, files=[path], environ=environ, redact=False)

    if us().service9.secret99.reveal() != "service9-secret99" or "service9-secret99" not in decrypt():
        raise RuntimeError("the two files do not hold the same")
    times = compare_waits({"us": us, "sops": decrypt}, rounds=ROUNDS)
    return [
        Row("`load`, 100 secrets of Secrets.toml", times["us"] * 1e3, "ms", "sops -d", times["sops"] * 1e3, None, 0.2)
    ]


def _setting(path: Path, environ: Mapping[str, str]) -> list[Row]:
    value = path.with_name("value")
    value.write_text("another value\n")
    before = path.read_text().splitlines()
    command = (str(BIN / "wellkept"), "set", name_of(500), "--from-file", str(value), "--file", str(path))
    cost = compare_processes({"set": command}, environ=environ, rounds=ROUNDS)["set"]
    changed = sum(one != other for one, other in zip(before, path.read_text().splitlines(), strict=True))
    return [
        Row("`wellkept set` on 1,000 secrets, wall", cost.wall_ms, "ms", most=150.0),
        Row("lines that it changes, of 1,000 secrets", changed, "", most=1.0),
    ]


def _merging(folder: Path, identity: Identity, environ: Mapping[str, str]) -> list[Row]:
    ours, theirs = folder / "ours", folder / "sops"
    path = write_store(ours, identity, 100)
    (ours / ".gitattributes").write_text("Secrets*.toml merge=union diff=wellkept\n")
    sops = sops_file(theirs, 100)

    def set_ours(name: str) -> None:
        def edit(opened: Opened) -> str:
            steps = tuple(name.split("."))
            return with_secret(opened.text, steps, opened.seal(steps, "another"))

        SecretsFile(str(path), environ).change(edit)

    def set_theirs(name: str) -> None:
        time.sleep(1)  # its time of the last change has seconds: a person is not faster
        table, key = name.split(".")
        _sops(theirs, "set", str(sops), f'["{table}"]["{key}"]', '"another"')

    results = [_branches(where, change) for where, change in ((ours, set_ours), (theirs, set_theirs))]
    (our_lines, our_conflicts), (their_lines, their_conflicts) = results
    return [
        Row("lines of diff for one changed secret", our_lines, "", "sops", their_lines, most=1.0),
        Row("conflicts, two branches with different keys", our_conflicts, "", "sops", their_conflicts, most=0.0),
    ]


def _branches(folder: Path, change: Callable[[str], None]) -> tuple[int, int]:
    """Change one key on each of two branches and merge them: the lines of one change, and the conflicts."""
    git = partial(_git, folder)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "start")
    git("switch", "-qc", "side")
    change(name_of(20))
    lines = int(git("diff", "--numstat").split()[0])
    git("commit", "-qam", "side")
    git("switch", "-q", "main")
    change(name_of(70))
    git("commit", "-qam", "main")
    git("merge", "-q", "side", is_checked=False)
    return lines, len(git("diff", "--name-only", "--diff-filter=U").split())


def sops_file(folder: Path, count: int) -> Path:
    """The same values in a file of sops, in a folder that is made where there is none."""
    folder.mkdir(exist_ok=True)
    key = x25519.Identity.generate()
    keys = folder.parent / f"{folder.name}.age"
    keys.write_text(f"{key}\n")
    path = folder / "secrets.yaml"
    groups: dict[str, list[str]] = {}
    for number in range(count):
        table, name = name_of(number).split(".")
        groups.setdefault(table, []).append(f"  {name}: {table}-{name}\n")
    path.write_text("".join(f"{table}:\n{''.join(lines)}" for table, lines in groups.items()))
    _sops(folder, "--encrypt", "--in-place", "--age", str(key.to_public()), str(path))
    return path


def _sops(folder: Path, *arguments: str) -> str:
    environ = {"SOPS_AGE_KEY_FILE": str(folder.parent / f"{folder.name}.age"), "PATH": os.environ["PATH"]}
    program = shutil.which("sops", path=str(BIN)) or "sops"
    done = subprocess.run([program, *arguments], env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def _git(folder: Path, *arguments: str, is_checked: bool = True) -> str:
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=is_checked
    )
    return done.stdout
