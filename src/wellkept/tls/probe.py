"""Looking at a server's TLS from outside: what it offers, what it sends, and why a client refuses it.

Why the look that verifies nobody is no breach of rule 7 (TLS always verifies): a chain that is refused can only be
shown by a handshake that goes on in spite of it. That handshake ends where it is done. Nothing is sent over it
(shake.py has no way to), nobody gets its context or its connection, and nothing that it shows is believed: whether
the server is good, a second handshake says, which verifies as every client of wellkept does.
"""

import os
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping

from cryptography import x509

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass, field
from wellkept.errors import TimedOut, Unreachable
from wellkept.model import Finding, Severity
from wellkept.tls.bundle import Bundle, Parts
from wellkept.tls.certificates import names_of
from wellkept.tls.diagnose import Seen, diagnose
from wellkept.tls.faults import Fault
from wellkept.tls.inner import build
from wellkept.tls.policy import Policy, SystemTrust
from wellkept.tls.reasons import reason_for
from wellkept.tls.shake import Shaken, Until, connect, group_of, shake, version_of

_ALPN = ("h2", "http/1.1")
_MAX_CHAIN = 20  # of what a server sends; nobody needs more than five
# PostgreSQL's SSLRequest: its length and a code that no version has (protocol 55.2.11).
_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_POSTGRES_PORT = 5432
_GREETINGS = (
    (b"HTTP/", "plain HTTP"),
    (b"SSH-", "SSH"),
    (b"220", "a mail or file server that begins in plain text"),
    (b"* OK", "IMAP in plain text"),
    (b"+OK", "POP3 in plain text"),
    (b"-ERR", "Redis without TLS"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to look at.

    Attributes:
        host: a name or an address.
        port: the port.
        server_name: the name to ask for and to verify.
        starttls: `postgres`, where TLS begins in the middle of that protocol; else None.
    """

    host: str
    port: int
    server_name: str
    starttls: str | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen.

    Attributes:
        version: the version that was agreed, None where there was no TLS.
        cipher: OpenSSL's name of the suite.
        group: the group that the key was agreed with; None where it cannot be seen.
        alpn: the application protocol that the server chose of h2 and http/1.1.
        client_certificate: `required`, `optional` or `not asked for`; None where there was no TLS.
        versions: which of `TLSv1.3`, `TLSv1.2` and `older` it offers; None where that cannot be told.
        chain: its certificates, as they were sent.
        findings: what is wrong, the worst first.
    """

    version: str | None = None
    cipher: str | None = None
    group: str | None = None
    alpn: str | None = None
    client_certificate: str | None = None
    versions: Mapping[str, bool | None] = field(default_factory=lambda: {})  # noqa: PIE807 a type of its own
    chain: tuple[x509.Certificate, ...] = ()
    findings: tuple[Finding, ...] = ()


def probe(
    target: Target, parts: Parts, system: SystemTrust | None, *, timeout_s: float, clock: Clock = SYSTEM_CLOCK
) -> Report:
    """Look at a server: four handshakes at the most, all within one time.

    Args:
        target: whom to look at.
        parts: whom to trust, and our certificate where the server wants one.
        system: the system's CAs, where they are trusted, too.
        timeout_s: how long all of it may take.
        clock: the time.

    Raises:
        Unreachable: there is no connection.
        TimedOut: it did not answer in time.
        BundleError: what is trusted, or our certificate, cannot be used.
    """
    policy = Policy(is_server=False, system=system, server_name=target.server_name)
    strict = build(Bundle(parts, policy, 1, clock.now()), ssl.SSLContext)
    return _Probe(target, strict, Until(timeout_s, clock), has_identity=parts.identity is not None, clock=clock).run()


class _Probe:
    """One look at a server."""

    def __init__(
        self, target: Target, strict: ssl.SSLContext, until: Until, *, has_identity: bool, clock: Clock
    ) -> None:
        self._target, self._strict, self._until, self._clock = target, strict, until, clock
        self._has_identity = has_identity
        self._alpn = None if target.starttls else _ALPN

    def run(self) -> Report:
        look = self._shake(_looking())
        if look.fault is Fault.ALPN:  # it takes neither of the two
            self._alpn = None
            look = self._shake(_looking())
        if not look.chain:
            return Report(findings=(self._no_tls(look),))
        chain = tuple(map(_certificate, look.chain[:_MAX_CHAIN]))
        known = tuple(one for one in chain if one is not None)
        is_readable = len(known) == len(chain)
        findings = [*self._verdict(look, known)] if is_readable else [self._unreadable()]
        versions = self._versions(version_of(look))
        return Report(
            version_of(look),
            look.cipher,
            group_of(look),
            look.alpn,
            _wish(look),
            versions,
            known,
            (*findings, *self._old(versions)),
        )

    def _shake(self, context: ssl.SSLContext) -> Shaken:
        """One connection, one handshake.

        Raises:
            Unreachable: there is no connection.
            TimedOut: not in time.
        """
        if self._alpn is not None:
            context.set_alpn_protocols(list(self._alpn))
        connected: socket.socket | None = None
        try:
            connected = connect(self._target.host, self._target.port, self._until)
            refusal = _begin(connected, self._until) if self._target.starttls else None
            return refusal or shake(connected, context, self._target.server_name, self._until)
        except TimeoutError:
            failure: Unreachable = self._timed_out()
        except socket.gaierror:
            failure = Unreachable(
                f"{self._target}: the name is not known", hint="correct it, or look at the name server"
            )
        except OSError as error:
            what = os.strerror(error.errno).lower() if error.errno else "connection refused"
            failure = Unreachable(f"{self._target}: cannot be reached: {what}", hint=_LOOK)
        finally:
            if connected is not None:
                connected.close()
        raise failure

    def _timed_out(self) -> TimedOut:
        return TimedOut(f"{self._target}: did not answer within {self._until.seconds:g} s", hint=_LOOK)

    def _no_tls(self, look: Shaken) -> Finding:
        """What is said of a server that came to no certificate.

        Raises:
            TimedOut: it said nothing.
        """
        if look.fault is Fault.TIMED_OUT:
            raise self._timed_out()
        fault = look.fault or Fault.UNKNOWN
        reason = reason_for(fault)
        fact, hint = reason.fact, reason.hint
        if fault is Fault.PLAIN_TEXT:
            spoken = next((name for begin, name in _GREETINGS if look.head.startswith(begin)), None)
            fact += f": it speaks {spoken}" if spoken else ""
        if self._target.starttls and look.head[:1] == b"N":
            fact, hint = "the server offers no TLS", "turn TLS on at the server: ssl = on, with certificate and key"
            return self._finding("tls-not-offered", fact, hint)
        if self._target.port == _POSTGRES_PORT and not self._target.starttls:
            hint = "is it PostgreSQL? then say --starttls postgres"
        return self._finding(fault, fact, hint)

    def _verdict(self, look: Shaken, chain: tuple[x509.Certificate, ...]) -> Iterator[Finding]:
        """What a client says that verifies."""
        shaken = self._shake(self._strict)
        if shaken.fault is Fault.TIMED_OUT:
            raise self._timed_out()
        fault = None if shaken.was_verified else shaken.fault
        if fault is not None and not shaken.chain:  # refused before any certificate, though the look was not
            reason = reason_for(fault)
            yield self._finding(fault, f"{reason.fact}: {look.cipher} is not offered by a client of wellkept", _MODERN)
        else:
            seen = Seen(str(self._target), chain, self._trust(), self._target.server_name, fault)
            yield from diagnose(seen, self._clock.now())
            yield from self._refusal(shaken)

    def _refusal(self, shaken: Shaken) -> Iterator[Finding]:
        """What the server says of our certificate; that it wants one is no fault of its."""
        is_wish = shaken.asks and not self._has_identity
        if shaken.fault is not None and shaken.was_verified and not is_wish:
            reason = reason_for(shaken.fault)
            yield self._finding(shaken.fault, reason.fact, reason.hint)

    def _trust(self) -> tuple[x509.Certificate, ...]:
        """Whom the strict context trusts; of a folder OpenSSL reads only those that it needs."""
        found = map(_certificate, self._strict.get_ca_certs(binary_form=True))
        return tuple(one for one in found if one is not None)

    def _versions(self, agreed: str | None) -> Mapping[str, bool | None]:
        """Which versions it offers: one is known, and an older one is asked for by itself."""
        if agreed not in {"TLSv1.3", "TLSv1.2"}:
            return {"TLSv1.3": False, "TLSv1.2": False, "older": agreed is not None}
        has_1_2 = agreed == "TLSv1.2" or self._offers(ssl.TLSVersion.TLSv1_2)
        return {
            "TLSv1.3": agreed == "TLSv1.3",
            "TLSv1.2": has_1_2,
            "older": self._offers(ssl.TLSVersion.TLSv1_1),
        }

    def _offers(self, newest: ssl.TLSVersion) -> bool | None:
        """Whether it speaks this version, or one before it; the report does not wait for a server that is silent."""
        try:
            shaken = self._shake(_looking(newest))
        except Unreachable:
            return None
        is_ours = shaken.fault is Fault.VERSION and not shaken.head  # OpenSSL was built without it
        return None if is_ours or shaken.fault is Fault.TIMED_OUT else version_of(shaken) is not None

    def _old(self, versions: Mapping[str, bool | None]) -> Iterator[Finding]:
        if versions["older"]:
            fact, fix = "it still speaks TLS 1.1 or older, which is broken (RFC 8996)", "let it begin at TLS 1.2"
            yield Finding("old-version", Severity.WARNING, str(self._target), fact, fix)

    def _unreadable(self) -> Finding:
        return self._finding(
            Fault.NOT_STRICT, "a certificate that it sends cannot be read", "let its CA issue it again"
        )

    def _finding(self, code: str, fact: str, fix: str) -> Finding:
        return Finding(str(code), Severity.ERROR, str(self._target), fact, fix)


_LOOK = "look whether it runs, and whether this machine may reach it"
_MODERN = "let the server offer TLS 1.3, or ECDHE with AES-GCM or ChaCha20 under TLS 1.2 (RFC 9325)"


def _looking(newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
    """A context that verifies nobody and takes all that is old, to see what is there; see the top of this file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():  # old versions are deprecated: that is why they are looked for
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
    return context


def _begin(connected: socket.socket, until: Until) -> Shaken | None:
    """Ask PostgreSQL to go on with TLS; what it says where it does not."""
    connected.settimeout(until.left())
    connected.sendall(_SSL_REQUEST)
    answer = connected.recv(1)
    return None if answer == b"S" else Shaken(Fault.PLAIN_TEXT if answer else Fault.HUNG_UP, head=answer)


def _certificate(der: bytes) -> x509.Certificate | None:
    """A certificate of which everything can be read that is looked at."""
    try:
        made = x509.load_der_x509_certificate(der)
        names_of(made)
        made.public_key()
    except Exception:  # noqa: BLE001 a stranger's bytes: the parser has many errors of its own
        return None
    return made


def _wish(look: Shaken) -> str:
    if not look.asks:
        return "not asked for"
    return "optional" if look.fault is None else "required"
