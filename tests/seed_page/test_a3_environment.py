"""The page's exports, in its spelling and in Ballerina's own; and who wins over whom."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from wellkept import ConfigError, Secret, Settings, load

PAGE = {"BAL_CONFIG_VAR_DB_PASSWORD": "s3cur3-p@ssw0rd", "BAL_CONFIG_VAR_API_KEY": "sk-abc123"}
BALLERINA = {"BAL_CONFIG_VAR_DBPASSWORD": "s3cur3-p@ssw0rd", "BAL_CONFIG_VAR_APIKEY": "sk-abc123"}


class App(Settings):
    """The page's two configurables."""

    db_password: Secret[str]
    api_key: Secret[str]
    port: int = 8080


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(environ: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(App, environ=environ, redact=False)
    return str(caught.value)


def test_the_exports_of_the_page_give_its_values() -> None:
    config = load(App, environ=PAGE, redact=False)
    assert (config.db_password.reveal(), config.api_key.reveal()) == ("s3cur3-p@ssw0rd", "sk-abc123")


def test_ballerinas_spelling_gives_the_same() -> None:
    assert load(App, environ=PAGE, redact=False) == load(App, environ=BALLERINA, redact=False)


def test_two_spellings_that_agree_are_fine() -> None:
    assert load(App, environ=PAGE | BALLERINA, redact=False).db_password.reveal() == "s3cur3-p@ssw0rd"


def test_two_spellings_that_disagree_are_an_error_with_both_names_and_no_value() -> None:
    text = report(PAGE | {"BAL_CONFIG_VAR_DBPASSWORD": "CANARY-other"})
    assert "BAL_CONFIG_VAR_DB_PASSWORD" in text
    assert "BAL_CONFIG_VAR_DBPASSWORD" in text
    assert "s3cur3" not in text
    assert "CANARY" not in text


def test_an_unused_variable_is_an_error_that_says_which_was_meant() -> None:
    text = report(PAGE | {"BAL_CONFIG_VAR_DB_PASWORD": "CANARY-typo"})
    assert "BAL_CONFIG_VAR_DB_PASWORD: unused environment variable" in text
    assert "did you mean BAL_CONFIG_VAR_DB_PASSWORD?" in text
    assert "CANARY" not in text


def test_a_bad_value_is_an_error_and_never_a_reason_to_look_lower(tmp_path: Path) -> None:
    (tmp_path / "Config.toml").write_text("port = 9090\n", encoding="utf-8")
    text = report(PAGE | {"BAL_CONFIG_VAR_PORT": "CANARY-abc"})
    assert "port: expected a whole number (env BAL_CONFIG_VAR_PORT)" in text
    assert "CANARY" not in text


def test_each_place_wins_over_the_next(tmp_path: Path) -> None:
    """The vector of the platform's own page: 4444, 5555, 6666, 7777, 9090, 8080."""
    (tmp_path / "Config.toml").write_text("port = 9090\n", encoding="utf-8")
    (tmp_path / "listed.toml").write_text("port = 6666\n", encoding="utf-8")
    environ = PAGE | {
        "BAL_CONFIG_VAR_PORT": "4444",
        "BAL_CONFIG_FILES": str(tmp_path / "listed.toml"),
        "BAL_CONFIG_DATA": "port = 7777",
    }
    arguments = ["-Cport=5555"]

    def port() -> int:
        return load(App, environ=environ, arguments=arguments, redact=False).port

    found = [port()]
    del environ["BAL_CONFIG_VAR_PORT"]
    found.append(port())
    arguments.clear()
    found.append(port())
    del environ["BAL_CONFIG_FILES"]
    found.append(port())
    del environ["BAL_CONFIG_DATA"]
    found.append(port())
    (tmp_path / "Config.toml").unlink()
    found.append(port())
    assert found == [4444, 5555, 6666, 7777, 9090, 8080]


def test_the_first_listed_file_wins_and_a_trailing_separator_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("port = 1111\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("port = 2222\n", encoding="utf-8")
    environ = PAGE | {"BAL_CONFIG_FILES": f"{tmp_path / 'a.toml'}:{tmp_path / 'b.toml'}:"}
    assert load(App, environ=environ, redact=False).port == 1111


def test_listed_files_leave_out_the_implicit_ones(tmp_path: Path) -> None:
    (tmp_path / "Config.toml").write_text("port = 9090\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("", encoding="utf-8")
    assert load(App, environ=PAGE, files=[tmp_path / "other.toml"], redact=False).port == 8080


def test_the_value_of_a_secret_is_refused_as_an_argument() -> None:
    with pytest.raises(ConfigError, match="process list") as caught:
        load(App, environ={}, arguments=["-CdbPassword=CANARY-on-the-command-line"], redact=False)
    assert "CANARY" not in str(caught.value)


def test_a_secret_comes_from_a_file_that_an_argument_names(tmp_path: Path) -> None:
    (tmp_path / "pw.secret").write_text("CANARY-from-a-file\n\n", encoding="utf-8")
    config = load(
        App,
        environ={"BAL_CONFIG_VAR_API_KEY": "sk-abc123"},
        arguments=["-CdbPassword=@pw.secret", "serve", "--", "-Cport=1"],
        redact=False,
    )
    assert config.db_password.reveal() == "CANARY-from-a-file\n"
    assert config.port == 8080
