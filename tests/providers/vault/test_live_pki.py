"""A certificate from a Vault's PKI, renewed under a server that is being called: the key is never on a disk."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.space import Space
from wellkept import Settings, close, load
from wellkept.tls import ServerTLS

REFERENCE = "${vault:pki/sign/web?common_name=localhost&life=18s#%s}"
ROLE = {"allowed_domains": ["localhost"], "allow_bare_domains": True, "key_type": "ec", "max_ttl": "72h"}
PATIENCE_S = 120.0


class Config(Settings):
    tls: ServerTLS


@pytest.fixture
def root(space: Space) -> str:
    """The certificate of a CA, with a role that signs for localhost."""
    space.do("POST", "sys/mounts/pki", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
    made = space.do("POST", "pki/root/generate/internal", {"common_name": "the root", "key_type": "ec", "ttl": "90h"})
    space.do("POST", "pki/roles/web", ROLE)
    return str(made["data"]["certificate"])


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[int]:
    """A server that shakes hands and hangs up; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # closed: the test is over
                    return
                with connection, context.wrap_socket(connection, server_side=True):
                    pass

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.timeout(240)  # two renewals, each at two thirds of a life
def test_it_is_renewed_without_a_failed_handshake(space: Space, root: str, tmp_path: Path) -> None:
    (tmp_path / "Config.toml").write_text(
        f'[tls]\nkey = {{ certFile = "{REFERENCE % "fullchain"}", keyFile = "{REFERENCE % "private_key"}" }}\n', "utf-8"
    )
    config = load(Config, files=[tmp_path / "Config.toml"], environ=space.environ(), redact=False)
    client = ssl.create_default_context(cadata=root)
    serials: set[str] = set()
    calls, end_at = 0, time.monotonic() + PATIENCE_S
    with serving(config.tls.context()) as port:
        while len(serials) < 3 and time.monotonic() < end_at:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
                client.wrap_socket(plain, server_hostname="localhost") as connection,
            ):
                serials.add(str((connection.getpeercert() or {})["serialNumber"]))
            calls += 1
            time.sleep(0.05)
    close(config)
    assert len(serials) == 3, f"{calls} calls, and only these certificates: {len(serials)}"
    assert not [one for one in tmp_path.rglob("*") if b"PRIVATE KEY" in one.read_bytes()]
