"""Whom to let in: patterns of the names in a certificate, `spiffe://prod/ns/*/sa/billing`, `dns:job.internal`.

A pattern is matched segment by segment; `*` is one whole segment that is not empty, and never crosses
a `/` of a URI or a `.` of a host name. A certificate is let in when one of its names fits one pattern.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern
from wellkept.tls.names import Names, is_address

_SEGMENT = pattern(r"[A-Za-z0-9._-]+")  # SPIFFE-ID §2.2
_LABEL = pattern(r"[A-Za-z0-9_-]+")  # RFC 1123 §2.1, and the _ that many use
_DOMAIN = pattern(r"[a-z0-9._-]+")  # SPIFFE-ID §2.1
_URI = pattern(r"[a-z][a-z0-9+.-]*:.+")
_NO_HOST = "is no host name: write dns:job.internal, without a scheme, a port or a final dot"
_NO_ID = "is no SPIFFE id: write spiffe://trust-domain/path, the trust domain in lower case"
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
    """What is wrong with a pattern, or None: one that can fit nobody is wrong, too."""
    if not pattern.startswith(_KINDS):
        return 'begins with none of "spiffe://", "uri:", "dns:" and "ip:"'
    if pattern.endswith((":", "://")):
        return "names nobody"
    if not pattern.isprintable() or not pattern.isascii() or " " in pattern:
        return "names nobody: it holds a character that no name has; a host name in another script is written as xn--…"
    body = pattern.removeprefix("uri:")
    if pattern.startswith("dns:"):
        return _fault_of_steps(pattern[4:].split("."), _LABEL, _NO_HOST)
    if body.startswith("spiffe://"):
        domain, *steps = body.removeprefix("spiffe://").split("/")
        fits = domain == "*" or _DOMAIN.fullmatch(domain) is not None
        return _fault_of_steps(steps, _SEGMENT, _NO_ID) if fits else _NO_ID
    is_good = is_address(pattern[3:]) if pattern.startswith("ip:") else _URI.fullmatch(body)
    return None if is_good else "names no IP address" if pattern.startswith("ip:") else "is no URI"


def _fault_of_steps(steps: Iterable[str], form: re.Pattern[str], what: str) -> str | None:
    wanted = [one for one in steps if one != "*"]
    if "" in wanted:
        return "has an empty segment"
    if any("*" in one for one in wanted):
        return "has a * beside other characters: it stands for one whole segment"
    return None if all(_is_step_of(form, one) for one in wanted) else what


def _fits(pattern: str, names: Names) -> bool:
    if pattern.startswith("dns:"):
        wanted = pattern[4:].lower()
        return any(_is_alike(wanted, name.lower(), ".", _LABEL) for name in names.dns)
    if pattern.startswith("ip:"):
        return any(ip_address(pattern[3:]) == one for one in names.ips)
    body = pattern.removeprefix("uri:")
    if body.startswith("spiffe://"):
        # A certificate with two URIs has no SPIFFE id (X509-SVID §2), however the pattern is written.
        return names.spiffe_id is not None and _is_alike(body, names.spiffe_id, "/", _SEGMENT)
    return any(_is_alike(body, uri, "/", _SEGMENT) for uri in names.uris)


def _is_alike(pattern: str, name: str, separator: str, form: re.Pattern[str]) -> bool:
    wanted, given = pattern.split(separator), name.split(separator)
    return len(wanted) == len(given) and all(
        _is_step_of(form, other) if one == "*" else one == other for one, other in zip(wanted, given, strict=True)
    )


def _is_step_of(form: re.Pattern[str], step: str) -> bool:
    """Whether a star may stand for a segment: never for dots, escapes, or a star that a certificate has itself."""
    return form.fullmatch(step) is not None and step not in {".", ".."}


def faults_of(patterns: Iterable[str]) -> list[str]:
    """What is wrong with each pattern, without those that are good."""
    return [f"pattern {number} {fault}" for number, one in enumerate(patterns, 1) if (fault := fault_of(one))]
