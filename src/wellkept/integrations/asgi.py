"""For ASGI applications: `Drain`, which lets `onTrustChange = "drain"` end a connection behind its next answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from wellkept.tls.peers import CURRENT, PINNED

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Drain:
    """Wraps an application: a client whose CA is withdrawn is told `connection: close` with its next answer.

    It does so on HTTP/1.1, for `onTrustChange` as `drain` and as `close`; with `keep` it changes nothing. HTTP/2 has
    no such header, and there `drain` is `keep`. It also keeps the connection in the scope, so that `peer(scope)` can be
    asked from any task.
    """

    def __init__(self, app: Application) -> None:
        """Wrap an application: `Drain(app)`, or `app.add_middleware(Drain)`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        connection = CURRENT.get()
        if connection is not None and scope.get("scheme") in {"https", "wss"}:
            scope = {**scope, PINNED: connection}
        if connection is None or scope["type"] != "http" or not str(scope.get("http_version")).startswith("1"):
            await self._app(scope, receive, send)
            return

        async def send_and_drain(message: Message) -> None:
            if message["type"] == "http.response.start" and getattr(connection, "is_draining", False):
                kept = [one for one in message.get("headers", ()) if bytes(one[0]).lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_and_drain)
