"""load() and what belongs to it: the one package that knows config, sources, refresh and masking together."""

from wellkept.runtime.load import Attempt, attempt_load, close, explain, load

__all__ = ["Attempt", "attempt_load", "close", "explain", "load"]
