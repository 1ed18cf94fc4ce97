"""Settings that no class declares: all that the files hold, for `run --settings` and `check`."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from wellkept._files import FileFault, read_entries, without_final_newline
from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import Answer, Step
from wellkept.config.declare import RESERVED_TABLE, Extras
from wellkept.config.layers.files import DATA_VARIABLE, Chosen, broken, is_mount, place_in, shown
from wellkept.config.layers.say import Form, Refers, Say, say_text
from wellkept.config.names import canonical, canonical_path
from wellkept.config.schema import Setting
from wellkept.config.shapes import as_list, as_table
from wellkept.config.toml import Document, TomlFault, parse, read
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin

Undeclared = tuple[Setting, tuple[Say, ...]]
RUN_TABLE = (RESERVED_TABLE, "run", "env")


def undeclared(path: tuple[str, ...], form: Form | None = None) -> Setting:
    """A setting known by its keys only; `form` tells it from another of that name."""
    return Setting(path, path, form or canonical_path(path), str, converter_for(str), Extras())


def read_undeclared(chosen: Chosen) -> tuple[list[Undeclared], list[Problem]]:
    """Every leaf of the files, with each file's word on it, the strongest first."""
    says: dict[tuple[str, ...], tuple[Setting, list[Say]]] = {}
    problems: list[Problem] = []
    for document in _documents(chosen, problems):
        for path, say in document:
            setting = undeclared(path)
            says.setdefault(setting.form, (setting, []))[1].append(say)
    return [(setting, tuple(words)) for setting, words in says.values()], problems


def read_run_table(chosen: Chosen) -> tuple[list[Undeclared], list[Problem]]:
    """The variables of `[wellkept.run.env]`, from the first file that has the table."""
    problems: list[Problem] = []
    for path in chosen.paths:
        document = None if is_mount(path) else _document(path, problems)
        table: object = {} if document is None else document.data
        for step in RUN_TABLE:
            table = (as_table(table) or {}).get(step, {})
        variables = as_table(table)
        if document is not None and variables:
            base = str(Path(path).absolute().parent)
            return [
                (undeclared((name,), (*RUN_TABLE, name)), (_say(document, (*RUN_TABLE, name), value, base),))
                for name, value in variables.items()
            ], problems
    return [], problems


def as_text(value: object) -> str:
    """A raw value as the text of a variable: what `load` in the child reads back."""
    if isinstance(value, Answer):
        return as_text(value.value)
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    is_structure = as_table(value) is not None or as_list(value) is not None
    return json.dumps(_plain(value)) if is_structure else str(value)


def _plain(value: object) -> object:
    table, items = as_table(value), as_list(value)
    if table is not None:
        return {key: _plain(one) for key, one in table.items()}
    if items is not None:
        return [_plain(one) for one in items]
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, (bool, int)) else as_text(value)


def _documents(chosen: Chosen, problems: list[Problem]) -> Iterator[Iterator[tuple[tuple[str, ...], Say]]]:
    if chosen.data is not None:
        try:
            yield _leaves_of(parse(chosen.data, DATA_VARIABLE), None)
        except TomlFault as fault:
            problems += broken(DATA_VARIABLE, fault).problems
    for path in chosen.paths:
        if is_mount(path):
            yield _entries(path, problems)
            continue
        document = _document(path, problems)
        if document is not None:
            yield _leaves_of(document, str(Path(path).absolute().parent))


def _document(path: str, problems: list[Problem]) -> Document | None:
    name = shown(path)
    try:
        return read(path, name)
    except TomlFault as fault:
        problems += broken(name, fault).problems
    return None


def _entries(path: str, problems: list[Problem]) -> Iterator[tuple[tuple[str, ...], Say]]:
    try:
        entries = read_entries(path)
    except FileFault as fault:
        problems.append(Problem(path, fault.fact, None, fault.hint or "check the mount", fault.kind))
        return
    for name, content in entries.items():
        value, note = without_final_newline(content)
        origin = Origin(Layer.DIRECTORY, f"{shown(path)}/{name}", file=f"{path}/{name}", note=note)
        yield tuple(name.split(".")), say_text(origin, value, Refers.NEVER)


def _leaves_of(document: Document, base: str | None) -> Iterator[tuple[tuple[str, ...], Say]]:
    def walk(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Say]]:
        for key, value in table.items():
            if not path and canonical(key) == RESERVED_TABLE:
                continue
            inner = as_table(value)
            if inner is not None:
                yield from walk(inner, (*path, key))
            else:
                yield (*path, key), _say(document, (*path, key), value, base)

    return walk(document.data, ())


def _say(document: Document, path: tuple[str, ...], value: object, base: str | None) -> Say:
    def place_of(below: tuple[Step, ...]) -> Origin:
        return place_in(document, (*path, *below))

    return Say(place_of(()), value, is_strict=True, refers=Refers.STRICT, place_of=place_of, base=base)
