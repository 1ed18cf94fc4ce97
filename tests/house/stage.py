"""Where the blocks of one page of the documentation are executed: people with their folders, a Vault, a database.

`/home/me` is the current and the home folder, or `/home/bo` where the prompt is `bo$ `. The Vault is
`https://vault.example.com:8200` on every page, the git server `https://git.example.com`, the machine `laptop`, and
every moment the same one. What a pod has mounted below `/etc/secrets` and `/etc/config` lies beside the homes.

The database is `db.internal:5432`. It speaks no TLS here, so what a page does with `sslmode=verify-full` is done
without.

What is drawn at random stands on the page as it was drawn once: a fingerprint, a public key, the mark of a
ciphertext. The stage learns what it is this time, puts that into the commands that follow, and expects it wherever
the page shows the same one again. `…` stands for the end of a long key.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.process import free_port

VAULT = "https://vault.example.com:8200"
GIT = "https://git.example.com"
DATABASE = "db.internal:5432"
MOUNTS = ("/etc/secrets", "/etc/config")
HOST = "laptop"
HOMES = "/home/"
READER = "me"
COMMAND_S = 100.0  # some wait for a lease or two, and then for their turn on a crowded machine
MOMENT = "2026-11-24T12:00:00Z"
_MOMENT = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_PORT = re.compile(r"\b944\d\b")  # what the pages serve TLS on
# Said after half a second: a busy machine says it, a page does not.
_WAITING = re.compile(r"(?:waiting for|asking|encrypting|connecting to) .* …")
_DRAWN = re.compile(
    r"\b[a-z2-7]{5}(?:-[a-z2-7]{5}){4}\b"  # a fingerprint
    r"|\bwk-(?:hybrid|x25519)-[\w-]+…?"  # a public key
    r"|\(encrypted [0-9a-f]{8}\)"  # a ciphertext, as wellkept textconv shows it
    r"|\bindex [0-9a-f]{7,}\.\.[0-9a-f]{7,}"  # what git names a file by
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the blocks of one page are executed.

    Attributes:
        homes: the folder that holds everybody's own.
        environ: variables beside the usual ones.
        address: of the Vault, or nothing.
        database: where the database listens, or nothing.
        learned: what was drawn at random, by what stands on the page.
    """

    homes: Path
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    address: str = VAULT
    database: str = DATABASE
    learned: dict[str, str] = field(default_factory=dict[str, str])
    _ports: dict[str, str] = field(default_factory=dict[str, str])

    def folder(self, who: str = READER) -> Path:
        """The current and home folder of somebody."""
        folder = self.homes / who
        folder.mkdir(exist_ok=True)
        return folder

    def real(self, text: str) -> str:
        """A text of the page with the names of this machine and of this time."""
        for page, drawn in self.learned.items():
            text = text.replace(page, drawn)
        text = _PORT.sub(lambda found: self._port(found[0]), text)
        text = text.replace(DATABASE, self.database).replace("sslmode=verify-full", "sslmode=disable")
        text = text.replace(VAULT, self.address).replace(HOMES, f"{self.homes}/")
        for place in MOUNTS:
            text = text.replace(place, f"{self._mounts}{place}")
        return text

    def printed(self, command: str, expected: Sequence[str], who: str = READER) -> Iterator[str]:
        """What a command prints, with the names of the page."""
        environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
            "HOME": str(self.folder(who)),
            "LOGNAME": who,
            "PYTHONDONTWRITEBYTECODE": "1",
            "GIT_CONFIG_GLOBAL": str(self._git_config(who)),
            "GIT_CONFIG_NOSYSTEM": "1",
            **self.environ,
        }
        environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        done = subprocess.run(
            ["sh", "-c", self.real(command)],
            cwd=self.folder(who),
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S,
        )
        printed, told = (_of_the_page(text) for text in (done.stdout, done.stderr))  # a page may lead one to the other
        lines = [*printed, *(f"2| {line}" for line in told)]
        if done.returncode:
            lines.append(f"[exit {done.returncode}]")
        drawn = iter(_DRAWN.findall("\n".join(expected)))
        for line in lines:
            yield _DRAWN.sub(lambda found: self._learn(next(drawn, found[0]), found[0]), self._shown(line))

    @property
    def _mounts(self) -> str:
        return f"{self.homes}/mounts"

    def _learn(self, page: str, drawn: str) -> str:
        """What stands on the page, where it means the same as before; otherwise what was drawn."""
        if page not in self.learned and drawn not in self.learned.values():
            self.learned[page] = drawn
        return page if self.learned.get(page) == drawn else drawn

    def _shown(self, text: str) -> str:
        text = text.replace(self.address, VAULT).replace(self.database, DATABASE)
        text = text.replace(self._mounts, "").replace(f"{self.homes}/", HOMES)
        for page, free in self._ports.items():
            text = text.replace(free, page)
        return _MOMENT.sub(MOMENT, text.replace(f"@{socket.gethostname().partition('.')[0]}", f"@{HOST}"))

    def _port(self, page: str) -> str:
        """A free port for one that a page names: several pages run at the same time."""
        if page not in self._ports:
            self._ports[page] = str(free_port())
        return self._ports[page]

    def _git_config(self, who: str) -> Path:
        """A git that knows who somebody is, and leads to the git server."""
        path = self.homes / f"{who}.gitconfig"
        path.write_text(
            f"[user]\nname = {who}\nemail = {who}@example.com\n[init]\ndefaultBranch = main\n"
            f'[url "{self.homes}/git"]\ninsteadOf = {GIT}\n',
            "utf-8",
        )
        return path


def _of_the_page(text: str) -> list[str]:
    return [line for line in text.splitlines() if not _WAITING.fullmatch(line)]


def run_git_server(homes: Path) -> None:
    """An empty repository `shop.git` at `https://git.example.com`."""
    command = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(homes / "git/shop.git")]
    subprocess.run(command, check=True)
