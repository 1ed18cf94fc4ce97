"""`wellkept tls`: certificates, keys and connections; each of its commands stands in a file of its own."""

from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = ("check", "convert", "dev-ca", "explain", "keystore", "probe")


class _Commands(click.Group):
    """Imports a command when it is used: cryptography takes 60 ms."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"wellkept.cli.tls_{cmd_name.replace('-', '_')}").command
        return command


@click.group("tls", cls=_Commands)
def command() -> None:
    """Certificates and connections: what is wrong, what it means, and what to do."""
