"""`wellkept run` for click: its help, its completion and its errors; see run_line.py for its options."""

from functools import partial

import click

from wellkept.cli.run_line import OPTIONS, Kind, Option, RunLine
from wellkept.cli.running import run_child


def _parameter(option: Option) -> click.Option:
    make = partial(click.Option, [option.flag, option.name], metavar=option.metavar, help=option.help)
    if option.kind is Kind.SWITCH:
        return make(is_flag=True)
    kind = click.Path() if option.is_path else None
    return make(
        multiple=option.kind is Kind.MANY, default=option.default, show_default=option.default is not None, type=kind
    )


def _run(**given: object) -> None:
    """Run COMMAND with its secrets in its environment.

    It gets every reference of the inherited environment resolved, `[wellkept.run.env]` of
    Config.toml, and what --env names; with --settings every setting, too. The exit code is
    the command's, or 125 when it could not be started.
    """
    run_child(RunLine(**given))  # type: ignore[arg-type]  # click gives what OPTIONS says


command: click.Command = click.Command(
    "run",
    context_settings={"allow_interspersed_args": False},
    callback=_run,
    help=_run.__doc__,
    params=[
        *map(_parameter, OPTIONS),
        click.Argument(["command_line"], nargs=-1, required=True, metavar="COMMAND...", type=click.UNPROCESSED),
    ],
)
