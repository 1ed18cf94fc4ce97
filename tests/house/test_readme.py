"""Every code block of the README and of the how-tos is executed, and its output compared to the letter.

A block with a title is a file; a console block holds commands with all that they print:
stdout as it is, stderr behind `2| `, and `[exit N]` where the code is not 0.

A page that speaks of `VAULT_ADDR` has a Vault of its own, whose address is `https://vault.example.com:8200`
on the page, with the variables that lead to it, what pods and clients need for its logins (`furnish`), and
`bao`. The current and home folder is `/home/me` on every page, and every moment is the same one.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.certificates import Authority, Signer
from tests.servers.kubernetes import TokenReviews
from tests.servers.openbao import OpenBao, run_openbao
from tests.servers.space import Space

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs/howto").glob("[!i]*.md"))]
VAULT = "https://vault.example.com:8200"
HOME = "/home/me"
MOMENT = "2026-11-24T12:00:00Z"
_BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MOMENT = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the blocks of one page are executed.

    Attributes:
        folder: the current and the home folder.
        environ: variables beside the usual ones.
        address: of the Vault, or nothing.
    """

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    address: str = VAULT

    def real(self, text: str) -> str:
        """A text of the page with the names of this machine."""
        return text.replace(VAULT, self.address).replace(HOME, str(self.folder))

    def printed(self, command: str) -> Iterator[str]:
        """What a command prints, with the names of the page."""
        environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin",
            "HOME": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.environ,
        }
        environ |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        done = subprocess.run(
            ["sh", "-c", self.real(command)],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        yield from self._shown(done.stdout).splitlines()
        yield from (f"2| {line}" for line in self._shown(done.stderr).splitlines())
        if done.returncode:
            yield f"[exit {done.returncode}]"

    def _shown(self, text: str) -> str:
        return _MOMENT.sub(MOMENT, text.replace(self.address, VAULT).replace(str(self.folder), HOME))


def furnish(server: OpenBao, folder: Path, ca: Authority, signer: Signer, tokenreviews: TokenReviews) -> None:
    """What the operators of a Vault and of a cluster have done before a page begins.

    The server has the mounts `secret` and `kv1` and the logins jwt, kubernetes and cert, each with a role
    `orders` of the policy `orders`; the folder has what a pod finds in its volumes, and a client certificate.
    """
    space = Space(server, "", server.token)
    space.mount("secret", 2)
    space.mount("kv1", 1)
    space.enable_jwt("orders", ["orders"], signer)
    space.enable_kubernetes("orders", ["orders"], tokenreviews)
    space.enable_cert("orders", ["orders"], ca.pem)
    (folder / "ci-token.secret").write_text(signer.sign(), "utf-8")
    (folder / "pod-token.secret").write_text(tokenreviews.service_account("prod", "orders"), "utf-8")
    certificate = ca.client("orders")
    shutil.copy(certificate.cert_file, folder / "client.crt")
    shutil.copy(certificate.key_file, folder / "client.key")
    shutil.copy(ca.ca_file, folder / "ca.pem")


@pytest.fixture
def stage(request: pytest.FixtureRequest, page: Path, tmp_path: Path) -> Iterator[Stage]:
    """Where a page is executed, with a Vault where it asks for one."""
    with ExitStack() as stack:
        if "VAULT_ADDR" not in page.read_text(encoding="utf-8"):
            yield Stage(tmp_path)
            return
        request.getfixturevalue("bao")  # skips where it is not installed
        ca = request.getfixturevalue("ca")
        server = stack.enter_context(run_openbao(ca))
        given = [request.getfixturevalue(name) for name in ("signer", "tokenreviews")]
        furnish(server, tmp_path, ca, *given)
        environ = {"VAULT_ADDR": server.address, "VAULT_TOKEN": server.token, "VAULT_CACERT": str(tmp_path / "ca.pem")}
        yield Stage(tmp_path, environ, server.address)


@pytest.mark.shows_canary  # the pages are written into files, values and all
@pytest.mark.timeout(180)  # a page has up to fifty commands, and each is a process
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_does_what_it_says(page: Path, stage: Stage) -> None:
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {language for language, _title, _body in blocks} <= {"toml", "python", "text", "console"}
    assert [language for language, _title, _body in blocks].count("console")
    for language, title, body in blocks:
        if title:
            (stage.folder / title).write_text(stage.real(body), encoding="utf-8")
            continue
        assert language == "console", "a block that is no file holds commands"
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, *expected = part.splitlines()
            assert list(stage.printed(command)) == expected, command


def test_the_first_example_comes_within_forty_words() -> None:
    head = README.read_text(encoding="utf-8").split("```", 1)[0]
    assert len(head.split()) <= 40
