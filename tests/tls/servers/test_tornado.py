"""Tornado shakes hands on sockets that do not block, and gives their numbers back itself."""

import asyncio
from pathlib import Path

from tornado.web import Application, RequestHandler

from tests.tls.servers.clients import Refused, call, client_context
from tests.tls.servers.folder import ServerFolder
from tests.tls.servers.given import quick_tls


class _Ok(RequestHandler):
    def get(self) -> None:
        self.write("ok")


def test_a_client_that_is_not_allowed_harms_no_other_client(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "server")
    tls = quick_tls(folder.path, allow=("spiffe://prod/ns/*/sa/orders",))
    good = client_context(folder.server_ca, folder.client(), tmp_path)
    bad = client_context(folder.server_ca, folder.client("spiffe://prod/ns/shop/sa/billing"), tmp_path)

    async def ask() -> list[str]:
        server = Application([("/", _Ok)]).listen(0, "127.0.0.1", ssl_options=tls.context())
        port = next(iter(server._sockets.values())).getsockname()[1]
        answers: list[str] = []
        for context in (bad, good, bad, good):
            try:
                answers.append((await asyncio.to_thread(call, port, context)).text)
            except Refused:
                answers.append("refused")
        server.stop()
        await server.close_all_connections()
        return answers

    assert asyncio.run(ask()) == ["refused", "ok", "refused", "ok"]
