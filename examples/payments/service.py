"""A payments service as a reader would write it: standard library HTTP, wellkept for the rest."""

import logging
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated

from annotated_types import Ge, Le

from wellkept import ConfigError, Secret, Settings, load, setting
from wellkept.tls import ServerTLS, peer

log = logging.getLogger("payments")


class Database(Settings):
    """The database.

    Attributes:
        host: where it listens.
        pool_size: how many connections are kept.
    """

    host: str = "localhost"
    port: int = 5432
    pool_size: Annotated[int, Ge(1), Le(100)] = 10


class Config(Settings):
    """What the payments service needs to know."""

    port: int = setting(default=0, doc="Port to listen on; 0 takes a free one.")
    tls: ServerTLS | None = setting(default=None, doc="Who we are, and whom we let in; without it, plain HTTP.")
    timeout: timedelta = timedelta(seconds=30)
    db: Database
    db_password: Secret[str]
    api_key: Secret[str] = setting(doc="Key of the payment partner.")
    webhook_key: Secret[str] | None = setting(default=None, doc="Signs what the partner sends back.")


class Handler(BaseHTTPRequestHandler):
    """Answers `/pay` and `/health`."""

    config: Config

    def do_GET(self) -> None:
        """Take a payment, or tell that all is well."""
        if self.path == "/pay":
            # The header is built where it is used; only reveal() shows what is in it.
            partner = {"Authorization": self.config.api_key.header("Bearer").reveal()}
            log.info("calling the partner with %s", partner["Authorization"])  # careless, and masked all the same
            log.info("database login %s", self.config.db_password)
            log.info("for %s", self.caller())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def caller(self) -> str:
        """Who is calling: the name in the client's certificate."""
        if self.config.tls is None:
            return "anybody"
        client = peer(self.connection)
        return "anybody" if client is None else client.dns[0]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
        """Log a request the way the rest is logged."""
        log.info(format, *args)


def main() -> None:
    """Serve until the process ends."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        Handler.config = load(Config, arguments=sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"payments: {error}")
    Handler.config.api_key.on_change(lambda key: log.info("from now on the partner is called with %s", key))
    server = ThreadingHTTPServer(("127.0.0.1", Handler.config.port), Handler)
    if Handler.config.tls is not None:
        # The handshake is left to the thread of each connection: one that is slow must not stop the others.
        context = Handler.config.tls.context()
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
