"""A key of a table in problems: never one that a secret gave, never a long one."""

from wellkept._dataclasses import replace
from wellkept.config.convert.converter import At

_MAX_SHOWN = 64
HIDDEN = "*"


def shown(key: str, at: At) -> str:
    """A key as problems write it; inside a Secret a key is a part of the value."""
    if at.in_secret:
        return HIDDEN
    text = key if len(key) <= _MAX_SHOWN else f"{key[:_MAX_SHOWN]}…"
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def at_key(at: At, key: str, name: str | None = None) -> At:
    """The place below a key.

    Args:
        at: the place of the table.
        key: the key as it stands there.
        name: the declared name that it means, or None for a key that nobody declared.
    """
    return replace(at.below(key), setting=f"{at.setting}.{name or shown(key, at)}")
