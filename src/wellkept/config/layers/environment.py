"""The layer of the environment: variables with the prefix, or plain names. No I/O here."""

from collections.abc import Collection, Mapping

from wellkept._names import (
    NESTING,
    camel,
    canonical_path,
    closest,
    is_plain_spelling,
    namespace_prefix,
    snake,
    variable,
)
from wellkept.config.convert.literals import parse_literal
from wellkept.config.layers.say import Form, Heard, Refers, Say, say_text, unknown
from wellkept.config.layers.tables import Tables
from wellkept.config.schema import Schema
from wellkept.config.setting import Setting
from wellkept.config.shapes import as_table
from wellkept.errors import Problem
from wellkept.model import RESOLVED_VARIABLE
from wellkept.origin import Layer, Origin


def read_environment(schema: Schema, environ: Mapping[str, str], namespaces: Collection[str]) -> Heard:
    """Read what the variables say; with a prefix, one that says nothing to anybody is a problem."""
    heard = Heard()
    final = frozenset(environ.get(RESOLVED_VARIABLE, "").split(","))
    if schema.is_plain:
        _read_plain(schema, environ, final, heard)
    else:
        _read_prefixed(schema, environ, final, namespaces, heard)
    return heard


def plain_name_of(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """An unprefixed variable that would be this setting's, for the hint of a missing one."""
    found = (name for name in _plain_names(setting.spelling[-1]) if name in environ)
    return next(found, None) if len(setting.path) == 1 else None


def plain_variable_of(setting: Setting) -> str:
    """The unprefixed variable to set: never one that the login sets for everybody."""
    if len(setting.path) > 1:
        return variable("", setting.spelling)
    return _plain_names(setting.spelling[-1])[-1]


def _plain_names(spelling: str) -> list[str]:
    """The unprefixed variables that mean a setting of the root."""
    names = dict.fromkeys((camel(spelling), spelling, snake(spelling).upper()))
    return [name for name in names if is_plain_spelling(name, spelling)]


def _read_plain(schema: Schema, environ: Mapping[str, str], final: frozenset[str], heard: Heard) -> None:
    for setting in schema.settings:
        is_nested = len(setting.path) > 1
        names = [variable("", setting.spelling)] if is_nested else _plain_names(setting.spelling[-1])
        for name in names:
            if name in environ:
                heard.hear(setting.form, _say(name, environ[name], final))


def _read_prefixed(
    schema: Schema,
    environ: Mapping[str, str],
    final: frozenset[str],
    namespaces: Collection[str],
    heard: Heard,
) -> None:
    prefixes = (namespace_prefix(namespace) for namespace in namespaces)
    foreign = tuple(one for one in prefixes if one.startswith(schema.prefix) and one != schema.prefix)
    known = schema.by_form
    entries: dict[Form, dict[str, str]] = {}
    for name, value in environ.items():
        if not name.startswith(schema.prefix):
            continue
        steps = name[len(schema.prefix) :].split(NESTING)
        form = canonical_path(steps)
        is_ours = form in known or form in schema.tables or form[:-1] in known
        if not is_ours and name.startswith(foreign):
            continue
        if form in known:
            heard.hear(form, _say(name, value, final))
        elif form in schema.tables and form:
            _read_literal(schema, _say(name, value, final), form, heard)
        elif len(form) > 1 and form[:-1] in known:
            entries.setdefault(form[:-1], {})[steps[-1]] = name
        else:
            heard.refuse(_unused(schema, name, is_guessed=not heard.is_overrun))
    for form, names in entries.items():
        _read_entries(known[form], names, environ, final, heard)


def _say(name: str, value: str, final: frozenset[str]) -> Say:
    refers = Refers.NEVER if name in final else Refers.LENIENT
    return say_text(_origin(name), value, refers)


def _origin(name: str) -> Origin:
    return Origin(Layer.ENVIRONMENT, f"env {name}")


def _read_literal(schema: Schema, say: Say, form: Form, heard: Heard) -> None:
    """Read a variable that gives a whole nested table as JSON or TOML."""
    table, origin = as_table(parse_literal(str(say.raw))), say.origin
    if table is None:
        name = origin.place.removeprefix("env ")
        fix = f"or set its members: {name}{NESTING}…"
        heard.refuse(Problem(name, "expected a table as a JSON or TOML literal", origin.place, fix), form)
        return
    tables = Tables(schema, lambda _path: origin, lambda _path: origin.place, refers=say.refers, is_strict=False)
    tables.read(table, heard, form, ())


def _read_entries(
    setting: Setting, names: Mapping[str, str], environ: Mapping[str, str], final: frozenset[str], heard: Heard
) -> None:
    """Read the variables that each give one key of a dict: `…_HEADERS__Accept`.

    If one of them is final, all are: one word has one answer to whether it may refer.
    """
    origins = {key: _origin(name) for key, name in names.items()}
    whole = Origin(Layer.ENVIRONMENT, f"env {', '.join(sorted(names.values()))}")
    say = Say(
        whole,
        {key: environ[name] for key, name in names.items()},
        is_strict=False,
        refers=Refers.LENIENT if final.isdisjoint(names.values()) else Refers.NEVER,
        place_of=lambda path: origins.get(str(path[0]), whole) if path else whole,
    )
    heard.hear(setting.form, say)


def _unused(schema: Schema, name: str, *, is_guessed: bool) -> Problem:
    variables = [schema.variable(setting) for setting in schema.settings]
    # Without the prefix, which all have in common and which would make anything look alike.
    rests = [one[len(schema.prefix) :] for one in variables]
    near = closest(name[len(schema.prefix) :], rests) if is_guessed else None
    hint = None if near is None else f"did you mean {schema.prefix}{near}?"
    if hint is None:
        flat = {one.replace(NESTING, "_"): one for one in variables}
        hint = f"did you mean {flat[name]}?" if name in flat else None
    return unknown(
        name,
        "unused environment variable",
        f"env {name}",
        hint or f"{schema.cls.__name__} declares no such setting: unset it, or change its prefix {schema.prefix}",
    )
