"""Tornado."""

import asyncio
import os

from tornado.web import Application, RequestHandler

from wellkept.tls import CertKey, MutualTLS, ServerTLS, peer


class Who(RequestHandler):
    """Answers who asks."""

    def get(self) -> None:
        """Answer it."""
        connection = self.request.connection.stream.socket  # type: ignore[union-attr]  # of an HTTP1Connection
        self.write(str(peer(connection)))


async def main() -> None:
    """Serve until the process is ended."""
    port = int(os.environ.get("PORT", "9443"))
    tls = ServerTLS(key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="trust.crt"))
    application = Application([("/who", Who)])
    application.listen(port, "127.0.0.1", ssl_options=tls.context(), idle_connection_timeout=60)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
