"""One way from a SOPS file into a program, end to end."""

from pathlib import Path

import pytest

from tests.providers.sops.encrypting import Sops
from wellkept import ConfigError, Secret, Settings, load


class Login(Settings):
    user: str
    password: str


class Db(Settings):
    password: str
    port: int


class All(Settings):
    db: Db
    hosts: list[str]
    login: Login


class Config(Settings):
    all: Secret[All]
    password: Secret[str]
    port: Secret[int]
    host: Secret[str]
    login: Secret[Login]
    spare: Secret[str] = Secret("CANARY-spare")


TOML = """\
all      = "${sops:secrets.enc.yaml}"
password = "${sops:secrets.enc.yaml#db.password}"
port     = "${sops:secrets.enc.yaml#/db/port}"
host     = "${sops:secrets.enc.yaml#hosts.1}"
login    = "${sops:secrets.enc.yaml#login}"
spare    = "${sops:secrets.enc.yaml?optional=true#nobody}"
"""
YAML = "db: {password: CANARY-pw, port: 5432}\nhosts: [a, b]\nlogin: {user: app, password: CANARY-login}\n"


@pytest.fixture
def config(sops: Sops, tmp_path: Path) -> Path:
    sops.encrypt("secrets.enc.yaml", YAML)
    path = tmp_path / "Config.toml"
    path.write_text(TOML, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_config_toml_refers_to_a_file_beside_it(sops: Sops, config: Path) -> None:
    loaded = load(Config, redact=False, files=[config], environ={"SOPS_AGE_KEY": sops.identity})
    assert loaded.password.reveal() == "CANARY-pw"
    assert (loaded.port.reveal(), loaded.host.reveal()) == (5432, "b")
    assert (loaded.login.reveal().user, loaded.login.reveal().password) == ("app", "CANARY-login")
    assert loaded.all.reveal().db.port == 5432
    assert loaded.spare.reveal() == "CANARY-spare"
    assert str(loaded.password.origin) == "sops secrets.enc.yaml#db.password"


def test_denied_absent_and_changed_are_three_answers(sops: Sops, config: Path) -> None:
    good = {"SOPS_AGE_KEY": sops.identity}
    with pytest.raises(ConfigError) as caught:
        load(Config, redact=False, files=[config], environ={})
    assert {problem.kind for problem in caught.value.problems} == {"denied"}
    assert caught.value.exit_code == 77
    config.write_text(TOML.replace("#db.password", "#db.pasword"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(Config, redact=False, files=[config], environ=good)
    assert [(one.message, one.kind) for one in caught.value.problems] == [
        ("sops:secrets.enc.yaml#db.pasword: no such key", "absent")
    ]
    file = sops.folder / "secrets.enc.yaml"
    file.write_text(file.read_text().replace("port: ENC[AES256_GCM,data:", "port: ENC[AES256_GCM,data:AA"))
    with pytest.raises(ConfigError) as caught:
        load(Config, redact=False, files=[config], environ=good)
    assert {(one.message, one.kind) for one in caught.value.problems} == {
        ("secrets.enc.yaml: db.port does not decrypt: it was changed, or moved here", "invalid")
    }


def test_a_plain_setting_takes_no_value_of_it(sops: Sops, config: Path) -> None:
    class Plain(Settings):
        password: str

    with pytest.raises(ConfigError) as caught:
        load(Plain, environ=dict.fromkeys(["BAL_CONFIG_VAR_PASSWORD"], "${sops:secrets.enc.yaml#login.user}"), files=[])
    assert "Secret[str]" in str(caught.value) or "does not exist" in str(caught.value)
    config.write_text('password = "${sops:secrets.enc.yaml#login.user}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="Secret"):
        load(Plain, redact=False, files=[config], environ={"SOPS_AGE_KEY": sops.identity})
