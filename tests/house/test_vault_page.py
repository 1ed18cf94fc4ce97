"""What the page on Vault says in tables is true: each policy, each number of requests, each key of a provider table."""

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers.space import Space
from wellkept import Secret, Settings, load
from wellkept.config.declare import declared
from wellkept.errors import PolicyDenied, SourceError, TokenRefused
from wellkept.model import Reference
from wellkept.providers.vault import AppRole, Vault
from wellkept.providers.vault.options import VaultOptions

PAGE = Path(__file__).parents[2] / "docs/howto/vault.md"
_POLICY = re.compile(r'`(path "[^`]+?" \{ capabilities = \[[^`]+?\] \})`')
_CAPABILITY = re.compile(r'"(read|list|create|update|delete)"')
_CAMEL = re.compile(r"`([a-z]+(?:[A-Z][a-z]+)*)`")


def rows(heading: str) -> dict[str, str]:
    """The table of a section: what stands in its first column, and in its second."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return {cells[0].strip(): cells[1].strip() for cells in lines[2:]}


def password(*path: str) -> Reference:
    return Reference("vault", path, ("password",))


def be_told(vault: Vault) -> None:
    with pytest.raises(PolicyDenied):
        vault.get("secret/prod/db")


NEW = "`set` the first key of a new secret"
POLICIES: Mapping[str, Callable[[Vault], object]] = {
    "read a secret, a key or a version of it": lambda vault: vault.get("secret/prod/db", "password", version=1),
    "read a secret of a KV v1 mount": lambda vault: vault.get("kv1/prod/db", "password"),
    "`set` a key of a secret that is there": lambda vault: vault.write(password("secret", "prod", "db"), "CANARY-new"),
    NEW: lambda vault: vault.write(password("secret", "prod", "db"), "CANARY-new"),
    "`unset` one key": lambda vault: vault.write(password("secret", "prod", "db"), None),
    "`unset` a whole secret": lambda vault: vault.write(Reference("vault", ("secret", "prod", "db")), None),
    "`list` a folder": lambda vault: vault.names(Reference("vault", ("secret", "prod"))),
    "`list` the keys of a secret": lambda vault: vault.names(Reference("vault", ("secret", "prod", "db"))),
    "be told which policy is missing": be_told,
}


def less(lines: Sequence[str]) -> list[list[str]]:
    """The same lines without one capability, for each capability."""
    found: list[list[str]] = []
    for number, line in enumerate(lines):
        for one in _CAPABILITY.finditer(line):
            rest = [*_CAPABILITY.findall(line)]
            rest.remove(one.group(1))
            listed = ", ".join(f'"{name}"' for name in rest)
            shorter = f"{line.partition('[')[0]}[{listed}] }}"
            found.append([*lines[:number], *([shorter] if rest else []), *lines[number + 1 :]])
    return found


def allowed(space: Space, lines: Sequence[str], act: Callable[[Vault], object]) -> bool:
    """Whether a token with these lines, and no policy beside them, may do it."""
    policy = space.policy("row", "\n".join(lines) or 'path "nothing" { capabilities = ["read"] }')
    token = space.make_token([policy], no_default_policy=True)
    try:
        act(Vault.from_environ(space.environ(token)))
    except (SourceError, pytest.fail.Exception):
        return False
    return True


@pytest.mark.parametrize("row", POLICIES)
def test_the_policy_of_the_row_is_enough_and_nothing_of_it_is_too_much(space: Space, row: str) -> None:
    lines = _POLICY.findall(rows("The policy you need")[row])
    if row != NEW:
        space.put("secret/prod/db", password="CANARY-first")
    space.put("kv1/prod/db", password="CANARY-first")
    assert lines
    for shorter in less(lines):
        assert not allowed(space, shorter, POLICIES[row]), shorter
    assert allowed(space, lines, POLICIES[row])


def test_every_row_of_the_table_of_policies_is_tried() -> None:
    assert list(rows("The policy you need")) == list(POLICIES)


@dataclass
class Front:
    """A door in front of a server that counts who comes through.

    Attributes:
        space: where it leads.
        seen: method and path of each request.
    """

    space: Space
    seen: list[str] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def opened(self) -> Generator["Front"]:
        """Listen on loopback, where plain HTTP may go."""
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                front.seen.append(f"{self.command} {self.path}")
                status, said = front.space.call(
                    self.command,
                    self.path.removeprefix("/v1/"),
                    json.loads(content) if content else None,
                    token=self.headers.get("X-Vault-Token", ""),
                )
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 the base class looks for these names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
                """Log nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.address = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=[0.01])
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def vault(self, token: str | None = None) -> Vault:
        return Vault(self.address, token=token or self.space.token)

    def environ(self, **settings: str) -> dict[str, str]:
        named = {f"BAL_CONFIG_VAR_{name}": text for name, text in settings.items()}
        return {"VAULT_ADDR": self.address, "VAULT_TOKEN": self.space.token, **named}

    def count(self, act: Callable[[], object]) -> int:
        """How many requests something makes."""
        self.seen.clear()
        with suppress(SourceError):
            act()
        return len(self.seen)


class Many(Settings):
    all: Secret[dict[str, str]]


def many(front: Front, location: str) -> int:
    environ = front.environ(ALL=json.dumps({f"k{n}": f"${{vault:{location.format(n=n)}}}" for n in range(100)}))
    return front.count(lambda: load(Many, files=[], environ=environ, redact=False))


def ten(front: Front) -> int:
    environ = front.environ(ALL=json.dumps({f"k{n}": f"${{vault:secret/many/s{n}#password}}" for n in range(10)}))
    return front.count(lambda: load(Many, files=[], environ=environ, redact=False))


def login(front: Front, *, is_wrapped: bool = False) -> int:
    role_id, secret_id = front.space.enable_approle("orders", ["orders"])
    front.space.policy("orders", 'path "secret/data/*" { capabilities = ["read"] }')
    made = AppRole(role_id, Secret(secret_id))
    if is_wrapped:
        made = AppRole(role_id, wrapped_secret_id=Secret(front.space.wrapped_secret_id("orders")))
    vault = Vault(front.address, login=made)
    first = front.count(lambda: vault.get("secret/prod/db", "password"))
    again = front.count(lambda: vault.get("secret/prod/db", "password"))
    assert again == 1
    return first - again


def next_of_v1(front: Front) -> int:
    vault = front.vault()
    vault.get("kv1/prod/db")
    return front.count(lambda: vault.get("kv1/prod/db"))


def v1_by_word(front: Front) -> int:
    """The first secret of a mount of which a table says that it is of version 1."""
    table = f'address = "{front.address}"\ntoken = "{front.space.token}"\nkvVersion = 1\n'
    told = f'[wellkept.providers.vault]\n{table}[all]\nk = "${{vault:kv1/prod/db#password}}"\n'
    return front.count(lambda: load(Many, environ={"BAL_CONFIG_DATA": told}, redact=False))


def reading(location: str) -> Callable[[Front], int]:
    return lambda front: front.count(lambda: front.vault().get(location))


COSTS: Mapping[str, Callable[[Front], int]] = {
    "a token": lambda front: front.count(lambda: front.vault().get("secret/prod/db")) - 1,
    "any other login, once a process": login,
    "a login with a wrapped secret id": lambda front: login(front, is_wrapped=True),
    "a secret, whole or a key": reading("secret/prod/db"),
    "one hundred keys of one secret": lambda front: many(front, "secret/prod/hundred#k{n}"),
    "ten secrets, side by side": ten,
    "the first secret of a KV v1 mount": reading("kv1/prod/db"),
    "the same with `kvVersion = 1`": v1_by_word,
    "the next one": next_of_v1,
    "an absent secret": reading("secret/prod/nothing"),
    "a denied secret, in a mount that is not known yet": lambda front: front.count(
        lambda: front.vault(front.space.make_token(["default"])).get("secret/prod/db")
    ),
    "`set` or `unset` a key": lambda front: front.count(
        lambda: front.vault().write(password("secret", "prod", "db"), "CANARY-new")
    ),
    "`list` a folder": lambda front: front.count(lambda: front.vault().names(Reference("vault", ("secret", "prod")))),
}


@pytest.mark.parametrize("row", COSTS)
def test_it_costs_as_many_requests_as_the_page_says(space: Space, row: str) -> None:
    space.put("secret/prod/db", password="CANARY-first")
    space.put("kv1/prod/db", password="CANARY-first")
    space.put("secret/prod/hundred", **{f"k{n}": f"CANARY-{n}" for n in range(100)})
    for number in range(10):
        space.put(f"secret/many/s{number}", password=f"CANARY-{number}")
    with Front(space).opened() as front:
        assert COSTS[row](front) == int(rows("What it costs")[row]), front.seen


def test_every_row_of_the_table_of_costs_is_counted() -> None:
    assert list(rows("What it costs")) == list(COSTS)


def test_every_key_of_a_provider_table_is_on_the_page() -> None:
    named = {key for cell in rows("All keys of a table") for key in _CAMEL.findall(cell)}
    assert {key.lower() for key in named} == {
        "provider",
        *(one.name.replace("_", "") for one in declared(VaultOptions)),
    }


def test_without_its_own_policy_a_token_is_only_known_to_be_refused(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-first")
    token = space.make_token([space.policy("none", 'path "x" { capabilities = ["read"] }')], no_default_policy=True)
    with pytest.raises(TokenRefused, match="expired, revoked or unknown"):
        Vault.from_environ(space.environ(token)).get("secret/prod/db")
