"""Which files are read, and in which order: BAL_CONFIG_FILES, BAL_CONFIG_DATA, or the implicit two.

The first file that says something about a setting wins. A file that is listed must be there;
the implicit `Config.toml` and `Secrets.toml` of the current folder need not be.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from wellkept._dataclasses import dataclass
from wellkept._files import is_exposed
from wellkept.config.layers.directory import exposed, read_directory
from wellkept.config.layers.documents import place_in
from wellkept.config.layers.providers import read_providers
from wellkept.config.layers.say import Heard, Refers
from wellkept.config.layers.tables import Path as KeyPath
from wellkept.config.layers.tables import Tables
from wellkept.config.schema import Schema
from wellkept.config.toml import Document, TomlFault, parse, read
from wellkept.errors import Kind, Problem, UsageError

FILES_VARIABLE = "BAL_CONFIG_FILES"
DATA_VARIABLE = "BAL_CONFIG_DATA"
CONFIG_FILE = "Config.toml"
SECRETS_FILE = "Secrets.toml"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files of one load.

    Attributes:
        paths: files and directories, the strongest first.
        data: the text of BAL_CONFIG_DATA instead, or None.
        are_implicit: whether they are the two of the current folder, which must not overlap.
    """

    paths: tuple[str, ...]
    data: str | None = None
    are_implicit: bool = False


def choose_files(files: Sequence[str | os.PathLike[str]] | None, environ: Mapping[str, str]) -> Chosen:
    """Say what is read: `files`, or what the environment lists, or its data, or the implicit two."""
    if isinstance(files, (str, bytes, os.PathLike)):
        raise UsageError("files: expected a list of paths", hint="write files=[…]")
    if files is not None:
        return Chosen(tuple(os.fspath(one) for one in files))
    if FILES_VARIABLE in environ:
        return Chosen(tuple(one for one in environ[FILES_VARIABLE].split(os.pathsep) if one))
    if DATA_VARIABLE in environ:
        return Chosen((), data=environ[DATA_VARIABLE])
    return Chosen(tuple(one for one in (CONFIG_FILE, SECRETS_FILE) if os.path.lexists(one)), are_implicit=True)


def read_files(schema: Schema, chosen: Chosen, namespaces: Collection[str]) -> list[Heard]:
    """Read what was chosen; one answer a file, the strongest first."""
    if chosen.data is not None:
        return [_read_data(schema, chosen.data, namespaces)]
    heard = [_read_path(schema, path, namespaces) for path in chosen.paths]
    if chosen.are_implicit and len(heard) > 1:
        _refuse_overlap(*heard)
    return heard


def is_mount(path: str) -> bool:
    """Whether an entry is a mounted directory; one named like a file is a bind mount that went wrong."""
    return os.path.isdir(path) and not path.endswith(".toml")  # noqa: PTH112 hot: pathlib costs ten times as much


def shown(path: str) -> str:
    """A path as it is shown: relative below the current folder."""
    absolute, here = os.path.abspath(path), os.getcwd()  # noqa: PTH100, PTH109 hot: pathlib costs ten times as much
    return absolute.removeprefix(here.rstrip("/") + "/")


def _read_path(schema: Schema, path: str, namespaces: Collection[str]) -> Heard:
    name = shown(path)
    if is_mount(path):
        return read_directory(schema, path, name)
    try:
        document = read(path, name)
    except TomlFault as fault:
        return broken(name, fault)
    heard = _read_document(schema, document, os.path.dirname(os.path.abspath(path)), namespaces)  # noqa: PTH100, PTH120 as above
    if _holds_secrets(schema, heard) and is_exposed(path):
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


def broken(name: str, fault: TomlFault) -> Heard:
    """What is heard of a file that is no TOML."""
    heard = Heard()
    place = name if fault.line is None else f"{name}:{fault.line}:{fault.column}"
    heard.refuse(Problem(name, fault.fact, place, fault.hint or "correct it there", fault.kind))
    return heard


def _read_document(schema: Schema, document: Document, base: str | None, namespaces: Collection[str]) -> Heard:
    heard = Heard()

    def key_place_of(path: KeyPath) -> str | None:
        spot = document.key_place(path)
        return document.name if spot is None else f"{document.name}:{spot[0]}:{spot[1]}"

    tables = Tables(schema, partial(place_in, document), key_place_of, Refers.STRICT, base=base, namespaces=namespaces)
    tables.read_root(document.data, heard)
    heard.providers += read_providers(document, base)
    return heard


def _refers(raw: object) -> bool:
    """Whether a text gets what is secret in it from elsewhere; `$${` is plain text."""
    return isinstance(raw, str) and "${" in raw.replace("$${", "")


def _holds_secrets(schema: Schema, heard: Heard) -> bool:
    """Whether a file gives a secret by itself, not by a reference."""
    secrets = (heard.says.get(setting.form) for setting in schema.settings if setting.holds_secret)
    return any(say is not None and not _refers(say.raw) for say in secrets)


def _refuse_overlap(config: Heard, secrets: Heard) -> None:
    for form in config.says.keys() & secrets.says.keys():
        first, second = config.says[form].origin, secrets.says[form].origin
        config.refuse(
            Problem(
                ".".join(form),
                f"stands in both {CONFIG_FILE} and {SECRETS_FILE}: {first} and {second}",
                second.place,
                f"keep the one in {SECRETS_FILE}, remove the other",
            ),
            form,
        )
