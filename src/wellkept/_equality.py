"""Comparing values without telling by the time that it takes where they differ."""

from os import urandom

from wellkept._imports import load_module

_KEY = urandom(32)  # only this process compares with it; no digest ever leaves


def is_same(mine: object, theirs: object) -> bool:
    """Compare in a time that tells neither the length nor the place of a difference."""
    ours, others = _comparable(mine), _comparable(theirs)
    if ours is None or others is None:
        return bool(mine == theirs)
    # Loaded by name: OpenSSL's hashes take 3 ms to load, and most programs compare no secrets.
    blake2b, hmac = load_module("hashlib").blake2b, load_module("hmac")
    digests = [blake2b(value, key=_KEY).digest() for value in (ours, others)]
    return bool(hmac.compare_digest(*digests))


def _comparable(value: object) -> bytes | None:
    if isinstance(value, str):
        return b"t" + value.encode("utf-8", "surrogatepass")
    return b"b" + value if isinstance(value, bytes) else None
