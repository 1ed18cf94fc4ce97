"""The layer of the command line: `-Ckey=value` and `-Ckey=@file`.

A secret's value is refused here, because the process list shows arguments to every user.
"""

from collections.abc import Collection, Iterator, Sequence

from wellkept._files import FileFault, read_file, without_final_newline
from wellkept._names import canonical_path, did_you_mean, steps
from wellkept._patterns import pattern
from wellkept.config.layers.say import Heard, Refers, say_text, unknown
from wellkept.config.reference import parse_lenient
from wellkept.config.schema import Schema
from wellkept.config.setting import Setting
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin
from wellkept.registry import Schemes

FLAG = "-C"
_NO_NAME = pattern(r"[^\w.]")


def read_arguments(schema: Schema, arguments: Sequence[str], schemes: Schemes, namespaces: Collection[str]) -> Heard:
    """Read the `-C` arguments; all others belong to the program, or to another namespace."""
    heard = Heard()
    others = [canonical_path(steps(namespace)) for namespace in namespaces]
    own = canonical_path(schema.namespace)
    for key, value in _pairs(arguments):
        place = f"{FLAG}{_NO_NAME.split(key)[0]}"  # no more: a value may follow where = was forgotten
        form = canonical_path(steps(key))
        if form[: len(own)] != own or any(form[: len(other)] == other for other in others if len(other) > len(own)):
            continue  # another namespace's
        setting = schema.by_form.get(form[len(own) :])
        if setting is None:
            heard.refuse(_unused(schema, key, place))
        elif value is None:
            heard.refuse(Problem(setting.name, "expected a value", place, f"write {place}=value"), setting.form)
        else:
            _read_one(setting, value, place, schemes, heard)
    return heard


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """The keys and values of `-Ckey=value` and `-C key=value`, up to `--`."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return
        if argument.startswith(FLAG):
            key, is_given, value = (argument[len(FLAG) :] or next(rest, "")).partition("=")
            yield key, value if is_given else None


def _read_one(setting: Setting, value: str, place: str, schemes: Schemes, heard: Heard) -> None:
    origin = Origin(Layer.ARGUMENT, place)
    if value.startswith("@") and not value.startswith("@@"):
        _read_file(setting, value[1:], origin, heard)
        return
    text = value.removeprefix("@") if value.startswith("@@") else value
    if setting.holds_secret and not parse_lenient(text, schemes).references:
        heard.refuse(
            Problem(
                setting.name,
                "is a secret, and arguments are shown to every user by the process list",
                place,
                f"write {place}=@file, or a reference",
            ),
            setting.form,
        )
        return
    heard.hear(setting.form, say_text(origin, text, Refers.LENIENT))


def _read_file(setting: Setting, path: str, origin: Origin, heard: Heard) -> None:
    try:
        value, note = without_final_newline(read_file(path))
    except FileFault as fault:
        problem = Problem(setting.name, fault.message, origin.place, fault.hint or "name a file", fault.kind)
        heard.refuse(problem, setting.form)
        return
    there = Origin(Layer.ARGUMENT, f"{origin.place}=@{path}", file=path, note=note)
    heard.hear(setting.form, say_text(there, value, Refers.NEVER))


def _unused(schema: Schema, key: str, place: str) -> Problem:
    hint = did_you_mean(key, [schema.toml_key(setting) for setting in schema.settings])
    return unknown(
        place,
        "unused command line argument",
        place,
        hint or f"{schema.cls.__name__} declares no such setting: leave it out",
    )
