"""The page's first sample: secrets in Config.toml, as they stand there.

The values are the page's own words, so they carry no canary.
"""

from pathlib import Path

import pytest

from wellkept import ConfigError, Secret, Settings, explain, load
from wellkept.errors import InsecurePermissions

CONFIG_TOML = """\
# Config.toml
dbPassword = "s3cur3-p@ssw0rd"
apiKey = "sk-abc123..."
oauthClientSecret = "client-secret-value"
"""


class App(Settings):
    """The page's three configurables, and one with a default."""

    db_password: Secret[str]
    api_key: Secret[str]
    oauth_client_secret: Secret[str]
    port: int = 8080


def write(folder: Path, text: str = CONFIG_TOML, mode: int = 0o600) -> Path:
    file = folder / "Config.toml"
    file.touch(mode=mode)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_the_file_of_the_page_gives_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    config = load(App, environ={}, redact=False)
    assert config.db_password.reveal() == "s3cur3-p@ssw0rd"
    assert config.api_key.reveal() == "sk-abc123..."
    assert config.oauth_client_secret.reveal() == "client-secret-value"
    assert config.port == 8080


def test_neither_repr_nor_text_shows_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    config = load(App, environ={}, redact=False)
    assert "s3cur3" not in f"{config!r} {config.db_password!r} {config.db_password!s} {explain(config)}"


def test_each_value_knows_its_line_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    config = load(App, environ={}, redact=False)
    assert str(config.db_password.origin) == "Config.toml:2:14"
    assert str(config.oauth_client_secret.origin) == "Config.toml:4:21"


def test_a_missing_value_is_named_in_ballerinas_words_with_what_would_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, CONFIG_TOML.replace('dbPassword = "s3cur3-p@ssw0rd"\n', ""))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(App, environ={}, redact=False)
    assert "value not provided for required configurable variable 'dbPassword'" in str(caught.value)
    assert "BAL_CONFIG_VAR_DB_PASSWORD" in str(caught.value)
    assert caught.value.exit_code == 1


def test_a_file_that_others_can_read_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, mode=0o644)
    monkeypatch.chdir(tmp_path)
    with pytest.warns(InsecurePermissions, match="Config.toml: holds secrets and can be read by other users"):
        load(App, environ={}, redact=False)


def test_a_file_that_others_can_read_is_an_error_where_permissions_are_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, mode=0o644)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="can be read by other users"):
        load(App, environ={}, redact=False, strict_permissions=True)


def test_both_spellings_of_a_key_are_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, CONFIG_TOML.replace("dbPassword", "db_password"))
    monkeypatch.chdir(tmp_path)
    assert load(App, environ={}, redact=False).db_password.reveal() == "s3cur3-p@ssw0rd"


def test_an_escape_is_no_reference_and_a_literal_secret_with_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 'dbPassword = "CANARY$${x"\napiKey = "${env:A}"\noauthClientSecret = "${env:A}"\n', mode=0o644)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="can be read by other users"):
        load(App, environ={"A": "CANARY-a"}, redact=False, strict_permissions=True)
    write(tmp_path, 'dbPassword = "pg://${env:A}"\napiKey = "${env:A}"\noauthClientSecret = "${env:A}"\n', mode=0o644)
    assert load(App, environ={"A": "CANARY-a"}, redact=False, strict_permissions=True).port == 8080
