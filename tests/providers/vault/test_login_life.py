"""The life of a login at a real OpenBao: how long it has, renewed, followed by another beside it, and ended."""

import os
import time
from pathlib import Path

import pytest

from tests.servers.agent import auto_auth, run_proxy
from tests.servers.database import Database, set_up_database
from tests.servers.openbao import ROOT_TOKEN
from tests.servers.process import wait_until
from tests.servers.space import Space
from wellkept import Secret
from wellkept.errors import Denied, LoginRefused, PolicyDenied, SourceError, TokenRefused, Unreachable
from wellkept.model import Lease, Reference
from wellkept.providers.vault import AppRole, TokenFile, Userpass, Vault, WrappedToken

DB = Reference("vault", ("secret", "prod", "db"))
READ = 'path "secret/data/prod/*" {\n  capabilities = ["read"]\n}\n'


@pytest.fixture
def readable(space: Space) -> Space:
    """A space with one secret and the policy `reader`, which may read it."""
    space.put("secret/prod/db", password="CANARY-1")
    space.policy("reader", READ)
    return space


def direct(space: Space, login: object) -> Vault:
    return Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)  # type: ignore[arg-type]  # a login


def approle(space: Space, **options: object) -> Vault:
    role_id, secret_id = space.enable_approle("orders", ["reader"], **options)
    return direct(space, AppRole(role_id, Secret(secret_id)))


def token_of(vault: Vault, name: str) -> str:
    found = vault._session.find_login(name)
    assert found is not None
    assert found.secret is not None
    return found.secret.reveal()


def is_good(space: Space, token: str) -> bool:
    return space.call("GET", "auth/token/lookup-self", token=token)[0] == 200


def known(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def test_nobody_logs_in_to_be_asked_about_it(readable: Space) -> None:
    vault = approle(readable)
    assert vault.login() is None
    vault.fetch(DB)
    assert vault.login() is not None


def test_a_login_says_how_long_it_has(readable: Space) -> None:
    vault = approle(readable, token_ttl="100s")
    vault.fetch(DB)
    first = known(vault.login())
    assert (first.id, first.is_renewable, first.login) == ("login 1", True, None)
    assert 50 < first.duration_s <= 100
    time.sleep(0.05)
    assert known(vault.login()).duration_s < first.duration_s


def test_a_token_that_was_given_is_looked_up_once(readable: Space) -> None:
    token = readable.make_token(["reader"], ttl="100s")
    vault = Vault.from_environ(readable.environ(token))
    vault.fetch(DB)
    login = known(vault.login())
    assert (login.id, login.is_renewable) == ("login 1", True)
    assert 50 < login.duration_s <= 100
    readable.do("POST", "auth/token/revoke", {"token": token})
    assert known(vault.login()).id == "login 1"  # nobody asks again as long as it may be good


def test_a_token_that_was_given_is_looked_up_again_when_it_seems_over(readable: Space) -> None:
    token = readable.make_token(["reader"], ttl="8s")
    vault = Vault.from_environ(readable.environ(token))
    vault.fetch(DB)
    assert known(vault.login()).duration_s <= 8
    readable.call("POST", "auth/token/renew-self", {"increment": 100}, token=token)
    wait_until(lambda: known(vault.login()).duration_s > 8, "what somebody else renewed is known")
    readable.do("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(TokenRefused):
        vault.fetch(DB)


def asked_in_its_last_second(readable: Space) -> Vault:
    """A Vault that has looked its token up in the only second that this has; where we are held up, another one."""
    while True:
        vault = Vault.from_environ(readable.environ(readable.make_token(["reader"], ttl="1s")))
        made_at = time.monotonic()
        try:
            vault.fetch(DB)
            assert known(vault.login()).duration_s <= 1
        except TokenRefused:
            assert time.monotonic() - made_at > 0.9  # it was over
        else:
            return vault


def test_a_token_in_its_last_second_is_not_taken_for_one_without_an_end(readable: Space) -> None:
    vault = asked_in_its_last_second(readable)
    with pytest.raises(TokenRefused, match="vault: denied: the token of VAULT_TOKEN is expired, revoked or unknown"):
        wait_until(lambda: vault.login() is None, "the token is over")


def test_a_token_of_root_does_not_end(readable: Space) -> None:
    vault = Vault.from_environ(readable.environ(ROOT_TOKEN))
    vault.fetch(DB)
    assert vault.login() is None


def test_a_renewal_gives_the_whole_time_again(readable: Space) -> None:
    vault = approle(readable, token_ttl="100s", token_max_ttl="1h")
    vault.fetch(DB)
    time.sleep(1.5)
    assert known(vault.login()).duration_s < 99
    began = time.monotonic()
    renewed = vault.renew_login()
    assert (renewed.id, renewed.is_renewable) == ("login 1", True)
    assert renewed.duration_s > 99 - (time.monotonic() - began)
    assert known(vault.login()).duration_s > 99 - (time.monotonic() - began)


def test_a_periodic_login_gets_its_period_each_time(readable: Space) -> None:
    vault = approle(readable, token_period="9s")
    vault.fetch(DB)
    token = token_of(vault, "login 1")
    for _ in range(4):
        time.sleep(2.5)
        assert vault.renew_login().duration_s > 6.5  # what was left of the last one
    assert is_good(readable, token)
    assert token_of(vault, "login 1") == token


def test_a_renewal_is_cut_by_the_longest_life(readable: Space) -> None:
    vault = approle(readable, token_ttl="60s", token_max_ttl="61s")
    vault.fetch(DB)
    time.sleep(2.1)
    assert vault.renew_login().duration_s < 60


def test_a_token_that_cannot_be_renewed_says_so(readable: Space) -> None:
    for options in ({"renewable": False}, {"type": "batch"}):
        vault = Vault.from_environ(readable.environ(readable.make_token(["reader"], **options)))
        with pytest.raises(Denied, match=r"vault: denied: the token of VAULT_TOKEN cannot be renewed"):
            vault.renew_login()


def test_another_login_is_made_beside_the_old_one_which_stays_good(readable: Space) -> None:
    vault = approle(readable, token_ttl="100s")
    vault.fetch(DB)
    assert vault.log_in_beside().id == "login 2"
    assert known(vault.login()).id == "login 2"
    first, second = token_of(vault, "login 1"), token_of(vault, "login 2")
    assert first != second
    assert is_good(readable, first)
    vault.fetch(DB)
    vault.log_out("login 1")
    assert not is_good(readable, first)
    assert is_good(readable, second)
    vault.log_out("login 1")
    vault.log_out("login 99")
    vault.fetch(DB)
    assert known(vault.login()).id == "login 2"


def test_the_login_in_use_can_be_ended_and_another_follows_when_it_is_needed(readable: Space) -> None:
    vault = approle(readable)
    vault.fetch(DB)
    token = token_of(vault, "login 1")
    vault.log_out("login 1")
    assert not is_good(readable, token)
    assert vault.login() is None
    vault.fetch(DB)
    assert known(vault.login()).id == "login 2"


def test_a_login_that_ended_by_itself_is_ended_without_a_word(readable: Space) -> None:
    vault = approle(readable)
    vault.fetch(DB)
    readable.do("POST", "auth/token/revoke", {"token": token_of(vault, "login 1")})
    vault.log_out("login 1")


def test_a_login_that_may_not_end_itself_says_which_line_is_missing(readable: Space) -> None:
    lookup = 'path "auth/token/lookup-self" {\n  capabilities = ["read"]\n}\n'
    readable.policy("reader", READ + lookup + 'path "sys/capabilities-self" {\n  capabilities = ["update"]\n}\n')
    vault = approle(readable, token_no_default_policy=True)
    vault.fetch(DB)
    with pytest.raises(PolicyDenied, match="gives update on auth/token/revoke-self"):
        vault.log_out("login 1")
    with pytest.raises(PolicyDenied, match="gives update on auth/token/renew-self"):
        vault.renew_login()


def test_a_token_that_was_given_is_never_ended(readable: Space, tmp_path: Path) -> None:
    file = tmp_path / "token.secret"
    file.write_text(readable.make_token(["reader"]))
    made = readable.do("POST", "auth/token/create", {"policies": ["reader"]}, headers={"X-Vault-Wrap-TTL": "60s"})
    for vault in (
        Vault.from_environ(readable.environ(readable.make_token(["reader"]))),
        direct(readable, TokenFile(str(file))),
        direct(readable, WrappedToken(Secret(made["wrap_info"]["token"]))),
    ):
        vault.fetch(DB)
        login = known(vault.login())
        assert login.id is not None
        vault.log_out(login.id)
        assert is_good(readable, token_of(vault, login.id))
        vault.fetch(DB)


def test_nobody_logs_in_again_by_a_token_that_was_given(readable: Space) -> None:
    vault = Vault.from_environ(readable.environ(readable.make_token(["reader"])))
    vault.fetch(DB)
    with pytest.raises(LoginRefused, match="denied: the token of VAULT_TOKEN is all there is") as caught:
        vault.log_in_beside()
    assert "AppRole" in str(caught.value.hint)
    vault.fetch(DB)


def test_a_wrapped_token_is_looked_up_since_it_lives_from_its_making_on(readable: Space) -> None:
    body = {"policies": ["reader"], "ttl": "100s"}
    made = readable.do("POST", "auth/token/create", body, headers={"X-Vault-Wrap-TTL": "60s"})
    time.sleep(1.5)
    vault = direct(readable, WrappedToken(Secret(made["wrap_info"]["token"])))
    vault.fetch(DB)
    assert known(vault.login()).duration_s < 99
    with pytest.raises(LoginRefused, match="the wrapped token is all there is"):
        vault.log_in_beside()


def test_a_token_file_is_read_again_beside_the_old_token(readable: Space, tmp_path: Path) -> None:
    file = tmp_path / "token.secret"
    first = readable.make_token(["reader"])
    file.write_text(first)
    vault = direct(readable, TokenFile(str(file)))
    vault.fetch(DB)
    with pytest.raises(LoginRefused, match=r"denied: the token in .* is the same as before"):
        vault.log_in_beside()
    assert known(vault.login()).id == "login 1"
    file.write_text(readable.make_token(["reader"], ttl="100s"))
    beside = vault.log_in_beside()
    assert (beside.id, beside.duration_s <= 100) == ("login 2", True)
    vault.log_out("login 1")
    assert is_good(readable, first)
    file.unlink()
    with pytest.raises(LoginRefused, match="no login without"):
        vault.log_in_beside()
    vault.fetch(DB)


def test_a_token_file_is_read_again_where_its_token_is_over(readable: Space, tmp_path: Path) -> None:
    file = tmp_path / "token.secret"
    file.write_text(readable.make_token(["reader"], ttl="8s"))
    vault = direct(readable, TokenFile(str(file)))
    vault.fetch(DB)
    assert known(vault.login()).duration_s <= 8
    file.write_text(readable.make_token(["reader"], ttl="100s"))
    wait_until(lambda: known(vault.login()).id == "login 2", "the new token is in use")
    assert known(vault.login()).duration_s > 8


def test_a_wrapped_secret_id_is_good_for_a_second_login(readable: Space) -> None:
    role_id, _secret_id = readable.enable_approle("orders", ["reader"])
    login = AppRole(role_id, wrapped_secret_id=Secret(readable.wrapped_secret_id("orders")))
    vault = direct(readable, login)
    vault.fetch(DB)
    assert vault.log_in_beside().id == "login 2"
    assert is_good(readable, token_of(vault, "login 1"))
    vault.fetch(DB)


def test_a_first_login_may_be_one_beside(readable: Space) -> None:
    assert approle(readable).log_in_beside().id == "login 1"


def test_a_login_that_is_refused_leaves_the_old_one_in_use(readable: Space) -> None:
    readable.enable_userpass("jo", "CANARY-of-jo", ["reader"])
    vault = direct(readable, Userpass("jo", Secret("CANARY-of-jo")))
    vault.fetch(DB)
    readable.enable_userpass("jo", "CANARY-of-jo-2", ["reader"])
    with pytest.raises(LoginRefused, match="vault: denied: login userpass is refused"):
        vault.log_in_beside()
    assert known(vault.login()).id == "login 1"
    vault.fetch(DB)


def test_a_login_after_a_refused_token_has_another_name(space: Space, database: Database) -> None:
    set_up_database(space, database)
    space.policy("reader", 'path "database/creds/app" {\n  capabilities = ["read"]\n}\n')
    vault, app = approle(space), Reference("vault", ("database", "creds", "app"))
    reading = vault.fetch(app)
    assert isinstance(reading.value, dict)
    assert reading.lease is not None
    space.do("POST", "auth/token/revoke", {"token": token_of(vault, "login 1")})
    database.wait_dropped(reading.value["username"])
    again = vault.fetch(app)
    assert again.lease is not None
    assert (reading.lease.login, again.lease.login) == ("login 1", "login 2")
    assert known(vault.login()).id == "login 2"


def test_ending_a_login_ends_what_was_leased_under_it(space: Space, database: Database) -> None:
    set_up_database(space, database)
    space.policy("reader", 'path "database/creds/app" {\n  capabilities = ["read"]\n}\n')
    vault, app = approle(space), Reference("vault", ("database", "creds", "app"))
    old = vault.fetch(app)
    vault.log_in_beside()
    new = vault.fetch(app)
    assert isinstance(old.value, dict)
    assert isinstance(new.value, dict)
    vault.log_out("login 1")
    database.wait_dropped(old.value["username"])
    assert database.has_role(new.value["username"])


def test_the_agents_token_is_the_agents(readable: Space, tmp_path: Path, database: Database) -> None:
    set_up_database(readable, database)
    readable.policy("reader", READ + 'path "database/creds/app" {\n  capabilities = ["read"]\n}\n')
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
        vault = Vault.from_environ(environ)
        vault.fetch(DB)
        assert vault.login() is None
        lease = known(vault.fetch(Reference("vault", ("database", "creds", "app"))).lease)
        assert (lease.duration_s > 50, lease.login) == (True, None)
        with pytest.raises(Denied, match="the agent's own token is not ours to renew"):
            vault.renew_login()
        with pytest.raises(LoginRefused, match="the agent's own token is all there is"):
            vault.log_in_beside()


def test_a_forked_child_does_not_end_the_logins_of_its_parent(readable: Space) -> None:
    vault = approle(readable)
    vault.fetch(DB)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            vault.log_out("login 1")
            vault.fetch(DB)
            code = 0 if vault.log_in_beside().id == "login 2" else 2
            vault.log_out("login 2")
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert is_good(readable, token_of(vault, "login 1"))
    vault.fetch(DB)


def test_what_cannot_be_asked_now_is_unreachable(readable: Space) -> None:
    vault = Vault("https://127.0.0.1:1", token="CANARY-token")
    for call in (vault.renew_login, lambda: vault.fetch(DB)):
        with pytest.raises(Unreachable):
            call()
    with pytest.raises(SourceError):
        vault.login()
    del readable
