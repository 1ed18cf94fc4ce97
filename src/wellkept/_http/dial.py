"""Connecting: name, socket, proxy, TLS, all under one deadline."""

import errno
import os
import socket
from contextlib import suppress

from wellkept._http.address import Address, is_loopback
from wellkept._http.deadline import Deadline
from wellkept._http.message import Failure
from wellkept._http.names import SocketAddress, look_up
from wellkept._http.tls import Tls
from wellkept._http.wire import Wire
from wellkept.errors import TimedOut, Unreachable

_MOST_PROXY_BYTES = 4096
_SHARE = 2  # one address that does not answer may take half of what is left: the next one gets a chance


def dial(address: Address, tls: Tls | None, deadline: Deadline, proxy: Address | None = None) -> Wire | Failure:
    """Connect to a server.

    Args:
        address: where it is.
        tls: for an address that begins with https, else None.
        deadline: when to give up.
        proxy: an HTTP proxy to go through, or None.
    """
    server = address.origin
    connected: socket.socket | None = None
    try:
        connected = _connected(address if proxy is None else proxy, deadline)
        if proxy is not None and not _is_tunnelled(connected, address, deadline):
            return _closing(connected, Failure(Unreachable, f"unreachable: the proxy {proxy} refuses {server}", _LOOK))
        if tls is None:
            return Wire(connected, deadline)
        _refuse_hung_up(connected)
        connected.settimeout(deadline.wait())
        wrapped = tls.wrap(connected, address.host)
        return _closing(connected, wrapped) if isinstance(wrapped, Failure) else Wire(wrapped, deadline)
    except TimeoutError:
        failure = timed_out(server, deadline, "connect")
    except socket.gaierror as error:
        failure = _unknown_name(error, address if proxy is None else proxy)
    except OSError as error:
        failure = (None if tls is None else tls.failure(error, server)) or broken_off(error, server)
    return _closing(connected, failure)


_LOOK = "look whether it runs, and whether this machine may reach it"


def timed_out(server: str, deadline: Deadline, step: str) -> Failure:
    """The failure of a deadline that is over."""
    fact = f"unreachable: {server} did not {step} within {deadline.seconds:g} s"
    return Failure(TimedOut, fact, _LOOK, was_sent=step != "connect")


def broken_off(error: OSError, server: str, *, was_sent: bool = False) -> Failure:
    """The failure of a connection; the reason is the system's name for its code, never the error's text."""
    reason = os.strerror(error.errno) if error.errno else "it hung up"
    return Failure(Unreachable, f"unreachable: {server} ({reason.lower()})", _LOOK, is_passing=True, was_sent=was_sent)


def _closing(connected: socket.socket | None, failure: Failure) -> Failure:
    if connected is not None:
        connected.close()
    return failure


def _connected(address: Address, deadline: Deadline) -> socket.socket:
    if address.scheme == "unix":
        return _connect(socket.AF_UNIX, address.host, deadline.wait())
    targets = look_up(address.host, address.port, deadline)
    if address.scheme == "http" and address.is_loopback:  # a name that says so may lead elsewhere
        targets = [(family, target) for family, target in targets if is_loopback(str(target[0]))]
    last: OSError = OSError(errno.EADDRNOTAVAIL, "")
    for number, (family, target) in enumerate(targets, 1):
        left = min(deadline.wait(), deadline.connect_s)
        try:
            connected = _connect(family, target, left if number == len(targets) else left / _SHARE)
        except OSError as error:
            last = error.with_traceback(None)
            continue
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    raise last


def _connect(family: socket.AddressFamily, target: SocketAddress, timeout_s: float) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        made.connect(target)
    except BaseException:
        made.close()
        raise
    return made


def _refuse_hung_up(connected: socket.socket) -> None:
    """Raise what ssl would, which leaves a socket of its own open then: the peer has hung up already."""
    fault = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if fault:
        raise OSError(fault, "")


def _is_tunnelled(connected: socket.socket, address: Address, deadline: Deadline) -> bool:
    """Ask an HTTP proxy for a tunnel (RFC 9110 §9.3.6); byte by byte, since what follows is TLS."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    wire_name = f"{host}:{address.port}"
    connected.settimeout(deadline.wait())
    connected.sendall(f"CONNECT {wire_name} HTTP/1.1\r\nHost: {wire_name}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _MOST_PROXY_BYTES:
        connected.settimeout(deadline.wait())
        byte = connected.recv(1)
        if not byte:
            return False
        head += byte
    with suppress(IndexError):
        return head.startswith(b"HTTP/1.") and head.split(b" ", 2)[1] == b"200"
    return False


def _unknown_name(error: socket.gaierror, address: Address) -> Failure:
    is_passing = error.errno == socket.EAI_AGAIN
    fact = "cannot be looked up now" if is_passing else "is no name that is known"
    hint = "look whether the name server answers" if is_passing else "correct the address"
    return Failure(Unreachable, f"unreachable: {address.host} {fact}", hint, is_passing=is_passing)
