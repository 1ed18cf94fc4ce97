"""`wellkept tls`: certificates, keys and connections; each of its commands stands in a file of its own."""

from collections.abc import Mapping
from typing import ClassVar

import click

from wellkept.cli.lazy import LazyGroup


class _Commands(LazyGroup):
    """Its commands; cryptography takes 60 ms, so none is imported to list them."""

    modules: ClassVar[Mapping[str, str]] = {
        name: f"wellkept.cli.tls_{name.replace('-', '_')}"
        for name in ("check", "convert", "dev-ca", "explain", "keystore", "probe")
    }


@click.group("tls", cls=_Commands)
def command() -> None:
    """Certificates and connections: what is wrong, what it means, and what to do."""
