"""Giving OpenSSL what it only takes from a path, without a disk: private keys and revocation lists.

Python's ssl loads keys and CRLs from files only (cpython#129216, gh-149679). An anonymous file in memory has a
path, too, /proc/self/fd/N. Where there is none (no Linux, no /proc), the key goes into a temporary file, encrypted
under a password that is used once: it is never in plain on a disk.
"""

import os
import ssl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from wellkept.tls.bundle import Identity


def load_identity(context: ssl.SSLContext, own: Identity) -> None:
    """Give a context a certificate with its chain and its key.

    Raises:
        ssl.SSLError: OpenSSL refuses them.
    """
    if has_memory():
        with in_memory(own.key_pem() + own.chain_pem) as path:
            context.load_cert_chain(path, password=_never)
        return
    password = os.urandom(32).hex()
    locked = own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    with on_disk(locked + own.chain_pem) as path:
        context.load_cert_chain(path, password=password)


def load_crls(context: ssl.SSLContext, pem: bytes) -> None:
    """Give a context revocation lists; they are public.

    Raises:
        ssl.SSLError: OpenSSL refuses them.
    """
    with (in_memory if has_memory() else on_disk)(pem) as path:
        context.load_verify_locations(path)


def _never() -> str:
    """The password that nobody is asked for: without an answer of ours OpenSSL would ask the terminal, and wait."""
    return ""


def has_memory() -> bool:
    """Whether an anonymous file in memory has a path here."""
    return hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd")  # noqa: PTH112 text in, text out


@contextmanager
def in_memory(data: bytes) -> Generator[str]:
    """A path that holds data until the end, and no disk does."""
    descriptor = os.memfd_create("wellkept", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)  # libpq refuses a key that others could read
        rest = memoryview(data)
        data = b""  # a traceback may show the locals of this frame
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


@contextmanager
def on_disk(data: bytes) -> Generator[str]:
    """A path that holds data until the end: for what is public, or encrypted."""
    descriptor, path = tempfile.mkstemp(prefix=".wellkept-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield path
    finally:
        os.unlink(path)  # noqa: PTH108 text in, text out
