"""The gunicorn.conf.py of the measurement: TLS as gunicorn does it, or by our context; told by the environment."""

import json
import os
import ssl
from pathlib import Path

from wellkept.integrations.gunicorn import settings
from wellkept.tls import CertKey, MutualTLS, ServerTLS

_told = json.loads(os.environ["BENCH_TLS"])
_folder = Path(_told["folder"])
_key = CertKey(_folder / "server.crt", _folder / "server.key")

bind = f"127.0.0.1:{_told['port']}"
wsgi_app = "tests.tls.servers.answers:wsgi"
worker_class = "gthread"
threads = 4
loglevel = "warning"
control_socket_disable = True  # it would be made in the home folder

if _told["is_ours"]:
    _trust = MutualTLS(trust=_folder / "trust.crt") if _told["is_mutual"] else None
    globals().update(settings(ServerTLS(key=_key, mutual=_trust)))
else:
    certfile, keyfile = str(_key.cert_file), str(_key.key_file)
    if _told["is_mutual"]:
        ca_certs, cert_reqs = str(_folder / "trust.crt"), ssl.CERT_REQUIRED
