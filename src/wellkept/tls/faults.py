"""What went wrong in a handshake, by the numbers and the type of the error: OpenSSL's codes, told apart. No I/O here.

Never by its text: texts change between versions, and may hold what the certificate of a stranger says. The
numbers are those of OpenSSL's x509_vfy.h (3.0 to 3.5), and the names those of its sslerr.h, as the standard
library passes them on. What each fault is called stands in reasons.py.
"""

import ssl
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """What went wrong, told apart as finely as OpenSSL does."""

    # The certificate of the other side.
    UNTRUSTED = "untrusted"
    SELF_SIGNED = "self-signed"
    UNTRUSTED_ROOT = "untrusted-root"
    INCOMPLETE = "incomplete-chain"
    TRUST_INCOMPLETE = "incomplete-trust"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    REVOKED = "revoked"
    NAME = "wrong-name"
    ADDRESS = "wrong-address"
    PURPOSE = "wrong-purpose"
    NO_CA = "issuer-is-no-ca"
    PATH_LENGTH = "path-length"
    CONSTRAINT = "name-constraint"
    CRITICAL = "unknown-extension"
    SIGNATURE = "bad-signature"
    WEAK = "weak"
    NO_AUTHORITY_KEY_ID = "no-authority-key-id"
    NO_SUBJECT_KEY_ID = "no-subject-key-id"
    NO_KEY_USAGE = "ca-without-key-usage"
    NOT_CRITICAL = "basic-constraints-not-critical"
    NOT_STRICT = "not-rfc-5280"
    NO_CERTIFICATE = "no-certificate"
    NOT_ALLOWED = "not-allowed"
    UNVERIFIED = "unverified"
    # The lists that say what is revoked.
    CRL_MISSING = "crl-missing"
    CRL_EXPIRED = "crl-expired"
    CRL_NOT_YET_VALID = "crl-not-yet-valid"
    CRL_INVALID = "crl-invalid"
    OCSP = "ocsp"
    # Our own certificate, as the other side sees it.
    OURS_UNTRUSTED = "ours-untrusted"
    OURS_EXPIRED = "ours-expired"
    OURS_REVOKED = "ours-revoked"
    OURS_PURPOSE = "ours-wrong-purpose"
    OURS_REFUSED = "ours-refused"
    OURS_NOT_ALLOWED = "ours-not-allowed"
    WANTED = "certificate-wanted"
    # The two do not get so far.
    PLAIN_TEXT = "plain-text"
    VERSION = "version"
    NOTHING_IN_COMMON = "nothing-in-common"
    ALPN = "alpn"
    UNKNOWN_NAME = "unknown-server-name"
    RENEGOTIATION = "renegotiation"
    DAMAGED = "damaged"
    HUNG_UP = "hung-up"
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


def fault_of(error: OSError) -> Fault:
    """What went wrong, by the numbers and the type of an error."""
    if not isinstance(error, ssl.SSLError):
        return next((fault for kind, fault in _TYPES if isinstance(error, kind)), Fault.UNREACHABLE)
    # One that Python made itself, or that an application raised, has neither code nor reason.
    code: object = getattr(error, "verify_code", None)
    if isinstance(code, int) and code:
        return _VERIFY_CODES.get(code, Fault.UNVERIFIED)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
        return Fault.HUNG_UP
    reason: object = getattr(error, "reason", None)
    return REASONS.get(reason, Fault.UNKNOWN) if isinstance(reason, str) else Fault.UNKNOWN


# The first that fits: a timeout and a refused connection are OSErrors of their own kind.
_TYPES: Final[tuple[tuple[type[OSError], Fault], ...]] = (
    (TimeoutError, Fault.TIMED_OUT),
    (ConnectionRefusedError, Fault.UNREACHABLE),
    (ConnectionError, Fault.HUNG_UP),  # reset, aborted, broken pipe: there was a connection
)

# X509_V_ERR_* of x509_vfy.h; what is not here is "unverified".
_VERIFY_CODES: Final = {
    2: Fault.TRUST_INCOMPLETE,  # the issuer of one that is trusted: without VERIFY_X509_PARTIAL_CHAIN only
    3: Fault.CRL_MISSING,
    4: Fault.SIGNATURE,
    5: Fault.CRL_INVALID,
    6: Fault.SIGNATURE,
    7: Fault.SIGNATURE,
    8: Fault.CRL_INVALID,
    9: Fault.NOT_YET_VALID,
    10: Fault.EXPIRED,
    11: Fault.CRL_NOT_YET_VALID,
    12: Fault.CRL_EXPIRED,
    13: Fault.NOT_STRICT,
    14: Fault.NOT_STRICT,
    15: Fault.CRL_INVALID,
    16: Fault.CRL_INVALID,
    18: Fault.SELF_SIGNED,
    19: Fault.UNTRUSTED_ROOT,
    20: Fault.UNTRUSTED,  # "unable to get local issuer certificate": also what an incomplete chain gives
    21: Fault.INCOMPLETE,
    22: Fault.PATH_LENGTH,
    23: Fault.REVOKED,
    24: Fault.SIGNATURE,
    25: Fault.PATH_LENGTH,
    26: Fault.PURPOSE,
    27: Fault.UNTRUSTED,
    28: Fault.PURPOSE,  # its trust settings exclude this use
    32: Fault.NO_CA,
    33: Fault.CRL_MISSING,
    34: Fault.CRITICAL,
    35: Fault.CRL_INVALID,
    36: Fault.CRL_INVALID,
    37: Fault.NO_CA,
    38: Fault.PATH_LENGTH,
    39: Fault.PURPOSE,
    41: Fault.NOT_STRICT,
    42: Fault.NOT_STRICT,
    44: Fault.CRL_MISSING,
    47: Fault.CONSTRAINT,
    48: Fault.CONSTRAINT,
    49: Fault.CONSTRAINT,
    51: Fault.CONSTRAINT,
    52: Fault.CONSTRAINT,
    53: Fault.CONSTRAINT,
    54: Fault.CRL_INVALID,
    62: Fault.NAME,
    63: Fault.NAME,
    64: Fault.ADDRESS,
    66: Fault.WEAK,
    67: Fault.WEAK,
    68: Fault.WEAK,
    73: Fault.OCSP,
    74: Fault.OCSP,
    75: Fault.OCSP,
    76: Fault.SIGNATURE,
    77: Fault.SIGNATURE,
    78: Fault.SIGNATURE,
    79: Fault.NO_CA,
    # From here on by VERIFY_X509_STRICT alone, which Python sets since 3.13.
    80: Fault.NOT_STRICT,
    81: Fault.NOT_STRICT,
    82: Fault.NOT_STRICT,
    83: Fault.NOT_STRICT,
    84: Fault.NOT_STRICT,
    85: Fault.NO_AUTHORITY_KEY_ID,
    86: Fault.NO_SUBJECT_KEY_ID,
    87: Fault.NOT_STRICT,
    88: Fault.NOT_STRICT,
    89: Fault.NOT_CRITICAL,
    90: Fault.NOT_STRICT,
    91: Fault.NOT_STRICT,
    92: Fault.NO_KEY_USAGE,
    93: Fault.NOT_STRICT,
    94: Fault.NOT_STRICT,
}

# SSL_R_* of sslerr.h. An alert is what the other side says of us.
REASONS: Final = {
    "CERTIFICATE_VERIFY_FAILED": Fault.UNVERIFIED,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": Fault.NO_CERTIFICATE,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Fault.WANTED,
    "SSLV3_ALERT_NO_CERTIFICATE": Fault.WANTED,
    "TLSV1_ALERT_UNKNOWN_CA": Fault.OURS_UNTRUSTED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Fault.OURS_EXPIRED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Fault.OURS_REVOKED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": Fault.OURS_PURPOSE,
    "SSLV3_ALERT_BAD_CERTIFICATE": Fault.OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Fault.OURS_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": Fault.OURS_NOT_ALLOWED,
    "WRONG_VERSION_NUMBER": Fault.PLAIN_TEXT,
    "HTTP_REQUEST": Fault.PLAIN_TEXT,
    "HTTPS_PROXY_REQUEST": Fault.PLAIN_TEXT,
    "UNKNOWN_PROTOCOL": Fault.PLAIN_TEXT,
    "RECORD_LAYER_FAILURE": Fault.PLAIN_TEXT,  # OpenSSL 3.2 says this where 3.0 says WRONG_VERSION_NUMBER
    "PACKET_LENGTH_TOO_LONG": Fault.PLAIN_TEXT,
    "UNSUPPORTED_PROTOCOL": Fault.VERSION,
    "NO_PROTOCOLS_AVAILABLE": Fault.VERSION,
    "VERSION_TOO_LOW": Fault.VERSION,
    "VERSION_TOO_HIGH": Fault.VERSION,
    "WRONG_SSL_VERSION": Fault.VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Fault.VERSION,
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": Fault.VERSION,
    "INAPPROPRIATE_FALLBACK": Fault.VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Fault.NOTHING_IN_COMMON,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": Fault.NOTHING_IN_COMMON,
    "NO_SHARED_CIPHER": Fault.NOTHING_IN_COMMON,
    "NO_CIPHERS_AVAILABLE": Fault.NOTHING_IN_COMMON,
    "NO_SHARED_GROUPS": Fault.NOTHING_IN_COMMON,
    "NO_SUITABLE_GROUPS": Fault.NOTHING_IN_COMMON,
    "NO_SUITABLE_KEY_SHARE": Fault.NOTHING_IN_COMMON,
    "NO_SHARED_SIGNATURE_ALGORITHMS": Fault.NOTHING_IN_COMMON,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": Fault.NOTHING_IN_COMMON,
    "NO_COMMON_SIGNATURE_ALGORITHMS": Fault.NOTHING_IN_COMMON,
    "WRONG_SIGNATURE_TYPE": Fault.NOTHING_IN_COMMON,
    "NO_CERTIFICATE_SET": Fault.NOTHING_IN_COMMON,
    "DH_KEY_TOO_SMALL": Fault.WEAK,
    "EE_KEY_TOO_SMALL": Fault.WEAK,
    "CA_KEY_TOO_SMALL": Fault.WEAK,
    "CA_MD_TOO_WEAK": Fault.WEAK,
    "NO_APPLICATION_PROTOCOL": Fault.ALPN,
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": Fault.ALPN,
    "TLSV13_ALERT_NO_APPLICATION_PROTOCOL": Fault.ALPN,
    "TLSV1_UNRECOGNIZED_NAME": Fault.UNKNOWN_NAME,
    "TLSV1_ALERT_UNRECOGNIZED_NAME": Fault.UNKNOWN_NAME,
    "SSLV3_ALERT_UNRECOGNIZED_NAME": Fault.UNKNOWN_NAME,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Fault.RENEGOTIATION,
    "NO_RENEGOTIATION": Fault.RENEGOTIATION,
    "TLSV1_ALERT_NO_RENEGOTIATION": Fault.RENEGOTIATION,
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": Fault.DAMAGED,
    "SSLV3_ALERT_BAD_RECORD_MAC": Fault.DAMAGED,
    "TLSV1_ALERT_DECODE_ERROR": Fault.DAMAGED,
    "TLSV1_ALERT_DECRYPT_ERROR": Fault.DAMAGED,
    "UNEXPECTED_EOF_WHILE_READING": Fault.HUNG_UP,
    "PROTOCOL_IS_SHUTDOWN": Fault.HUNG_UP,
    "APPLICATION_DATA_AFTER_CLOSE_NOTIFY": Fault.HUNG_UP,
}
