"""A file that is no TOML, or that holds a broken reference, is a problem that shows nothing of it."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.leaks.canaries import TEXTS
from tests.leaks.overheard import assert_silent
from wellkept import ConfigError, Secret, Settings, load

V = TEXTS["letters and digits"]

TEXT: Mapping[str, str] = {
    "a string that is not closed": f'x = "{V}\ny = 1',
    "a long string that is not closed": f'x = """{V}\ny = 1',
    "a value without quotes": f"x = {V}",
    "a key without =": f'x "{V}"',
    "a value alone": V,
    "a value as the name of a table, not closed": f"[{V}",
    "a key that stands twice": f'x = "{V}"\nx = "{V}"',
    "a table that stands twice": f'[a]\nb = "{V}"\n[a]\nb = "{V}"',
    "a value that is a table, too": f'x = "{V}"\n[x]\ny = 1',
    "something behind a value": f'x = "{V}" "{V}"',
    "an array that is not closed": f'x = ["{V}"',
    "an inline table that is not closed": f'x = {{ y = "{V}"',
    "a bad escape": f'x = "{V}\\q"',
    "a short escape": f'x = "{V}\\u12"',
    "an escape that is no character": f'x = "{V}\\ud800"',
    "a date that does not exist": f'x = "{V}"\ny = 2026-13-45',
    "NUL": f'x = "{V}\0"',
    "NUL as an escape": f'x = "{V}\\u0000"',
    "a lone carriage return": f'x = "{V}"\ry = 1',
    "a control character": f'x = "{V}\x01"',
    "too large": f'x = "{V}"\n#{"a" * (1 << 20)}',
    "too deep": f'x = {"[" * 2000}"{V}"{"]" * 2000}',
    "too many keys": "\n".join([f'x = "{V}"', *(f"k{number} = 1" for number in range(20_000))]),
    "a number out of range": f'x = "{V}"\ny = 1e999999999',
    "a number of 5,000 digits": f'x = "{V}"\ny = {"9" * 5000}',
    "a value as a long key": f"{V * 20} = 1",
    "an unknown key": f'x = "{V}"\nz = "{V}"',
    "an unknown table": f'x = "{V}"\n[z]\ny = "{V}"',
    "two spellings that disagree": f'x = "{V}"\nX = "{V[:-1]}"',
    "an empty secret beside another": f'x = ""\nz = "{V}"',
    "a list for text": f'x = ["{V}"]',
    "a table for text": f'x = {{ y = "{V}" }}',
    "${ that is not closed": f'x = "${{{V}"',
    "${ without a scheme": f'x = "${{{V}}}"',
    "${ with an unknown scheme": f'x = "${{vualt:{V}}}"',
    "a reference in a reference": f'x = "${{env:{V}${{env:A}}}}"',
    "a reference with a broken escape": f'x = "${{env:%zz{V}}}"',
    "a reference with a broken option": f'x = "${{env:A?{V}}}"',
    "a reference with an unknown option": f'x = "${{env:A?z={V}}}"',
    "a reference with a broken ttl": f'x = "${{env:A?ttl={V}}}"',
    "a reference that leaves its folder": f'x = "${{file:../{V}}}"',
    "a reference with a broken key": f'x = "${{env:A#/{V}//}}"',
    "text around an absent reference": f'x = "{V}${{env:NOT_SET}}{V}"',
    "a list with an absent reference": f'x = ["{V}", "${{env:NOT_SET}}"]',
}
BYTES: Mapping[str, bytes] = {
    "not UTF-8": b'x = "' + V.encode() + b'\xff"',
    "UTF-16": f'x = "{V}"'.encode("utf-16"),
    "UTF-16 without a mark": f'x = "{V}"'.encode("utf-16-le"),
}

at_each_level = pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG], ids=logging.getLevelName)


class Config(Settings):
    """What the files are for."""

    x: Secret[str]
    y: int = 1


@at_each_level
@pytest.mark.parametrize("name", [*TEXT, *BYTES])
def test_a_broken_file_shows_nothing(name: str, level: int, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    file.write_bytes(BYTES[name] if name in BYTES else TEXT[name].encode())
    assert assert_silent(lambda: load(Config, files=[file], environ={}, redact=False), level) is ConfigError


@at_each_level
@pytest.mark.parametrize("name", TEXT)
def test_broken_data_in_a_variable_shows_nothing(name: str, level: int) -> None:
    environ = {"BAL_CONFIG_DATA": TEXT[name]}
    assert assert_silent(lambda: load(Config, environ=environ, redact=False), level) is ConfigError


@at_each_level
def test_a_value_in_both_implicit_files_shows_nothing(
    level: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("Config.toml", "Secrets.toml"):
        (tmp_path / name).write_text(f'x = "{V}"\n', encoding="utf-8")
    assert assert_silent(lambda: load(Config, environ={}, redact=False), level) is ConfigError


@at_each_level
def test_a_mounted_entry_that_is_too_large_shows_nothing(level: int, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "x").write_text(V * 100_000, encoding="utf-8")
    assert assert_silent(lambda: load(Config, files=[mount], environ={}, redact=False), level) is ConfigError


@at_each_level
def test_a_file_with_secrets_that_others_can_read_shows_nothing(level: int, tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    file.write_text(f'x = "{V}"\n', encoding="utf-8")
    file.chmod(0o644)
    environ = {"OTHER": V}
    load_it = lambda: load(Config, files=[file], environ=environ, strict_permissions=True, redact=False)  # noqa: E731 what is tried
    assert assert_silent(load_it, level) is ConfigError
