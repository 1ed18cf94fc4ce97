"""What each fault of a shown certificate means, its likely causes in order, and what to do about it. Texts only.

The words are for somebody who has a message in front of them, and does not know yet on which side it is wrong.
"""

from collections.abc import Mapping
from typing import Final

from wellkept._dataclasses import dataclass
from wellkept.tls.faults import Fault


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a message means.

    Attributes:
        meaning: in one sentence.
        causes: what it comes from, the likeliest first.
        fixes: what to do, in the order in which to try it; a wellkept command that finds out more among them.
    """

    meaning: str
    causes: tuple[str, ...]
    fixes: tuple[str, ...]


PROBE: Final = (
    "wellkept tls probe HOST:PORT --cert ca.crt shows the chain that is really sent, and what is wrong with it"
)
CHECK: Final = "wellkept tls check CERTIFICATE KEY says what the files hold and whether they belong together"
REMAKE: Final = "wellkept tls dev-ca makes CAs and certificates for development that pass every check"
_CHAIN = "put the certificate first and its intermediates behind it, in one file: cat server.crt intermediate.crt"
_TRUST = 'trust the CA that signed it, and only that one: cert = "ca.crt" (cafile=, --cacert, sslrootcert=)'
_STRICT = (
    "Python 3.13 began to check this (VERIFY_X509_STRICT), and wellkept does on every version",
    "the certificate was made with a short openssl recipe, which leaves extensions out",
)

CERTIFICATES: Final[Mapping[str, Explanation]] = {
    Fault.UNTRUSTED: Explanation(
        "nobody whom the verifying side trusts has signed the certificate: OpenSSL says the same of an unknown CA "
        "and of a missing intermediate certificate",
        (
            "the CA is a private one, and is not given to the side that verifies",
            "the other side sends its own certificate only, without its intermediates",
            "a proxy or an antivirus program puts its own certificate in between",
            "the program looks at another trust store (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, certifi, cacerts)",
        ),
        ("wellkept tls probe HOST:PORT --cert ca.crt tells an incomplete chain from an untrusted root", _TRUST, _CHAIN),
    ),
    Fault.SELF_SIGNED: Explanation(
        "the certificate is signed by itself, so no CA vouches for it",
        ("it was made for development", "the server shows the certificate that its software came with"),
        (PROBE, "trust exactly this certificate, as you would a CA", "or let a CA issue one", REMAKE),
    ),
    Fault.UNTRUSTED_ROOT: Explanation(
        "the chain is complete, and ends at a root that the verifying side does not trust",
        ("the CA is a private one, and is not given to the side that verifies", "a proxy puts its own CA in between"),
        (PROBE, _TRUST),
    ),
    Fault.INCOMPLETE: Explanation(
        "the certificate of the issuer is missing: the other side sends its own certificate only",
        (
            "the server's file holds its own certificate without the intermediates",
            "the CA is a private one, and is not given to the side that verifies (Node says the same then)",
        ),
        ("wellkept tls probe HOST:PORT --cert ca.crt tells the two apart", _CHAIN, _TRUST),
    ),
    Fault.TRUST_INCOMPLETE: Explanation(
        "what is trusted is an intermediate CA, and its own issuer is not trusted",
        ("the trust holds the intermediate instead of the root",),
        (
            "trust the root, too",
            "or let OpenSSL take an intermediate as an anchor (X509_V_FLAG_PARTIAL_CHAIN), as wellkept does",
        ),
    ),
    Fault.EXPIRED: Explanation(
        "a certificate of the chain has expired: the one of the other side, an intermediate, or the CA",
        (
            "it was not renewed",
            "it was renewed, and the program still holds the old one: it reads its files at the start only",
            "the clock of the machine that verifies is wrong",
        ),
        (PROBE, "renew it; contexts of wellkept take a new file without a restart", "compare the clocks: date -u"),
    ),
    Fault.NOT_YET_VALID: Explanation(
        "a certificate of the chain is not valid yet",
        (
            "the clock of the machine that verifies is behind",
            "it was issued for later, or by a CA whose clock is ahead",
        ),
        ("compare the clocks: date -u", PROBE),
    ),
    Fault.REVOKED: Explanation(
        "the CA has taken the certificate back before its end",
        ("its key became known to others", "a newer certificate replaced it"),
        ("ask who runs the CA why, and get a new certificate with a new key",),
    ),
    Fault.NAME: Explanation(
        "the certificate is good, and is for another name than the one that was asked for",
        (
            "the server is called by a name that does not stand in its certificate (localhost, a service name)",
            "the server has several certificates, and shows the first one: no server name was sent (SNI)",
            "the name stands in the common name only, which is not looked at any more",
        ),
        (
            "wellkept tls probe HOST:PORT shows the names that stand in it",
            "use one of those names; or let the CA issue it with the one that is used",
            'where the address must differ, say the name: serverName = "NAME"',
        ),
    ),
    Fault.ADDRESS: Explanation(
        "an IP address was asked for, and the certificate does not have it",
        ("certificates are for names mostly; an address must stand in it as an IP address, not as a DNS name",),
        ("use a name that stands in it", "or let the CA put the address in: subjectAltName=IP:10.0.0.1", PROBE),
    ),
    "common-name": Explanation(
        "the certificate has no subject alternative name: its common name is no host name (RFC 6125)",
        ("it was made with a recipe of before 2017", "openssl req was run without -addext subjectAltName=…"),
        ("let the CA issue it with subjectAltName=DNS:NAME", REMAKE),
    ),
    Fault.PURPOSE: Explanation(
        "the certificate is not meant for this use: its extended key usage lacks serverAuth (clientAuth for a client)",
        (
            "a server's certificate is used by a client: public CAs issue none for clients any more (2026)",
            "a client's certificate is used by a server",
        ),
        (CHECK, "let the CA issue one for this side; for mutual TLS take a private CA"),
    ),
    Fault.NO_CA: Explanation(
        "a certificate of the chain signed another one, and is no CA certificate",
        ("a server's certificate was used to sign", "the CA was made without basicConstraints=critical,CA:TRUE"),
        (PROBE, "make the CA again with CA:TRUE and keyCertSign", REMAKE),
    ),
    Fault.PATH_LENGTH: Explanation(
        "the chain is longer than a CA in it allows",
        ("an intermediate CA with pathlen:0 signed another CA",),
        ("let the CA above sign the last one directly", "or make the intermediate again with a larger pathlen"),
    ),
    Fault.CONSTRAINT: Explanation(
        "the certificate has a name that its CA may not sign for (name constraints)",
        ("the CA is made for certain domains only, and this is another one",),
        ("use a name below those domains", "or let another CA issue it", PROBE),
    ),
    Fault.CRITICAL: Explanation(
        "the certificate has an extension marked critical that the verifying side does not know",
        ("it is meant for another protocol", "the CA marks an extension critical that should not be"),
        ("let the CA issue it without that extension", PROBE),
    ),
    Fault.SIGNATURE: Explanation(
        "a signature of the chain does not fit the certificate that it should come from",
        (
            "the CA was made anew under its old name, and the old one is still trusted: same name, another key",
            "a file was damaged",
        ),
        ("give the verifying side the CA's new certificate", PROBE),
    ),
    Fault.WEAK: Explanation(
        "a key or signature is too weak: RSA below 2048 bits, or SHA-1",
        ("the certificate is old", "it was made with an old recipe or tool"),
        (CHECK, "make a new key, EC P-256 or RSA of 2048 bits, and let the CA sign with SHA-256"),
    ),
    Fault.NO_AUTHORITY_KEY_ID: Explanation(
        "the certificate has no authority key identifier, which RFC 5280 demands",
        _STRICT,
        ("let the CA issue it with authorityKeyIdentifier=keyid", REMAKE),
    ),
    Fault.NO_SUBJECT_KEY_ID: Explanation(
        "a CA has no subject key identifier, which RFC 5280 demands",
        _STRICT,
        ("make the CA again with subjectKeyIdentifier=hash", REMAKE),
    ),
    Fault.NO_KEY_USAGE: Explanation(
        "the CA has no key usage extension: openssl req -x509 makes it so",
        _STRICT,
        ("make the CA again with -addext keyUsage=critical,keyCertSign,cRLSign", REMAKE),
    ),
    Fault.NOT_CRITICAL: Explanation(
        "the basic constraints of the CA are not marked critical",
        _STRICT,
        ("make the CA again with basicConstraints=critical,CA:TRUE", REMAKE),
    ),
    Fault.NOT_STRICT: Explanation(
        "a certificate of the chain is not made as RFC 5280 demands",
        _STRICT,
        (CHECK, "let the CA issue it again", REMAKE),
    ),
    Fault.NO_CERTIFICATE: Explanation(
        "the server demands a client certificate (mutual TLS), and the client sent none",
        (
            "the client has no certificate set up",
            "it has one, of a CA that the server did not name: many clients then send none",
            "something between the two, a proxy or a health check, connects without one",
        ),
        (
            "wellkept tls probe HOST:PORT --client-cert client.crt --client-key client.key tries it",
            "give the client its certificate and its key",
        ),
    ),
    Fault.NOT_ALLOWED: Explanation(
        "the certificate is good, and none of its names stands in allow",
        (
            "the caller is one that should not get in",
            "its name is spelt otherwise: a star in allow is exactly one segment",
        ),
        ("wellkept tls check CERTIFICATE shows the names in it", "add its name to allow, if it should get in"),
    ),
    Fault.UNVERIFIED: Explanation(
        "the certificate of the other side was not accepted; the message does not say why",
        (
            "its CA is not trusted",
            "an intermediate certificate is missing",
            "it has expired",
            "it is for another name",
        ),
        (PROBE, _TRUST),
    ),
    Fault.CRL_MISSING: Explanation(
        "revocation lists are demanded, and the one of this CA is not there: everybody is refused",
        ("no CRL was given", "the list of the intermediate is there, and the root's is missing (CRL_CHECK_ALL)"),
        ("give the CRL of the CA that signed the certificate; wellkept says at the start which one is missing",),
    ),
    Fault.CRL_EXPIRED: Explanation(
        "the revocation list is out of date (nextUpdate): everybody is refused",
        ("nobody fetched the new one", "the CA does not publish any more"),
        ("fetch the current CRL, and let a job do it; openssl crl -in crl.pem -noout -nextupdate shows the date",),
    ),
    Fault.CRL_NOT_YET_VALID: Explanation(
        "the revocation list is not valid yet",
        ("the clock of the machine that verifies is behind",),
        ("compare the clocks: date -u",),
    ),
    Fault.CRL_INVALID: Explanation(
        "the revocation list is not signed by the CA of the certificate, or is damaged",
        ("the CA was made anew under its old name", "the file is another CA's"),
        ("fetch the CRL from the CA that signed the certificate",),
    ),
    Fault.OCSP: Explanation(
        "it could not be found out whether the certificate is revoked",
        ("the OCSP responder does not answer, or is not reachable from here", "it does not know the certificate"),
        ("look whether this machine reaches the responder", "or use revocation lists (CRL)"),
    ),
    Fault.OURS_UNTRUSTED: Explanation(
        "an alert of the other side: it does not know the CA of the certificate that it was shown",
        (
            "on a server: the client does not trust the server's CA",
            "on a client: its certificate is of a CA that the server does not accept for clients",
            "the certificate was sent without its intermediates",
        ),
        (CHECK, "give the other side the CA, or use a certificate of one that it knows", _CHAIN),
    ),
    Fault.OURS_EXPIRED: Explanation(
        "an alert of the other side: the certificate that it was shown has expired",
        ("our certificate was not renewed", "it was, and the program still holds the old one", "its clock is wrong"),
        (CHECK, "renew it; contexts of wellkept take a new file without a restart"),
    ),
    Fault.OURS_REVOKED: Explanation(
        "an alert of the other side: the certificate that it was shown is revoked",
        ("our certificate was taken back",),
        ("get a new one with a new key",),
    ),
    Fault.OURS_PURPOSE: Explanation(
        "an alert of the other side: the certificate that it was shown is not for this use, or of an unknown kind",
        ("its extended key usage lacks clientAuth, or serverAuth for a server",),
        (CHECK, "let the CA issue one for this side"),
    ),
    Fault.OURS_REFUSED: Explanation(
        "an alert of the other side: it does not accept the certificate that it was shown, and does not say why",
        (
            "it does not trust its CA",
            "on a server: the client asked for another name",
            "the client sent no certificate, and the server wants one (Go says bad certificate then)",
            "it has expired",
        ),
        ("look at the log of the other side: it says which", CHECK),
    ),
    Fault.OURS_NOT_ALLOWED: Explanation(
        "the certificate is good, and its owner may not come in",
        (
            "its name is not on the list of those that may call (allow)",
            "the database user has another name than the certificate",
        ),
        ("ask who runs the server which name it allows", "wellkept tls check CERTIFICATE shows the names in it"),
    ),
    Fault.WANTED: Explanation(
        "the server wants a client certificate (mutual TLS), and got none; under TLS 1.3 it says so at the first read",
        ("the client has no certificate set up", "it has one of a CA that the server did not name, and kept it back"),
        (
            "wellkept tls probe HOST:PORT --client-cert client.crt --client-key client.key tries it",
            "give the client its certificate and its key",
        ),
    ),
}
