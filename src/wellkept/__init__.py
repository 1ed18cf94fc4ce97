"""Typed settings and live secrets for Python services, kept out of every log."""

from wellkept.config.declare import Settings, setting
from wellkept.errors import ConfigError
from wellkept.runtime import close, explain, load
from wellkept.secret import Secret

__all__ = ["ConfigError", "Secret", "Settings", "close", "explain", "load", "setting"]
