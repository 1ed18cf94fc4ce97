"""What is wrong with sorted files: each by itself, and with the others in a handshake in memory."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from wellkept._dataclasses import dataclass
from wellkept.cli.tls_sorting import Chain, Heap, missing_issuer, told
from wellkept.errors import BundleError
from wellkept.model import Finding, Severity
from wellkept.tls.bundle import Bundle, Identity, Parts
from wellkept.tls.certificates import extension, label, names_of
from wellkept.tls.enrol import KEYS, self_signed
from wellkept.tls.inner import build
from wellkept.tls.judge import errors_of, judge_identity, judge_lists, judge_trust
from wellkept.tls.pem import PrivateKey
from wellkept.tls.policy import Policy, VerifyClient
from wellkept.tls.reasons import reason_of
from wellkept.tls.rehearse import shake_in_memory

_MOST_STEPS = 20  # a handshake takes three
_STAND_IN = "stand-in.invalid"


@dataclass(frozen=True, slots=True)
class Fine:
    """A certificate with which nothing is wrong.

    Attributes:
        name: a short name of it.
        what: `certificate`, `chain` or `CA`.
        place: the file.
        until: when it ends.
        days_left: how many whole days it still has.
    """

    name: str
    what: str
    place: str
    until: datetime
    days_left: int


@dataclass(frozen=True, slots=True)
class _Borrowed:
    """Stands in for a private key that was not given: whether it matches is not judged."""

    certificate: x509.Certificate

    def public_key(self) -> object:
        return self.certificate.public_key()


def judge_heap(heap: Heap, *, side: str | None, now: datetime) -> list[Finding]:
    """All that is wrong with files, errors first.

    Args:
        heap: the files, sorted.
        side: `server` or `client`: what the certificates are for; None goes by what they say themselves.
        now: the time of day.
    """
    found = list(heap.findings)
    for own in heap.identities:
        found += _judge_own(own, heap, is_server=is_for_server(own.certificate, side), now=now, has_key=True)
    for chain in heap.chains:
        is_server = is_for_server(chain.certificates[0], side)
        found += _judge_own(_without_key(chain), heap, is_server=is_server, now=now, has_key=False)
    cas = tuple(heap.roots + heap.between)
    found += judge_trust(cas, now=now)
    if heap.crls:
        found += judge_lists(Parts(None, cas, tuple(heap.crls)), is_required=True, now=now)
    unique = list(dict.fromkeys(found))
    return sorted(unique, key=lambda one: one.severity is not Severity.ERROR)


def is_for_server(certificate: x509.Certificate, side: str | None) -> bool:
    """Whether a certificate is judged as that of a server: as it was said, or by its extended key usage."""
    if side is not None:
        return side == "server"
    usage = extension(certificate, x509.ExtendedKeyUsage)
    return usage is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usage or ExtendedKeyUsageOID.SERVER_AUTH in usage


def _judge_own(own: Identity, heap: Heap, *, is_server: bool, now: datetime, has_key: bool) -> Iterator[Finding]:
    found = list(judge_identity(own, is_server=is_server, now=now))
    yield from found
    lacking = missing_issuer(own.certificates, heap)
    if lacking is not None:
        yield Finding("TLS015", Severity.ERROR, own.place, *lacking)
    elif has_key and not errors_of(found):
        refused = _try(own, heap, is_server=is_server, now=now)
        if refused is not None:
            yield refused


def _without_key(chain: Chain) -> Identity:
    return Identity(chain.certificates, cast("PrivateKey", _Borrowed(chain.certificates[0])), chain.place, chain.place)


def _try(own: Identity, heap: Heap, *, is_server: bool, now: datetime) -> Finding | None:
    """Show a certificate to somebody who trusts the CAs among the files, and verifies strictly."""
    others = Parts(None, tuple(heap.roots), tuple(heap.crls))
    # Lists that are outdated would refuse everybody, which is told already.
    checks = bool(heap.crls) and not errors_of(judge_lists(others, is_required=True, now=now))
    try:
        if is_server:
            verifier = _context(others, Policy(is_server=False), now, checks_crls=checks)
            refusal = _shaken(_context(Parts(own), Policy(is_server=True), now), verifier, own.certificate, heap)
        else:
            asked = Parts(_stand_in(now), others.trust, others.crls)
            policy = Policy(is_server=True, verify_client=VerifyClient.REQUIRE)
            shown = _context(Parts(own), Policy(is_server=False), now)
            shown.check_hostname, shown.verify_mode = False, ssl.CERT_NONE  # the stand-in is nobody
            refusal = _shaken(_context(asked, policy, now, checks_crls=checks), shown, None, heap)
    except BundleError as error:
        return told(error)
    if refusal is None:
        return None
    reason = reason_of(refusal, server_side=not is_server)
    other = "client" if is_server else "server"
    return Finding("TLS016", Severity.ERROR, own.place, f"a {other} refuses it: {reason.fact}", reason.hint)


def _context(parts: Parts, policy: Policy, now: datetime, *, checks_crls: bool = False) -> ssl.SSLContext:
    return build(Bundle(parts, policy, 1, now), ssl.SSLContext, checks_crls=checks_crls)


def _stand_in(now: datetime) -> Identity:
    """A server that clients can be shown to."""
    made = self_signed("stand-in", KEYS["p256"](), _STAND_IN, (_STAND_IN,), now=now, days=1)
    return Identity((made.certificate,), made.key, _STAND_IN, _STAND_IN)


def _shaken(
    server: ssl.SSLContext, client: ssl.SSLContext, certificate: x509.Certificate | None, heap: Heap
) -> ssl.SSLError | None:
    """What a handshake in memory fails with; a server's certificate is asked for by its own first name."""
    if not heap.roots and certificate is not None:
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE  # nothing is trusted: only that it works
    if not heap.roots and certificate is None:
        server.verify_mode = ssl.CERT_NONE
    name = None if certificate is None else _host(certificate)
    if name is None:
        client.check_hostname = False
    return shake_in_memory(client, server, name)


def _host(certificate: x509.Certificate) -> str | None:
    """A name that a client may connect to it by."""
    names = names_of(certificate)
    return next((one.replace("*", "any") for one in (*names.dns, *map(str, names.ips))), None)


def fine_of(heap: Heap, findings: Sequence[Finding], *, now: datetime) -> list[Fine]:
    """The certificates in whose file there is no error."""
    bad = {one.place.partition(":")[0] for one in findings if one.severity is Severity.ERROR}
    chains = [(own.certificates, own.place) for own in heap.identities]
    chains += [(one.certificates, one.place) for one in heap.chains]
    held = [
        (one, "chain" if number else "certificate", place)
        for certificates, place in chains
        for number, one in enumerate(certificates)
    ]
    held += [(one.certificate, "CA", one.place) for one in (*heap.roots, *heap.between)]
    return [
        Fine(label(one), what, place, one.not_valid_after_utc, (one.not_valid_after_utc - now).days)
        for one, what, place in held
        if place not in bad
    ]
