"""Key-value secrets of a real OpenBao: every answer told apart, in words of its own, and nothing shown."""

import json
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests._http.scripted import answer, scripted
from tests.servers.certificates import Authority, Certificate
from tests.servers.hostile import HostileServer
from tests.servers.openbao import SealedOpenBao
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, load
from wellkept._http.message import Request
from wellkept.errors import (
    Absent,
    Conflict,
    Deleted,
    Denied,
    Destroyed,
    LoginRefused,
    PolicyDenied,
    Sealed,
    SourceError,
    TimedOut,
    TLSFailed,
    TokenRefused,
    Unreachable,
    WrongPath,
)
from wellkept.model import Reference
from wellkept.providers.vault import AppRole, Userpass, Vault, WrappedToken
from wellkept.providers.vault.session import _sessions

WORDS = ("absent", "deleted", "destroyed", "no such key", "denied", "unreachable")
DB = Reference("vault", ("secret", "prod", "db"))


def vault_of(space: Space, token: str | None = None) -> Vault:
    return Vault.from_environ(space.environ(token))


def refused(error: type[SourceError], word: str, call: Callable[[], object]) -> SourceError:
    """The error of a call: of that very class, with its word and no other, and with nothing to see."""
    with pytest.raises(SourceError) as caught:
        call()
    assert type(caught.value) is error
    text = str(caught.value).lower()
    assert [one for one in WORDS if one in text] == [word]
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in frames.stack if "/src/wellkept/" in frame.filename]
    assert "CANARY" not in f"{text}{[frame.locals for frame in ours]}{vars(caught.value)}"
    return caught.value


def test_a_key_and_a_whole_secret_and_a_version(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1", port=5432)
    space.put("secret/prod/db", password="CANARY-2", port=5432)
    vault = vault_of(space)
    secret = vault.get("secret/prod/db", "password")
    assert secret == "CANARY-2"
    assert (secret.version, str(secret.origin)) == ("2", "vault secret/prod/db#password v2")
    assert vault.get("secret/prod/db", "port") == "5432"
    assert vault.get("secret/prod/db").reveal() == {"password": "CANARY-2", "port": 5432}
    assert vault.get("secret/prod/db", "password", version=1) == "CANARY-1"


def test_a_v1_mount(space: Space) -> None:
    space.put("kv1/prod/db", password="CANARY-1")
    secret = vault_of(space).get("kv1/prod/db", "password")
    assert (secret.reveal(), secret.version) == ("CANARY-1", None)


def test_a_mount_of_several_segments(space: Space) -> None:
    space.mount("team/a/kv")
    space.do("POST", "team/a/kv/data/db", {"data": {"password": "CANARY-1"}})
    assert vault_of(space).get("team/a/kv/db", "password") == "CANARY-1"


def test_absent(space: Space) -> None:
    refused(Absent, "absent", lambda: vault_of(space).get("secret/prod/db"))
    refused(Absent, "absent", lambda: vault_of(space).get("kv1/prod/db"))


def test_no_such_key(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    refused(Absent, "no such key", lambda: vault_of(space).get("secret/prod/db", "pasword"))


def test_deleted(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.do("DELETE", "secret/data/prod/db")
    error = refused(Deleted, "deleted", lambda: vault_of(space).get("secret/prod/db"))
    assert "version 1 of it was deleted at 20" in str(error)
    assert error.hint == "bring it back: bao kv undelete -mount=secret -versions=1 prod/db"


def test_destroyed(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.do("PUT", "secret/destroy/prod/db", {"versions": [1]})
    refused(Destroyed, "destroyed", lambda: vault_of(space).get("secret/prod/db"))


def test_a_version_that_never_was(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    error = refused(Absent, "absent", lambda: vault_of(space).get("secret/prod/db", version=7))
    assert "no version 7 of it" in str(error)


def test_a_path_as_the_api_has_it(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    error = refused(WrongPath, "absent", lambda: vault_of(space).get("secret/data/prod/db"))
    assert error.hint == "leave out data/, which is added for you: secret/prod/db"


def test_no_mount(space: Space) -> None:
    refused(WrongPath, "absent", lambda: vault_of(space).get("nothing/prod/db"))
    refused(WrongPath, "absent", lambda: vault_of(space).get("secret"))


def test_a_policy_that_does_not_give_it(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.policy("other", 'path "secret/data/other" {\n  capabilities = ["read"]\n}\n')
    token = space.make_token(["other"])
    error = refused(PolicyDenied, "denied", lambda: vault_of(space, token).get("secret/prod/db"))
    assert "gives read on secret/data/prod/db (it has default, other)" in str(error)
    assert 'path "secret/data/prod/db" { capabilities = ["read"] }' in str(error.hint)
    assert error.exit_code == 77


def test_the_line_that_the_hint_names_is_the_line_that_was_missing(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    token = space.make_token([space.policy("mine", 'path "x" {\n  capabilities = ["read"]\n}\n')])
    with pytest.raises(PolicyDenied) as caught:
        vault_of(space, token).get("secret/prod/db")
    line = str(caught.value.hint).split(": ", 1)[1]
    space.policy("mine", line)
    assert vault_of(space, token).get("secret/prod/db", "password") == "CANARY-1"


@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked"])
def test_a_token_that_is_no_good(space: Space, kind: str) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    token = space.make_token(["default"], ttl="1s" if kind == "expired" else "1h")
    if kind == "revoked":
        space.do("POST", "auth/token/revoke", {"token": token})
    elif kind == "expired":
        time.sleep(1.2)
    used = "s.CANARY-unknown" if kind == "unknown" else token
    error = refused(TokenRefused, "denied", lambda: vault_of(space, used).get("secret/prod/db"))
    assert "the token of VAULT_TOKEN is expired, revoked or unknown" in str(error)


@pytest.mark.parametrize("prefix", ["", "NAMESPACE/"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [("transit/keys/k", "transit"), ("sys/policies", "ns_system"), ("identity/entity", "ns_identity")],
)
def test_an_engine_that_gives_no_settings_is_named(space: Space, prefix: str, path: str, kind: str) -> None:
    space.do("POST", "sys/mounts/transit", {"type": "transit"})
    environ = space.environ()
    if prefix:
        del environ["VAULT_NAMESPACE"]  # the path may begin with it, and must not lead around the rule so
    named = path if not prefix else f"{space.name}/{path}"
    with pytest.raises(SourceError, match=f"is of kind {kind}, which gives no settings|is the API of Vault itself"):
        Vault.from_environ(environ).get(named)


def test_a_path_leads_to_no_token_by_way_of_a_namespace(space: Space) -> None:
    space.enable_approle("orders")
    environ = space.environ()
    del environ["VAULT_NAMESPACE"]
    for path in ("auth/token/lookup-self", "auth/approle/role/orders/role-id"):
        with pytest.raises(SourceError, match="which gives no settings"):
            Vault.from_environ(environ).get(f"{space.name}/{path}")


def test_sealed_stalled_and_stopped(sealed_openbao: SealedOpenBao) -> None:
    server = sealed_openbao
    server.call("POST", "secret/data/prod/db", {"data": {"password": "CANARY-1"}})
    environ = {"VAULT_ADDR": server.address, "VAULT_TOKEN": server.token, "VAULT_CACERT": str(server.ca_file)}
    vault = Vault.from_environ({**environ, "VAULT_CLIENT_TIMEOUT": "5s"})
    assert vault.get("secret/prod/db", "password") == "CANARY-1"
    server.seal()
    assert "it is sealed" in str(refused(Sealed, "unreachable", lambda: vault.get("secret/prod/db")))
    server.unseal()
    assert vault.get("secret/prod/db", "password") == "CANARY-1"
    with server.stalled():
        refused(TimedOut, "unreachable", lambda: vault.get("secret/prod/db"))
    time.sleep(1.1)
    assert vault.get("secret/prod/db", "password") == "CANARY-1"
    server.stop()
    error = refused(Unreachable, "unreachable", lambda: vault.get("secret/prod/db"))
    assert error.exit_code == 69


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (Authority.expired, "its certificate has expired"),
        (Authority.not_yet_valid, "its certificate is not valid yet"),
        (Authority.wrong_name, "its certificate is for another address"),
        (Authority.of_unknown_ca, "its CA is not trusted"),
    ],
)
def test_a_certificate_that_is_no_good(
    hostile: Callable[..., HostileServer], ca: Authority, make: Callable[[Authority], Certificate], fact: str
) -> None:
    server = hostile("silence", make(ca).server_context())
    vault = Vault(server.address, token="CANARY-t", ca=ca.ca_file)
    error = refused(TLSFailed, "unreachable", lambda: vault.get("secret/prod/db"))
    assert fact in str(error)
    assert not server.requests


def test_a_plain_port_behind_https(ca: Authority) -> None:
    server = HTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    vault = Vault(f"https://127.0.0.1:{server.server_port}", token="CANARY-t", ca=ca.ca_file)
    error = refused(TLSFailed, "unreachable", lambda: vault.get("secret/prod/db"))
    thread.join()
    server.server_close()
    assert "it speaks no TLS" in str(error)


class Quiet(BaseHTTPRequestHandler):
    """A plain HTTP server that logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class calls it so
        """Log nothing."""


@pytest.mark.parametrize(
    ("content", "fact"), [(None, "does not exist"), (b"", "holds no certificate"), (b"CANARY", "holds no certificate")]
)
def test_a_ca_file_that_is_no_good(space: Space, tmp_path: Path, content: bytes | None, fact: str) -> None:
    file = tmp_path / "Config-ca.toml"
    if content is not None:
        file.write_bytes(content)
    vault = Vault.from_environ({**space.environ(), "VAULT_CACERT": str(file)})
    assert fact in str(refused(TLSFailed, "unreachable", lambda: vault.get("secret/prod/db")))


def test_a_write_keeps_the_other_keys_and_counts(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1", user="app")
    vault = vault_of(space)
    password = Reference("vault", ("secret", "prod", "db"), ("password",))
    assert vault.write(password, "CANARY-2") == "2"
    assert vault.get("secret/prod/db").reveal() == {"password": "CANARY-2", "user": "app"}
    assert vault.write(password, None, expected_version="2") == "3"
    assert vault.get("secret/prod/db").reveal() == {"user": "app"}
    assert vault.write(Reference("vault", ("secret", "new"), ("a",)), "CANARY-3") == "1"
    assert vault.names(Reference("vault", ("secret",))) == ["new", "prod/"]
    assert vault.names(DB) == ["#user"]
    assert vault.write(DB, None) is None
    refused(Deleted, "deleted", lambda: vault.get("secret/prod/db"))
    assert vault.write(password, "CANARY-4") == "4"


def test_the_last_key_of_a_v1_secret_takes_the_secret_with_it(space: Space) -> None:
    vault, key = vault_of(space), Reference("vault", ("kv1", "a"), ("b",))
    assert vault.write(key, "CANARY-1") is None
    assert vault.write(key, None) is None
    refused(Absent, "absent", lambda: vault.get("kv1/a"))


def test_of_two_writers_one_wins_and_the_other_is_told(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    vault = vault_of(space)
    password = Reference("vault", ("secret", "prod", "db"), ("password",))
    space.put("secret/prod/db", password="CANARY-2")
    with pytest.raises(Conflict):
        vault.write(password, "CANARY-3", expected_version="1")
    results: list[object] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            results.append(vault.write(Reference("vault", ("secret", "prod", "db"), (f"k{number}",)), "CANARY"))
        except Conflict as error:
            results.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    won = [one for one in results if isinstance(one, str)]
    held = vault.get("secret/prod/db").reveal()
    assert len(results) == 8
    assert len(held) == 1 + len(won)  # nobody's change was lost
    assert "CANARY" not in f"{[one for one in results if isinstance(one, Conflict)]}"


class Many(Settings):
    a: Secret[str]
    b: Secret[str]
    login: Secret[dict[str, str]]


def test_one_path_is_one_request_however_many_keys_of_it_are_wanted() -> None:
    """The answer is that of a real server, word for word but for the values; see test_servers."""
    values = {f"k{number}": f"CANARY-{number}" for number in range(100)}
    metadata = {"created_time": "2026-11-24T03:00:00Z", "deletion_time": "", "destroyed": False, "version": 1}
    body = json.dumps({"lease_duration": 0, "data": {"data": values, "metadata": metadata}}).encode()
    config = type("Hundred", (Settings,), {"__annotations__": dict.fromkeys(values, Secret[str])})
    environ = {f"BAL_CONFIG_VAR_{name.upper()}": f"${{vault:secret/prod/db#{name}}}" for name in values}
    with scripted(answer(200, body)) as server:
        made = {"VAULT_ADDR": server.address, "VAULT_TOKEN": "CANARY-token", **environ}
        loaded: Any = load(config, files=[], environ=made, redact=False)
        assert loaded.k99 == "CANARY-99"
        assert [head.split()[1] for head in server.heads] == ["/v1/secret/data/prod/db"]


def test_all_problems_of_a_load_come_together_and_each_has_its_word(space: Space) -> None:
    space.put("secret/deleted", a="CANARY-1")
    space.do("DELETE", "secret/data/deleted")
    environ = {
        **space.environ(),
        "BAL_CONFIG_VAR_A": "${vault:secret/nothing#a}",
        "BAL_CONFIG_VAR_B": "${vault:secret/deleted#a}",
        "BAL_CONFIG_VAR_LOGIN": "${vault:kv1/nothing}",
    }
    with pytest.raises(ConfigError) as caught:
        load(Many, files=[], environ=environ, redact=False)
    assert [one.message.split(": ")[1] for one in caught.value.problems] == ["absent", "deleted", "absent"]


def test_an_optional_reference_falls_through_for_absence_and_never_for_a_denial(space: Space) -> None:
    class Optional(Settings):
        a: Secret[str] | None = None

    environ = {**space.environ(), "BAL_CONFIG_VAR_A": "${vault:secret/nothing?optional=true#a}"}
    assert load(Optional, files=[], environ=environ, redact=False).a is None
    for token in ("s.unknown", space.make_token(["default"])):
        with pytest.raises(ConfigError, match="denied") as caught:
            load(Optional, files=[], environ={**environ, "VAULT_TOKEN": token}, redact=False)
        assert caught.value.exit_code == 77


def test_equal_configurations_share_one_session_and_one_login(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    one, same = vault_of(space), vault_of(space)
    assert one._session is same._session
    assert vault_of(space, space.make_token(["default"]))._session is not one._session


def test_a_vault_for_each_new_token_is_not_kept_for_ever(space: Space) -> None:
    for number in range(100):
        Vault(space.address, token=f"s.CANARY-{number}", ca=space.ca_file)
    assert len(_sessions) <= 32


def test_a_refused_login_is_not_tried_by_each_of_a_hundred_references(space: Space, ca: Authority) -> None:
    """Each try may be counted: OpenBao locks a user out after five."""
    tries = 0

    space.enable_userpass("jo", "CANARY-right")
    vault = Vault(space.address, login=Userpass("jo", Secret("CANARY-wrong")), ca=ca.ca_file, namespace=space.name)
    send = vault._session._client.send

    def counted(request: Request) -> object:
        nonlocal tries
        tries += request.path[-2] == "login"
        return send(request)

    vault._session._client.send = counted  # type: ignore[method-assign, assignment]  # it counts, and hands on
    for number in range(20):
        refused(LoginRefused, "denied", lambda: vault.get(f"secret/p{number}"))  # noqa: B023 called at once
    assert tries == 1


def test_a_number_with_a_point_keeps_its_digits_when_another_key_is_set(space: Space) -> None:
    space.put("secret/prod/db", ratio=0.5, password="CANARY-1")
    vault = vault_of(space)
    vault.write(Reference("vault", ("secret", "prod", "db"), ("user",)), "CANARY-2")
    assert vault.get("secret/prod/db", "ratio") == "0.5"
    assert vault.get("secret/prod/db", "password") == "CANARY-1"


def test_a_mount_that_was_made_anew_with_another_version_is_read_right(space: Space) -> None:
    vault = vault_of(space)
    for version in (2, 1, 2):
        space.mount("mine", version)
        body = {"password": f"CANARY-{version}"}
        space.do("POST", "mine/data/db" if version == 2 else "mine/db", {"data": body} if version == 2 else body)
        assert vault.get("mine/db", "password") == f"CANARY-{version}"
        space.do("DELETE", "sys/mounts/mine")
    space.mount("mine", 1)
    space.do("POST", "mine/db", {"password": "CANARY-old", "user": "app"})
    vault.write(Reference("vault", ("mine", "db"), ("password",)), "CANARY-new")
    assert vault.get("mine/db").reveal() == {"password": "CANARY-new", "user": "app"}


def test_a_token_of_a_few_uses_is_followed_by_the_next_one(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.policy("mine", 'path "secret/data/prod/db" {\n  capabilities = ["read"]\n}\n')
    role_id, secret_id = space.enable_approle("orders", ["mine"], token_num_uses=2)
    login = AppRole(role_id, Secret(secret_id))
    vault = Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)
    for _ in range(6):
        assert vault.get("secret/prod/db", "password") == "CANARY-1"


def test_a_policy_of_the_older_way_to_delete_is_enough(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.policy("old", 'path "secret/data/*" {\n  capabilities = ["read", "delete"]\n}\n')
    vault = vault_of(space, space.make_token(["old"]))
    assert vault.write(DB, None) is None
    refused(Deleted, "deleted", lambda: vault.get("secret/prod/db"))


def test_the_session_that_is_in_use_is_not_the_one_that_goes(space: Space) -> None:
    made = space.do("POST", "auth/token/create", {"policies": ["default"]}, headers={"X-Vault-Wrap-TTL": "60s"})
    login = WrappedToken(Secret(made["wrap_info"]["token"]))
    for number in range(40):
        vault = Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)
        refused(PolicyDenied, "denied", lambda: vault.get("secret/prod/db"))  # noqa: B023 called at once
        Vault(space.address, token=f"s.CANARY-{number}", ca=space.ca_file)


def test_a_token_that_may_not_ask_about_itself_does_not_log_in_at_every_denial(space: Space) -> None:
    space.put("secret/prod/db", password="CANARY-1")
    space.policy("mine", 'path "secret/data/prod/db" {\n  capabilities = ["read"]\n}\n')
    role_id, secret_id = space.enable_approle("orders", ["mine"], token_no_default_policy=True, secret_id_num_uses=0)
    space.do("POST", "auth/approle/role/orders/custom-secret-id", {"secret_id": "CANARY-three-uses", "num_uses": 3})
    del secret_id
    login = AppRole(role_id, Secret("CANARY-three-uses"))
    vault = Vault(space.address, login=login, ca=space.ca_file, namespace=space.name)
    for _ in range(5):
        refused(TokenRefused, "denied", lambda: vault.get("secret/other"))
    assert vault.get("secret/prod/db", "password") == "CANARY-1"


def test_many_denials_are_all_named_and_none_is_mixed_up(space: Space) -> None:
    token = space.make_token(["default"])
    config = type("Fifty", (Settings,), {"__annotations__": {f"k{number}": Secret[str] for number in range(50)}})
    environ = {f"BAL_CONFIG_VAR_K{number}": f"${{vault:secret/p{number}#x}}" for number in range(50)}
    with pytest.raises(ConfigError) as caught:
        load(config, files=[], environ={**space.environ(token), **environ}, redact=False)
    assert len(caught.value.problems) == 50
    for number, one in enumerate(caught.value.problems):
        assert f"on secret/data/p{number} " in one.message
        assert isinstance(one.kind.value, str)
        assert one.kind.value == Denied.kind.value
