"""One question to Vault, whatever is mounted there. Dances; no I/O here.

A path leads to a secret that was written, to an engine that makes something, or to a certificate.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from wellkept._http.message import Failure
from wellkept.errors import Malformed
from wellkept.providers.vault import engine
from wellkept.providers.vault.dance import Dance
from wellkept.providers.vault.engine import Given
from wellkept.providers.vault.kv import Held, Kv
from wellkept.providers.vault.mounts import Mount
from wellkept.providers.vault.pki import PKI_OPTIONS, Issued, issue

T = TypeVar("T")

VERSION = "version"


def read(kv: Kv, path: tuple[str, ...], options: Mapping[str, str]) -> Dance[Held | Given | Issued | Failure]:
    """Read what stands at a path.

    Args:
        kv: the session's secrets.
        path: the segments of mount and thing.
        options: of the reference.
    """
    return (yield from _settled(kv, path, partial(_read, kv, path, options)))


def names(kv: Kv, path: tuple[str, ...]) -> Dance[Sequence[str] | Failure]:
    """Name what stands below a path; of a secret, its keys as `#key`."""
    return (yield from _settled(kv, path, partial(_names, kv, path)))


def _settled(kv: Kv, path: tuple[str, ...], dance: Callable[[], Dance[T]]) -> Dance[T]:
    """Ask again where an engine that was known may be another one by now."""
    known = kv.mounts.find(path)
    answer = yield from dance()
    if known is None or known.is_kv or not engine.is_moved(answer):
        return answer
    kv.mounts.forget(known)
    return (yield from dance())


def _names(kv: Kv, path: tuple[str, ...]) -> Dance[Sequence[str] | Failure]:
    found = yield from kv.names(path)
    return (yield from engine.names(found, path, kv.label)) if isinstance(found, Mount) else found


def _read(kv: Kv, path: tuple[str, ...], options: Mapping[str, str]) -> Dance[Held | Given | Issued | Failure]:
    version = options.get(VERSION)
    found = yield from kv.read(path, version)
    if isinstance(found, Failure):
        return found
    if isinstance(found, Mount) and version is not None:
        fact = f"the mount {found}/ is of kind {found.kind}, which has no versions"
        return Failure(Malformed, fact, "leave out version=")
    if isinstance(found, Mount) and found.kind == "pki":
        return (yield from issue(found, path, options, kv.label))
    strange = min(PKI_OPTIONS.intersection(options), default=None)
    if strange is not None:
        return Failure(Malformed, f"{strange}= is for a mount of kind pki, and this is none", f"leave out {strange}=")
    return (yield from engine.give(found, path, kv.label)) if isinstance(found, Mount) else found
