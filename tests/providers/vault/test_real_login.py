"""Every login against a real OpenBao, by a table of Config.toml or by the environment, as a user writes it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.servers.agent import auto_auth, run_proxy
from tests.servers.certificates import Authority, Signer
from tests.servers.kubernetes import TokenReviews
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, load
from wellkept.errors import LoginRefused, TokenRefused
from wellkept.events import BUS, Event, Topic
from wellkept.providers.vault import AppRole, Kubernetes, TokenFile, Userpass, Vault, WrappedToken
from wellkept.secret import Secret as Handle

READ = 'path "secret/data/prod/*" {\n  capabilities = ["read"]\n}\n'
VALUE = "CANARY-of-login"


class Config(Settings):
    password: Secret[str]


@pytest.fixture
def readable(space: Space) -> Space:
    """A space with one secret and the policy `reader`, which may read it."""
    space.put("secret/prod/db", password=VALUE)
    space.policy("reader", READ)
    return space


def loaded(folder: Path, table: str, environ: Mapping[str, str]) -> Config:
    file = folder / "Config.toml"
    file.touch(0o600)
    file.write_text(f'password = "${{vault:secret/prod/db#password}}"\n[wellkept.providers.vault]\n{table}', "utf-8")
    return load(Config, files=[file], environ=environ, redact=False)


def test_token_of_the_environment(readable: Space) -> None:
    environ = {
        **readable.environ(readable.make_token(["reader"])),
        "BAL_CONFIG_VAR_PASSWORD": "${vault:secret/prod/db#password}",
    }
    assert load(Config, files=[], environ=environ, redact=False).password == VALUE


def test_token_of_the_home_folder(readable: Space, tmp_path: Path) -> None:
    file = tmp_path / "secrets-home/.vault-token"
    file.parent.mkdir()
    file.write_text(readable.make_token(["reader"]) + "\n")
    assert loaded(tmp_path, "", {**readable.environ(""), "HOME": str(file.parent)}).password == VALUE


def test_token_of_a_file_that_a_table_names(readable: Space, tmp_path: Path) -> None:
    (tmp_path / "token.secret").write_text(readable.make_token(["reader"]))
    assert loaded(tmp_path, 'tokenFile = "token.secret"\n', readable.environ("")).password == VALUE


def test_approle_by_reference(readable: Space, tmp_path: Path) -> None:
    role_id, secret_id = readable.enable_approle("orders", ["reader"])
    (tmp_path / "id.secret").write_text(secret_id + "\n")
    table = f'roleId = "{role_id}"\nsecretId = "${{file:id.secret}}"\n'
    assert loaded(tmp_path, table, readable.environ("")).password == VALUE


def test_approle_with_a_wrapped_secret_id(readable: Space, tmp_path: Path) -> None:
    role_id, _secret_id = readable.enable_approle("orders", ["reader"])
    (tmp_path / "wrap.secret").write_text(readable.wrapped_secret_id("orders"))
    table = f'roleId = "{role_id}"\nwrappedSecretId = "${{file:wrap.secret}}"\n'
    assert loaded(tmp_path, table, readable.environ("")).password == VALUE


def test_a_secret_id_that_was_unwrapped_by_somebody_else_is_an_alarm(readable: Space) -> None:
    role_id, _secret_id = readable.enable_approle("orders", ["reader"])
    wrapping = readable.wrapped_secret_id("orders")
    assert readable.call("POST", "sys/wrapping/unwrap", token=wrapping)[0] == 200
    events: list[Event] = []
    stop = BUS.subscribe(events.append)
    vault = direct(readable, AppRole(role_id, wrapped_secret_id=Handle(wrapping)))
    with pytest.raises(LoginRefused, match="somebody else may have unwrapped it") as caught:
        vault.get("secret/prod/db")
    stop()
    assert [one.topic for one in events] == [Topic.INTERCEPTED]
    assert wrapping not in f"{caught.value}{events}"


def test_a_wrapping_of_another_kind_is_not_unwrapped(readable: Space) -> None:
    role_id, _secret_id = readable.enable_approle("orders", ["reader"])
    forged = readable.do("POST", "sys/wrapping/wrap", {"secret_id": "forged"}, headers={"X-Vault-Wrap-TTL": "60s"})
    wrapping = forged["wrap_info"]["token"]
    with pytest.raises(LoginRefused, match="another in its place"):
        direct(readable, AppRole(role_id, wrapped_secret_id=Handle(wrapping))).get("secret/prod/db")
    assert readable.call("POST", "sys/wrapping/unwrap", token=wrapping)[0] == 200  # still whole: evidence


def test_a_wrapped_token(readable: Space) -> None:
    made = readable.do("POST", "auth/token/create", {"policies": ["reader"]}, headers={"X-Vault-Wrap-TTL": "60s"})
    vault = direct(readable, WrappedToken(Handle(made["wrap_info"]["token"])))
    assert vault.get("secret/prod/db", "password") == VALUE
    assert vault.get("secret/prod/db", "password") == VALUE


def test_userpass(readable: Space, tmp_path: Path) -> None:
    readable.enable_userpass("jo", "CANARY-of-jo", ["reader"])
    table = 'username = "jo"\npassword = "CANARY-of-jo"\n'
    assert loaded(tmp_path, table, readable.environ("")).password == VALUE
    with pytest.raises(LoginRefused, match="denied: login userpass is refused"):
        direct(readable, Userpass("jo", Handle("CANARY-wrong"))).get("secret/prod/db")


def test_jwt(readable: Space, tmp_path: Path, signer: Signer) -> None:
    readable.enable_jwt("orders", ["reader"], signer)
    (tmp_path / "jwt.secret").write_text(signer.sign())
    assert loaded(tmp_path, 'role = "orders"\njwtFile = "jwt.secret"\n', readable.environ("")).password == VALUE
    (tmp_path / "jwt.secret").write_text(signer.sign({"aud": "another"}))
    with pytest.raises(ConfigError, match="login jwt is refused") as caught:
        loaded(tmp_path, 'role = "orders"\njwtFile = "jwt.secret"\ntimeout = "9s"\n', readable.environ(""))
    assert caught.value.exit_code == 77


def test_kubernetes(readable: Space, tmp_path: Path, tokenreviews: TokenReviews) -> None:
    readable.enable_kubernetes("orders", ["reader"], tokenreviews)
    (tmp_path / "jwt.secret").write_text(tokenreviews.service_account("prod", "orders"))
    table = 'login = "kubernetes"\nrole = "orders"\njwtFile = "jwt.secret"\n'
    assert loaded(tmp_path, table, readable.environ("")).password == VALUE
    vault = direct(readable, Kubernetes("another", file=str(tmp_path / "jwt.secret")))
    with pytest.raises(LoginRefused, match="login kubernetes is refused: a role that is not there"):
        vault.get("secret/prod/db")


def test_certificate(readable: Space, tmp_path: Path, ca: Authority) -> None:
    readable.enable_cert("orders", ["reader"], ca.pem)
    mine = ca.client("orders")
    table = f'login = "cert"\nrole = "orders"\nclientCert = "{mine.cert_file}"\nclientKey = "{mine.key_file}"\n'
    assert loaded(tmp_path, table, readable.environ("")).password == VALUE


def test_through_a_proxy_that_adds_its_own_token(readable: Space, tmp_path: Path) -> None:
    port_file = tmp_path / "proxy.sock"
    config = (
        f'vault {{\n  address = "{readable.address}"\n  ca_cert = "{readable.ca_file}"\n'
        f'  namespace = "{readable.name}"\n}}\n'
        f"{auto_auth(readable, tmp_path)}api_proxy {{\n  use_auto_auth_token = true\n}}\n"
        f'listener "unix" {{\n  address = "{port_file}"\n  tls_disable = true\n  require_request_header = true\n}}\n'
    )
    with run_proxy(config, tmp_path) as proxy:
        proxy.wait_for_login(port_file)
        environ = {"VAULT_AGENT_ADDR": f"unix://{port_file}", "HOME": str(tmp_path), "VAULT_NAMESPACE": readable.name}
        environ["BAL_CONFIG_VAR_PASSWORD"] = "${vault:secret/prod/db#password}"
        assert load(Config, files=[], environ=environ, redact=False).password == VALUE


def test_a_token_that_has_ended_is_followed_by_a_new_login(readable: Space) -> None:
    role_id, secret_id = readable.enable_approle("orders", ["reader"], token_ttl="1h")
    vault = direct(readable, AppRole(role_id, Handle(secret_id)))
    assert vault.get("secret/prod/db", "password") == VALUE
    login = vault._session._logins.now
    assert login is not None
    assert login.secret is not None
    readable.do("POST", "auth/token/revoke", {"token": login.secret.reveal()})
    assert vault.get("secret/prod/db", "password") == VALUE


def test_a_sink_that_was_written_anew_is_read_again(readable: Space, tmp_path: Path) -> None:
    sink = tmp_path / "sink.secret"
    sink.write_text("s.old-and-dead")
    vault = direct(readable, TokenFile(str(sink)))
    with pytest.raises(TokenRefused, match=f"the token in {sink} is expired, revoked or unknown"):
        vault.get("secret/prod/db")
    sink.write_text(readable.make_token(["reader"]))
    assert vault.get("secret/prod/db", "password") == VALUE


def direct(space: Space, login: object) -> Vault:
    return Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)  # type: ignore[arg-type]  # a login
