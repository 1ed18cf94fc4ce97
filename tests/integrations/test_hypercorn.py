"""What hypercorn is given goes by our context, in each of its processes; a real one is in tests/tls/servers/."""

import pickle  # noqa: TID251 hypercorn hands its configuration to its workers so
import ssl
from pathlib import Path

import pytest
from hypercorn.config import Config

from tests.tls.servers.folder import ServerFolder
from tests.tls.servers.given import quick_tls
from wellkept.integrations.hypercorn import secured


def test_its_context_is_the_one_context_with_the_protocols_of_the_configuration(tmp_path: Path) -> None:
    tls = quick_tls(ServerFolder(tmp_path).path, handshake_timeout=3)
    config = Config()
    config.alpn_protocols = ["http/1.1"]
    assert secured(config, tls) is config
    assert config.ssl_enabled
    assert config.create_ssl_context() is tls.context()
    assert config.ssl_handshake_timeout == 3


def test_it_crosses_to_a_worker_also_when_it_has_served_here(tmp_path: Path) -> None:
    tls = quick_tls(ServerFolder(tmp_path).path)
    config = secured(Config(), tls)
    config.create_ssl_context()
    there = pickle.loads(pickle.dumps(config))  # noqa: S301 our own
    context = there.create_ssl_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context is not tls.context()


def test_a_configuration_that_lost_the_context_cannot_start(tmp_path: Path) -> None:
    config = secured(Config(), quick_tls(ServerFolder(tmp_path).path))
    vars(config).pop("create_ssl_context")
    with pytest.raises(ssl.SSLError):
        config.create_ssl_context()
