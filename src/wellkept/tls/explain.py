"""Which explanation a message deserves: the texts of OpenSSL, Python, curl, Java, Go, Node, nginx and databases.

A message is only looked at, never repeated: it may hold a password or a token that stood beside it. All looking
is for fixed words, or for one name behind a fixed word, so no text makes it slow.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from wellkept._patterns import pattern
from wellkept.tls.explained import CERTIFICATES, Explanation
from wellkept.tls.explained_files import FILES
from wellkept.tls.explained_protocol import PROTOCOL
from wellkept.tls.faults import REASONS, Fault
from wellkept.tls.phrases import GENERAL, PHRASES, Phrase
from wellkept.tls.reasons import reason_for

EXPLANATIONS: Final[Mapping[str, Explanation]] = {**CERTIFICATES, **PROTOCOL, **FILES}

# OpenSSL's name of a reason: as Python, BoringSSL and Node have it, and as the library itself prints it.
_NAMED = pattern(
    r"(?:\[[A-Z0-9]{1,12}: |OPENSSL_internal:|ERR_SSL_|ERR_OSSL_(?:X509_|PEM_|EVP_)?)([A-Z][A-Z0-9_]{3,60})"
)
_PRINTED = pattern(r"routines:\w{0,60}:([a-z][a-z0-9 ]{3,60})", re.IGNORECASE)
# The name of an alert (RFC 8446 §6): as Go, Java and rustls have it.
_ALERT = pattern(r"(?:remote error: tls|fatal alert|alert received): ?([a-z_ ]{3,40})", re.IGNORECASE)
_ALERTS: Final = {
    "badcertificate": Fault.OURS_REFUSED,
    "certificateunknown": Fault.OURS_REFUSED,
    "unknowncertificate": Fault.OURS_REFUSED,
    "certificateexpired": Fault.OURS_EXPIRED,
    "expiredcertificate": Fault.OURS_EXPIRED,
    "certificaterevoked": Fault.OURS_REVOKED,
    "revokedcertificate": Fault.OURS_REVOKED,
    "unsupportedcertificate": Fault.OURS_PURPOSE,
    "unknownca": Fault.OURS_UNTRUSTED,
    "unknowncertificateauthority": Fault.OURS_UNTRUSTED,
    "accessdenied": Fault.OURS_NOT_ALLOWED,
    "certificaterequired": Fault.WANTED,
    "handshakefailure": Fault.NOTHING_IN_COMMON,
    "insufficientsecurity": Fault.NOTHING_IN_COMMON,
    "protocolversion": Fault.VERSION,
    "protocolversionnotsupported": Fault.VERSION,
    "noapplicationprotocol": Fault.ALPN,
    "unrecognizedname": Fault.UNKNOWN_NAME,
    "norenegotiation": Fault.RENEGOTIATION,
    "badrecordmac": Fault.DAMAGED,
    "decrypterror": Fault.DAMAGED,
    "decodeerror": Fault.DAMAGED,
    "errordecryptingmessage": Fault.DAMAGED,
}
# Reasons that stand for a file, and not for the other side.
_OF_FILES: Final = {
    "KEY_VALUES_MISMATCH": "mismatch",
    "NO_CERTIFICATE_OR_CRL_FOUND": "no-certificate-in-file",
    "NO_START_LINE": "no-pem",
    "BAD_END_LINE": "bad-end-line",
    "BAD_BASE64_DECODE": "bad-end-line",
    "BAD_DECRYPT": "wrong-password",
    "BAD_PASSWORD_READ": "password-missing",
    "PROBLEMS_GETTING_PASSWORD": "password-missing",
    "MAC_VERIFY_FAILURE": "keystore-password",
    "NO_CIPHER_MATCH": "unknown-cipher",
    "HTTP_REQUEST": "plain-to-tls",
    "HTTPS_PROXY_REQUEST": "plain-to-tls",
    "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED": Fault.VERSION,
}
MAX_CHARS: Final = 1_000_000  # a log of a day; what is meant stands at its end


def explain(text: str) -> tuple[str, Explanation] | None:
    """The name of what a message is about and its explanation; None where nobody here knows it.

    Args:
        text: the message, with whatever stands around it; of a longer one the last million characters count.
    """
    shown = text[-MAX_CHARS:]
    name = next(_found(shown), None)
    return None if name is None else (name, EXPLANATIONS[name])


def _found(text: str) -> Iterator[str]:
    """The names that a message may be about, the most exact first."""
    small = " ".join(text.lower().split())  # terminals and logs break lines anywhere
    yield from _phrases(small, PHRASES)
    yield from (name for one in (*_NAMED.findall(text), *_printed(small)) if (name := _reason(one)))
    for one in _ALERT.findall(small):
        said = one.replace("_", "").replace(" ", "")
        # The longest: `unknown certificate` is another alert than `unknown certificate authority`.
        yield from (_ALERTS[alert] for alert in sorted(_ALERTS, key=len, reverse=True) if said.startswith(alert))
    yield from _own(small)
    yield from _phrases(small, GENERAL)


def _phrases(small: str, phrases: tuple[Phrase, ...]) -> Iterator[str]:
    """Those of which every word stands in the message."""
    return (name for name, *words in phrases if all(word in small for word in words))


def _printed(small: str) -> Iterator[str]:
    return (one.strip().upper().replace(" ", "_") for one in _PRINTED.findall(small))


def _reason(name: str) -> str | None:
    if name == "CERTIFICATE_VERIFY_FAILED":  # says only that it failed; what is behind it says why
        return None
    return _OF_FILES.get(name) or REASONS.get(name)


def _own(small: str) -> Iterator[str]:
    """What wellkept itself says, of both sides."""
    for fault in Fault:
        facts = (reason_for(fault, server_side=side).fact.lower() for side in (False, True))
        if fault in EXPLANATIONS and any(fact in small for fact in facts):
            yield fault
