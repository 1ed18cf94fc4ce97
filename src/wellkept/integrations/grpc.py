"""For gRPC: `server_credentials(tls)`, which follow their files. gRPC has its own TLS, and takes no context.

It asks before each handshake for its certificate, key and CAs, so all of them are followed. It cannot be told
whom of the trusted to let in, nor about revocation, versions and suites: what would be left out is refused here.
"""

from importlib import import_module
from ssl import TLSVersion
from threading import Lock
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from wellkept.errors import UsageError
from wellkept.tls.bundle import Bundle
from wellkept.tls.policy import DEFAULT_SUITES, OnTrustChange, Policy, VerifyClient
from wellkept.tls.server import ServerTLS

_grpc: Final[Any] = import_module("grpc")  # by name: it has no types, and is nobody's dependency here


def server_credentials(tls: ServerTLS) -> Any:  # noqa: ANN401 a grpc.ServerCredentials
    """Credentials for `server.add_secure_port`.

    Raises:
        BundleError: a file cannot be used.
        UsageError: `tls` asks for what gRPC cannot do.
    """
    policy = tls.policy()
    for name in _cannot(policy, tls):
        raise UsageError(f"ServerTLS.{name}: gRPC's own TLS cannot do that", hint="leave it out")
    verifies = policy.verify_client is not None
    served = tls.live.bundle
    configuration = _configuration(served)
    lock = Lock()

    def fetch() -> Any:  # noqa: ANN401 a grpc.ServerCertificateConfiguration, or None for no change
        nonlocal served, configuration
        with lock:  # gRPC's documentation does not say that it asks one by one
            current = tls.live.bundle
            if current is not served:
                served, configuration = current, _configuration(current)
            elif policy.has_tickets or not verifies:
                return None
            # Given anew, gRPC makes its context anew, with new ticket keys. Else a client would resume its session
            # after its certificate has expired: a resumed handshake verifies nothing.
            return configuration

    return _grpc.dynamic_ssl_server_credentials(configuration, fetch, require_client_authentication=verifies)


def _configuration(bundle: Bundle) -> Any:  # noqa: ANN401 a grpc.ServerCertificateConfiguration
    own = bundle.parts.identity
    if own is None:
        raise UsageError("ServerTLS.key: a server needs a certificate")
    trust = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in bundle.parts.trust)
    return _grpc.ssl_server_certificate_configuration([(own.key_pem(), own.chain_pem)], trust or None)


def _cannot(policy: Policy, tls: ServerTLS) -> list[str]:
    """What is demanded, and gRPC would silently not do."""
    demanded = {
        "mutual.verify_client = optional": policy.verify_client is VerifyClient.OPTIONAL,
        "allow": bool(policy.allow),
        "cert_validation": tls.cert_validation is not None,
        "protocol": (policy.minimum, policy.maximum) != (TLSVersion.TLSv1_2, TLSVersion.TLSv1_3),
        "ciphers": policy.ciphers != DEFAULT_SUITES,
        "on_trust_change = close": policy.on_trust_change is OnTrustChange.CLOSE,
    }
    return [name for name, is_demanded in demanded.items() if is_demanded]
