"""An empty context with all that every one of ours has; the only place that says so.

TLS 1.2 or newer, ECDHE with AEAD only, no compression, no renegotiation, X.509 checked strictly on every Python
(3.13 began with it), a common name that is no host name (RFC 9325, RFC 9525).
"""

import ssl
from collections.abc import Callable
from typing import TypeVar

from wellkept.tls.policy import Policy, VerifyClient

C = TypeVar("C", bound=ssl.SSLContext)

_STRICT = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
_OPTIONS = ssl.Options.OP_NO_COMPRESSION | ssl.Options.OP_NO_RENEGOTIATION
_WANTS = {None: ssl.CERT_NONE, VerifyClient.OPTIONAL: ssl.CERT_OPTIONAL, VerifyClient.REQUIRE: ssl.CERT_REQUIRED}


def hardened(policy: Policy, make: Callable[[int], C]) -> C:
    """Make the context of a policy, which knows no certificate and trusts nobody yet.

    Args:
        policy: what is demanded.
        make: what makes the empty context of a protocol.
    """
    context = make(ssl.PROTOCOL_TLS_SERVER if policy.is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = policy.minimum
    context.maximum_version = policy.maximum
    context.set_ciphers(":".join(policy.ciphers))
    context.options |= _OPTIONS
    context.verify_flags |= _STRICT
    if policy.is_server:
        context.verify_mode = _WANTS[policy.verify_client]
    else:
        context.hostname_checks_common_name = False
    if not policy.has_tickets:
        context.options |= ssl.Options.OP_NO_TICKET
        if policy.is_server:
            context.num_tickets = 0
    return context
