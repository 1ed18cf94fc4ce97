"""gunicorn with our context; the kinds are its workers."""

import os
import sys
from pathlib import Path

from tests.tls.servers.given import given

KINDS = ("sync", "gthread", "asgi", "uvicorn")

if __name__ == "__main__":
    told = given(KINDS)
    configuration = Path(__file__).with_name("gunicorn_conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", str(configuration)]
    os.execv(sys.executable, command)  # noqa: S606 the program of this folder becomes gunicorn
