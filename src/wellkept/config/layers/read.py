"""All layers of one load, in their order of precedence.

    overrides > environment > arguments > each file in order > setting(reference=…) > default

Ballerina's real order; see docs/adr/0004. A layer that says nothing falls through to the
next one; a bad value in a layer is an error and never a reason to look lower.
"""

import os
from collections.abc import Mapping, Sequence

from wellkept._dataclasses import dataclass, field, replace
from wellkept._revealed import Hidden
from wellkept.config.declare import declared_namespaces
from wellkept.config.layers.arguments import read_arguments
from wellkept.config.layers.chosen import choose_files
from wellkept.config.layers.environment import read_environment
from wellkept.config.layers.files import read_files
from wellkept.config.layers.overrides import read_overrides
from wellkept.config.layers.say import Form, Heard, Refers, Say, say_text
from wellkept.config.schema import Schema
from wellkept.config.setting import Setting
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin
from wellkept.registry import Schemes


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a load is given; see `wellkept.load`."""

    environ: Mapping[str, str]
    files: Sequence[str | os.PathLike[str]] | None
    arguments: Sequence[str] = field(repr=False)
    overrides: Mapping[str, object]


def inputs_of(
    environ: Mapping[str, str] | None = None,
    files: Sequence[str | os.PathLike[str]] | None = None,
    arguments: Sequence[str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Inputs:
    """Take what a load is given, so that no frame shows it."""
    return Inputs(
        Hidden(os.environ if environ is None else environ), files, tuple(arguments or ()), Hidden(overrides or {})
    )


@dataclass(frozen=True, slots=True)
class Layers:
    """What all layers said.

    Attributes:
        says: for each setting, in the order of the schema, the words on it, strongest first.
        problems: what is wrong with the layers themselves.
        spoilt: settings with a problem already.
        notices: pairs of subject and detail.
        warnings: problems that are warnings unless permissions are strict.
        providers: names and tables of `[wellkept.providers.NAME]`, the strongest first.
        own: what `[wellkept]` itself says; of two files that say it, the strongest.
    """

    says: tuple[tuple[Setting, tuple[Say, ...]], ...]
    problems: tuple[Problem, ...]
    spoilt: frozenset[Form]
    notices: tuple[tuple[str, str], ...]
    warnings: tuple[Problem, ...]
    providers: tuple[tuple[str, Say], ...]
    own: Mapping[str, object]


def read_layers(schema: Schema, inputs: Inputs, schemes: Schemes) -> Layers:
    """Read every layer once."""
    namespaces = declared_namespaces()
    files = read_files(schema, choose_files(inputs.files, inputs.environ), namespaces)
    providers = tuple(one for file in files for one in file.providers)
    schemes.add([name for name, _ in providers])  # before an argument may refer to one
    heard = [
        read_overrides(schema, inputs.overrides),
        read_environment(schema, inputs.environ, namespaces),
        read_arguments(schema, inputs.arguments, schemes, namespaces),
        *files,
        _read_code(schema),
    ]
    return Layers(
        tuple(
            (setting, tuple(one.says[setting.form] for one in heard if setting.form in one.says))
            for setting in schema.settings
        ),
        tuple(_named(schema, problem) for one in heard for problem in one.problems),
        frozenset(form for one in heard for form in one.spoilt),
        tuple(notice for one in heard for notice in one.notices),
        tuple(warning for one in heard for warning in one.warnings),
        providers,
        {key: value for file in reversed(files) for key, value in file.own.items()},
    )


def _named(schema: Schema, problem: Problem) -> Problem:
    """The problem under the setting's own name, where a layer knew it by its canonical one only."""
    names = {".".join(setting.form): setting.name for setting in schema.settings}
    return replace(problem, setting=names.get(problem.setting, problem.setting))


def _read_code(schema: Schema) -> Heard:
    """The references that stand in `setting(reference=…)`."""
    heard = Heard()
    for setting in schema.settings:
        reference = setting.extras.reference
        if reference is not None:
            origin = Origin(Layer.REFERENCE, f"reference of {schema.cls.__qualname__}.{setting.name}")
            heard.hear(setting.form, say_text(origin, f"${{{reference}}}", Refers.STRICT))
    return heard
