"""Leased logins of a real OpenBao and a real PostgreSQL: given, renewed, cut short, revoked; and every refusal."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.servers.certificates import Authority
from tests.servers.database import Database, run_database, set_up_database, set_up_static_role
from tests.servers.openbao import ROOT_TOKEN
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, close, load
from wellkept.errors import Absent, Denied, Malformed, PolicyDenied, SourceError, Unreachable, WrongPath
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Leases, LogsIn, Watches
from wellkept.providers.vault import AppRole, Vault

APP = Reference("vault", ("database", "creds", "app"))
FIXED = Reference("vault", ("database", "static-creds", "fixed"))
READ = 'path "database/creds/*" {\n  capabilities = ["read"]\n}\n'
REVOKE = 'path "sys/leases/revoke" {\n  capabilities = ["update"]\n}\n'


@pytest.fixture
def leased(space: Space, database: Database) -> Space:
    """A space whose `database/creds/app` makes logins, and the policy `app` that may read and revoke them."""
    set_up_database(space, database)
    space.policy("app", READ + REVOKE)
    return space


def vault_of(space: Space, token: str | None = None) -> Vault:
    return Vault.from_environ(space.environ(token))


def approle(space: Space, ca: Authority, **options: object) -> Vault:
    role_id, secret_id = space.enable_approle("orders", ["app"], **options)
    return Vault(space.address, login=AppRole(role_id, Secret(secret_id)), ca=ca.ca_file, namespace=space.name)


def login_of(reading: Reading) -> Mapping[str, str]:
    assert isinstance(reading.value, dict)
    return reading.value


def lease_of(reading: Reading) -> Lease:
    assert reading.lease is not None
    assert reading.lease.id is not None
    return reading.lease


def refused(error: type[SourceError], call: Callable[[], object], *words: str) -> None:
    """A call is refused by that very class, with those words and without any lease's id."""
    with pytest.raises(SourceError) as caught:
        call()
    assert type(caught.value) is error
    text = str(caught.value)
    assert [word for word in words if word not in text] == []
    assert "database/creds/app/" not in text


def test_a_source_has_all_the_powers_that_leases_need(space: Space) -> None:
    vault = vault_of(space)
    assert isinstance(vault, Leases)
    assert isinstance(vault, LogsIn)
    assert isinstance(vault, Watches)


def test_a_login_is_made_that_opens_the_database(leased: Space, database: Database) -> None:
    reading = vault_of(leased).fetch(APP)
    made = login_of(reading)
    assert set(made) == {"username", "password"}
    assert database.logs_in(made["username"], made["password"])
    assert not database.logs_in(made["username"], "CANARY-wrong")
    assert (reading.version, reading.ttl_s, reading.answer) == (None, None, "vault database/creds/app")
    lease = lease_of(reading)
    assert (lease.duration_s, lease.is_renewable) == (60.0, True)
    assert lease.login == "login 1"


def test_two_readings_are_two_logins(leased: Space) -> None:
    vault = vault_of(leased)
    assert login_of(vault.fetch(APP))["username"] != login_of(vault.fetch(APP))["username"]


def test_a_lease_under_a_token_without_an_end_is_bound_to_no_login(leased: Space) -> None:
    vault = vault_of(leased, ROOT_TOKEN)
    assert lease_of(vault.fetch(APP)).login is None
    assert vault.login() is None


def test_a_setting_takes_a_part_of_a_login(leased: Space, database: Database) -> None:
    class Config(Settings):
        login: Secret[dict[str, str]]

    environ = {**leased.environ(), "BAL_CONFIG_VAR_LOGIN": "${vault:database/creds/app}"}
    config = load(Config, files=[], environ=environ, redact=False)
    made = config.login.reveal()
    assert database.logs_in(made["username"], made["password"])
    close(config)


def test_a_renewal_lengthens_the_life_of_a_role(space: Space, database: Database) -> None:
    set_up_database(space, database, default_ttl="8s", max_ttl="60s")
    vault = vault_of(space)
    reading = vault.fetch(APP)
    lease, name = lease_of(reading), login_of(reading)["username"]
    end_at = time.monotonic() + 12.0
    while time.monotonic() < end_at:  # one life and a half
        lease = vault.renew(APP, lease)
        assert lease.duration_s == 8.0
        time.sleep(0.4)
    assert database.has_role(name)
    assert lease.login == "login 1"
    database.wait_dropped(name)
    refused(Absent, lambda: vault.renew(APP, lease), "vault:database/creds/app: absent: its lease is over")


def test_a_renewal_is_cut_by_the_longest_life_of_the_role(space: Space, database: Database) -> None:
    set_up_database(space, database, default_ttl="60s", max_ttl="61s")
    vault = vault_of(space)
    lease = lease_of(vault.fetch(APP))
    time.sleep(2.1)
    assert vault.renew(APP, lease).duration_s < 60


def test_a_lease_that_is_revoked_drops_the_role_and_can_be_revoked_again(leased: Space, database: Database) -> None:
    vault = vault_of(leased, leased.make_token(["app"]))
    reading = vault.fetch(APP)
    lease, made = lease_of(reading), login_of(reading)
    vault.revoke(lease)
    database.wait_dropped(made["username"])
    assert not database.logs_in(made["username"], made["password"])
    vault.revoke(lease)
    refused(Absent, lambda: vault.renew(APP, lease), "absent: its lease is over or was revoked")


def test_a_lease_that_may_not_be_revoked_names_the_line_to_add(leased: Space) -> None:
    leased.policy("app", READ)
    vault = vault_of(leased, leased.make_token(["app"]))
    lease = lease_of(vault.fetch(APP))
    refused(PolicyDenied, lambda: vault.revoke(lease), "gives update on sys/leases/revoke", 'path "sys/leases/revoke"')


def test_a_lease_says_no_more_than_its_token_has_left(leased: Space, database: Database) -> None:
    """A lease that says 60 s is dropped with its token after 12 s."""
    token = leased.make_token(["app"], ttl="12s", explicit_max_ttl="12s")
    began = time.monotonic()
    vault = vault_of(leased, token)
    reading = vault.fetch(APP)
    lease = lease_of(reading)
    assert 0 < lease.duration_s <= 12
    asked = time.monotonic()
    renewed = vault.renew(APP, lease)
    assert renewed.duration_s <= 12 - (asked - began) + 0.2
    database.wait_dropped(login_of(reading)["username"])


def test_a_lease_of_a_login_is_cut_without_another_request(leased: Space, ca: Authority) -> None:
    vault = approle(leased, ca, token_ttl="20s")
    lease = lease_of(vault.fetch(APP))
    assert (lease.login, lease.duration_s <= 20) == ("login 1", True)


def test_a_renewal_by_another_login_does_not_lengthen_the_life_of_its_own(leased: Space, ca: Authority) -> None:
    vault = approle(leased, ca, token_ttl="20s")
    lease = lease_of(vault.fetch(APP))
    assert vault.log_in_beside().id == "login 2"
    renewed = vault.renew(APP, lease)
    assert (renewed.login, renewed.duration_s <= 20) == ("login 1", True)
    assert lease_of(vault.fetch(APP)).login == "login 2"


def test_a_lease_of_a_login_that_nobody_knows_any_more_is_gone(leased: Space) -> None:
    vault = vault_of(leased)
    refused(Absent, lambda: vault.renew(APP, Lease("x", 60.0, login="login 99")), "absent: its lease went with its")
    refused(Absent, lambda: vault.renew(APP, Lease(None, 60.0)), "absent: its lease went with its login")
    vault.revoke(Lease(None, 60.0))


def test_a_token_that_somebody_else_renews_cuts_no_lease_by_what_was_known_of_it(leased: Space) -> None:
    token = leased.make_token(["app"], ttl="30s")
    vault = vault_of(leased, token)
    assert lease_of(vault.fetch(APP)).duration_s <= 30
    assert leased.call("POST", "auth/token/renew-self", {"increment": 3600}, token=token)[0] == 200
    assert lease_of(vault.fetch(APP)).duration_s == 60


def test_a_token_that_may_not_ask_about_itself_gives_leases_as_they_are(leased: Space) -> None:
    token = leased.make_token(["app"], ttl="30s", no_default_policy=True)
    leased.policy("app", READ)
    vault = vault_of(leased, token)
    lease = lease_of(vault.fetch(APP))
    assert (lease.duration_s, lease.login) == (60.0, None)
    assert vault.login() is None


def test_a_static_role_says_when_its_password_changes(space: Space, database: Database) -> None:
    name = f"fixed-{space.name}"
    database.make_role(name, "CANARY-first")
    set_up_static_role(space, database, role="fixed", user=name, period="1h")
    reading = vault_of(space).fetch(FIXED)
    made = login_of(reading)
    assert reading.lease is None
    assert reading.ttl_s is not None
    assert 3500 < reading.ttl_s <= 3601
    assert database.logs_in(made["username"], made["password"])
    assert set(made) == {"username", "password"}  # as a Login takes them


def test_a_role_that_is_not_there(leased: Space) -> None:
    vault = vault_of(leased)
    nothing = Reference("vault", ("database", "creds", "nothing"))
    refused(Absent, lambda: vault.fetch(nothing), "absent: there is no role nothing in the mount database/")
    refused(WrongPath, lambda: vault.fetch(Reference("vault", ("database", "nothing"))), "and has no such path")
    refused(Absent, lambda: vault.fetch(Reference("vault", ("database", "roles", "nothing"))), "nothing of that name")


def test_an_optional_role_falls_through_and_a_denied_one_does_not(leased: Space) -> None:
    class Config(Settings):
        login: Secret[dict[str, str]] | None = None

    environ = {**leased.environ(), "BAL_CONFIG_VAR_LOGIN": "${vault:database/creds/nothing?optional=true}"}
    config = load(Config, files=[], environ=environ, redact=False)
    assert config.login is None
    close(config)
    with pytest.raises(ConfigError, match="denied"):
        load(Config, files=[], environ={**environ, **leased.environ(leased.make_token(["default"]))}, redact=False)


def test_a_database_that_is_down_is_unreachable(space: Space, postgres_folder: Path) -> None:
    vault = vault_of(space)
    with run_database(postgres_folder) as mine:
        set_up_database(space, mine)
        lease = lease_of(vault.fetch(APP))
    words = "unreachable: the mount database/ is of kind database, and what it leads to fails (500)"
    refused(Unreachable, lambda: vault.fetch(APP), words)
    refused(Unreachable, lambda: vault.renew(APP, lease), "unreachable: its engine fails to renew the lease")


def test_a_denied_role_names_the_line_to_add_and_that_is_the_line(leased: Space, database: Database) -> None:
    token = leased.make_token([leased.policy("mine", 'path "x" {\n  capabilities = ["read"]\n}\n')])
    vault = vault_of(leased, token)
    with pytest.raises(PolicyDenied) as caught:
        vault.fetch(APP)
    line = str(caught.value.hint).split(": ", 1)[1]
    assert line == 'path "database/creds/app" { capabilities = ["read"] }'
    leased.policy("mine", line)
    made = login_of(vault.fetch(APP))
    assert database.logs_in(made["username"], made["password"])


def test_nothing_is_written_to_an_engine(leased: Space) -> None:
    password = Reference("vault", ("database", "creds", "app"), ("password",))
    vault = vault_of(leased)
    refused(Malformed, lambda: vault.write(password, "CANARY-n"), "holds nothing that could be written")
    refused(Malformed, lambda: vault.write(password, None), "holds nothing that could be written")


def test_the_roles_of_an_engine_are_listed(leased: Space) -> None:
    vault = vault_of(leased)
    assert vault.names(Reference("vault", ("database",))) == ["creds/", "static-creds/"]
    assert vault.names(Reference("vault", ("database", "creds"))) == ["app"]
    assert vault.names(Reference("vault", ("database", "static-creds"))) == ()
    refused(Malformed, lambda: vault.names(APP), "lists nothing here")


def test_other_engines_are_asked_as_they_are(space: Space) -> None:
    space.do("POST", "sys/mounts/totp", {"type": "totp"})
    space.do("POST", "totp/keys/me", {"generate": True, "issuer": "i", "account_name": "a"})
    space.do("POST", "sys/mounts/rabbitmq", {"type": "rabbitmq"})
    space.do("POST", "sys/mounts/ssh", {"type": "ssh"})
    vault = vault_of(space)
    assert vault.get("totp/code/me", "code").reveal().isdigit()
    assert vault.names(Reference("vault", ("totp", "code"))) == ["me"]
    refused(Absent, lambda: vault.get("totp/code/you"), "absent: there is no key you in the mount totp/")
    refused(Absent, lambda: vault.get("rabbitmq/creds/app"), "absent: there is no role app in the mount rabbitmq/")
    refused(Malformed, lambda: vault.get("ssh/creds/app"), "nobody can read this of it (405)")


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_a_person_gives_leaves_the_engines_alone(leased: Space, tmp_path: Path, version: int) -> None:
    class Config(Settings):
        login: Secret[dict[str, str]]

    file = tmp_path / "Config.toml"
    file.touch(0o600)
    table = f"[wellkept.providers.vault]\nkvVersion = {version}\n"
    file.write_text(f'login = "${{vault:database/creds/app}}"\n{table}', "utf-8")
    environ = leased.environ(leased.make_token(["app"]))
    config = load(Config, files=[file], environ=environ, redact=False)
    assert set(config.login.reveal()) == {"username", "password"}
    close(config)


def test_an_option_of_certificates_belongs_to_them(leased: Space) -> None:
    options = (("common_name", "a.example"),)
    vault = vault_of(leased)
    refused(Malformed, lambda: vault.fetch(Reference("vault", APP.path, options=options)), "for a mount of kind pki")
    pinned = Reference("vault", APP.path, options=(("version", "3"),))
    refused(Malformed, lambda: vault.fetch(pinned), "which has no versions")


def test_a_mount_that_was_made_anew_as_another_engine_is_read_right(space: Space, database: Database) -> None:
    vault = vault_of(space)
    space.mount("database", 2)
    space.put("database/creds/app", password="CANARY-1")
    assert vault.get("database/creds/app", "password") == "CANARY-1"
    space.do("DELETE", "sys/mounts/database")
    set_up_database(space, database)
    made = login_of(vault.fetch(APP))
    assert database.logs_in(made["username"], made["password"])
    space.do("DELETE", "sys/mounts/database")
    space.mount("database", 2)
    space.put("database/creds/app", password="CANARY-2")
    assert vault.get("database/creds/app", "password") == "CANARY-2"


def test_what_is_there_now_is_told_for_each_and_a_pinned_one_is_not_asked_for(leased: Space) -> None:
    leased.put("secret/prod/db", password="CANARY-1")
    leased.put("secret/prod/db", password="CANARY-2")
    vault = vault_of(leased)
    secret = Reference("vault", ("secret", "prod", "db"))
    assert vault.fetch(secret).version == "2"
    pinned = Reference("vault", ("secret", "prod", "db"), options=(("version", "1"),))
    vault.fetch(APP)
    assert list(vault.versions([APP, pinned, secret])) == [None, "1", "2"]
    assert list(vault.versions([pinned])) == ["1"]
    assert list(vault.versions([])) == []


def test_versions_are_errors_one_by_one_where_nobody_logs_in(space: Space) -> None:
    login = AppRole("no-such-role", Secret("CANARY-sid"))
    vault = Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)
    space.enable_approle("orders")
    found = list(vault.versions([APP, FIXED]))
    assert [isinstance(one, Denied) for one in found] == [True, True]
    assert [str(one).split(": ")[0] for one in found] == [
        "vault:database/creds/app",
        "vault:database/static-creds/fixed",
    ]


def test_two_of_one_configuration_are_equal(space: Space) -> None:
    one, same, other = vault_of(space), vault_of(space), vault_of(space, space.make_token(["default"]))
    assert one == same
    assert len({one, same, other}) == 2
    assert one != "vault"
