"""Settings that no class declares: all that the files hold, for `run --settings` and `check`."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from wellkept._dataclasses import dataclass, field
from wellkept._files import FileFault, read_entries, shown, without_final_newline
from wellkept._names import canonical, canonical_path
from wellkept._toml.document import Document, TomlFault, parse, read
from wellkept.config.convert.converter import NO_VALUE, NO_VALUE_FACT, NO_VALUE_FIX, Answer, At
from wellkept.config.extras import RESERVED_TABLE, Extras
from wellkept.config.layers.chosen import DATA_VARIABLE, Chosen, broken, is_mount, overlap
from wellkept.config.layers.documents import say_at
from wellkept.config.layers.providers import read_providers, strange_keys
from wellkept.config.layers.say import Form, Refers, Say, say_text
from wellkept.config.resolve import Outcome
from wellkept.config.setting import Setting
from wellkept.config.shapes import as_list, as_table
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin

Undeclared = tuple[Setting, tuple[Say, ...]]
RUN_TABLE = (RESERVED_TABLE, "run", "env")


class _Unconverted:
    """The converter of what no class declares: what stands there is passed on as it is."""

    expected = "a value"
    passes_raw = True

    def convert(self, value: object, at: At) -> object:
        """Return the value."""
        del at
        return value

    def json_schema(self) -> dict[str, object]:
        """Anything."""
        return {}


_UNCONVERTED = _Unconverted()


@dataclass(slots=True)
class Found:
    """What files say, without a class that declares it.

    Attributes:
        settings: every leaf, with each file's word on it, strongest first.
        run: the variables of `[wellkept.run.env]`, from the first file that has the table.
        providers: names and tables of `[wellkept.providers.NAME]`.
        problems: what is wrong with the files themselves.
    """

    settings: list[Undeclared] = field(default_factory=list[Undeclared])
    run: list[Undeclared] = field(default_factory=list[Undeclared])
    providers: list[tuple[str, Say]] = field(default_factory=list[tuple[str, Say]])
    problems: list[Problem] = field(default_factory=list[Problem])


def undeclared(path: tuple[str, ...], form: Form | None = None) -> Setting:
    """A setting known by its keys only; `form` tells it from another of that name."""
    return Setting(path, path, form or canonical_path(path), str, _UNCONVERTED, Extras())


def read_undeclared(chosen: Chosen, *, with_settings: bool = True) -> Found:
    """Read the files, each once, the strongest first.

    Args:
        chosen: which files.
        with_settings: whether their settings are wanted; without, mounted directories are not read.
    """
    found = Found()
    says: dict[Form, tuple[Setting, list[Say]]] = {}
    for leaves in _leaves(chosen, found, with_settings=with_settings):
        for path, say in leaves:
            setting = undeclared(path)
            says.setdefault(setting.form, (setting, []))[1].append(say)
    found.settings += [(setting, tuple(words)) for setting, words in says.values()]
    if chosen.are_implicit:
        both = [(setting, words) for setting, words in says.values() if len({one.origin.file for one in words}) > 1]
        found.problems += [overlap(one.name, words[0].origin, words[-1].origin) for one, words in both]
    return found


def refuse_unrendered(outcomes: Sequence[Outcome]) -> None:
    """Refuse what a template rendered from a key that does not exist; a converter would do it, and here is none."""
    for outcome in outcomes:
        if outcome.say is not None and NO_VALUE in as_text(outcome.raw):
            place = outcome.say.origin.place
            outcome.problems.append(Problem(outcome.setting.name, NO_VALUE_FACT, place, NO_VALUE_FIX))


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


def _leaves(chosen: Chosen, found: Found, *, with_settings: bool) -> Iterator[Iterator[tuple[tuple[str, ...], Say]]]:
    """The leaves of each file; what it says of `run` and of providers joins what is found."""
    if chosen.data is not None:
        try:
            document = parse(chosen.data, DATA_VARIABLE)
        except TomlFault as fault:
            found.problems += broken(DATA_VARIABLE, fault).problems
        else:
            _note(document, None, found)
            yield _leaves_of(document, None)
    for path in chosen.paths:
        if is_mount(path):
            if with_settings:
                yield _entries(path, found.problems)
            continue
        name, base = shown(path), os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 pathlib costs 3 ms to load
        try:
            document = read(path, name)
        except TomlFault as fault:
            found.problems += broken(name, fault).problems
            continue
        _note(document, base, found)
        if with_settings:
            yield _leaves_of(document, base)


def _note(document: Document, base: str | None, found: Found) -> None:
    found.providers += read_providers(document, base)
    found.problems += strange_keys(document)
    table: object = document.data
    for step in RUN_TABLE:
        table = (as_table(table) or {}).get(step, {})
    if not found.run:  # the first file that has the table
        found.run += [
            (undeclared((name,), (*RUN_TABLE, name)), (say_at(document, (*RUN_TABLE, name), value, base),))
            for name, value in (as_table(table) or {}).items()
        ]


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
                yield (*path, key), say_at(document, (*path, key), value, base)

    return walk(document.data, ())
