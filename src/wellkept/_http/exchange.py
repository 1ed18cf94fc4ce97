"""One request and its answer on a connection: what is sent, and how much of an answer is believed."""

from http.client import HTTPException, HTTPResponse, IncompleteRead
from json import dumps
from ssl import SSLError
from urllib.parse import quote, urlencode

from wellkept._http.address import Address
from wellkept._http.body import parse_body
from wellkept._http.context import tls_failure
from wellkept._http.dial import broken_off, timed_out
from wellkept._http.message import Failure, Request, Response
from wellkept._http.wire import Wire
from wellkept.errors import Malformed
from wellkept.secret import Secret

MAX_BODY_BYTES = 1 << 20

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STANDBY = 307  # RFC 9110 §15.4.8: the same method and body; what a Vault standby answers
_FIRST_FINAL, _FIRST_ERROR = 200, 400
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


def exchange(wire: Wire, request: Request, address: Address) -> tuple[Answer, bool]:
    """Send a request and read its answer.

    Returns:
        The answer, and whether the connection may be used again.
    """
    server = address.origin
    try:
        wire.sendall(_encoded(request, address))
        response = HTTPResponse(wire, method=request.method)  # type: ignore[arg-type]  # it needs makefile only
        response.begin()
        answer = _read(response)
    except TimeoutError:
        answer = timed_out(server, wire.deadline, "answer")
    except SSLError as error:
        answer = tls_failure(error, server)
    except (ConnectionError, IncompleteRead, _Ends) as error:
        known = error if isinstance(error, OSError) else OSError()
        answer = broken_off(known, server, was_sent=True)
    except OSError as error:
        answer = broken_off(error, server, was_sent=True)
    except Exception:  # noqa: BLE001 http.client raises more than its own: a negative chunk is a ValueError
        answer = _malformed("is no HTTP")
    else:
        return answer, not isinstance(answer, Failure) and not response.will_close
    return answer, False


class _Ends(HTTPException):
    """The body ended before its time."""


def _encoded(request: Request, address: Address) -> bytes:
    """The bytes of a request, head and body in one."""
    target = address.prefix + "".join(f"/{quote(step, safe='')}" for step in request.path)
    query = f"?{urlencode(request.query)}" if request.query else ""
    body = b"" if request.body is None else dumps(request.body).encode()
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


def _read(response: HTTPResponse) -> Answer:
    """Read the answer whole, within its bounds."""
    if response.status in _REDIRECTS:
        return Elsewhere(response.headers.get("location", ""), response.status)
    fault = _head_fault(response)
    body = b"" if fault is not None else _body(response)
    if len(body) > MAX_BODY_BYTES:
        fault = _TOO_LARGE
    if fault is not None:
        return _malformed(fault)
    if response.length:
        raise _Ends
    data, fault = parse_body(body) if body and _is_json(response) else (None, "is no JSON" if body else None)
    if fault is not None and response.status < _FIRST_ERROR:
        return _malformed(fault)
    return Response(response.status, data, _seconds(response.headers.get("retry-after", "")))


def _body(response: HTTPResponse) -> bytes:
    """Read a body, one byte more than may come at the most."""
    if not response.chunked:
        return response.read(MAX_BODY_BYTES + 1)
    # Into one buffer: `read` keeps an object a chunk, and a million chunks of one byte are 80 MiB.
    buffer = bytearray(MAX_BODY_BYTES + 1)
    return bytes(memoryview(buffer)[: response.readinto(buffer)])


def _is_json(response: HTTPResponse) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


_TOO_LARGE = "is larger than 1 MiB"


def _head_fault(response: HTTPResponse) -> str | None:
    """Why the body of an answer is not even read, or None."""
    headers = response.headers
    lengths = {one.strip() for one in headers.get_all("content-length", [])}
    if len(lengths) > 1 or not all(map(_is_number, lengths)) or (response.chunked and lengths):
        return "does not say how long it is"
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return "is compressed, which nobody asked for"
    if response.status < _FIRST_FINAL:
        return "is no answer"
    return _TOO_LARGE if response.length is not None and response.length > MAX_BODY_BYTES else None


def _malformed(fact: str) -> Failure:
    return Failure(Malformed, f"its answer {fact}", _LIE, was_sent=True)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _seconds(text: str) -> float | None:
    """RFC 9110 §10.2.3, in seconds; a date is not understood, and counts as nothing said."""
    return float(text) if _is_number(text) and len(text) < 7 else None  # noqa: PLR2004 eleven days are enough
