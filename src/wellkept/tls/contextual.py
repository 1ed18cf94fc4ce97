"""What `ServerTLS` and `ClientTLS` have in common: one context for the life of their settings."""

from collections.abc import Mapping
from dataclasses import fields
from ssl import SSLContext
from typing import Any, cast

from wellkept.tls.live import Live


class Contextual:
    """Settings that a context is made of, once; each has a `live`, which keeps it current."""

    def context(self) -> SSLContext:
        """The one that servers or clients take: one for their whole life, which follows its files.

        Raises:
            BundleError: a file cannot be used; it names the file and the fix.
            UsageError: the settings contradict each other.
        """
        live: Live = cast("Any", self).live
        return live.context

    def __getstate__(self) -> Mapping[str, object]:
        """The fields, for another process or a copy: the context that was made of them stays here."""
        return {one.name: getattr(self, one.name) for one in fields(cast("Any", self))}
