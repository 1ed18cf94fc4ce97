"""Django, or anything of WSGI, under gunicorn: `gunicorn -c django_gunicorn_conf.py django_app:application`."""

import os

from wellkept.integrations.gunicorn import settings
from wellkept.tls import CertKey, MutualTLS, ServerTLS

bind = f"127.0.0.1:{os.environ.get('PORT', '9443')}"
worker_class = "gthread"
threads = 4
globals().update(
    settings(ServerTLS(key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="trust.crt"))),
)
