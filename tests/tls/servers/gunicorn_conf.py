"""The gunicorn.conf.py of these tests."""

from tests.tls.servers.given import handed_down
from tests.tls.servers.gunicorn_run import KINDS
from wellkept.integrations.gunicorn import settings

_told = handed_down(KINDS)
_is_asgi = _told.kind in {"asgi", "uvicorn"}

bind = f"127.0.0.1:{_told.port}"
wsgi_app = f"tests.tls.servers.answers:{'asgi' if _is_asgi else 'wsgi'}"
worker_class = "uvicorn.workers.UvicornWorker" if _told.kind == "uvicorn" else _told.kind
threads = 12 if _told.kind == "gthread" else 1
loglevel = "warning"
control_socket_disable = True  # it would be made in the home folder
globals().update(settings(_told.tls))
