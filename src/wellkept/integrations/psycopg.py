"""psycopg: the parameters of libpq, which takes paths where others take a context.

    with libpq(config.tls) as parameters:
        connection = psycopg.connect(DSN, **parameters)

The paths lead to what is served now: a whole bundle in memory, so a certificate and a key that are being replaced
never meet half way, and a key that did not come from a disk does not go to one. They are gone after the block.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from ssl import TLSVersion
from typing import Any

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from wellkept.errors import UsageError
from wellkept.tls.bundle import Bundle, Identity
from wellkept.tls.client import ClientTLS
from wellkept.tls.memory import has_memory, in_memory, on_disk
from wellkept.tls.policy import CrlMode, OnTrustChange

_VERSIONS = {TLSVersion.TLSv1_2: "TLSv1.2", TLSVersion.TLSv1_3: "TLSv1.3"}

_Keep = Callable[[bytes], str]


@contextmanager
def libpq(tls: ClientTLS) -> Generator[Mapping[str, Any]]:
    """The parameters of one connection, or of several that begin in this block.

    Raises:
        BundleError: a file of `tls` cannot be used.
        UsageError: `tls` demands what libpq cannot do.
    """
    _refuse(tls)
    bundle = tls.live.bundle
    with ExitStack() as files:

        def keep(data: bytes) -> str:
            return files.enter_context((in_memory if has_memory() else on_disk)(data))

        own = {} if bundle.identity is None else _identity(bundle.identity, keep, is_locked=not has_memory())
        yield {**_demands(bundle, keep), **own}


def _refuse(tls: ClientTLS) -> None:
    """Refuse what would silently not be done."""
    checks = tls.cert_validation
    for name, is_set, fix in (
        ("allow", bool(tls.allow), "use asyncpg, which takes a context"),
        ("certValidation", checks is not None and checks.type != "CRL", "name revocation lists (CRL)"),
        ("certValidation.mode", checks is not None and checks.mode is CrlMode.WARN, "let it be require, as libpq does"),
        ("ciphers", bool(tls.ciphers), "leave it out: libpq takes those of its own OpenSSL"),
        ("onTrustChange", tls.on_trust_change is OnTrustChange.CLOSE, "end the pool's connections on bundle-swapped"),
        ("serverName", tls.server_name is not None, "give libpq host=NAME hostaddr=ADDRESS instead"),
    ):
        if is_set:
            raise UsageError(f"{name}: libpq cannot do it", hint=fix)


def _demands(bundle: Bundle, keep: _Keep) -> dict[str, str]:
    policy, parts = bundle.policy, bundle.parts
    trust = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in parts.trust)
    if policy.system is not None:
        if policy.system.file is None:
            raise UsageError("system: libpq takes CAs from one file, and the system has none", hint="set SSL_CERT_FILE")
        trust += Path(policy.system.file).read_bytes()
    # With a Kerberos ticket at hand libpq would rather use that than TLS, and verify no certificate.
    made = {"sslmode": "verify-full", "gssencmode": "disable", "sslrootcert": keep(trust)}
    made["ssl_min_protocol_version"] = _VERSIONS[policy.minimum]
    if policy.maximum in _VERSIONS:
        made["ssl_max_protocol_version"] = _VERSIONS[policy.maximum]
    if parts.crls:
        made["sslcrl"] = keep(b"".join(one.pem for one in parts.crls))
    return made


def _identity(own: Identity, keep: _Keep, *, is_locked: bool) -> dict[str, str]:
    made = {"sslcert": keep(own.chain_pem)}
    if is_locked:
        made["sslpassword"] = os.urandom(32).hex()
        lock = BestAvailableEncryption(made["sslpassword"].encode())
        made["sslkey"] = keep(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    else:
        made["sslkey"] = keep(own.key_pem())
    return made
