"""What is wrong with a chain that a server sent: an incomplete chain told from an untrusted root. No I/O here.

OpenSSL says `unable to get local issuer certificate` of both. What was sent, and what is trusted, tells more: each
certificate names its issuer, and its signature and key identifiers (RFC 5280 §4.2.1.1) say which one that is.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from wellkept._dataclasses import dataclass
from wellkept.model import Finding, Severity
from wellkept.tls.certificates import day, extension, is_issued_by, is_valid_at, label, names_of
from wellkept.tls.faults import Fault
from wellkept.tls.judge import ends_soon
from wellkept.tls.names import is_address, is_named, printable
from wellkept.tls.reasons import reason_for

_MAX_PATH: Final = 10  # certificates; each step tries signatures
_MAX_NAMES: Final = 8  # of a certificate, in a message
_OF_TRUST: Final = frozenset(
    {
        Fault.UNTRUSTED,
        Fault.INCOMPLETE,
        Fault.SELF_SIGNED,
        Fault.UNTRUSTED_ROOT,
        Fault.SIGNATURE,
        Fault.TRUST_INCOMPLETE,
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server showed, and what was asked of it.

    Attributes:
        place: where it was seen: `example.com:443`.
        chain: its certificates as they were sent; at least one.
        trust: the CAs that are trusted here.
        host: the name or address that was asked for.
        fault: what OpenSSL found wrong with its certificate, or None.
    """

    place: str
    chain: tuple[x509.Certificate, ...]
    trust: Sequence[x509.Certificate]
    host: str
    fault: Fault | None


def diagnose(seen: Seen, now: datetime) -> Iterator[Finding]:
    """What is wrong, what OpenSSL stopped at first; and what it would have stopped at next."""
    path = path_of(seen.chain)
    told: set[str] = set()
    for one in (*_refused(seen, path, now), *_dates(seen, path, now), *_name(seen), *_order(seen, path)):
        if one.id not in told:
            yield one
            told.add(one.id)


def path_of(chain: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Those of a chain that lead from the first one upwards, each signed by the next."""
    path = [chain[0]]
    while len(path) < _MAX_PATH and not is_issued_by(path[-1], path[-1]):
        above = next((one for one in chain if one not in path and is_issued_by(path[-1], one)), None)
        if above is None:
            break
        path.append(above)
    return tuple(path)


def _refused(seen: Seen, path: Sequence[x509.Certificate], now: datetime) -> Iterator[Finding]:
    if seen.fault is None:
        return
    if seen.fault in _OF_TRUST:
        yield _untrusted(seen, path)
    elif seen.fault in {Fault.NAME, Fault.ADDRESS}:
        yield from _name(seen) or [_general(seen)]
    elif seen.fault in {Fault.EXPIRED, Fault.NOT_YET_VALID}:
        yield from list(_dates(seen, path, now)) or [_over(seen, now)]
    else:
        yield _general(seen)


def _untrusted(seen: Seen, path: Sequence[x509.Certificate]) -> Finding:
    """Why nobody who is trusted stands behind the chain."""
    last = path[-1]
    issuer = printable(last.issuer.rfc4514_string())
    twin = next((one for one in seen.trust if one.subject == last.issuer and not is_issued_by(last, one)), None)
    if twin is not None:
        fact = f"{label(last)} is signed by {issuer}, and the CA of that name that is trusted has another key"
        return _error(Fault.SIGNATURE, seen, fact, "the CA was made anew: trust its new certificate")
    if is_issued_by(last, last) and len(path) == 1:
        fact = f"{label(last)} is signed by itself, and is not trusted"
        return _error(Fault.SELF_SIGNED, seen, fact, "let a CA issue one, or trust exactly it: --cert FILE")
    if is_issued_by(last, last):
        fact = f"untrusted root: the chain is complete up to {issuer}, which is not trusted"
        return _error(Fault.UNTRUSTED_ROOT, seen, fact, "trust that root, if it is yours: --cert FILE")
    if len(path) > 1:
        fact = f"untrusted root: the chain leads up to {label(last)}, and its root {issuer} is not trusted"
        return _error(Fault.UNTRUSTED_ROOT, seen, fact, "trust that root, if it is yours: --cert FILE")
    fact = f"incomplete chain: {label(last)} is signed by {issuer}, which is neither sent nor trusted"
    return _error(Fault.INCOMPLETE, seen, fact, _way_to_issuer(last))


def _way_to_issuer(certificate: x509.Certificate) -> str:
    """How to come by the issuer that is missing; a CA may say where it is (RFC 5280 §4.2.2.1)."""
    access = extension(certificate, x509.AuthorityInformationAccess)
    offered = next((one for one in access or () if one.access_method == AuthorityInformationAccessOID.CA_ISSUERS), None)
    if offered is not None:
        return (
            f"let the server send it behind its own; its CA has it at {printable(str(offered.access_location.value))}"
        )
    return "let the server send it behind its own; or, if it is no intermediate but your root, trust it: --cert FILE"


def _general(seen: Seen) -> Finding:
    fault = seen.fault or Fault.UNVERIFIED
    reason = reason_for(fault)
    return _error(fault, seen, reason.fact, reason.hint)


def _over(seen: Seen, now: datetime) -> Finding:
    """A chain is refused for its dates, and none of what was sent is out of date: it is the CA itself."""
    above = next((one for one in seen.trust if not is_valid_at(one, now)), None)
    if above is None:
        return _general(seen)
    fact = f"the CA {label(above)}, which is trusted, {_state(above, now)}"
    return _error(seen.fault or Fault.EXPIRED, seen, fact, "get the CA's new certificate from who runs it")


def _dates(seen: Seen, path: Sequence[x509.Certificate], now: datetime) -> Iterator[Finding]:
    for one in path:
        if now > one.not_valid_after_utc:
            yield _error(
                Fault.EXPIRED, seen, f"{label(one)} {_state(one, now)}", "renew it, and let the server load it"
            )
        elif now < one.not_valid_before_utc:
            fix = "compare the clocks of both machines"
            yield _error(Fault.NOT_YET_VALID, seen, f"{label(one)} {_state(one, now)}", fix)
        elif ends_soon(one, now):
            end = day(one.not_valid_after_utc)
            fix = "renew it: less than a third of its time is left"
            yield _warning("ends-soon", seen, f"{label(one)} is valid until {end} only", fix)


def _state(certificate: x509.Certificate, now: datetime) -> str:
    if now > certificate.not_valid_after_utc:
        return f"has expired: it was valid until {day(certificate.not_valid_after_utc)}"
    return f"is not yet valid: it begins {day(certificate.not_valid_before_utc)}"


def _name(seen: Seen) -> list[Finding]:
    """Whether the name that was asked for stands in it (RFC 6125 §6.4)."""
    own = seen.chain[0]
    names = names_of(own)
    if is_named(names, seen.host):
        return []
    if extension(own, x509.SubjectAlternativeName) is None:
        fact = f"{label(own)} has no subject alternative name, and its common name is no host name (RFC 6125)"
        return [_error("common-name", seen, fact, f"let its CA issue it with subjectAltName=DNS:{seen.host}")]
    shown = [printable(one) for one in (*names.dns, *map(str, names.ips))]
    more = f" and {len(shown) - _MAX_NAMES} more" if len(shown) > _MAX_NAMES else ""
    fact = f"the certificate is for {', '.join(shown[:_MAX_NAMES]) or 'no host'}{more}, and not for {seen.host}"
    fault = Fault.ADDRESS if is_address(seen.host) else Fault.NAME
    return [_error(fault, seen, fact, "use a name that stands in it, give --server-name, or let its CA add this one")]


def _order(seen: Seen, path: Sequence[x509.Certificate]) -> Iterator[Finding]:
    used = [one for one in seen.chain if one in path]
    if used != list(path):
        fix = "put each certificate directly behind the one that it signed"
        yield _warning("misordered-chain", seen, "the server sends its chain in the wrong order", fix)
    others = [one for one in seen.chain if one not in path]
    if others:
        fact = f"the server sends {label(others[0])}, which has nothing to do with its certificate"
        yield Finding("unneeded-certificate", Severity.INFO, seen.place, fact, "take it out of the server's file")


def _error(code: str, seen: Seen, fact: str, fix: str) -> Finding:
    return Finding(str(code), Severity.ERROR, seen.place, fact, fix)


def _warning(code: str, seen: Seen, fact: str, fix: str) -> Finding:
    return Finding(code, Severity.WARNING, seen.place, fact, fix)
