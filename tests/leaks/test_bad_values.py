"""A bad value of any type, in any layer, is a problem that does not show it: see `overheard` for where is looked."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import pytest
from annotated_types import Ge, Len, Predicate

from tests.leaks.canaries import TEXTS, shows
from tests.leaks.overheard import overheard
from wellkept import ConfigError, Secret, Settings, load
from wellkept.config.types import URL, Byte, Pattern, Size
from wellkept.testing import MemorySource


class Colour(Enum):
    """Some choices."""

    RED = "red"


@dataclass
class Endpoint:
    """A record that no text becomes."""

    host: str
    port: int


class Node(Settings):
    """The same, as Settings."""

    host: str
    port: int


def refuses(value: str) -> bool:
    raise ValueError(value)


# Each refuses every value below.
HINTS: Mapping[str, object] = {
    "int": int,
    "Byte": Byte,
    "float": float,
    "Decimal": Decimal,
    "bool": bool,
    "datetime": datetime,
    "date": date,
    "time": time,
    "timedelta": timedelta,
    "Size": Size,
    "UUID": UUID,
    "URL": URL,
    "address": IPv4Address,
    "network": IPv6Network,
    "Enum": Colour,
    "Literal": Literal["red", "CANARI"],
    "optional": int | None,
    "union": int | date | bool,
    "list": list[int],
    "tuple": tuple[int, int],
    "set": set[int],
    "dict": dict[str, int],
    "dataclass": Endpoint,
    "list of dataclasses": list[Endpoint],
    "list of Settings": list[Node],
    "length": Annotated[str, Len(1, 3)],
    "form": Annotated[str, Pattern("[a-z]{3}")],
    "bound": Annotated[int, Ge(3)],
    "predicate": Annotated[str, Predicate(refuses)],
    "Secret of int": Secret[int],
    "Secret of a length": Secret[Annotated[str, Len(1, 3)]],
    "Secret of a form": Secret[Annotated[str, Pattern("[a-z]{3}")]],
    "Secret of a predicate": Secret[Annotated[str, Predicate(refuses)]],
    "Secret of a union": Secret[int | date],
    "Secret of a list": Secret[list[int]],
    "Secret of a dict": Secret[dict[str, int]],
    "Secret of a dataclass": Secret[Endpoint],
    "Secret of a Settings": Secret[Node],
    "Secret of a URL": Secret[URL],
    "list of Secrets": list[Secret[int]],
    "dict of Secrets": dict[str, Secret[int]],
}
VALUES: Sequence[object] = [
    *(text for kind, text in TEXTS.items() if kind != "64 KiB"),
    json.dumps({"host": "CANARY-host", "port": "CANARY-port"}),
    json.dumps(["CANARY-one", {"port": "CANARY-two"}]),
    '{"port": "CANARY-unfinished',
    "tcp://CANARY host:5432",  # as a service link of Kubernetes begins
]
TREES: Sequence[object] = [
    *VALUES,
    {"host": 1, "port": "CANARY-port"},
    ["CANARY-one", {"port": "CANARY-two"}],
    [[["CANARY-deep"]]],
]


def a_class(hint: object) -> type[Settings]:
    return type("Config", (Settings,), {"__annotations__": {"x": hint}, "__module__": __name__})


def toml(value: object) -> str:
    """A value as TOML: inline, and with the same escapes as JSON."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


Read = Callable[[type[Settings], object, Path], object]


def in_file(cls: type[Settings], value: object, folder: Path) -> object:
    file = folder / "Config.toml"
    file.write_text(f"x = {toml(value)}\n", encoding="utf-8")
    return load(cls, files=[file], environ={}, redact=False)


def in_environment(cls: type[Settings], value: object, _folder: Path) -> object:
    return load(cls, files=[], environ={"BAL_CONFIG_VAR_X": str(value)}, redact=False)


def in_data(cls: type[Settings], value: object, _folder: Path) -> object:
    return load(cls, environ={"BAL_CONFIG_DATA": f"x = {toml(value)}"}, redact=False)


def in_argument(cls: type[Settings], value: object, _folder: Path) -> object:
    return load(cls, files=[], environ={}, arguments=[f"-Cx={value}"], redact=False)


def in_file_of_an_argument(cls: type[Settings], value: object, folder: Path) -> object:
    file = folder / "x.secret"
    file.write_text(str(value), encoding="utf-8")
    return load(cls, files=[], environ={}, arguments=[f"-Cx=@{file}"], redact=False)


def in_directory(cls: type[Settings], value: object, folder: Path) -> object:
    mount = folder / "mount"
    mount.mkdir(exist_ok=True)
    (mount / "x").write_text(str(value), encoding="utf-8")
    return load(cls, files=[mount], environ={}, redact=False)


def in_override(cls: type[Settings], value: object, _folder: Path) -> object:
    return load(cls, files=[], environ={}, overrides={"x": value}, redact=False)


def in_answer(cls: type[Settings], value: object, _folder: Path) -> object:
    return _answered(cls, value, "${memory:x}")


def in_answer_of_bytes(cls: type[Settings], value: object, _folder: Path) -> object:
    return _answered(cls, str(value).encode(), "${memory:x?plain=true}")


def in_key_of_an_answer(cls: type[Settings], value: object, _folder: Path) -> object:
    return _answered(cls, {"a": {"b": value}}, "${memory:x?plain=true#/a/b}")


def in_json_of_an_answer(cls: type[Settings], value: object, _folder: Path) -> object:
    return _answered(cls, json.dumps({"key": value}), "${memory:x?plain=true#key}")


def in_text_around_an_answer(cls: type[Settings], value: object, _folder: Path) -> object:
    return _answered(cls, value, "CANARY-before-${memory:x?plain=true}-CANARY-after")


def in_another_variable(cls: type[Settings], value: object, _folder: Path) -> object:
    return load(
        cls, files=[], environ={"BAL_CONFIG_VAR_X": "${env:OTHER?plain=true}", "OTHER": str(value)}, redact=False
    )


def _answered(cls: type[Settings], answer: object, text: str) -> object:
    environ = {"BAL_CONFIG_VAR_X": text}
    return load(cls, files=[], environ=environ, providers={"memory": MemorySource({"x": answer})}, redact=False)


LAYERS: Sequence[Read] = [
    in_file,
    in_environment,
    in_data,
    in_argument,
    in_file_of_an_argument,
    in_directory,
    in_override,
    in_answer,
    in_answer_of_bytes,
    in_key_of_an_answer,
    in_json_of_an_answer,
    in_text_around_an_answer,
    in_another_variable,
]


@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG], ids=logging.getLevelName)
@pytest.mark.parametrize("read", LAYERS, ids=lambda read: read.__name__)
def test_a_bad_value_is_a_problem_that_does_not_show_it(read: Read, level: int, tmp_path: Path) -> None:
    wrong: list[str] = []
    for name, hint in HINTS.items():
        cls = a_class(hint)
        for number, value in enumerate(TREES if read in {in_file, in_data, in_override} else VALUES):
            error, told = overheard(partial(read, cls, value, tmp_path), level)
            if not isinstance(error, ConfigError):
                wrong.append(f"{name} took value {number}, or failed with {type(error).__name__}")
            elif shows(told):
                wrong.append(f"{name} shows value {number}")
            elif error.__cause__ is not None or error.__context__ is not None:
                wrong.append(f"{name} is chained with value {number}")
    assert wrong == []
