"""For gunicorn: `settings(tls)`, what `gunicorn.conf.py` needs so that every kind of worker uses our context.

gunicorn and some of its workers fail open, so nothing is left to chance here:

- Without `certfile` gunicorn calls no hook, and serves plain HTTP. So `certfile` is set: to a file that is no
  certificate, and whatever goes round the hook cannot start.
- Its `asgi` worker serves plain HTTP when the hook raises. So the context is made here, before a worker starts.
- `UvicornWorker` ignores the hook. So it is given uvicorn's own, before it starts.
"""

from collections.abc import Mapping
from ssl import SSLContext
from typing import Any, Protocol


class Tls(Protocol):
    """What a `ServerTLS` has."""

    def context(self) -> SSLContext: ...  # noqa: D102 see ServerTLS


def settings(tls: Tls) -> Mapping[str, Any]:
    """The settings of TLS; in gunicorn.conf.py: `globals().update(settings(tls))`.

    Args:
        tls: a ServerTLS.

    Raises:
        BundleError: a file cannot be used: gunicorn does not start.
    """
    made = tls.context()

    def ssl_context(_config: object, _default: object) -> SSLContext:
        return made

    def pre_fork(_server: object, worker: Any) -> None:  # noqa: ANN401 any worker of gunicorn
        config: Any = getattr(worker, "config", None)  # uvicorn's workers have one
        if hasattr(config, "ssl_context_factory"):
            config.ssl_context_factory = ssl_context

    return {"certfile": __file__, "ssl_context": ssl_context, "pre_fork": pre_fork}
