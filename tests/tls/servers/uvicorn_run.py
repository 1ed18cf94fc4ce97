"""uvicorn with our context; `workers` has two processes, each with a context of its own."""

import ssl

import uvicorn

from tests.tls.servers.given import given, handed_down

KINDS = ("h11", "httptools", "workers")


def tls_context(_config: object, _default: object) -> ssl.SSLContext:
    """What uvicorn calls in each of its processes."""
    return handed_down(KINDS).tls.context()


if __name__ == "__main__":
    told = given(KINDS)
    uvicorn.run(
        "tests.tls.servers.answers:asgi",
        host="127.0.0.1",
        port=told.port,
        http="h11" if told.kind == "h11" else "httptools",
        loop="uvloop" if told.kind == "httptools" else "asyncio",
        workers=2 if told.kind == "workers" else None,
        log_level="warning",
        ssl_context_factory=tls_context,
    )
