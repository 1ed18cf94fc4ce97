"""Where a server is: `https://vault.example.com:8200`, `http://127.0.0.1:8100`, `unix:///run/agent.sock`."""

import ipaddress
from urllib.parse import SplitResult, unquote, urlsplit

from wellkept._dataclasses import dataclass
from wellkept.errors import UsageError

_PORTS = {"https": 443, "http": 80}
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST_LABEL = 63  # RFC 1035 §2.3.4
_LONGEST = 1024
_HINT = "write https://HOST:PORT, or unix:///PATH for a socket"


@dataclass(frozen=True, slots=True)
class Address:
    """One address.

    Attributes:
        scheme: `https`, `http` or `unix`.
        host: a name or an IP address without brackets; the path of a socket.
        port: the port; 0 for a socket.
        prefix: what stands before every path, without a final slash.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def origin(self) -> str:
        """The address without its prefix, in one spelling."""
        if self.scheme == "unix":
            return f"unix://{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether it never leaves this machine."""
        return self.scheme == "unix" or self.host.lower() == "localhost" or is_loopback(self.host)

    def __str__(self) -> str:
        return self.origin + self.prefix


def parse_address(text: str, *, what: str, may_be_plain: bool = False, shows: bool = True) -> Address:
    """Parse an address that a person wrote.

    Args:
        text: the address.
        what: what it is called in errors (`VAULT_ADDR`).
        may_be_plain: whether `http://` may leave this machine.
        shows: whether an error may show it.

    Raises:
        UsageError: it is no address, holds a user or a query, or is plain HTTP to another machine.
    """
    address = find_address(text)
    if isinstance(address, str):
        raise UsageError(f"{what}: {address}", hint=_HINT)
    if address.scheme == "http" and not may_be_plain and not address.is_loopback:
        shown = address.origin if shows else "the address"
        raise UsageError(
            f"{what}: {shown} is plain HTTP, and not on this machine",
            hint=f"write {shown.replace('http:', 'https:')}, or plaintext = true in its provider table",
        )
    return address


def find_address(text: str) -> Address | str:
    """The address that a text means, or why it is none; the text is not quoted."""
    is_text = len(text) <= _LONGEST and text.isprintable() and text.isascii()
    try:
        parts = urlsplit(text if is_text else "")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if parts.scheme == "unix":
        return _socket(parts)
    faults = (
        (parts.scheme not in _PORTS, "begins with neither https:// nor unix://"),
        ("@" in parts.netloc or parts.query or parts.fragment, "holds more than a host, a port and a path"),
        (not _is_name(host) and (":" not in host or _ip(host) is None), "names no host"),
        (
            not set(parts.path) <= _LETTERS | set("/.~") or ".." in parts.path or "//" in parts.path,
            "holds a path that cannot be",
        ),
    )
    fault = next((fact for is_wrong, fact in faults if is_wrong), None)
    if fault is not None:
        return fault
    return Address(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, parts.path.rstrip("/"))


def is_loopback(host: str) -> bool:
    """Whether an IP address never leaves this machine; a name is not looked up."""
    address = _ip(host)
    return address is not None and address.is_loopback


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    return all(0 < len(one) <= _LONGEST_LABEL and set(one) <= _LETTERS for one in labels)


def _socket(parts: SplitResult) -> Address | str:
    path = unquote(parts.path)
    is_path = not parts.netloc and not parts.query and path.startswith("/") and path.isprintable()
    return Address("unix", path, 0) if is_path else "is no path of a socket"


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
