"""What is wrong with the parts of a bundle, in plain words: what is refused at the start, and what is only told.

`wellkept tls check` prints all of it; a context is not made where there is an error. No I/O here.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from wellkept.model import Finding, Severity
from wellkept.tls import crl
from wellkept.tls.bundle import Anchor, Identity, Parts
from wellkept.tls.certificates import day, extension, is_ca, is_issued_by, is_valid_at, label
from wellkept.tls.policy import CrlMode, Policy

MIN_RSA_BITS = 2048  # SP 800-57 part 1: 112 bits of security, which OpenSSL's security level 2 demands
_WEAK_HASHES = frozenset({"md5", "sha1"})
_SOON = 3  # a third of its lifetime left: 45-day and one-hour certificates both work (what ACME clients renew at)


def findings_of(parts: Parts, policy: Policy, *, now: datetime) -> list[Finding]:
    """All that is wrong with the parts of a bundle; errors first."""
    found: list[Finding] = []
    if parts.identity is not None:
        found += judge_identity(parts.identity, is_server=policy.is_server, now=now)
    elif policy.is_server:
        found.append(_error("TLS000", "key", "a server needs a certificate and its private key", "name them: key = …"))
    if policy.is_server and policy.verify_client is not None and not parts.trust:
        what = "clients are asked for a certificate, and no CA is trusted: nobody could get in"
        found.append(_error("TLS023", "mutualSsl", what, 'name the CA of the clients: cert = "ca.crt"'))
    found += judge_trust(parts.trust, now=now)
    if parts.crls:
        found += judge_lists(parts, is_required=policy.crl_mode is CrlMode.REQUIRE, now=now)
    return sorted(found, key=lambda one: one.severity is not Severity.ERROR)


def judge_lists(parts: Parts, *, is_required: bool, now: datetime) -> Iterator[Finding]:
    """What is wrong with the revocation lists: where they are required, OpenSSL would refuse everybody."""
    for fault in crl.judge(parts.crls, [one.certificate for one in parts.trust], now=now):
        made = _error if is_required and fault.is_fatal else _warning
        yield made("TLS030", fault.place, fault.message, fault.hint)


def judge_identity(own: Identity, *, is_server: bool, now: datetime) -> Iterator[Finding]:
    """What is wrong with who we are, the worst first."""
    yield from _pair(own)
    yield from _dates(own.certificate, own.place, now, "the certificate")
    yield from _strength(own.certificate, own.place)
    yield from _purpose(own, is_server=is_server)
    yield from _chain(own, now)
    for one in own.certificates[1:]:
        yield from _strength(one, own.place)
    if own.is_key_exposed:
        yield _warning(
            "TLS010", own.key_place, "the private key can be read by other users", f"chmod 600 {own.key_place}"
        )


def judge_trust(trust: Sequence[Anchor], *, now: datetime) -> Iterator[Finding]:
    """What is wrong with whom we trust."""
    for one in trust:
        if not is_ca(one.certificate):
            what = f"{label(one.certificate)} is no CA certificate, so it vouches for itself only"
            yield _warning("TLS020", one.place, what, "name the CA that signed it, if others are to be trusted, too")
        else:
            yield from _strict(one)
            yield from _weak_anchor(one)
        if not is_valid_at(one.certificate, now):
            when = day(one.certificate.not_valid_after_utc)
            state = "has expired" if now > one.certificate.not_valid_after_utc else "is not yet valid"
            is_only = all(not is_valid_at(other.certificate, now) for other in trust)
            made = _error if is_only else _warning
            what = f"the CA {label(one.certificate)} {state} (valid until {when})"
            yield made("TLS021", one.place, what, "get the CA's new certificate from who runs it")


def _pair(own: Identity) -> Iterator[Finding]:
    """Whether the key belongs to the first certificate (§4.4.2 of RFC 8446: the sender's comes first)."""
    mine = own.key.public_key()
    keys = [one.public_key() for one in own.certificates]
    if keys[0] == mine:
        return
    if mine in keys:
        number = keys.index(mine) + 1
        what = f"the chain is in the wrong order: the certificate of the private key is number {number} in it"
        yield _error(
            "TLS002", own.place, what, "put your own certificate first, then the one that signed it, and so on"
        )
        return
    where = own.key_place if own.key_place != own.place else "its key"
    what = f"the private key in {where} does not match the certificate {label(own.certificate)}"
    yield _error(
        "TLS001", own.place, what, "name the key that this certificate was issued for; one of both may be older"
    )


def _dates(certificate: x509.Certificate, place: str, now: datetime, what: str) -> Iterator[Finding]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    name = label(certificate)
    if now > end:
        yield _error("TLS003", place, f"{what} {name} has expired: it was valid until {day(end)}", "renew it")
    elif now < begin:
        fix = "look at the clock of this machine, or wait"
        yield _error("TLS004", place, f"{what} {name} is not yet valid: it begins {day(begin)}", fix)
    elif ends_soon(certificate, now):
        yield _warning("TLS005", place, f"{what} {name} ends soon: {day(end)}", "renew it: less than a third is left")


def ends_soon(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether less than a third of its lifetime is left."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - now < (end - begin) / _SOON


def is_nearly_over(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether less than a tenth of its lifetime is left."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - now < (end - begin) / 10


def _strength(certificate: x509.Certificate, place: str) -> Iterator[Finding]:
    key = certificate.public_key()
    name = label(certificate)
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)) and key.key_size < MIN_RSA_BITS:
        what = f"the key of {name} is weak: {key.key_size} bits"
        yield _error("TLS006", place, what, "make a new key: EC P-256, or RSA of 2048 bits")
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < 256:  # noqa: PLR2004 P-256 is the smallest that TLS 1.3 has
        yield _error("TLS006", place, f"the key of {name} is weak: {key.curve.name}", "make a new key: EC P-256")
    used = certificate.signature_hash_algorithm
    if used is not None and used.name in _WEAK_HASHES and certificate.subject != certificate.issuer:
        what = f"the signature of {name} is weak: {used.name.upper()}"
        yield _error("TLS007", place, what, "let the CA issue it again, with SHA-256")


def _purpose(own: Identity, *, is_server: bool) -> Iterator[Finding]:
    certificate = own.certificate
    name = label(certificate)
    if is_ca(certificate):
        what = f"{name} is a CA certificate, used as the certificate of a {'server' if is_server else 'client'}"
        yield _warning(
            "TLS008", own.place, what, "issue a certificate for this service, and keep the CA's key elsewhere"
        )
    usage = extension(certificate, x509.ExtendedKeyUsage)
    wanted = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    if usage is not None and wanted not in usage and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in usage:
        kind = "server" if is_server else "client"
        what = f"{name} is not for a {kind}: its extended key usage lacks {kind}Auth, so others will refuse it"
        yield _warning("TLS009", own.place, what, f"let the CA issue it with {kind}Auth")
    key_usage = extension(certificate, x509.KeyUsage)
    if key_usage is not None and not key_usage.digital_signature:
        what = f"{name} may not sign: its key usage lacks digitalSignature, so a handshake fails"
        yield _warning("TLS017", own.place, what, "let the CA issue it with digitalSignature")
    is_own = certificate.subject == certificate.issuer
    if not is_own and extension(certificate, x509.AuthorityKeyIdentifier) is None:
        what = f"{name} has no authority key identifier, so strict clients (Python 3.13, ours) refuse it"
        yield _warning("TLS018", own.place, what, "let the CA issue it with authorityKeyIdentifier=keyid")
    if is_server and extension(certificate, x509.SubjectAlternativeName) is None:
        what = f"{name} has no subject alternative name, and the common name is no host name (RFC 6125)"
        yield _warning("TLS011", own.place, what, "let the CA issue it with its host names as DNS names")


def _chain(own: Identity, now: datetime) -> Iterator[Finding]:
    """Whether each certificate is followed by the one that signed it."""
    used = 1
    for certificate, issuer in zip(own.certificates, own.certificates[1:], strict=False):
        if not is_issued_by(certificate, issuer):
            break
        used += 1
    for one in own.certificates[used:]:
        others = [other for other in own.certificates if other is not one]
        if any(is_issued_by(other, one) for other in others):
            what = f"the chain is in the wrong order: {label(one)} stands behind a certificate that it did not sign"
            yield _warning("TLS012", own.place, what, "put each certificate directly behind the one that it signed")
        else:
            what = f"{label(one)} has nothing to do with the certificate: it is sent along, and nobody needs it"
            yield _warning("TLS013", own.place, what, "take it out of the file")
    for one in own.certificates[1:used]:
        if not is_valid_at(one, now):
            what = f"the intermediate certificate {label(one)} has expired or is not yet valid"
            yield _warning("TLS014", own.place, what, "get the CA's current chain")


def _weak_anchor(anchor: Anchor) -> Iterator[Finding]:
    """A CA with a weak key: OpenSSL refuses all that it signed, and the other CAs are still good."""
    for one in _strength(anchor.certificate, anchor.place):
        yield _warning(one.id, one.place, f"{one.evidence}, so its certificates are refused", one.fix)


def _strict(anchor: Anchor) -> Iterator[Finding]:
    """What VERIFY_X509_STRICT, which Python 3.13 sets and we set everywhere, refuses in a CA (RFC 5280 §4.2)."""
    certificate = anchor.certificate
    name = label(certificate)
    faults: list[str] = []
    constraints = next((one for one in certificate.extensions if isinstance(one.value, x509.BasicConstraints)), None)
    if constraints is not None and not constraints.critical:
        faults.append("its basic constraints are not critical")
    usage = extension(certificate, x509.KeyUsage)
    if usage is None:
        faults.append("it has no key usage extension")
    elif not usage.key_cert_sign:
        faults.append("its key usage does not allow to sign certificates")
    if extension(certificate, x509.SubjectKeyIdentifier) is None:
        faults.append("it has no subject key identifier")
    if faults:
        what = f"the CA {name} will be refused: {', and '.join(faults)}"
        fix = "make the CA again with critical CA:TRUE, keyCertSign and a subject key id, as wellkept tls dev-ca does"
        yield _warning("TLS022", anchor.place, what, fix)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop a start."""
    return [one for one in findings if one.severity is Severity.ERROR]


def _error(code: str, place: str, what: str, fix: str) -> Finding:
    return Finding(code, Severity.ERROR, place, what, fix)


def _warning(code: str, place: str, what: str, fix: str) -> Finding:
    return Finding(code, Severity.WARNING, place, what, fix)
