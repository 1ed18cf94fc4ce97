"""For hypercorn: `secured(config, tls)`, a configuration whose connections our context makes."""

from collections.abc import Callable
from functools import partial
from ssl import SSLContext
from typing import Protocol, TypeVar

from wellkept.tls.server import ServerTLS


class Config(Protocol):
    """What a `hypercorn.Config` has, as far as it is set here."""

    certfile: str | None
    keyfile: str | None
    alpn_protocols: list[str]
    ssl_handshake_timeout: float
    create_ssl_context: Callable[[], SSLContext | None]


C = TypeVar("C", bound=Config)


def secured(config: C, tls: ServerTLS) -> C:
    """Set what turns TLS on: `serve(app, secured(Config(), tls))`; set `alpn_protocols` before.

    Files that cannot be used are a BundleError where hypercorn starts to serve, in each of its processes.
    """
    # They only turn TLS on. As this is no certificate, a configuration that loses our context cannot start.
    config.certfile = config.keyfile = __file__
    config.ssl_handshake_timeout = tls.policy().handshake_timeout_s
    config.create_ssl_context = partial(_context, tls, tuple(config.alpn_protocols))
    return config


def _context(tls: ServerTLS, protocols: tuple[str, ...]) -> SSLContext:
    context = tls.context()
    context.set_alpn_protocols(protocols)
    return context
