"""Whom to let in: patterns of the names in a certificate, `spiffe://prod/ns/*/sa/billing`, `dns:job.internal`.

A pattern is matched segment by segment; `*` is one whole segment that is not empty, and never crosses
a `/` of a URI or a `.` of a host name. A certificate is let in when one of its names fits one pattern.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from wellkept._dataclasses import dataclass
from wellkept.tls.names import Names

_KINDS = ("spiffe://", "uri:", "dns:", "ip:")


@dataclass(frozen=True, slots=True)
class Allow:
    """The patterns of one list; an empty one lets everybody in whose certificate is trusted.

    Attributes:
        patterns: as they were written.
    """

    patterns: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def lets_in(self, names: Names) -> bool:
        """Whether one of the names fits a pattern; the common name is none of them."""
        return not self.patterns or any(_fits(pattern, names) for pattern in self.patterns)


def fault_of(pattern: str) -> str | None:
    """What is wrong with a pattern, or None."""
    if not pattern.startswith(_KINDS):
        return 'begins with none of "spiffe://", "uri:", "dns:" and "ip:"'
    body = pattern.partition(":")[2].removeprefix("//") if pattern.startswith("spiffe:") else pattern.partition(":")[2]
    if not body or not pattern.isprintable() or " " in pattern:
        return "names nobody"
    if pattern.startswith("ip:"):
        return None if _is_ip(body) else "names no IP address"
    separator = "." if pattern.startswith("dns:") else "/"
    steps = body.split("://", 1)[-1].split(separator)
    if any("*" in step and step != "*" for step in steps):
        return "has a * beside other characters: it stands for one whole segment"
    return "has an empty segment" if "" in steps else None


def _fits(pattern: str, names: Names) -> bool:
    if pattern.startswith("dns:"):
        wanted = pattern[4:].lower()
        return any(_is_alike(wanted, name.lower(), ".") for name in names.dns)
    if pattern.startswith("ip:"):
        return any(ip_address(pattern[3:]) == one for one in names.ips)
    if pattern.startswith("spiffe://"):
        return names.spiffe_id is not None and _is_alike(pattern, names.spiffe_id, "/")
    return any(_is_alike(pattern[4:], uri, "/") for uri in names.uris)


def _is_alike(pattern: str, name: str, separator: str) -> bool:
    wanted, given = pattern.split(separator), name.split(separator)
    return len(wanted) == len(given) and all(_is_step(one, other) for one, other in zip(wanted, given, strict=True))


def _is_step(wanted: str, given: str) -> bool:
    # A certificate with *.example.com in it is no host of that name: its * is a letter like any other.
    return (bool(given) and given != "*") if wanted == "*" else wanted == given


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def faults_of(patterns: Iterable[str]) -> list[str]:
    """What is wrong with each pattern, without those that are good."""
    return [f"pattern {number} {fault}" for number, one in enumerate(patterns, 1) if (fault := fault_of(one))]
