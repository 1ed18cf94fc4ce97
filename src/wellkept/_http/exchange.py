"""One request and its answer on a connection: what is sent, and how much of an answer is believed."""

from urllib.parse import quote, urlencode

from wellkept._http.address import Address
from wellkept._http.body import parse_body, to_json
from wellkept._http.dial import broken_off, timed_out
from wellkept._http.message import Failure, Request, Response
from wellkept._http.reader import Head, Unreadable, read_body, read_head
from wellkept._http.tls import Tls
from wellkept._http.wire import Wire
from wellkept.errors import Malformed
from wellkept.secret import Secret

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STANDBY = 307  # RFC 9110 §15.4.8: the same method and body; what a Vault standby answers
_FIRST_ERROR = 400
_LIE = "something between here and the server answers in its place: look at the address"


class Elsewhere:
    """A redirect, which only a client may follow, and only to a peer.

    Attributes:
        origin: where to, or nothing where no method may follow.
    """

    __slots__ = ("origin",)

    def __init__(self, location: str, status: int) -> None:
        """Read a Location header."""
        self.origin = "/".join(location.split("/")[:3]) if status == _STANDBY else ""


Answer = Response | Failure | Elsewhere


def exchange(wire: Wire, request: Request, address: Address, tls: Tls | None) -> tuple[Answer, bool]:
    """Send a request and read its answer.

    Returns:
        The answer, and whether the connection may be used again.
    """
    server = address.origin
    answer: Answer
    try:
        wire.load(_encoded(request, address))
        wire.send_all()
        return _read(wire)
    except Unreadable as unreadable:
        answer = _malformed(str(unreadable))
    except TimeoutError:
        answer = timed_out(server, wire.deadline, "answer")
    except EOFError:
        answer = broken_off(OSError(), server, was_sent=True)
    except OSError as error:
        failure = None if tls is None else tls.failure(error, server)
        answer = failure or broken_off(error, server, was_sent=True)
    return answer, False


def _encoded(request: Request, address: Address) -> bytes:
    """The bytes of a request, head and body in one."""
    target = address.prefix + "".join(f"/{quote(step, safe='')}" for step in request.path)
    query = f"?{urlencode(request.query)}" if request.query else ""
    body = b"" if request.body is None else to_json(request.body)
    lines = [
        f"{request.method} {target}{query} HTTP/1.1",
        f"Host: {_host_header(address)}",
        "Accept: application/json",
        "Accept-Encoding: identity",
    ]
    if request.body is not None:
        lines += [f"Content-Length: {len(body)}"]
        lines += [] if "Content-Type" in request.headers else ["Content-Type: application/json"]
    lines += [f"{name}: {shown(value)}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def shown(value: Secret[str] | str) -> str:
    """The text of a header's value."""
    return value.reveal() if isinstance(value, Secret) else value


def _host_header(address: Address) -> str:
    return "localhost" if address.scheme == "unix" else address.origin.partition("//")[2]


def _read(wire: Wire) -> tuple[Answer, bool]:
    head = read_head(wire)
    if head.status in _REDIRECTS:
        return Elsewhere(head.header("location"), head.status), False
    body, may_go_on = read_body(wire, head)
    data, fault = parse_body(body) if body and _is_json(head) else (None, "is no JSON" if body else None)
    if fault is not None and head.status < _FIRST_ERROR:
        return _malformed(fault), False
    return Response(head.status, data, _seconds(head.header("retry-after"))), may_go_on


def _is_json(head: Head) -> bool:
    kind = head.header("content-type").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _malformed(fact: str) -> Failure:
    return Failure(Malformed, f"its answer {fact}", _LIE, was_sent=True)


def _seconds(text: str) -> float | None:
    """RFC 9110 §10.2.3, in seconds; a date is not understood, and counts as nothing said."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 eleven days are enough
