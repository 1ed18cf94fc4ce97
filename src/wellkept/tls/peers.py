"""Who is at the other end: `peer(request)`, one answer for ASGI, WSGI, aiohttp and gRPC."""

import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from wellkept.errors import UsageError
from wellkept.tls.certificates import fingerprint, names_of
from wellkept.tls.names import Names


class PeerIdentity:
    """A client whose certificate was verified; there is none of a client that showed none.

    Attributes:
        certificate: the client's own.
        status: `passed`, in Ballerina's words: one that did not pass never gets to the application.
    """

    status: str = "passed"

    def __init__(self, der: bytes) -> None:
        """Read a certificate that a handshake has verified, DER."""
        self.certificate: x509.Certificate = x509.load_der_x509_certificate(der)

    @cached_property
    def names(self) -> Names:
        """All names of the certificate."""
        return names_of(self.certificate)

    @property
    def spiffe_id(self) -> str | None:
        """Its SPIFFE id, or None."""
        return self.names.spiffe_id

    @property
    def dns(self) -> tuple[str, ...]:
        """Its host names."""
        return self.names.dns

    @property
    def uris(self) -> tuple[str, ...]:
        """Its URIs."""
        return self.names.uris

    @property
    def ips(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """Its addresses."""
        return self.names.ips

    @property
    def common_name(self) -> str:
        """Its common name: a label for people, no name to decide by."""
        return self.names.common_name

    @property
    def serial(self) -> str:
        """Its serial number, hexadecimal."""
        return f"{self.certificate.serial_number:x}"

    @property
    def not_after(self) -> datetime:
        """When it ends."""
        return self.certificate.not_valid_after_utc

    @cached_property
    def fingerprint(self) -> str:
        """Its SHA-256, hexadecimal; RFC 8705's `x5t#S256` is the same in base64url."""
        return fingerprint(self.certificate)

    def __repr__(self) -> str:
        name = self.spiffe_id or next(iter(self.dns), self.common_name)
        return f"PeerIdentity({name!r}, {self.fingerprint[:16]})"


Verified = ssl.SSLObject | ssl.SSLSocket


# The connection that the running task reads from. Servers on asyncio give an ASGI application no way to its
# connection; but they start its task from inside the read that brought the request, and a task inherits this.
CURRENT: ContextVar[Verified | None] = ContextVar("wellkept_tls_connection", default=None)

# Where `integrations.asgi.Drain` keeps the connection of a request, for whoever asks from another task.
PINNED = "wellkept.connection"

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


def peer(request: object) -> PeerIdentity | None:
    """Who sent a request; None where the client showed no certificate.

    Args:
        request: an ASGI scope or a request of Starlette, FastAPI or Quart; a WSGI environ or a request of Flask,
            Django or Werkzeug; a request of aiohttp; a context of gRPC; or a TLS connection itself.

    Raises:
        UsageError: it cannot be told, because the request did not come over one of our contexts with client
            certificates, or the server keeps its connection from the application. It is never guessed.
    """
    auth_context = getattr(request, "auth_context", None)
    if callable(auth_context):
        return _of_grpc(cast("Mapping[str, list[bytes]]", auth_context()))
    connection = _connection(request)
    if connection is None:
        raise UsageError(
            "peer: this request tells nothing about a client certificate",
            hint="ask for one: mutualSsl = …; “TLS: servers and clients” in the documentation has each server",
        )
    return of_connection(connection)


def of_connection(connection: Verified) -> PeerIdentity | None:
    """Who is at the other end of a TLS connection; None without a certificate.

    Raises:
        UsageError: its handshake is not over, or it does not verify certificates.
    """
    context = getattr(connection, "context", None)
    der: object = None
    is_over = True
    try:
        der = connection.getpeercert(binary_form=True)
    except ValueError:
        is_over = False
    if not getattr(connection, "is_judged", True):
        is_over = False  # one of ours that was refused, or has ended
    if not is_over or (isinstance(context, ssl.SSLContext) and context.verify_mode == ssl.CERT_NONE):
        raise UsageError(
            "peer: this connection asks nobody for a certificate", hint='ask for one: mutualSsl = { cert = "ca.crt" }'
        )
    return PeerIdentity(der) if isinstance(der, bytes) else None


def _of_grpc(found: Mapping[str, list[bytes]]) -> PeerIdentity | None:
    pem = next(iter(found.get("x509_pem_cert", ())), None)
    if pem is None:
        return None
    certificate = x509.load_pem_x509_certificate(pem)
    return PeerIdentity(certificate.public_bytes(Encoding.DER))


def _connection(request: object) -> Verified | None:
    """The connection behind a request, by the attributes that each framework gives it."""
    if hasattr(request, "getpeercert"):
        return cast("Verified", request)
    for environ in (request, getattr(request, "environ", None), getattr(request, "META", None)):
        if isinstance(environ, Mapping):
            table = cast("Mapping[str, object]", environ)
            for name in _SOCKETS:
                if hasattr(table.get(name), "getpeercert"):
                    return cast("Verified", table[name])
    transport = getattr(request, "transport", None)
    if transport is not None and hasattr(transport, "get_extra_info"):
        return cast("Verified | None", transport.get_extra_info("ssl_object"))
    scope = getattr(request, "scope", request)
    if not isinstance(scope, Mapping):
        return None
    # A server without TLS that was started inside a request has inherited that request's connection.
    told = cast("Mapping[str, object]", scope)
    if "asgi" not in told or told.get("scheme") not in {"https", "wss"}:
        return None
    return cast("Verified", told[PINNED]) if PINNED in told else _inherited(told.get("client"))


def _inherited(client: object) -> Verified | None:
    """The connection that the running task was started by, as long as all its requests come from one address.

    A task that serves requests of several connections (a queue, a batch) has inherited the first one's.
    """
    connection = CURRENT.get()
    if connection is None:
        return None
    known = vars(connection).setdefault("_wellkept_client", client)
    return connection if known == client else None
