"""An application for gunicorn that was loaded before it forks: each worker answers its number and its process.

The mount is that of the variable TESTS_REFRESH_MOUNT.
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.refresh.programs.telling import App, number
from wellkept import load

config = load(App, files=[Path(os.environ["TESTS_REFRESH_MOUNT"])], environ={}, redact=False)
LOADED_BY = os.getpid()


def _answer() -> bytes:
    return json.dumps({"pid": os.getpid(), "number": number(config.db_password), "loaded_by": LOADED_BY}).encode()


def wsgi(_environ: Mapping[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer by WSGI."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Connection", "close")])
    return [_answer()]


async def asgi(
    scope: Mapping[str, object],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, object]], Awaitable[None]],
) -> None:
    """Answer by ASGI, to what is a request; its life is none of ours."""
    if scope["type"] == "http":
        await receive()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": _answer()})
