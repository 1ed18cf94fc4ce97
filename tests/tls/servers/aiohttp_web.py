"""aiohttp with our context."""

from aiohttp import web

from tests.tls.servers.answers import answered
from tests.tls.servers.given import given


async def answer(request: web.Request) -> web.Response:
    """Answer one request."""
    status, text = answered(request.path, request)
    return web.Response(status=status, text=text)


if __name__ == "__main__":
    told = given()
    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    web.run_app(application, host="127.0.0.1", port=told.port, ssl_context=told.tls.context(), print=None)
