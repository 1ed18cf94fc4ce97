"""requests: an adapter that gives each new connection the context, which requests itself has no place for.

    session = requests.Session()
    session.mount("https://", TLSAdapter(config.tls))

What requests would do about TLS is left out: `REQUESTS_CA_BUNDLE` and `verify="ca.pem"` cannot add trust, and
`verify=False` or `cert=` is an error, because nobody writes it to be ignored.
"""

from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from wellkept.errors import TLSWeakened
from wellkept.tls.client import ClientTLS


class TLSAdapter(HTTPAdapter):
    """An adapter whose connections are made by the context of a `ClientTLS`.

    `close()` ends its idle connections, and the next request opens one that shows the newest certificate.
    """

    __attrs__: list[str] = [*HTTPAdapter.__attrs__, "_context"]  # noqa: RUF012 as in requests: what a copy is made of

    def __init__(self, tls: ClientTLS, **options: Any) -> None:  # noqa: ANN401 as in requests: retries, sizes of pools
        """Make it.

        Args:
            tls: whom to trust, and who we are.
            options: as of `HTTPAdapter`.

        Raises:
            BundleError: a file of `tls` cannot be used.
        """
        self._context = tls.context()
        super().__init__(**options)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:  # noqa: ANN401 as in requests
        """Give the context to connections that go straight to a server."""
        super().init_poolmanager(*sizes, **{**options, "ssl_context": self._context})

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 as in requests
        """Give the context to connections that go through a proxy."""
        return super().proxy_manager_for(proxy, **{**options, "ssl_context": self._context})

    def send(  # noqa: PLR0917 as in requests
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401 as in requests
        verify: Any = True,  # noqa: ANN401 as in requests: a bool, or a path
        cert: Any = None,  # noqa: ANN401 as in requests
        proxies: Any = None,  # noqa: ANN401 as in requests
    ) -> Response:
        """Send a request.

        Raises:
            TLSWeakened: it has a wish about TLS that the context does not fulfil.
        """
        if not verify:
            raise TLSWeakened("verify: is False", hint="leave it out: trust the server's CA in the settings of TLS")
        if cert:
            raise TLSWeakened("cert: is set", hint="leave it out: name the certificate in the settings of TLS")
        return super().send(request, stream, timeout, True, None, proxies)

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ANN401 as in requests
        cert: Any = None,  # noqa: ANN401 as in requests
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Choose the pool of a request by its host alone."""
        del verify, cert
        host, _ = super().build_connection_pool_key_attributes(request, True)
        return host, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401 as in requests
        """Do nothing: requests would hand files of its own to the connection, which has a context."""
