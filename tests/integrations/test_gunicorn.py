"""What gunicorn is given goes by our context, or does not go at all; real workers are in tests/tls/servers/."""

import ssl
from pathlib import Path

import pytest

from tests.servers.process import free_port, wait_until
from tests.tls.servers.clients import Refused, call, call_plainly, client_context
from tests.tls.servers.folder import ServerFolder
from tests.tls.servers.given import quick_tls
from tests.tls.servers.programs import run
from wellkept.errors import BundleError
from wellkept.integrations.gunicorn import settings


class _Config:
    ssl_context_factory: object = None


class _Worker:
    """A worker as uvicorn's is: with a configuration of its own."""

    def __init__(self) -> None:
        self.config = _Config()


def test_its_hook_answers_the_one_context(tmp_path: Path) -> None:
    tls = quick_tls(ServerFolder(tmp_path).path)
    assert settings(tls)["ssl_context"](None, None) is tls.context()


def test_a_worker_of_uvicorn_is_given_the_context_too(tmp_path: Path) -> None:
    tls, worker = quick_tls(ServerFolder(tmp_path).path), _Worker()
    settings(tls)["pre_fork"](None, worker)
    assert callable(worker.config.ssl_context_factory)
    assert worker.config.ssl_context_factory(None, None) is tls.context()


def test_a_worker_of_gunicorn_is_left_alone(tmp_path: Path) -> None:
    settings(quick_tls(ServerFolder(tmp_path).path))["pre_fork"](None, object())


def test_its_certfile_is_none_so_that_nothing_works_without_the_hook(tmp_path: Path) -> None:
    certfile = settings(quick_tls(ServerFolder(tmp_path).path))["certfile"]
    assert Path(certfile).is_file()
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certfile)


def test_a_broken_file_is_an_error_when_the_settings_are_made(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path)
    (folder.path / "server.key").write_bytes(b"")
    with pytest.raises(BundleError, match=r"server\.key"):
        settings(quick_tls(folder.path))


def test_a_worker_of_uvicorn_that_lost_its_context_does_not_serve(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    (folder.path / "conf.py").write_text(
        "from pathlib import Path\n"
        "from tests.tls.servers.given import quick_tls\n"
        "from wellkept.integrations.gunicorn import settings\n"
        "globals().update(settings(quick_tls(Path())))\n"
        "worker_class, wsgi_app = 'uvicorn.workers.UvicornWorker', 'tests.tls.servers.answers:asgi'\n"
        "def pre_fork(server, worker): pass\n"
    )
    port, log = free_port(), folder.path / "log"
    with run(folder.path, "-m", "gunicorn", "--no-control-socket", "-c", "conf.py", "-b", f"127.0.0.1:{port}"):
        wait_until(lambda: "SSLError" in log.read_text(), "it says why")
        with pytest.raises(Refused):
            call(port, client_context(folder.server_ca, None, tmp_path))
        assert call_plainly(port) == b""
