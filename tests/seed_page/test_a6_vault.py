"""The page's Vault sample: `vaultAddr`, `vaultToken` and `getSecret(path)`, against a real server.

The page's function answers with all of the secret as one text; here it is a key, or a masked
mapping. It knows one error; here each answer is told apart, in a word of its own.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from tests.servers.openbao import SealedOpenBao
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, explain, load
from wellkept.errors import SourceError, WellkeptError
from wellkept.providers.vault import Vault

WORDS = ("absent", "deleted", "destroyed", "no such key", "denied", "unreachable")
PAGE = ("BAL_CONFIG_VAR_VAULT_ADDR", "BAL_CONFIG_VAR_VAULT_TOKEN")
BALLERINA = ("BAL_CONFIG_VAR_VAULTADDR", "BAL_CONFIG_VAR_VAULTTOKEN")

Ask = Callable[..., object]


class App(Settings):
    """The page's two configurables."""

    vault_addr: str = "https://vault.example.com"
    vault_token: Secret[str]


class Referring(Settings):
    """A setting whose value stands in Vault."""

    db_password: Secret[str]


class Login(Settings):
    """A whole secret."""

    username: str
    password: str


class Whole(Settings):
    """A setting that is a whole secret."""

    login: Secret[Login]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def filled(space: Space) -> Space:
    """A space with the page's secret."""
    space.put("secret/prod/db", username="app", password="CANARY-first")
    return space


def get_secret(space: Space, config: App, path: str, key: str | None = None) -> Secret[object]:
    """What the page's getSecret does, with the settings that the page declares."""
    vault = Vault(config.vault_addr, token=config.vault_token, ca=space.ca_file, namespace=space.name)
    return vault.get(f"secret/{path}", key)


@pytest.mark.parametrize("names", [PAGE, BALLERINA], ids=["page", "ballerina"])
def test_the_function_of_the_page_gives_one_key(filled: Space, names: tuple[str, str]) -> None:
    environ = dict(zip(names, (filled.address, filled.token), strict=True))
    secret = get_secret(filled, load(App, environ=environ, redact=False), "prod/db", "password")
    assert secret.reveal() == "CANARY-first"
    assert (secret.version, str(secret.origin)) == ("1", "vault secret/prod/db#password v1")


@pytest.mark.parametrize("key", ["vaultToken", "vault_token"])
def test_the_token_of_the_page_may_stand_in_config_toml(filled: Space, tmp_path: Path, key: str) -> None:
    file = tmp_path / "Config.toml"
    file.touch(mode=0o600)
    file.write_text(f'vaultAddr = "{filled.address}"\n{key} = "{filled.token}"\n', encoding="utf-8")
    config = load(App, environ={}, redact=False)
    assert get_secret(filled, config, "prod/db", "password").reveal() == "CANARY-first"
    assert "CANARY" not in f"{config} {explain(config)}"


def test_without_a_key_it_is_all_of_the_secret_and_no_text_shows_it(filled: Space) -> None:
    environ = dict(zip(PAGE, (filled.address, filled.token), strict=True))
    whole = get_secret(filled, load(App, environ=environ, redact=False), "prod/db")
    assert whole.reveal() == {"username": "app", "password": "CANARY-first"}
    assert "CANARY" not in f"{whole!s} {whole!r}"


def test_a_reference_says_the_same_without_a_line_of_code(filled: Space) -> None:
    config = load(Referring, environ=referring(filled, "secret/prod/db#password"), redact=False)
    assert config.db_password.reveal() == "CANARY-first"
    assert str(config.db_password.origin) == "vault secret/prod/db#password v1"


def test_a_whole_secret_fills_a_class(filled: Space) -> None:
    environ = {**filled.environ(), "BAL_CONFIG_VAR_LOGIN": "${vault:secret/prod/db}"}
    login = load(Whole, environ=environ, redact=False).login
    assert (login.reveal().username, login.reveal().password) == ("app", "CANARY-first")


def test_a_pinned_version_stays(filled: Space) -> None:
    filled.put("secret/prod/db", username="app", password="CANARY-second")
    pinned = load(Referring, environ=referring(filled, "secret/prod/db?version=1#password"), redact=False)
    newest = load(Referring, environ=referring(filled, "secret/prod/db#password"), redact=False)
    assert (pinned.db_password.reveal(), pinned.db_password.version) == ("CANARY-first", "1")
    assert (newest.db_password.reveal(), newest.db_password.version) == ("CANARY-second", "2")


def test_a_mount_of_the_first_kind_is_read_as_well(space: Space) -> None:
    space.put("kv1/prod/db", password="CANARY-old")
    config = load(Referring, environ=referring(space, "kv1/prod/db#password"), redact=False)
    assert (config.db_password.reveal(), config.db_password.version) == ("CANARY-old", None)


@pytest.mark.parametrize("way", ["direct", "reference"])
class TestEachAnswerHasAWordOfItsOwn:
    """Both ways to ask: the function of the page, and a reference."""

    def test_absent(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        text = said(way, filled, "secret/prod/cache", "absent", 1)
        assert "there is no secret prod/cache in the mount secret/" in text

    def test_no_such_key(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        said(way, filled, "secret/prod/db", "no such key", 1, key="pasword")

    def test_deleted(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        filled.do("DELETE", "secret/data/prod/db")
        text = said(way, filled, "secret/prod/db", "deleted", 1)
        assert "bring it back: bao kv undelete -mount=secret -versions=1 prod/db" in text

    def test_destroyed(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        filled.do("PUT", "secret/destroy/prod/db", {"versions": [1]})
        said(way, filled, "secret/prod/db", "destroyed", 1)

    def test_an_absent_version(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        assert "no version 9 of it" in said(way, filled, "secret/prod/db", "absent", 1, version=9)

    def test_denied(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        text = said(way, filled, "secret/prod/db", "denied", 77, token=filled.make_token(["default"]))
        assert 'add to a policy of it: path "secret/data/prod/db" { capabilities = ["read"] }' in text

    def test_a_token_that_is_over(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        token = filled.make_token(["default"], ttl="1s")
        time.sleep(1.2)
        text = said(way, filled, "secret/prod/db", "denied", 77, token=token)
        assert "is expired, revoked or unknown there" in text

    def test_a_token_that_nobody_knows(self, filled: Space, way: Literal["direct", "reference"]) -> None:
        said(way, filled, "secret/prod/db", "denied", 77, token="CANARY-nobodys")


@pytest.mark.parametrize("way", ["direct", "reference"])
def test_a_server_that_is_down_or_sealed_is_unreachable(
    sealed_openbao: SealedOpenBao, way: Literal["direct", "reference"]
) -> None:
    space = Space(sealed_openbao, "", sealed_openbao.token)
    space.put("secret/prod/db", password="CANARY-first")
    sealed_openbao.seal()
    assert "it is sealed" in said(way, space, "secret/prod/db", "unreachable", 69)
    sealed_openbao.stop()
    said(way, space, "secret/prod/db", "unreachable", 69)


def referring(space: Space, location: str, token: str | None = None) -> Mapping[str, str]:
    return {**space.environ(token), "BAL_CONFIG_VAR_DB_PASSWORD": f"${{vault:{location}}}"}


def said(
    way: Literal["direct", "reference"],
    space: Space,
    path: str,
    word: str,
    exit_code: int,
    *,
    key: str = "password",
    version: int | None = None,
    token: str | None = None,
) -> str:
    """The text of the error that asking ends in: with its word, without another's, and without a value."""
    pin = "" if version is None else f"?version={version}"
    environ = referring(space, f"{path}{pin}#{key}", token)
    ask: Ask = partial(load, Referring, environ=environ, redact=False)
    if way == "direct":
        vault = Vault(space.address, token=token or space.token, ca=space.ca_file, namespace=space.name or None)
        ask = partial(vault.get, path, key, version=version)
    error: type[WellkeptError] = ConfigError if way == "reference" else SourceError
    with pytest.raises(error) as caught:
        ask()
    text = str(caught.value)
    assert [one for one in WORDS if one in text.lower()] == [word]
    assert caught.value.exit_code == exit_code
    assert not [secret for secret in (space.token, token, *space.issued) if secret and secret in text]
    assert "CANARY" not in text
    return text
