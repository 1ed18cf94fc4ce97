"""`envFrom: secretRef`: the keys of the page's Secret become plain variables."""

import base64
from pathlib import Path

import pytest

from wellkept import ConfigError, Secret, Settings, load

DATA = {"dbPassword": "czNjdXIzLXBAc3N3MHJk", "apiKey": "c2stYWJjMTIz"}  # the page's Secret, base64
ENV_FROM = {name: base64.b64decode(value).decode() for name, value in DATA.items()}


class Plain(Settings, env_prefix=""):
    """Reads plain names."""

    db_password: Secret[str]
    api_key: Secret[str]


class Prefixed(Settings):
    """Reads the prefix."""

    db_password: Secret[str]
    api_key: Secret[str]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_keys_of_the_pages_secret_reach_plain_names() -> None:
    config = load(Plain, environ=ENV_FROM | {"PATH": "/bin"}, redact=False)
    assert (config.db_password.reveal(), config.api_key.reveal()) == ("s3cur3-p@ssw0rd", "sk-abc123")


def test_capitals_reach_plain_names_too() -> None:
    config = load(Plain, environ={"DB_PASSWORD": "CANARY-capital-pw", "API_KEY": "CANARY-key"}, redact=False)
    assert config.db_password.reveal() == "CANARY-capital-pw"


def test_without_plain_names_the_error_says_what_is_there_and_both_fixes() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Prefixed, environ=ENV_FROM, redact=False)
    hints = [problem.hint for problem in caught.value.problems]
    assert hints[0].startswith("dbPassword is in the environment: rename it BAL_CONFIG_VAR_DB_PASSWORD")
    assert "env_prefix=''" in hints[0]
    assert "s3cur3" not in str(caught.value)


def test_a_variable_of_the_login_is_no_setting() -> None:
    class Login(Settings, env_prefix=""):
        user: str = "nobody"
        home: str = "nowhere"

    config = load(Login, environ={"USER": "root", "HOME": "/home/me", "home": "here"}, redact=False)
    assert (config.user, config.home) == ("nobody", "here")


def test_a_service_link_of_kubernetes_is_recognised() -> None:
    class Linked(Settings, env_prefix=""):
        db_port: int = 5432

    with pytest.raises(ConfigError, match="enableServiceLinks: false"):
        load(Linked, environ={"DB_PORT": "tcp://10.96.0.12:5432"}, redact=False)
