"""MODULE:CLASS on the command line: find the Settings class that a person names."""

import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

import click

from wellkept.cli import render
from wellkept.config.declare import Settings
from wellkept.config.layers.read import inputs_of
from wellkept.errors import InsecurePermissions, UsageError
from wellkept.runtime import Attempt, attempt_load

Decorated = Callable[..., Any]


def layer_options(function: Decorated) -> Decorated:
    """Add the options that say what is read: `--file` and `-C`."""
    for option in (
        click.option("-C", "arguments", multiple=True, metavar="KEY=VALUE", help="Set a value, as the program would."),
        click.option(
            "--file",
            "files",
            multiple=True,
            type=click.Path(),
            help="Read this file or directory, first one strongest.",
        ),
    ):
        function = option(function)
    return function


def find_class(target: str) -> type[Settings]:
    """Import the class of `MODULE:CLASS`; the current folder is on the path.

    Raises:
        UsageError: there is no such module or class, or importing it failed.
    """
    module_name, _, class_name = target.partition(":")
    if not module_name:
        raise UsageError(f"{target!a}: names no module", hint="write MODULE:CLASS")
    if os.getcwd() not in sys.path:  # noqa: PTH109 sys.path holds text
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 as above
    module, fault, hint = None, "", ""
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        fault = f"there is no module {error.name}"
        hint = "run it in the folder of the program, or in its environment; write MODULE:CLASS"
    except (Exception, SystemExit) as error:  # noqa: BLE001 the module is somebody else's code, and its text may hold a value
        fault, hint = f"importing it raised {type(error).__name__}", f"try python -c 'import {module_name}'"
    if module is None:
        raise UsageError(f"{target}: {fault}", hint=hint)
    classes = {
        name: one
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Settings) and one is not Settings
    }
    if not class_name and len(classes) == 1:
        return next(iter(classes.values()))
    if class_name not in classes:
        near = get_close_matches(class_name, classes, n=1)
        names = ", ".join(classes) or "no class that derives from Settings"
        known = f"did you mean {module_name}:{near[0]}?" if near else f"it has {names}"
        raise UsageError(f"{target}: names no Settings class", hint=known)
    return classes[class_name]


def attempt(target: str, files: Sequence[str], arguments: Sequence[str]) -> Attempt:
    """Load the class that a person names, whether it works or not; secrets are masked."""
    inputs = inputs_of(None, files or None, [f"-C{one}" for one in arguments])
    cls = find_class(target)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InsecurePermissions)
        made = attempt_load(cls, inputs, providers={}, redact=True)
    for warning in caught:
        render.warn(str(warning.message))
    return made
