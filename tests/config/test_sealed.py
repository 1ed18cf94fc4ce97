"""Secrets.toml as a layer: every value of it is a ciphertext, answered for its own place only."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.frames import shown_by
from tests.secrets_files import environ_of, secrets_file
from wellkept import ConfigError, Secret, Settings, explain, load
from wellkept.crypto.keys import Identity
from wellkept.errors import Kind

Write = Callable[..., Path]


class Db(Settings):
    password: Secret[str]
    port: Secret[int] = Secret(5432)


class Config(Settings):
    api_key: Secret[str]
    db: Db


VALUES: Mapping[str, object] = {"apiKey": "CANARY-key", "db.password": "CANARY-password", "db.port": 6543}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(cls: type[Settings], environ: Mapping[str, str], **more: object) -> dict[str, str]:
    """What is wrong with a load, by setting."""
    with pytest.raises(ConfigError) as caught:
        load(cls, redact=False, environ=environ, **more)  # type: ignore[arg-type]  # a test hands on what it is given
    shown = shown_by(caught.value)
    assert "CANARY" not in shown
    assert "WK-SECRET" not in shown
    return {one.setting: f"{one.message} | {one.place} | {one.hint}" for one in caught.value.problems}


def line_of(file: Path, key: str) -> str:
    """The line of a key."""
    return next(line for line in file.read_text().splitlines() if line.startswith(f"{key} = "))


def test_its_values_are_read_with_their_places_and_types(here: Path) -> None:
    secrets_file(here / "Secrets.toml", VALUES)
    config = load(Config, redact=False, environ=environ_of())
    assert config.api_key.reveal() == "CANARY-key"
    assert config.db.password.reveal() == "CANARY-password"
    assert config.db.port.reveal() == 6543
    assert str(config.db.password.origin) == "Secrets.toml:7:15"
    assert "winner    Secrets.toml:7:15: an encrypted value" in str(explain(config))


def test_a_table_of_its_own_may_hold_some_of_them(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    lines = file.read_text().splitlines()
    moved = [line.removeprefix("db.") for line in lines if line.startswith("db.")]
    rest = [line for line in lines if not line.startswith("db.")]
    at = rest.index("[wellkept]")
    file.write_text("\n".join([*rest[:at], "[db]", *moved, "", *rest[at:]]) + "\n")
    assert load(Config, redact=False, environ=environ_of()).db.password.reveal() == "CANARY-password"


@pytest.mark.parametrize(
    "value",
    [1, -(2**62), True, Decimal("1.5"), date(2026, 11, 24), ["a", 2], {"user": "CANARY-u", "deep": {"n": [1]}}, ""],
    ids=str,
)
def test_a_value_of_any_type_comes_out_as_it_went_in(here: Path, value: object) -> None:
    secrets_file(here / "Secrets.toml", {"one": value})

    class One(Settings):
        one: Secret[object]

    if value == "":  # an empty secret is an error wherever it stands
        assert "expected a secret that is not empty" in problems(One, environ_of())["one"]
    else:
        assert load(One, redact=False, environ=environ_of()).one.reveal() == value


def test_another_file_is_one_by_its_header(here: Path) -> None:
    secrets_file(here / "secrets.prod.toml", VALUES)
    assert (
        load(Config, redact=False, files=["secrets.prod.toml"], environ=environ_of()).api_key.reveal() == "CANARY-key"
    )


def test_the_current_folder_may_be_another_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets_file(here / "Secrets.toml", VALUES)
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    assert load(Config, redact=False, files=["../Secrets.toml"], environ=environ_of()).api_key.reveal() == "CANARY-key"


def test_a_value_that_is_not_encrypted_is_refused_whatever_it_is(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", {"apiKey": "CANARY-key"})
    file.write_text('db.password = "CANARY-plain"\ndb.port = 5\n' + file.read_text())
    found = problems(Config, environ_of())
    fact = "is not encrypted, and stands in a file where everything is"
    assert found["db.password"] == f"{fact} | Secrets.toml:1:15 | remove it, and run wellkept set db.password"
    assert found["db.port"] == f"{fact} | Secrets.toml:2:11 | remove it, and run wellkept set db.port"


def test_a_reference_has_no_place_in_it(here: Path) -> None:
    (here / "Secrets.toml").write_text('apiKey = "${env:HOME}"\n')
    assert "is not encrypted" in problems(Config, {"HOME": "CANARY"})["api_key"]


def test_without_its_header_the_file_opens_for_nobody(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    file.write_text(file.read_text().partition("[wellkept]")[0])
    found = problems(Config, environ_of())
    assert found["api_key"].startswith("Secrets.toml: has no header [wellkept] | Secrets.toml:4:10")


def test_a_ciphertext_answers_nowhere_else(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    word = line_of(file, "apiKey").partition(" = ")[2].strip('"')
    file.unlink()
    (here / "Config.toml").write_text(f'apiKey = "{word}"\n')
    environ = {**environ_of(), "BAL_CONFIG_VAR_DB__PASSWORD": word}
    found = problems(Config, environ)
    fact = "enc: answers only in the file that wellkept set writes"
    assert found["api_key"].startswith(f"{fact} | Config.toml:1:10")
    assert found["db.password"].startswith(f"{fact} | env BAL_CONFIG_VAR_DB__PASSWORD")


def test_a_moved_ciphertext_names_the_key_where_it_stands(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    first, second = (line_of(file, key).partition(" = ")[2] for key in ("apiKey", "db.password"))
    file.write_text(file.read_text().replace(first, "@@").replace(second, first).replace("@@", second))
    found = problems(Config, environ_of())
    assert found["api_key"].startswith("apiKey: does not decrypt: it was changed, or moved here")
    assert found["db.password"].startswith("db.password: does not decrypt: it was changed, or moved here")


def test_another_spelling_of_the_key_is_the_same_place(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    file.write_text(file.read_text().replace("apiKey", "api_key"))
    assert load(Config, redact=False, environ=environ_of()).api_key.reveal() == "CANARY-key"


def test_the_wrong_identity_is_denied_and_told_who_can_help(here: Path) -> None:
    secrets_file(here / "Secrets.toml", VALUES)
    other = Identity.new("x25519")
    with pytest.raises(ConfigError) as caught:
        load(Config, redact=False, environ=environ_of(other))
    assert {one.kind for one in caught.value.problems} == {Kind.DENIED}
    assert caught.value.exit_code == 77
    assert "send ada@laptop the line of wellkept identity" in caught.value.problems[0].hint


def test_no_identity_is_denied_too(here: Path) -> None:
    secrets_file(here / "Secrets.toml", VALUES)
    assert "there is no identity to open it with" in problems(Config, {})["api_key"]


def test_a_pinned_file_opens_and_no_other(here: Path) -> None:
    secrets_file(here / "Secrets.toml", VALUES)
    environ = {**environ_of(), "WELLKEPT_STORE": "aaaaa-bbbbb-ccccc-ddddd-eeeee"}
    fact = problems(Config, environ)["api_key"]
    assert fact.startswith("Secrets.toml: is not a file that WELLKEPT_STORE pins: its fingerprint is ")
    fingerprint = fact.partition("fingerprint is ")[2].partition(" ")[0]
    assert (
        load(Config, redact=False, environ=environ | {"WELLKEPT_STORE": fingerprint}).api_key.reveal() == "CANARY-key"
    )
    secrets_file(here / "Secrets.toml", VALUES)  # somebody makes another one for the same public key
    assert (
        "is not a file that WELLKEPT_STORE pins"
        in problems(Config, environ | {"WELLKEPT_STORE": fingerprint})["db.port"]
    )


def test_a_plain_setting_may_not_take_a_secret_from_it(here: Path) -> None:
    secrets_file(here / "Secrets.toml", {"host": "CANARY-host"})

    class Plain(Settings):
        host: str

    assert "takes a reference to a secret, but is no Secret" in problems(Plain, environ_of())["host"]


def test_a_key_that_a_merge_left_twice_is_told_with_both_lines(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    file.write_text(f"{line_of(file, 'apiKey')}\n{file.read_text()}")
    found = problems(Config, environ_of())
    assert found["Secrets.toml"] == (
        "repeats apiKey, which stands at Secrets.toml:1:1 already | Secrets.toml:5:1 | "
        "a merge left both: wellkept list names them, and wellkept set KEY --line N keeps one"
    )


def test_a_strange_key_of_the_header_is_told(here: Path) -> None:
    file = secrets_file(here / "Secrets.toml", VALUES)
    file.write_text(file.read_text().replace("version = 1", 'version = 1\nnote = "x"'))
    found = problems(Config, environ_of())
    assert "unused configuration value 'wellkept.note'" in found["wellkept.note"]


def test_an_ordinary_mode_is_no_reason_to_warn(here: Path) -> None:
    secrets_file(here / "Secrets.toml", VALUES).chmod(0o644)
    assert load(Config, redact=False, environ=environ_of(), strict_permissions=True).api_key.reveal() == "CANARY-key"
