"""What a failed handshake means, in words that a person can act on: one table for both sides. No I/O here."""

from typing import Final

from wellkept._dataclasses import dataclass
from wellkept.tls.faults import Fault, fault_of


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a handshake failed.

    Attributes:
        code: a short word for events and figures, one for all faults that are looked for in the same place.
        fact: in words, lower case, about the other side: `the client's certificate has expired`.
        hint: what to do, one line.
        fault: what went wrong, exactly; unknown where somebody else than OpenSSL refused.
    """

    code: str
    fact: str
    hint: str
    fault: Fault = Fault.UNKNOWN


def reason_of(error: OSError, *, server_side: bool = False) -> Reason:
    """What an error means that came out of a handshake, or out of the first read behind it.

    Args:
        error: what was raised; its text is not read.
        server_side: whether we are the server, and the other side is the client.
    """
    return reason_for(fault_of(error), server_side=server_side)


def reason_for(fault: Fault, *, server_side: bool = False) -> Reason:
    """The reason of a fault that is known already: one that OpenSSL knows nothing of, for example `not-allowed`."""
    code, fact, *hints = _WORDS[fault]
    peer, own = ("client", "server") if server_side else ("server", "client")
    hint = hints[-1] if server_side else hints[0]
    return Reason(code, fact.format(peer=peer, own=own), hint.format(peer=peer, own=own), fault)


# The word for events, the fact, the hint; and a hint of its own for the server, where it differs.
# `{peer}` is the other side, `{own}` ours.
_WORDS: Final[dict[Fault, tuple[str, ...]]] = {
    Fault.UNTRUSTED: (
        "unverified",
        "the {peer}'s CA is not trusted",
        "trust its CA (cert), or let the server send its intermediate certificates: wellkept tls probe tells which",
        "trust the CA of the clients (mutualSsl.cert), or let the client send its intermediate certificates",
    ),
    Fault.SELF_SIGNED: (
        "unverified",
        "the {peer}'s certificate is self-signed",
        "trust exactly this certificate (cert), or let a CA issue one for it",
        "trust exactly this certificate (mutualSsl.cert), or let a CA issue one for it",
    ),
    Fault.UNTRUSTED_ROOT: (
        "unverified",
        "the {peer}'s chain ends at a root that is not trusted",
        "trust that root (cert), if it is yours",
        "trust that root (mutualSsl.cert), if it is yours",
    ),
    Fault.INCOMPLETE: (
        "unverified",
        "the {peer}'s chain of certificates is not complete",
        "let the {peer} send its intermediate certificates, too: they stand behind its own in one file",
    ),
    Fault.TRUST_INCOMPLETE: (
        "unverified",
        "the CA that is trusted for the {peer} is an intermediate, and its root is not trusted",
        "trust the root, too, or set VERIFY_X509_PARTIAL_CHAIN, which every context of wellkept has",
    ),
    Fault.EXPIRED: (
        "expired",
        "the {peer}'s certificate, or one in its chain, has expired",
        "renew it, and look at the clock of this machine",
    ),
    Fault.NOT_YET_VALID: (
        "not-yet-valid",
        "the {peer}'s certificate, or one in its chain, is not yet valid",
        "compare the clocks of both machines",
    ),
    Fault.REVOKED: ("revoked", "the {peer}'s certificate is revoked", "ask who runs its CA, and issue a new one"),
    Fault.NAME: (
        "name",
        "the {peer}'s certificate is for another name",
        "use a name that stands in it, or give serverName",
    ),
    Fault.ADDRESS: (
        "name",
        "the {peer}'s certificate is for another address",
        "use a name that stands in it, or let its CA put the address in as an IP address",
    ),
    Fault.PURPOSE: (
        "unverified",
        "the {peer}'s certificate is not for a {peer}",
        "let its CA issue one whose extended key usage has serverAuth",
        "let its CA issue one whose extended key usage has clientAuth; public CAs do not any more",
    ),
    Fault.NO_CA: (
        "unverified",
        "the {peer}'s certificate is signed by one that is no CA certificate",
        "let a certificate sign that has CA:TRUE and keyCertSign",
    ),
    Fault.PATH_LENGTH: (
        "unverified",
        "the {peer}'s chain of certificates is longer than its CA allows",
        "let the CA sign with a larger path length, or leave out an intermediate",
    ),
    Fault.CONSTRAINT: (
        "unverified",
        "the {peer}'s certificate has a name that its CA may not sign for",
        "keep to the names that the CA's name constraints allow",
    ),
    Fault.CRITICAL: (
        "unverified",
        "the {peer}'s certificate has a critical extension that OpenSSL does not know",
        "let its CA issue it without that extension, or not as critical",
    ),
    Fault.SIGNATURE: (
        "unverified",
        "a signature in the {peer}'s chain of certificates is wrong",
        "look whether two CAs have the same name, and the older one is trusted here",
    ),
    Fault.WEAK: (
        "unverified",
        "a key or signature of the {peer}'s chain is too weak",
        "make a new key: EC P-256, or RSA of 2048 bits, and sign with SHA-256",
    ),
    Fault.NO_AUTHORITY_KEY_ID: (
        "unverified",
        "the {peer}'s certificate has no authority key identifier",
        "let its CA issue it with authorityKeyIdentifier=keyid (Python 3.13 wants it, and wellkept everywhere)",
    ),
    Fault.NO_SUBJECT_KEY_ID: (
        "unverified",
        "a CA in the {peer}'s chain has no subject key identifier",
        "make the CA again with subjectKeyIdentifier=hash, as wellkept tls dev-ca does",
    ),
    Fault.NO_KEY_USAGE: (
        "unverified",
        "a CA in the {peer}'s chain has no key usage extension",
        "make the CA again with keyUsage=critical,keyCertSign,cRLSign, as wellkept tls dev-ca does",
    ),
    Fault.NOT_CRITICAL: (
        "unverified",
        "the basic constraints of a CA in the {peer}'s chain are not critical",
        "make the CA again with basicConstraints=critical,CA:TRUE, as wellkept tls dev-ca does",
    ),
    Fault.NOT_STRICT: (
        "unverified",
        "a certificate of the {peer}'s chain is not made as RFC 5280 demands",
        "look at it with wellkept tls check, and let its CA issue it again",
    ),
    Fault.NO_CERTIFICATE: (
        "no-certificate",
        "the {peer} has sent no certificate",
        "look at the TLS settings of the server",
        "give the client its certificate and key, or set mutualSsl.verifyClient to OPTIONAL",
    ),
    Fault.NOT_ALLOWED: (
        "not-allowed",
        "the {peer}'s certificate is good, and none of its names is allowed here",
        "add its name to allow, or ask who may call",
    ),
    Fault.UNVERIFIED: (
        "unverified",
        "the {peer}'s certificate is not accepted",
        "look at it with wellkept tls probe",
        "look at it with wellkept tls check",
    ),
    Fault.CRL_MISSING: (
        "crl",
        "there is no revocation list of the CA that signed the {peer}'s certificate",
        "name the CRL of that CA, or of each CA in the chain",
    ),
    Fault.CRL_EXPIRED: ("crl", "the revocation list is out of date", "get the CA's current CRL: all are refused"),
    Fault.CRL_NOT_YET_VALID: (
        "crl",
        "the revocation list is not yet valid",
        "compare the clock of this machine with that of the CA",
    ),
    Fault.CRL_INVALID: (
        "crl",
        "the revocation list is not that of the CA, or is damaged",
        "get the CRL from the CA that signed the certificate",
    ),
    Fault.OCSP: ("crl", "it is not known whether the {peer}'s certificate is revoked", "look at the OCSP responder"),
    Fault.OURS_UNTRUSTED: (
        "refused",
        "the {peer} does not trust the CA of our certificate",
        "use one of a CA that the server knows, and send its intermediate certificates along",
        "give the client our CA as its trust, and send our intermediate certificates along",
    ),
    Fault.OURS_EXPIRED: ("refused", "the {peer} says that our certificate has expired", "renew our certificate"),
    Fault.OURS_REVOKED: ("refused", "the {peer} says that our certificate is revoked", "get a new certificate"),
    Fault.OURS_PURPOSE: (
        "refused",
        "the {peer} says that our certificate is not for a {own}",
        "let the CA issue one whose extended key usage has clientAuth",
        "let the CA issue one whose extended key usage has serverAuth",
    ),
    Fault.OURS_REFUSED: (
        "refused",
        "the {peer} does not accept our certificate",
        "use one of a CA that the server knows, and look at its dates and its log",
        "look at what the client says: its trust, the name it asks for, the dates",
    ),
    Fault.OURS_NOT_ALLOWED: (
        "refused",
        "the {peer} knows our certificate, and does not let it in",
        "ask who runs the server to allow a name of our certificate",
    ),
    Fault.WANTED: ("no-certificate", "the {peer} wants a certificate of ours", "give our certificate and its key"),
    Fault.PLAIN_TEXT: (
        "plain-text",
        "the {peer} speaks no TLS",
        "is it a plain HTTP port, or one that wants STARTTLS?",
        "is the client's URL https? or is there a proxy that takes TLS off?",
    ),
    Fault.VERSION: (
        "protocol",
        "no TLS version suits both",
        "let the {peer} speak TLS 1.2 or 1.3",
    ),
    Fault.NOTHING_IN_COMMON: (
        "protocol",
        "no cipher or certificate suits both",
        "look at the TLS settings of the server; it may want a client certificate, too",
        "compare ciphers and the key type of our certificate with what the client offers",
    ),
    Fault.ALPN: (
        "protocol",
        "the two have no application protocol in common (ALPN)",
        "offer http/1.1 or h2, whichever the {peer} speaks",
    ),
    Fault.UNKNOWN_NAME: (
        "name",
        "the {peer} knows no such server name",
        "use the name that the server is set up for, or give serverName",
    ),
    Fault.RENEGOTIATION: (
        "protocol",
        "the {peer} wants to negotiate anew, which is not safe",
        "let the {peer} speak TLS 1.3, or a current TLS 1.2 (RFC 5746)",
    ),
    Fault.DAMAGED: (
        "protocol",
        "what arrives cannot be decrypted or read",
        "is something between the two that changes it? else its key does not belong to its certificate",
    ),
    Fault.HUNG_UP: (
        "hung-up",
        "the {peer} hung up",
        "look at the log of the server; it may want a client certificate",
        "look at the log of the client: it may not trust our certificate",
    ),
    Fault.TIMED_OUT: (
        "timed-out",
        "the {peer} did not answer in time",
        "is the port the right one, and does it speak TLS?",
    ),
    Fault.UNREACHABLE: (
        "unreachable",
        "the {peer} cannot be reached",
        "look at the address, the port and the firewall",
    ),
    Fault.UNKNOWN: (
        "protocol",
        "the two do not understand each other",
        "look at it with wellkept tls probe",
        "look at the log of the client",
    ),
}
