"""Where a Vault is and how to log in there: from the environment, from a table, and rules 7 and 9."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from wellkept.errors import UsageError
from wellkept.ports import ProviderTable
from wellkept.providers.vault import AppRole, Certificate, Jwt, TokenFile, Userpass, WrappedToken
from wellkept.providers.vault.connection import Connection, from_environ, from_table
from wellkept.providers.vault.login import GivenToken, Login, NoToken
from wellkept.providers.vault.options import VaultOptions
from wellkept.secret import Secret

ENVIRON = {"VAULT_ADDR": "https://vault.example.com:8200", "VAULT_TOKEN": "CANARY-env", "HOME": "/home/jo"}
SECRET: Secret[str] = Secret("CANARY-s")


def table(*referred: str, **options: object) -> ProviderTable:
    made = VaultOptions(**options)  # type: ignore[arg-type]  # what a test gives is right
    return ProviderTable("main", "Config.toml:3:1", made, frozenset(options), frozenset(referred))


def connect(environ: Mapping[str, str], given: ProviderTable, trusted: str = "") -> Connection:
    return from_table(environ, given, lambda origin: origin == trusted)


def test_the_environment_alone_is_enough() -> None:
    made = from_environ({**ENVIRON, "VAULT_NAMESPACE": "team", "VAULT_CACERT": "/ca.pem", "VAULT_TLS_SERVER_NAME": "v"})
    assert made.address.origin == "https://vault.example.com:8200"
    assert made.login == GivenToken(Secret("CANARY-env"), "the token of VAULT_TOKEN")
    assert (made.namespace, made.trust.ca_file, made.trust.server_name) == ("team", "/ca.pem", "v")


def test_openbao_s_own_names_come_first() -> None:
    made = from_environ({**ENVIRON, "BAO_ADDR": "https://bao.example.com", "BAO_TOKEN": "CANARY-bao"})
    assert made.address.origin == "https://bao.example.com"
    assert made.login.label == "the token of BAO_TOKEN"


def test_the_token_of_the_home_folder_is_the_last_resort() -> None:
    made = from_environ({"VAULT_ADDR": "https://vault.example.com", "HOME": "/home/jo"})
    assert made.login == TokenFile("/home/jo/.vault-token", is_last_resort=True)
    with pytest.raises(UsageError, match="there is no token"):
        from_environ({"VAULT_ADDR": "https://vault.example.com"})


def test_nobody_says_where_it_is() -> None:
    with pytest.raises(UsageError, match="VAULT_ADDR is not set"):
        from_environ({})
    with pytest.raises(UsageError, match=r"and Config\.toml:3:1 gives no address"):
        connect({}, table(token=SECRET))


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "yes", "anything"])
@pytest.mark.parametrize("name", ["VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"])
def test_nothing_switches_verification_off(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: TLS always verifies here"):
        from_environ({**ENVIRON, name: value})
    from_environ({**ENVIRON, name: "false"})


def test_an_agent_needs_no_token_and_gets_none_from_the_home_folder() -> None:
    made = from_environ({"VAULT_AGENT_ADDR": "unix:///run/agent.sock", "VAULT_ADDR": "https://v", "HOME": "/home/jo"})
    assert made.address.origin == "unix:///run/agent.sock"
    assert made.login == NoToken()
    assert connect({"HOME": "/home/jo"}, table(agent="http://127.0.0.1:8100")).login == NoToken()


@pytest.mark.parametrize(
    ("options", "login"),
    [
        ({"token": SECRET}, GivenToken(SECRET, "the token of Config.toml:3:1")),
        ({"wrapped_token": SECRET}, WrappedToken(SECRET)),
        ({"role_id": "r", "secret_id": SECRET}, AppRole("r", SECRET)),
        ({"role_id": "r", "wrapped_secret_id": SECRET, "login_mount": "a/b/"}, AppRole("r", None, SECRET, "a/b")),
        ({"username": "jo", "password": SECRET}, Userpass("jo", SECRET)),
        ({"role": "w", "jwt": SECRET}, Jwt("w", SECRET)),
        ({"role": "w", "jwt_file": Path("/jwt")}, Jwt("w", None, "/jwt")),
        ({"login": "cert", "client_cert": Path("/c.pem"), "role": "w"}, Certificate("w")),
        (
            {"login": "kubernetes", "role": "w"},
            Jwt("w", None, "/var/run/secrets/kubernetes.io/serviceaccount/token", "kubernetes", "kubernetes"),
        ),
    ],
    ids=["token", "wrapped token", "approle", "wrapped secret id", "userpass", "jwt", "jwt file", "cert", "kubernetes"],
)
def test_the_login_follows_from_the_keys_of_the_table(options: dict[str, object], login: Login) -> None:
    assert connect(ENVIRON, table(**options)).login == login


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"login": "approle"}, "role_id"),
        ({"login": "userpass", "username": "jo"}, "password"),
        ({"login": "kubernetes"}, "role"),
        ({"login": "jwt", "role": "w"}, "jwt or jwt_file"),
        ({"login": "cert"}, "client_cert"),
    ],
)
def test_a_login_that_lacks_something_says_what(options: dict[str, object], missing: str) -> None:
    with pytest.raises(UsageError, match=f"^Config.toml:3:1: login .* needs {missing}") as caught:
        connect(ENVIRON, table(**options))
    assert caught.value.hint == f"add {missing} = … to that table"


def test_rule_9_a_token_of_the_environment_is_not_sent_where_only_a_file_says() -> None:
    given = table(address="https://evil.example.com")
    with pytest.raises(UsageError, match="the token of VAULT_TOKEN comes from elsewhere") as caught:
        connect(ENVIRON, given)
    assert "wellkept trust https://evil.example.com" in str(caught.value.hint)
    assert connect(ENVIRON, given, trusted="https://evil.example.com").address.host == "evil.example.com"


@pytest.mark.parametrize(
    ("options", "leads_to"),
    [
        ({"proxy": "http://proxy.example.com"}, "http://proxy.example.com"),
        ({"ca": Path("/repo/evil.pem")}, "https://vault.example.com:8200"),
        ({"server_name": "evil.example.com"}, "https://vault.example.com:8200"),
    ],
    ids=["proxy", "ca", "server name"],
)
def test_rule_9_nobody_in_a_file_says_who_may_pose_as_the_server(options: dict[str, object], leads_to: str) -> None:
    given = table(**options)
    with pytest.raises(UsageError, match=f"leads to {leads_to}, .* it is not sent"):
        connect(ENVIRON, given)
    trusted = lambda origin: origin in {"https://vault.example.com:8200", "http://proxy.example.com"}  # noqa: E731 short
    assert from_table(ENVIRON, given, trusted).address.host == "vault.example.com"


def test_rule_9_another_path_behind_the_same_host_is_another_place() -> None:
    with pytest.raises(UsageError, match="it is not sent"):
        connect({**ENVIRON, "VAULT_ADDR": "https://h.example.com/vault"}, table(address="https://h.example.com/other"))


def test_rule_9_what_a_reference_gives_is_not_shown() -> None:
    given = table("address", address="https://CANARY.evil.example.com", token=SECRET)
    with pytest.raises(UsageError) as caught:
        connect(ENVIRON, given)
    assert "canary" not in str(caught.value).lower()


@pytest.mark.parametrize("address", ["http://127.0.0.1:8200", "unix:///run/agent.sock"])
def test_a_proxy_is_for_https_only(address: str) -> None:
    environ = {**ENVIRON, "VAULT_ADDR": address}
    assert from_environ({**environ, "VAULT_PROXY_ADDR": "http://proxy.example.com"}).proxy is None
    with pytest.raises(UsageError, match="a proxy is for https:// only"):
        connect(environ, table(proxy="http://proxy.example.com"))


@pytest.mark.parametrize(
    "given",
    [
        table(address="https://evil.example.com", token_file=Path("/home/jo/.vault-token")),
        table("token", address="https://evil.example.com", token=SECRET),
        table("secret_id", address="https://evil.example.com", role_id="r", secret_id=SECRET),
        table("address", address="https://CANARY.evil.example.com", token=SECRET),
        table(address="https://evil.example.com", login="kubernetes", role="w"),
        table(address="https://evil.example.com", role="w", jwt_file=Path("/run/jwt")),
        table(nodes=("https://evil.example.com",)),
        table(agent="https://evil.example.com"),
    ],
    ids=[
        "token file",
        "token by reference",
        "secret id by reference",
        "a reference in the address",
        "service account",
        "jwt file",
        "nodes",
        "agent",
    ],
)
def test_rule_9_holds_for_all_that_does_not_stand_in_the_file_itself(given: ProviderTable) -> None:
    with pytest.raises(UsageError, match="it is not sent"):
        connect(ENVIRON, given)


def test_rule_9_what_stands_in_the_same_file_goes_where_the_file_says() -> None:
    given = table(address="https://vault.example.com", role_id="r", secret_id=SECRET)
    assert connect({}, given).login == AppRole("r", SECRET)


def test_rule_9_an_address_that_the_environment_names_too_is_no_news() -> None:
    made = connect(ENVIRON, table(address="https://Vault.example.com:8200/"))
    assert made.login.label == "the token of VAULT_TOKEN"


def test_rule_9_a_table_without_an_address_uses_that_of_the_environment() -> None:
    assert connect(ENVIRON, table(login="kubernetes", role="w")).address.host == "vault.example.com"


def test_rule_7_plain_http_leaves_the_machine_only_where_the_table_says_so() -> None:
    with pytest.raises(UsageError, match="plain HTTP"):
        from_environ({**ENVIRON, "VAULT_ADDR": "http://vault.example.com"})
    made = connect({**ENVIRON, "VAULT_ADDR": "http://vault.example.com"}, table(plaintext=True))
    assert made.address.scheme == "http"


def test_times_and_retries_come_from_the_table_or_from_vault_s_own_variables() -> None:
    made = from_environ({**ENVIRON, "VAULT_CLIENT_TIMEOUT": "30s", "VAULT_MAX_RETRIES": "0"})
    assert (made.timeout_s, made.attempts) == (30.0, 1)
    assert connect(ENVIRON, table(timeout=timedelta(seconds=2))).timeout_s == 2.0
    for name in ("VAULT_CLIENT_TIMEOUT", "VAULT_MAX_RETRIES"):
        with pytest.raises(UsageError, match=f"^{name}: expected"):
            from_environ({**ENVIRON, name: "soon"})


def test_no_proxy_is_taken_from_the_general_environment() -> None:
    general = {"https_proxy": "http://proxy.example.com", "HTTPS_PROXY": "http://p", "ALL_PROXY": "http://p"}
    assert from_environ({**ENVIRON, **general}).proxy is None
    asked = from_environ({**ENVIRON, "VAULT_PROXY_ADDR": "http://proxy.example.com:3128"}).proxy
    assert asked is not None
    assert asked.origin == "http://proxy.example.com:3128"


def test_one_of_our_own_certificates_is_not_mixed_with_the_key_of_the_environment() -> None:
    made = connect({**ENVIRON, "VAULT_CLIENT_KEY": "/env.key"}, table(client_cert=Path("/mine.pem"), login="cert"))
    assert (made.trust.certificate, made.trust.key) == ("/mine.pem", None)


def test_rule_9_what_the_environment_says_too_is_no_news() -> None:
    environ = {**ENVIRON, "VAULT_CACERT": "/etc/ca.pem", "VAULT_PROXY_ADDR": "http://proxy.example.com:3128"}
    connect(environ, table(ca=Path("/etc/ca.pem"), proxy="http://proxy.example.com:3128"))
    connect({**ENVIRON, "VAULT_ADDR": "http://127.0.0.1:8200"}, table(ca=Path("/etc/other.pem")))  # no TLS at all
