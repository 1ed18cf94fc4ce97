"""The `wellkept` command: its subcommands, loaded on use, and what becomes of errors."""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Final

import click

from wellkept.cli import render
from wellkept.errors import EXIT_RUN_FAILED, EXIT_USAGE, UsageError, WellkeptError

COMMANDS: Final = (
    "check",
    "completion",
    "explain",
    "get",
    "list",
    "run",
    "schema",
    "set",
    "template",
    "trust",
    "unset",
)


class Commands(click.Group):
    """Imports a command when it is used, and names the nearest one to a wrong one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"wellkept.cli.{cmd_name}").command
        return command

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
    """Run one command line.

    Returns:
        The exit code: 0 fine, 1 findings or missing values, 2 wrong use or cannot tell,
        69 unreachable, 77 denied, 125 a failure of `run` itself.
    """
    is_run = next((one for one in arguments if not one.startswith("-")), "") == "run"
    try:
        code: object = app.main(list(arguments), prog_name="wellkept", standalone_mode=False)
    except click.ClickException as error:
        render.failure(UsageError(error.format_message(), hint=_help_of(error)))
        return EXIT_RUN_FAILED if is_run else EXIT_USAGE
    except click.Abort:
        return 130  # 128 + SIGINT
    except WellkeptError as error:
        render.failure(error)
        return EXIT_RUN_FAILED if is_run else error.exit_code
    except BrokenPipeError:
        return 141  # 128 + SIGPIPE
    except Exception as error:  # noqa: BLE001 an outer edge: a foreign error's text may hold a value
        return _fault(error, is_run=is_run)
    return code if isinstance(code, int) else 0


def _help_of(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"try {context.command_path if context else 'wellkept'} --help"


def _fault(error: Exception, *, is_run: bool) -> int:
    """Report an error that nobody expected by its type and place, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    render.talk(f"error: {type(error).__name__}{place}")
    render.talk("hint: this is a fault in wellkept, or in the module that was named: report it")
    return EXIT_RUN_FAILED if is_run else EXIT_USAGE
