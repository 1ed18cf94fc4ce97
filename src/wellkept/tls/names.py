"""The names that a certificate is for, and any text of one as a message may show it.

Only the standard library: settings and policies are read where no certificate ever is.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from wellkept._dataclasses import dataclass

_LONGEST = 80  # characters of a name in a message; a certificate may hold any text


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a certificate is for (RFC 5280 §4.2.1.6).

    Attributes:
        dns: host names, as they stand there.
        ips: addresses.
        uris: URIs, of which one may be a SPIFFE id.
        common_name: the subject's common name, which is no host name; empty where there is none.
    """

    dns: tuple[str, ...] = ()
    ips: tuple[IPv4Address | IPv6Address, ...] = ()
    uris: tuple[str, ...] = ()
    common_name: str = ""

    @property
    def spiffe_id(self) -> str | None:
        """The SPIFFE id; None where there is none, or more than one URI (X509-SVID §2)."""
        return self.uris[0] if len(self.uris) == 1 and self.uris[0].startswith("spiffe://") else None


def printable(text: str) -> str:
    """A text from a certificate as a message may show it: short, and nothing that moves a cursor."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def is_named(names: Names, host: str) -> bool:
    """Whether a certificate is for a host: a star is one whole first label (RFC 6125 §6.4.3)."""
    if is_address(host):
        return ip_address(host) in names.ips
    wanted = host.lower().rstrip(".")
    rest = wanted.partition(".")[2]
    return any(one.lower() in {wanted, f"*.{rest}" if "." in rest else wanted} for one in names.dns)


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
