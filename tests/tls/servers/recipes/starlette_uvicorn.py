"""Starlette, or FastAPI, under uvicorn."""

import os

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from wellkept.integrations.asgi import Drain
from wellkept.tls import CertKey, MutualTLS, ServerTLS, peer


async def who(request: Request) -> PlainTextResponse:
    """Answer who asks."""
    return PlainTextResponse(str(peer(request)))


app = Starlette(routes=[Route("/who", who)], middleware=[Middleware(Drain)])

if __name__ == "__main__":
    port = int(os.environ.get("PORT", "9443"))
    tls = ServerTLS(key=CertKey("server.crt", "server.key"), mutual=MutualTLS(trust="trust.crt"))
    uvicorn.run(app, host="127.0.0.1", port=port, ssl_context_factory=lambda _config, _default: tls.context())
