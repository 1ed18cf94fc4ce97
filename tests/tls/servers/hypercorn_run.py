"""hypercorn with our context, HTTP/1.1 and HTTP/2; `workers` has two processes."""

import asyncio

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.run import run

from tests.tls.servers.answers import asgi
from tests.tls.servers.given import given
from wellkept.integrations.hypercorn import secured

KINDS = ("asyncio", "workers")

if __name__ == "__main__":
    told = given(KINDS)
    config = Config()
    config.bind = [f"127.0.0.1:{told.port}"]
    config.alpn_protocols = ["h2", "http/1.1"]
    config.application_path = "tests.tls.servers.answers:asgi"
    secured(config, told.tls)
    if told.kind == "workers":
        config.workers = 2
        run(config)
    else:
        asyncio.run(serve(asgi, config))  # type: ignore[arg-type]  # its own types of ASGI are narrower
