"""Carries one question to an OCSP responder and brings its answer: what `runtime` hands to `wellkept.tls`.

Certification authorities publish their responders over plain HTTP, to any machine. That does not break rule 7
of the design: nothing secret is sent — only which certificate the other side has just shown — and the answer
is signed by the CA and verified by `wellkept.tls.ocsp`, wherever it comes from. TLS around it would need an
answer about one more certificate first (RFC 5280 §4.2.2.1 warns of that circle).

The URL stands in a certificate, often one of a client. The caller verifies the chain first: the URL of a
certificate that nobody has verified is never fetched. In case a CA signs what it is given, link-local addresses,
where clouds keep the credentials of their machines, and their like are refused; and the connection goes to the
address that was judged, not to a name that is looked up again.

No redirects, no proxy, no retries, no connection that is kept: one attempt, within three seconds in all.
"""

import socket
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from wellkept._forks import after_fork
from wellkept._http.address import Address, find_address
from wellkept._http.deadline import Deadline
from wellkept._http.dial import dial
from wellkept._http.message import Failure
from wellkept._http.names import look_up
from wellkept._http.reader import Head, Unreadable, read_body, read_head
from wellkept._http.tls import Tls, Trust
from wellkept._http.wire import Wire
from wellkept._imports import load_module
from wellkept.errors import TimedOut, TLSFailed
from wellkept.tls.ocsp import Unanswered

TIMEOUT_S = 3.0  # a handshake waits for it; those that give up at ten seconds must not do so because of it
MAX_ANSWER_BYTES = 1 << 16  # an answer with its delegate's certificate has some 2 KiB

_MOST_ADDRESSES = 3  # of one name: there is no time for more
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KIND = "application/ocsp-response"  # RFC 6960 appendix A.1
_NAT64, _AWS = ip_network("64:ff9b::/96"), ip_network("fd00:ec2::/32")  # RFC 6052; metadata over IPv6
_OFF_LIMITS = "is at an address that is never asked: link-local, multicast or none"


def fetch_ocsp(url: str, request: bytes, *, timeout_s: float = TIMEOUT_S) -> bytes:
    """Ask a responder; this is a `wellkept.tls.ocsp.Fetch`.

    Args:
        url: `http://` or `https://`, from a certificate whose chain was verified.
        request: the question, DER.
        timeout_s: how long all of it may take.

    Returns:
        The answer as it came: nobody has verified it.

    Raises:
        Unanswered: there is none; it is an OSError.
    """
    answer = _asked(url, request, Deadline(timeout_s))
    if isinstance(answer, str):
        raise Unanswered(answer)
    return answer


def _asked(url: str, request: bytes, deadline: Deadline) -> bytes | str:
    """The answer, or in words why there is none."""
    address = find_address(url)
    if isinstance(address, str):
        return f"cannot be asked: its URL {address}"
    if address.scheme == "unix":
        return "cannot be asked: its URL is that of no other machine"
    wire = _connected(address, deadline)
    if isinstance(wire, str):
        return wire
    try:
        wire.load(_head(address, urlsplit(url).path or "/", len(request)) + request)
        return _exchanged(wire)
    finally:
        wire.close()


def _connected(address: Address, deadline: Deadline) -> Wire | str:
    """A connection to one of the addresses of a name, each judged."""
    try:
        found = [str(target[0]) for _, target in look_up(address.host, address.port, deadline)]
    except TimeoutError:
        return _late(deadline)
    except OSError:
        return "has a name that cannot be looked up"
    hosts = [one for one in found if not is_off_limits(one)][:_MOST_ADDRESSES]
    tls = _Named(address.host) if address.scheme == "https" else None
    fact = _OFF_LIMITS
    for number, host in enumerate(hosts, 1):
        left_s = deadline.left()
        part = deadline if number == len(hosts) else Deadline(left_s / 2)
        made = dial(Address(address.scheme, host, address.port), tls, part)
        if isinstance(made, Wire):
            made.deadline = deadline
            return made
        fact = _fact(made, deadline)
    return fact


def _exchanged(wire: Wire) -> bytes | str:
    """Send what was loaded, and read the answer."""
    try:
        wire.send_all()
        head = read_head(wire)
        fault = _fault(head)
        if fault is not None:
            return fault
        body, _ = read_body(wire, head)
    except Unreadable as unreadable:
        return f"gave an answer that {unreadable}"  # the text is ours
    except TimeoutError:
        return _late(wire.deadline)
    except (EOFError, OSError):
        return "hung up"
    if len(body) > MAX_ANSWER_BYTES:
        return _TOO_LARGE
    return body or "gave an empty answer"


_TOO_LARGE = "gave an answer that is larger than 64 KiB"


def _fault(head: Head) -> str | None:
    """Why an answer is not read any further."""
    if head.status in _REDIRECTS:
        return "answers with a redirect, which is not followed"
    if head.status != _OK:
        return f"answers with status {head.status}"
    if head.header("content-type").partition(";")[0].strip().lower() != _KIND:
        return "gave an answer that is none of OCSP"
    length = head.header("content-length")
    return _TOO_LARGE if length.isascii() and length.isdigit() and len(length) > len("65536") else None


def _head(address: Address, path: str, length: int) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {address.origin.partition('//')[2]}",
        "Content-Type: application/ocsp-request",
        f"Content-Length: {length}",
        f"Accept: {_KIND}",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _fact(failure: Failure, deadline: Deadline) -> str:
    if issubclass(failure.error, TimedOut):
        return _late(deadline)
    if issubclass(failure.error, TLSFailed):
        return "cannot be reached over a connection that can be trusted"
    return "cannot be reached"


def _late(deadline: Deadline) -> str:
    return f"did not answer within {deadline.seconds:g} s"


def is_off_limits(host: str) -> bool:
    """Whether an IP address is one that no certificate may send this process to.

    Addresses of loopback and of private networks are not: that is where a private CA has its responder.
    """
    address = ip_address(host)
    meant: list[IPv4Address | IPv6Address | None] = [address]
    if isinstance(address, IPv6Address):
        inside = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        meant += [address.ipv4_mapped, address.sixtofour, inside]
    return any(
        one.is_link_local or one.is_unspecified or one.is_multicast or one in _AWS for one in meant if one is not None
    )


class _Named:
    """TLS towards a name whose address was looked up already; a `tls.Tls`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def wrap(self, connected: socket.socket, host: str) -> socket.socket | Failure:
        """Shake hands; the certificate must be that of the name."""
        del host  # the address
        return _keeper().wrap(connected, self._name)

    def failure(self, error: OSError, server: str) -> Failure | None:
        """What an error means."""
        return _keeper().failure(error, server)

    def renew_lock(self) -> None:
        """Nothing: the one lock there is, is made anew below."""


@cache
def _keeper() -> Tls:
    # By name, as in client.py: it is needed for https only.
    made: Tls = load_module("wellkept._http.context").ContextKeeper(Trust())
    return made


def _after_fork() -> None:
    if _keeper.cache_info().currsize:
        _keeper().renew_lock()


after_fork(_after_fork)
