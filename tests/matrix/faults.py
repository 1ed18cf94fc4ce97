"""A TLS proxy before a real server that passes requests on, or spoils them as a test says, and notes all of them.

    with FaultProxy(openbao.port, ca.client_context(), ca.server().server_context()) as proxy:
        config = load(Config, environ={**space.environ(), "VAULT_ADDR": proxy.address})
        proxy.spoil(status(500), only=is_renewal)

An answer of `tests/servers/hostile.py` is such a fault, too.
"""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from typing import Final, Self

from tests.servers.answers import respond
from tests.servers.certificates import HOST
from tests.servers.listener import Answer, Listener, Visit

_TIMEOUT_S: Final = 30.0
_NOT_PASSED_ON: Final = frozenset({"host", "content-length", "connection", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request.

    Attributes:
        method: of HTTP.
        path: what follows `/v1/`, without its query.
        at: when, on the clock of `time.monotonic`.
        scheme: `http` where it came without TLS.
        is_spoilt: whether a fault answered it.
    """

    method: str
    path: str
    at: float
    scheme: str
    is_spoilt: bool


Which = Callable[[str, str], bool]
"""Whether a request is meant, by its method and its path without `/v1/`."""


class FaultProxy:
    """The proxy.

    Attributes:
        port: where it listens.
        seen: all requests, in the order in which they came.
    """

    def __init__(self, target_port: int, trust: ssl.SSLContext, shows: ssl.SSLContext | None) -> None:
        """Listen to nothing yet.

        Args:
            target_port: of the server, on the loopback.
            trust: how the server is known.
            shows: the certificate that clients see; None speaks no TLS with them.
        """
        self.port = 0
        self.seen: list[Seen] = []
        self._target_port = target_port
        self._trust = trust
        self._listener = Listener(self._answer, shows)
        self._scheme = "http" if shows is None else "https"
        self._fault: tuple[Answer, Which] | None = None
        self._own = threading.local()  # each connection has a thread
        self._generation = 0
        self._upstream: list[HTTPSConnection] = []

    @property
    def address(self) -> str:
        """Its address as a URL."""
        return f"{self._scheme}://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Listen."""
        self._listener.__enter__()
        self.port = self._listener.port
        return self

    def __exit__(self, *_: object) -> None:
        """Cut all connections, and wait for all threads."""
        self._listener.__exit__()
        for connection in self._upstream:
            connection.close()

    def spoil(self, fault: Answer, *, only: Which | None = None) -> None:
        """Let a fault answer from now on, all requests or those that are meant."""
        self._fault = fault, only or (lambda _method, _path: True)

    def lead_to(self, port: int) -> None:
        """Let faults that redirect know a port: `Visit.elsewhere`."""
        self._listener.elsewhere = port

    def heal(self) -> None:
        """Pass everything on from now on."""
        self._fault = None

    def show(self, certificate: ssl.SSLContext | None) -> None:
        """Show clients another certificate from now on, or speak no TLS any more; they have to connect anew."""
        self._listener._context = certificate
        self.part()

    def part(self) -> None:
        """Let every connection that is open end with its next answer: so no request is broken off."""
        self._generation += 1

    def asked(self, path: str, method: str | None = None) -> list[Seen]:
        """The requests to a path that begins so."""
        return [one for one in self.seen if one.path.startswith(path) and method in {None, one.method}]

    def _answer(self, visit: Visit) -> None:
        method, path = visit.request.split(b" ", 1)[0].decode(), visit.target.removeprefix("/v1/").partition("?")[0]
        fault, born = self._fault, vars(self._own).setdefault("generation", self._generation)
        is_spoilt = fault is not None and fault[1](method, path)
        self.seen.append(Seen(method, path, time.monotonic(), visit.scheme, is_spoilt))
        if fault is not None and is_spoilt:
            fault[0](visit)
        else:
            self.pass_on(visit)
        if born != self._generation:
            visit.hang_up()

    def pass_on(self, visit: Visit) -> None:
        """Answer as the server does."""
        status, kind, retry_after, body = self._asked(visit)
        headers = [] if retry_after is None else [f"Retry-After: {retry_after}"]
        respond(visit, body, *headers, status=f"{status} {kind}")

    def slowly(self, seconds: float) -> Answer:
        """A fault: the server's answer, late."""

        def answer(visit: Visit) -> None:
            visit.pause(seconds)
            self.pass_on(visit)

        return answer

    def _asked(self, visit: Visit) -> tuple[int, str, str | None, bytes]:
        head, _, body = visit.request.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        told = (line.partition(": ") for line in lines)
        headers = {name: text for name, _, text in told if name.lower() not in _NOT_PASSED_ON}
        connection: HTTPSConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = HTTPSConnection(HOST, self._target_port, timeout=_TIMEOUT_S, context=self._trust)
            self._own.connection = connection
            self._upstream.append(connection)
        try:
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.getheader("Retry-After"), answer.read()
        except (OSError, HTTPException):
            connection.close()
            visit.hang_up()


def status(code: int, *headers: str, body: bytes = b'{"errors":["of the proxy, CANARY"]}') -> Answer:
    """A fault: an answer with this status, and a text that nobody may repeat."""
    return lambda visit: respond(visit, body, *headers, status=f"{code} Spoilt")


def drop(visit: Visit) -> None:
    """A fault: the connection ends without an answer."""
    visit.hang_up()


def black_hole(visit: Visit) -> None:
    """A fault: no answer, ever."""
    visit.stay()
