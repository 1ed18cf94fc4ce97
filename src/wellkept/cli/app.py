"""The `wellkept` command: its subcommands, loaded on use, and what becomes of errors."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import ClassVar, Final

import click

from wellkept.cli import render
from wellkept.cli.entry import guarded
from wellkept.cli.lazy import LazyGroup
from wellkept.errors import EXIT_RUN_FAILED, EXIT_USAGE, UsageError

COMMANDS: Final = (
    "check",
    "completion",
    "edit",
    "explain",
    "export",
    "get",
    "identity",
    "import",
    "init",
    "list",
    "move",
    "recipients",
    "rekey",
    "run",
    "schema",
    "set",
    "status",
    "template",
    "textconv",
    "tls",
    "trust",
    "unset",
)


class Commands(LazyGroup):
    """Imports a command when it is used, and names the nearest one to a wrong one."""

    # `import` is the one name that Python keeps for itself.
    modules: ClassVar[Mapping[str, str]] = {
        name: f"wellkept.cli.{'import_' if name == 'import' else name}" for name in COMMANDS
    }

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
            meant = f"did you mean wellkept {near[0]}?" if near else f"commands are {', '.join(COMMANDS)}"
            raise UsageError(f"{name}: there is no such command", hint=meant)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wellkept", message="%(prog)s %(version)s")
def app() -> None:
    """Typed settings and live secrets for Python services."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; see entry.py."""
    is_run = next((one for one in arguments if not one.startswith("-")), "") == "run"
    wrong = EXIT_RUN_FAILED if is_run else EXIT_USAGE

    def call() -> object:
        try:
            done: object = app.main(list(arguments), prog_name="wellkept", standalone_mode=False)
        except click.ClickException as error:
            render.failure(UsageError(error.format_message(), hint=_help_of(error)))
            return wrong
        except click.Abort:
            return 130  # 128 + SIGINT
        return done

    return guarded(call, is_run=is_run)


def _help_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"try {context.command_path if context else 'wellkept'} --help"
