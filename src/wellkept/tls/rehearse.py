"""A handshake with ourselves, in memory, before a bundle is used: what OpenSSL cannot serve never gets out.

The other side of it verifies nothing and shows nothing, so a server that asks for a client certificate is
rehearsed by a twin that does not: what is tried is our own certificate, key, suites and versions.
"""

import ssl

from wellkept._dataclasses import replace
from wellkept.errors import BundleError
from wellkept.tls.bundle import Bundle, Parts
from wellkept.tls.inner import build

_MOST_STEPS = 20  # a handshake takes three


def rehearse(bundle: Bundle) -> None:
    """Shake hands with ourselves.

    Raises:
        BundleError: it fails; nobody could connect.
    """
    identity = bundle.identity
    if identity is None:
        return
    policy = replace(bundle.policy, is_server=True, verify_client=None, system=None)
    server = build(replace(bundle, parts=Parts(identity), policy=policy), ssl.SSLContext)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing but its own twin ever answers it, in memory.
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    failed = shake_in_memory(client, server)
    if failed is not None:
        raise BundleError(
            f"{identity.place}: a handshake with this certificate and key fails ({failed.reason or 'without end'})",
            hint=f"wellkept tls check {identity.place}",
        )


def shake_in_memory(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None = None) -> ssl.SSLError | None:
    """What a handshake in memory fails with, or None.

    Args:
        client: one side.
        server: the other one.
        name: the server that the client asks for.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(_MOST_STEPS):
        for side in sides.copy():
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return error.with_traceback(None)
            sides.remove(side)
    return ssl.SSLError(ssl.SSL_ERROR_SSL, "it does not end") if sides else None
