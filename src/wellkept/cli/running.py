"""What `wellkept run` does: a command with its secrets, resolved together, then plain execve."""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from wellkept._names import BALLERINA_PREFIX, NESTING, canonical_path, toml_key, variable
from wellkept.cli import render
from wellkept.cli.run_line import RunLine
from wellkept.config.layers.chosen import choose_files
from wellkept.config.layers.say import Refers, say_text
from wellkept.config.reference import parse_lenient
from wellkept.config.resolve import Outcome
from wellkept.config.undeclared import RUN_TABLE, Found, Undeclared, as_text, read_undeclared, undeclared
from wellkept.delivery.environment import child_environment, is_bootstrap, leads_to_a_store, unfit_name
from wellkept.delivery.run import execute, write_files
from wellkept.errors import ConfigError, Problem, UsageError
from wellkept.model import RESOLVED_VARIABLE
from wellkept.origin import Layer, Origin
from wellkept.registry import Schemes
from wellkept.undeclared import attempt_undeclared

INHERITED, GIVEN, TABLE, SETTINGS = "inherited", "--env", RUN_TABLE[0], "settings"

# A variable that anybody may set would read files and variables of this machine.
REFUSED_INHERITED = frozenset({"env", "file"})


def run_child(line: RunLine) -> None:
    """Resolve what a command line asks for, and become its command.

    Raises:
        ConfigError: something cannot be resolved.
        UsageError: a name or a text on the line cannot be used.
        RunFailed: the command cannot be started.
    """
    chosen = choose_files(line.sources or None, os.environ)
    files = read_undeclared(chosen, with_settings=line.wants_settings or line.folder is not None)
    said = [
        *_inherited(line.globs, line.passed, files),
        *_given(line.given),
        *((setting, says) for setting, says in files.run),
        *((undeclared(setting.path, (SETTINGS, *setting.form)), says) for setting, says in files.settings),
    ]
    with render.waiting("asking the sources"):
        outcomes, found = attempt_undeclared(said, files, os.environ, may_be_leased=False)
    if found:
        raise ConfigError("wellkept run", found)
    values = {group: _values(outcomes, group, line.prefix) for group in (GIVEN, INHERITED, TABLE, SETTINGS)}
    if line.folder is not None:  # they become files, and no variables
        values[SETTINGS] = {}
    # What a person says wins over files.
    own = {*values[GIVEN], *(name for name in os.environ if not is_bootstrap(name))}
    files_say = (*values[TABLE], *values[SETTINGS])
    led = next((name for name in files_say if leads_to_a_store(name) and name not in own), None)
    if led is not None:
        raise UsageError(
            f"{led}: a file may not say where the command finds its secrets", hint=f"say it yourself: --env {led}=…"
        )
    unfit = unfit_name(name for group in values.values() for name in group)
    if unfit is not None:
        raise UsageError(f"{unfit!a}: is no name for a variable", hint="rename the key, or write files with --files")
    if line.folder is not None:
        write_files(line.folder, _files(outcomes))
    # An absent value that may be absent leaves no variable: the child must not take the reference for it.
    fallen = {one.setting.path[0] for one in outcomes if one.setting.form[0] == INHERITED and one.say is None}
    child = child_environment(
        {name: value for name, value in os.environ.items() if name not in fallen},
        given=values[GIVEN],
        filled=values[INHERITED],
        table=values[TABLE],
        settings=values[SETTINGS],
        form=partial(_form, line.prefix or BALLERINA_PREFIX),
        passed=line.passed,
    )
    if not outcomes:
        render.talk("wellkept run: nothing to pass: no variable holds a reference, and neither --env nor --settings")
    execute(line.command_line, child)


def _inherited(globs: Sequence[str], passed: Sequence[str], files: Found) -> list[Undeclared]:
    schemes = Schemes([name for name, _ in files.providers])
    said: list[Undeclared] = []
    final = os.environ.get(RESOLVED_VARIABLE, "").split(",")  # an outer run filled them in
    for name, value in os.environ.items():
        if name in final or (is_bootstrap(name) and name not in passed):
            continue
        if "${" not in value or (globs and not any(fnmatchcase(name, glob) for glob in globs)):
            continue
        references = parse_lenient(value, schemes).references
        refused = [one.scheme for one in references if one.scheme in REFUSED_INHERITED]
        if refused:
            files.problems.append(
                Problem(
                    name,
                    f"an inherited variable may not refer to {refused[0]}:",
                    f"env {name}",
                    f"say it yourself: wellkept run --env {name}=…",
                )
            )
        elif references:
            origin = Origin(Layer.ENVIRONMENT, f"env {name}")
            said.append((undeclared((name,), (INHERITED, name)), (say_text(origin, value, Refers.LENIENT),)))
    return said


def _form(prefix: str, name: str) -> tuple[str, ...]:
    """What two spellings of one setting's variable share; any other variable has one spelling."""
    return canonical_path(name.split(NESTING)) if name.startswith(prefix) else (name,)


def _given(given: Sequence[str]) -> list[Undeclared]:
    said: list[Undeclared] = []
    for pair in given:
        name, is_given, text = pair.partition("=")
        if not is_given or not name:
            raise UsageError("--env: expected NAME=TEXT", hint="write --env DB_PASSWORD='${vault:secret/db#password}'")
        origin = Origin(Layer.ARGUMENT, f"--env {name}")
        said.append((undeclared((name,), (GIVEN, name)), (say_text(origin, text, Refers.STRICT),)))
    return said


def _values(outcomes: Sequence[Outcome], group: str, prefix: str) -> Mapping[str, str]:
    chosen = [one for one in outcomes if one.setting.form[0] == group and one.say is not None]
    if group == SETTINGS:
        return {variable(prefix, one.setting.path): as_text(one.raw) for one in chosen}
    return {one.setting.path[0]: as_text(one.raw) for one in chosen}


def _files(outcomes: Sequence[Outcome]) -> Mapping[str, str]:
    chosen = [one for one in outcomes if one.setting.form[0] == SETTINGS and one.say is not None]
    return {toml_key(one.setting.path): as_text(one.raw) for one in chosen}
