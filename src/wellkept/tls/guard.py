"""What is checked of the other side beyond what OpenSSL checks, in the handshake and at every resumption.

A resumed handshake verifies nothing anew (facts §9): dates, the list of who is allowed and revocation are
judged here each time, on both sides.
"""

import ssl
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Protocol, cast

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from wellkept._clock import Clock
from wellkept._dataclasses import dataclass, field
from wellkept.events import BUS, Event, Topic
from wellkept.tls.bundle import Bundle
from wellkept.tls.certificates import day, is_issued_by, is_valid_at, label, names_of
from wellkept.tls.crl import is_revoked
from wellkept.tls.names import is_named
from wellkept.tls.ocsp import OcspChecker
from wellkept.tls.ocsp_answer import Status
from wellkept.tls.policy import VerifyClient
from wellkept.tls.reasons import Reason, reason_of

# How long an event loop stands still for a responder it has not heard of this certificate: the answer of one that
# is near takes less, and one that is dead must not stop all connections. With hard_fail it waits for all of it.
LOOP_PATIENCE_S = 0.25
_MOST_ISSUERS = 10_000


class Shaken(Protocol):
    """A connection whose handshake is over."""

    session_reused: bool | None
    server_side: bool
    server_hostname: str | None

    def getpeercert(self, binary_form: bool = False) -> object: ...  # noqa: D102 as in ssl


@dataclass(frozen=True, slots=True)
class Guard:
    """The checks of one bundle.

    Attributes:
        bundle: what they are made from.
        ocsp: what asks responders, or None.
        checks_lists: whether the revocation lists are looked at here, because OpenSSL does not.
        clock: tells the time.
        issuers: who signed the certificates that were seen, by their fingerprints: a resumed session has no chain.
    """

    bundle: Bundle
    ocsp: OcspChecker | None
    checks_lists: bool
    clock: Clock
    issuers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes], repr=False)

    def judge(self, connection: Shaken, chain: Callable[[], Sequence[bytes]], *, is_blocking: bool) -> Reason | None:
        """Why the other side may not stay, or None.

        Args:
            connection: its handshake is over.
            chain: answers what OpenSSL verified, theirs first, DER; nothing where the session was resumed.
            is_blocking: whether only this connection waits here, not an event loop with all others.
        """
        der = connection.getpeercert(binary_form=True)
        if not isinstance(der, bytes):
            # OPTIONAL lets a client without a certificate in, as nobody; all others OpenSSL has refused already.
            return None if self.bundle.policy.verify_client is VerifyClient.OPTIONAL else _NOBODY
        if not (connection.session_reused or self.bundle.policy.allow or self.checks_lists or self.ocsp):
            return None  # OpenSSL has looked at all that there is to look at
        try:
            certificate = x509.load_der_x509_certificate(der)
            return (
                (self._resumed(certificate, connection) if connection.session_reused else None)
                or self._allowed(certificate)
                or self._revoked(certificate, chain, is_blocking=is_blocking)
            )
        except Exception:  # noqa: BLE001 what OpenSSL reads and cryptography does not must not stop a server's loop
            return _UNREADABLE

    def _resumed(self, certificate: x509.Certificate, connection: Shaken) -> Reason | None:
        """What OpenSSL verifies in a full handshake only: dates, and for a client the name of the server."""
        host = connection.server_hostname
        if not connection.server_side and host and not is_named(names_of(certificate), host):
            return Reason("name", f"the resumed session is {label(certificate)}'s", "give no session of another server")
        return self._dates(certificate)

    def _dates(self, certificate: x509.Certificate) -> Reason | None:
        if is_valid_at(certificate, self.clock.now()):
            return None
        when = day(certificate.not_valid_after_utc)
        return Reason("expired", f"the certificate of {label(certificate)} has expired ({when})", "let them renew it")

    def _allowed(self, certificate: x509.Certificate) -> Reason | None:
        allow = self.bundle.policy.allow
        if not allow or allow.lets_in(names_of(certificate)):
            return None
        return Reason("not-allowed", f"{label(certificate)} is not allowed", "add it to allow, if it should get in")

    def _revoked(
        self, certificate: x509.Certificate, verified: Callable[[], Sequence[bytes]], *, is_blocking: bool
    ) -> Reason | None:
        if self.checks_lists and is_revoked(certificate, self.bundle.parts.crls):
            return _revoked(certificate)
        if self.ocsp is None:
            return None
        issuer = self._issuer_of(certificate, verified())
        if issuer is None:  # sessions never outlive this guard, so it was seen, and forgotten since
            fact = f"nobody can tell whether {label(certificate)} is revoked: its session is too old"
            return Reason("revocation-unknown", fact, "let them connect without a session")
        verdict = self.ocsp.check(certificate, issuer, patience_s=None if is_blocking else LOOP_PATIENCE_S)
        if verdict.status is Status.REVOKED:
            return _revoked(certificate)
        if verdict.refuses:
            fact = f"nobody can tell whether {label(certificate)} is revoked: it {verdict.reason}"
            return Reason("revocation-unknown", fact, "look at its OCSP responder, or let hardFail be false")
        return None

    def _issuer_of(self, certificate: x509.Certificate, chain: Sequence[bytes]) -> x509.Certificate | None:
        """Who signed it: as OpenSSL has verified, or, of a resumed session, as it was when it began; or an anchor."""
        name = certificate.fingerprint(SHA256())
        if len(chain) > 1:
            if len(self.issuers) >= _MOST_ISSUERS:
                self.issuers.pop(next(iter(self.issuers)), None)
            self.issuers[name] = chain[1]
        found = chain[1] if len(chain) > 1 else self.issuers.get(name)
        if found is not None:
            return x509.load_der_x509_certificate(found)
        return next(
            (one.certificate for one in self.bundle.parts.trust if is_issued_by(certificate, one.certificate)),
            None,
        )

    def is_withdrawn(self, anchors: Callable[[], frozenset[str] | None], current: Bundle) -> bool:
        """Whether the trust that let a connection in is gone.

        Args:
            anchors: answers the fingerprints of its verified chain; None of a resumed session: nobody can tell.
            current: the bundle of now.
        """
        if self.bundle.fingerprints <= current.fingerprints:
            return False  # nothing was taken away
        own = anchors()
        if own is None:
            return True
        removed = self.bundle.fingerprints - current.fingerprints
        return bool(own & removed) and not own & current.fingerprints


def tell_refused(error: Exception, *, is_server: bool) -> Reason | None:
    """Publish why a handshake failed; None where the other side only hung up: port scanners do."""
    reason = reason_of(cast("ssl.SSLError", error), server_side=is_server)
    if reason.code == "hung-up":
        return None
    publish_refused(reason, is_server=is_server)
    return reason


def publish_refused(reason: Reason, *, is_server: bool) -> None:
    """Publish that somebody was refused."""
    side = "server" if is_server else "client"
    BUS.publish(Event(Topic.HANDSHAKE_REFUSED, side, f"{reason.code}: {reason.fact}"))


def anchors_of(chain: Sequence[bytes]) -> frozenset[str] | None:
    """The fingerprints of a verified chain; None where there is no chain."""
    return frozenset(sha256(one).hexdigest() for one in chain) if chain else None


def _revoked(certificate: x509.Certificate) -> Reason:
    return Reason("revoked", f"the certificate of {label(certificate)} is revoked", "let them get a new one")


_UNREADABLE = Reason("unverified", "the certificate cannot be read", "let its CA issue it as RFC 5280 demands")
_NOBODY = Reason("no-certificate", "the other side has sent no certificate", "show one")
