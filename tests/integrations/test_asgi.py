"""`Drain`, by itself: the connection is a stand-in; real servers are in tests/tls/servers/."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from wellkept.integrations.asgi import Drain
from wellkept.tls.peers import CURRENT

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
HTTP_1 = {"type": "http", "http_version": "1.1"}


class _Connection:
    """A connection whose trust is there, or withdrawn."""

    def __init__(self, *, is_draining: bool) -> None:
        self.is_draining = is_draining


async def _app(_scope: Message, _receive: object, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"Connection", b"x")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _headers(scope: Message, connection: object) -> list[tuple[bytes, bytes]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def serve() -> None:
        CURRENT.set(connection)  # type: ignore[arg-type]  # a stand-in
        await Drain(_app)(scope, receive, send)

    asyncio.run(serve())
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    return list(sent[0]["headers"])


def test_a_withdrawn_client_is_told_to_close_and_no_other_header_is_lost() -> None:
    assert _headers(HTTP_1, _Connection(is_draining=True)) == [(b"x-a", b"1"), (b"connection", b"close")]


@pytest.mark.parametrize(
    ("scope", "connection"),
    [
        (HTTP_1, _Connection(is_draining=False)),
        (HTTP_1, None),
        (HTTP_1, object()),
        ({"type": "http", "http_version": "2"}, _Connection(is_draining=True)),
        ({"type": "http"}, _Connection(is_draining=True)),
        ({"type": "websocket", "http_version": "1.1"}, _Connection(is_draining=True)),
    ],
    ids=["trusted", "no TLS", "a connection of others", "HTTP/2", "no version", "a websocket"],
)
def test_everybody_else_gets_the_answer_as_it_is(scope: Message, connection: object) -> None:
    assert _headers(scope, connection) == [(b"x-a", b"1"), (b"Connection", b"x")]


def test_trust_that_is_draining_while_the_application_works_counts() -> None:
    connection = _Connection(is_draining=False)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def slow(scope: Message, receive: object, send: Send) -> None:
        connection.is_draining = True
        await _app(scope, receive, send)

    async def serve() -> None:
        CURRENT.set(connection)  # type: ignore[arg-type]  # a stand-in
        await Drain(slow)(HTTP_1, None, send)  # type: ignore[arg-type]  # nobody receives

    asyncio.run(serve())
    assert (b"connection", b"close") in sent[0]["headers"]
