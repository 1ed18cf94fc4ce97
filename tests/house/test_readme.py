"""Every code block of the README and of the how-tos is executed, and its output compared to the letter.

A block with a title is a file; a console block holds commands with all that they print:
stdout as it is, stderr behind `2| `, and `[exit N]` where the code is not 0. A prompt `bo$ ` is somebody else's.

A page that speaks of `VAULT_ADDR` has a Vault of its own, with the variables that lead to it, what pods and clients
need for its logins (`furnish`), and `bao`; one that speaks of `git.example.com` a git server, one of
`db.internal:5432` a PostgreSQL and `psql` (`furnish_database`). See stage.py.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from tests.house.stage import DATABASE, GIT, READER, Stage, run_git_server
from tests.servers.certificates import Authority, Signer
from tests.servers.database import Database, run_database
from tests.servers.kubernetes import TokenReviews
from tests.servers.openbao import OpenBao, run_openbao
from tests.servers.postgres import postgres_folder
from tests.servers.process import NotStarted
from tests.servers.space import Space

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs/howto").glob("[!i]*.md"))]
_BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(\w*)\$ ", re.MULTILINE)


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


def furnish_database(database: Database, folder: Path) -> str:
    """What has been done to a database before a page begins; where it listens.

    It has a database `shop`, and a superuser `postgres` whose password the reader's `.pgpass` has.
    """
    with database.connect() as connection:
        connection.execute("CREATE ROLE postgres SUPERUSER LOGIN PASSWORD 'CANARY-of-the-dba'")
        connection.execute("CREATE DATABASE shop OWNER postgres")
    passwords = folder / ".pgpass"
    passwords.touch(mode=0o600)  # psql reads no other
    passwords.write_text(f"127.0.0.1:{database.port}:*:postgres:CANARY-of-the-dba\n", "utf-8")
    return f"127.0.0.1:{database.port}"


@pytest.fixture
def stage(
    request: pytest.FixtureRequest, page: Path, tmp_path: Path, missing: Callable[[str], NoReturn]
) -> Iterator[Stage]:
    """Where a page is executed, with a Vault, a git server and a database where it asks for them."""
    text = page.read_text(encoding="utf-8")
    if "git " in text and shutil.which("git") is None:
        missing("git")
    if GIT in text:
        run_git_server(tmp_path)
    with ExitStack() as stack:
        listens = DATABASE
        if DATABASE in text:
            _look_for_postgres(missing)
            listens = furnish_database(stack.enter_context(run_database()), Stage(tmp_path).folder())
        if "VAULT_ADDR" not in text:
            yield Stage(tmp_path, database=listens)
            return
        request.getfixturevalue("bao")  # skips where it is not installed
        ca = request.getfixturevalue("ca")
        server = stack.enter_context(run_openbao(ca))
        made = Stage(tmp_path, address=server.address)
        furnish(server, made.folder(), ca, *(request.getfixturevalue(name) for name in ("signer", "tokenreviews")))
        ca_file = str(made.folder() / "ca.pem")
        environ = {"VAULT_ADDR": server.address, "VAULT_TOKEN": server.token, "VAULT_CACERT": ca_file}
        yield Stage(tmp_path, environ, server.address, listens)


def _look_for_postgres(missing: Callable[[str], NoReturn]) -> None:
    try:
        postgres_folder()
    except NotStarted as problem:
        missing(str(problem))
    if shutil.which("psql") is None:
        missing("psql")
    for module in ("psycopg", "sqlalchemy"):
        if find_spec(module) is None:
            missing(module)


@pytest.mark.shows_canary  # the pages are written into files, values and all
@pytest.mark.timeout(600)  # a page has up to fifty commands, and each is a process; some wait for leases
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_does_what_it_says(page: Path, stage: Stage) -> None:
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert {language for language, _title, _body in blocks} <= {"toml", "python", "text", "yaml", "console"}
    assert [language for language, _title, _body in blocks].count("console")
    for language, title, body in blocks:
        if title:
            (stage.folder() / title).write_text(stage.real(body), encoding="utf-8")
            continue
        assert language == "console", "a block that is no file holds commands"
        _, *parts = _PROMPT.split(body)
        for who, part in zip(parts[::2], parts[1::2], strict=True):
            command, *expected = part.splitlines()
            assert list(stage.printed(command, expected, who or READER)) == expected, command


def test_the_first_example_comes_within_forty_words() -> None:
    head = README.read_text(encoding="utf-8").split("```", 1)[0]
    assert len(head.split()) <= 40
