"""The layers of TOML files and mounted directories: those that were chosen, see chosen.py.

The first file that says something about a setting wins. A file that is listed must be there;
the implicit `Config.toml` and `Secrets.toml` of the current folder need not be.
"""

import os
from collections.abc import Collection
from functools import partial

from wellkept._files import is_exposed, shown
from wellkept._toml.document import Document, TomlFault, parse, read
from wellkept.config.convert.exposure import gives_secret
from wellkept.config.layers.chosen import DATA_VARIABLE, Chosen, broken, is_mount, overlap
from wellkept.config.layers.directory import exposed, read_directory
from wellkept.config.layers.documents import is_sealed, place_in
from wellkept.config.layers.providers import read_own, read_providers, strange_keys
from wellkept.config.layers.say import Heard, Refers
from wellkept.config.layers.tables import Path as KeyPath
from wellkept.config.layers.tables import Tables
from wellkept.config.schema import Schema
from wellkept.errors import Kind, Problem


def read_files(schema: Schema, chosen: Chosen, namespaces: Collection[str]) -> list[Heard]:
    """Read what was chosen; one answer a file, the strongest first."""
    if chosen.data is not None:
        return [_read_data(schema, chosen.data, namespaces)]
    heard = [_read_path(schema, path, namespaces) for path in chosen.paths]
    if chosen.are_implicit and len(heard) > 1:
        _refuse_overlap(*heard)
    return heard


def _read_path(schema: Schema, path: str, namespaces: Collection[str]) -> Heard:
    name = shown(path)
    if is_mount(path):
        return read_directory(schema, path, name)
    try:
        document = read(path, name)
    except TomlFault as fault:
        return broken(name, fault)
    heard = _read_document(schema, document, os.path.dirname(os.path.abspath(path)), namespaces)  # noqa: PTH100, PTH120 as above
    if not is_sealed(document) and _holds_secrets(schema, heard) and is_exposed(path):
        heard.warnings.append(exposed(name, f"chmod 600 {name}"))
    return heard


def _read_data(schema: Schema, data: str, namespaces: Collection[str]) -> Heard:
    if not data:
        heard = Heard()
        heard.refuse(Problem(DATA_VARIABLE, "is empty", f"env {DATA_VARIABLE}", "unset it, or give it TOML", Kind.FILE))
        return heard
    try:
        document = parse(data, DATA_VARIABLE)
    except TomlFault as fault:
        return broken(DATA_VARIABLE, fault)
    return _read_document(schema, document, None, namespaces)


def _read_document(schema: Schema, document: Document, base: str | None, namespaces: Collection[str]) -> Heard:
    heard = Heard()

    def key_place_of(path: KeyPath) -> str | None:
        spot = document.key_place(path)
        return document.name if spot is None else f"{document.name}:{spot[0]}:{spot[1]}"

    refers = Refers.STRICT
    if is_sealed(document):
        refers, base = Refers.SEALED, document.path
    tables = Tables(schema, partial(place_in, document), key_place_of, refers, base=base, namespaces=namespaces)
    tables.read_root(document.data, heard)
    heard.providers += read_providers(document, base)
    heard.problems += strange_keys(document)
    for one in read_own(document):
        if isinstance(one, Problem):
            heard.refuse(one)
        else:
            heard.own.setdefault(*one)
    return heard


def _holds_secrets(schema: Schema, heard: Heard) -> bool:
    """Whether a file gives a secret by itself, not by a reference."""
    says = ((setting, heard.says.get(setting.form)) for setting in schema.settings if setting.holds_secret)
    return any(say is not None and gives_secret(setting.converter, say.raw) for setting, say in says)


def _refuse_overlap(config: Heard, secrets: Heard) -> None:
    for form in config.says.keys() & secrets.says.keys():
        config.refuse(overlap(".".join(form), config.says[form].origin, secrets.says[form].origin), form)
