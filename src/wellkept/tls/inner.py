"""The context of one bundle: what a connection really uses. It never leaves this package, and never changes."""

import os
import ssl
from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding

from wellkept.errors import BundleError
from wellkept.tls.bundle import Bundle
from wellkept.tls.hardened import hardened
from wellkept.tls.memory import load_crls, load_identity

C = TypeVar("C", bound=ssl.SSLContext)


def build(bundle: Bundle, make: Callable[[int], C], *, checks_crls: bool = True) -> C:
    """Make the context of a bundle.

    Args:
        bundle: parts that were judged.
        make: what makes the empty context of a protocol.
        checks_crls: whether OpenSSL looks at the revocation lists; then it refuses everybody where one is missing.

    Raises:
        BundleError: OpenSSL refuses a part, whatever we think of it.
    """
    policy, parts = bundle.policy, bundle.parts
    context = hardened(policy, make)
    fault = ""
    try:
        _trust(context, bundle)
    except (ssl.SSLError, OSError, ValueError):
        fault = "trust"
    if fault:
        raise BundleError("the system's CAs cannot be read", hint="look at SSL_CERT_FILE and SSL_CERT_DIR")
    try:
        if parts.identity is not None:
            load_identity(context, parts.identity)
        if parts.crls and checks_crls:
            load_crls(context, b"".join(one.pem for one in parts.crls))
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    except (ssl.SSLError, OSError, ValueError) as error:
        fault = getattr(error, "reason", None) or type(error).__name__
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
            fault = os.strerror(error.errno or 0).lower()
    if fault:
        place = parts.identity.place if parts.identity else "the certificate"
        raise BundleError(
            f"{place}: OpenSSL does not take this certificate and key ({fault})",
            hint="wellkept tls check says what is wrong with them",
        )
    return context


def _trust(context: ssl.SSLContext, bundle: Bundle) -> None:
    if bundle.parts.trust:
        # DER after DER: the text form of cadata would be parsed by line.
        context.load_verify_locations(
            cadata=b"".join(one.certificate.public_bytes(Encoding.DER) for one in bundle.parts.trust)
        )
    system = bundle.policy.system
    if system is not None:
        if system.file is not None:
            context.load_verify_locations(cafile=system.file)
        for folder in system.folders:
            context.load_verify_locations(capath=folder)
