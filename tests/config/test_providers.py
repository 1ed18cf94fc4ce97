"""Tables `[wellkept.providers.NAME]`: which source they open, and what is said where they cannot."""

from pathlib import Path

import pytest

from wellkept import ConfigError, Secret, Settings, load
from wellkept.errors import Kind, Problem
from wellkept.testing import MemorySource

REFUSED = "unreachable: https://127.0.0.1:1 (connection refused)"  # nobody listens on port 1


class Config(Settings):
    password: Secret[str]


def problems(folder: Path, text: str, *, environ: dict[str, str] | None = None) -> list[Problem]:
    """What a load says of a Config.toml."""
    file = folder / "Config.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    sources = {"mem": MemorySource({"token": "CANARY-token", "deep": {"token": "CANARY-deep"}})}
    with pytest.raises(ConfigError) as caught:
        load(Config, files=[file], environ=environ or {}, providers=sources, redact=False)
    assert "CANARY" not in str(caught.value)
    return list(caught.value.problems)


def only(folder: Path, text: str) -> Problem:
    found = problems(folder, text)
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def test_the_name_of_a_table_is_a_scheme(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        'password = "${main:secret/db#password}"\n[wellkept.providers.main]\nprovider = "vault"\n'
        'address = "https://127.0.0.1:1"\ntoken = "CANARY-literal"\n',
    )
    assert found.kind is Kind.UNREACHABLE
    assert found.message == f"main:secret/db: {REFUSED}"


def test_a_table_of_a_built_in_scheme_configures_it(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        'password = "${vault:secret/db#password}"\n[wellkept.providers.vault]\n'
        'address = "https://127.0.0.1:1"\ntoken = "CANARY-literal"\n',
    )
    assert found.message == f"vault:secret/db: {REFUSED}"


def test_a_table_that_nobody_uses_opens_nothing(tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    file.write_text('password = "${mem:token}"\n[wellkept.providers.main]\nprovider = "vault"\n', encoding="utf-8")
    config = load(Config, files=[file], environ={}, providers={"mem": MemorySource({"token": "CANARY"})}, redact=False)
    assert config.password == "CANARY"


def test_the_references_of_a_table_are_fetched_first(tmp_path: Path) -> None:
    text = (
        'password = "${main:secret/db#password}"\n[wellkept.providers.main]\nprovider = "vault"\n'
        'address = "https://127.0.0.1:1"\ntoken = "${mem:nothing}"\n'
    )
    assert only(tmp_path, text).message.startswith("wellkept.providers.main: mem:nothing: absent")
    found = only(tmp_path, text.replace("mem:nothing", "mem:deep#token"))
    assert "comes from elsewhere: it is not sent" in found.message  # it was fetched; rule 9 stands in its way


def test_a_circle_of_tables_is_named(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        'password = "${a:x/y#z}"\n'
        '[wellkept.providers.a]\nprovider = "vault"\ntoken = "${b:x/y#z}"\n'
        '[wellkept.providers.b]\nprovider = "vault"\ntoken = "${a:x/y#z}"\n',
    )
    assert "provider tables refer to each other in a circle: a → b → a" in found.message


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ('adress = "https://v"', "wellkept.providers.main.adress: unused configuration value", "did you mean address?"),
        ("timeout = 5", "wellkept.providers.main.timeout: expected a duration", 'write it in quotes: "30s"'),
        ("kvVersion = 3", "wellkept.providers.main.kv_version: expected one of", None),
        ('token = ""', "wellkept.providers.main.token: expected a secret that is not empty", None),
        ('address = "https://u:CANARY@v"\ntoken = "CANARY"', "address: holds more than a host", None),
        ('address = "http://vault.example.com"\ntoken = "CANARY"', "address: http://vault.example.com is plain", None),
        ('login = "approle"\naddress = "https://v"', "Config.toml:2:1: login approle needs role_id", None),
        ('address = "${vualt:x}"', "holds ${ that begins no reference to a known scheme", "did you mean vault:?"),
    ],
    ids=range(8),
)
def test_what_is_wrong_in_a_table_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, message: str, hint: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    found = only(tmp_path, f'password = "${{main:a/b#c}}"\n[wellkept.providers.main]\nprovider = "vault"\n{table}\n')
    assert message in found.message
    assert "Config.toml:" in found.message or message.startswith("address")
    if hint is not None:
        assert hint in found.hint


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("main", "", "main: is no known scheme"),
        ("main", 'provider = "nothing"', "nothing: is no known scheme"),
        ("main", "provider = 7", "main: is always the provider main"),
        ("main", 'provider = "file"', "file: has no options, so no table can configure it"),
        ("vault", 'provider = "file"', "vault: is always the provider vault"),
    ],
)
def test_a_table_that_names_no_provider_says_what_to_write(tmp_path: Path, name: str, kind: str, message: str) -> None:
    found = only(
        tmp_path, f'password = "${{{name}:a/b#c}}"\n[wellkept.providers.{name}]\n{kind}\naddress = "https://v"\n'
    )
    assert message in found.message


def test_of_two_files_the_first_one_that_has_the_table_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "Config.one.toml", tmp_path / "Config.two.toml"
    first.write_text(
        '[wellkept.providers.main]\nprovider = "vault"\naddress = "https://127.0.0.1:1"\ntoken = "CANARY"\n'
    )
    second.write_text(
        'password = "${main:secret/db#password}"\n[wellkept.providers.main]\nprovider = "vault"\naddress = "nowhere"\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(Config, files=[first, second], environ={}, redact=False)
    assert REFUSED in str(caught.value)


@pytest.mark.parametrize("text", ["[wellkept.providers]\nmain = 7\n", '[wellkept.providers."ma in"]\n'])
def test_a_provider_that_is_no_table_or_has_no_name_is_a_problem(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, f'password = "${{mem:token}}"\n{text}')
    assert len(found) == 1
    assert found[0].place is not None


def test_the_environment_and_the_command_line_may_refer_to_a_table(tmp_path: Path) -> None:
    file = tmp_path / "Config.toml"
    file.write_text(
        '[wellkept.providers.main]\nprovider = "vault"\naddress = "https://127.0.0.1:1"\ntoken = "CANARY"\n'
    )
    reference = "${main:secret/db#password}"
    for given in ({"environ": {"BAL_CONFIG_VAR_PASSWORD": reference}}, {"arguments": [f"-Cpassword={reference}"]}):
        with pytest.raises(ConfigError) as caught:
            load(Config, files=[file], **{"environ": {}, **given}, redact=False)  # type: ignore[arg-type]  # either
        assert REFUSED in str(caught.value)


def test_a_misspelt_table_of_wellkept_itself_is_an_error(tmp_path: Path) -> None:
    found = problems(tmp_path, 'password = "${mem:token}"\n[wellkept.provider.vault]\naddress = "https://v"\n')
    assert [one.message for one in found] == ["unused configuration value 'wellkept.provider'"]
    assert found[0].hint == "did you mean providers?"


@pytest.mark.parametrize(
    "text", ["[wellkept.Run.env]\nA = 1\n", "[wellkept.run.envv]\nA = 1\n", "[wellkept.run]\nA = 1\n"]
)
def test_a_misspelt_table_of_run_is_an_error(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, f'password = "${{mem:token}}"\n{text}')
    assert [one.kind for one in found] == [Kind.UNKNOWN]
