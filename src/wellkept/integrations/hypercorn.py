"""For hypercorn: `secured(config, tls)`, a configuration whose connections our context makes."""

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


C = TypeVar("C", bound=Config)


def secured(config: C, tls: ServerTLS) -> C:
    """Turn TLS on in a configuration whose `alpn_protocols` are set, and return it.

    So it is one line: `serve(app, secured(config, tls))`. Files that cannot be used are a BundleError where hypercorn
    starts to serve, in each of its processes.
    """
    # They only turn TLS on. As this is no certificate, a configuration that loses our context cannot start.
    config.certfile = config.keyfile = __file__
    config.ssl_handshake_timeout = tls.policy().handshake_timeout_s
    vars(config)["create_ssl_context"] = partial(_context, tls, tuple(config.alpn_protocols))
    return config


def _context(tls: ServerTLS, protocols: tuple[str, ...]) -> SSLContext:
    context = tls.context()
    context.set_alpn_protocols(protocols)
    return context
