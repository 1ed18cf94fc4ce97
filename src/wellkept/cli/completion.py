"""`wellkept completion`: the completion script of a shell."""

import click
from click.shell_completion import get_completion_class

from wellkept.cli import render
from wellkept.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    bash: `eval "$(wellkept completion bash)"` in ~/.bashrc; fish: `wellkept completion fish |
    source` in config.fish.
    """
    completion = get_completion_class(shell)
    if completion is None:
        raise UsageError(f"{shell}: has no completion", hint=f"there is one for {', '.join(SHELLS)}")
    render.out(completion(context.find_root().command, {}, "wellkept", "_WELLKEPT_COMPLETE").source())
