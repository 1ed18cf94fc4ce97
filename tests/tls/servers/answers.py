"""What all servers of these tests answer, as ASGI and as WSGI.

`/` answers `ok`; `/who` the name of the client, or `nobody`; `/protected` 401 to nobody, and else the name;
`/pid` the process.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from wellkept.integrations.asgi import Drain
from wellkept.tls.peers import peer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Start = Callable[[str, list[tuple[str, str]]], object]


def answered(path: str, request: object) -> tuple[int, str]:
    """The status and the text of an answer."""
    if path == "/":
        return 200, "ok"
    if path == "/pid":
        return 200, str(os.getpid())
    who = peer(request)
    if who is None:
        return (401, "") if path == "/protected" else (200, "nobody")
    return 200, who.spiffe_id or who.common_name


def wsgi(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """A WSGI application."""
    status, text = answered(environ["PATH_INFO"], environ)
    start(f"{status} {'OK' if status == 200 else 'Unauthorized'}", [("Content-Length", str(len(text)))])
    return [text.encode()]


async def plain_asgi(scope: Message, receive: Receive, send: Send) -> None:
    """An ASGI application that knows nothing of withdrawn trust."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    status, text = answered(scope["path"], scope)
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-length", str(len(text)).encode())]}
    )
    await send({"type": "http.response.body", "body": text.encode()})


asgi = Drain(plain_asgi)
