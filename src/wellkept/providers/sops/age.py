"""Opening a data key that is encrypted for age recipients; the only file that imports pyrage.

Its errors are never quoted: they could hold a part of an identity.
"""

from collections.abc import Sequence
from typing import Any, cast

from wellkept.providers.sops.document import CHANGED_HINT, Refusal

try:
    import pyrage  # type: ignore[import-untyped, unused-ignore]  # it has none
except ImportError:  # pragma: no cover - the extra brings it; `source` says so
    _pyrage: Any = None
else:
    _pyrage = cast("Any", pyrage)

IS_THERE = _pyrage is not None

Identity = object  # what pyrage makes of a key; opaque here

_NOT_OURS = "No matching keys found"
BROKEN = Refusal("holds an encrypted data key that is damaged", CHANGED_HINT)


def parse_identity(text: str) -> Identity | None:
    """The identity of a line `AGE-SECRET-KEY-1…`, or None where it is none."""
    try:
        return cast("Identity", _pyrage.x25519.Identity.from_str(text))
    except _pyrage.IdentityError:
        return None


def parse_ssh_identity(data: bytes) -> Identity | None:
    """The identity of an SSH private key without a passphrase (ed25519, RSA), or None where it is none."""
    try:
        return cast("Identity", _pyrage.ssh.Identity.from_buffer(data))
    except _pyrage.IdentityError:
        return None


def unwrap(sealed: str, identities: Sequence[Identity]) -> bytes | Refusal | None:
    """The data key in an armored age file; None where it is for somebody else."""
    reason = ""
    try:
        return cast("bytes", _pyrage.decrypt(sealed.encode("utf-8", "replace"), identities))
    except (_pyrage.DecryptError, _pyrage.IdentityError) as error:
        reason = str(error)  # compared only
    return None if reason == _NOT_OURS else BROKEN
