"""A backend that does not answer: not there at the start, killed, hung, sealed, slow; and what is served meanwhile."""

import threading
import time
from pathlib import Path

import pytest

from tests.matrix.conftest import Follows, FollowsLogin
from tests.matrix.durable import DurableOpenBao, tokens
from tests.matrix.faults import FaultProxy, black_hole, drop
from tests.matrix.following import AT_ONCE_S, HANGS_S, LONG_S, Events, longest_of, told, wait_for, wait_for_value
from tests.servers.database import Database, set_up_database
from tests.servers.listener import Visit
from tests.servers.openbao import SealedOpenBao
from tests.servers.process import free_port, wait_until
from tests.servers.space import Space
from wellkept import ConfigError, Secret, Settings, close, load, status
from wellkept.errors import SecretExpired
from wellkept.events import Topic
from wellkept.secret import State

POLL_S = 2.0
EIGHT = 8


class Three(Settings):
    first: Secret[str]
    second: Secret[str]
    third: Secret[str]


THREE = {
    f"BAL_CONFIG_VAR_{name}": f"${{vault:secret/prod/{name.lower()}#password}}" for name in ("FIRST", "SECOND", "THIRD")
}


def refused(environ: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(Three, files=[], environ={**environ, **THREE}, redact=False)
    return caught.value


def names_all(error: ConfigError) -> bool:
    return [one.setting for one in error.problems] == ["first", "second", "third"]


def test_a_backend_that_is_down_at_the_start_is_one_report_of_all_references() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    error = refused({"VAULT_ADDR": address, "VAULT_TOKEN": "token-CANARY"})
    assert time.monotonic() - began < LONG_S
    assert names_all(error)
    assert error.exit_code == 69
    assert [address in one.message for one in error.problems] == [True] * 3


def test_a_backend_that_hangs_at_the_start_is_given_up_in_time(space: Space, proxy: FaultProxy) -> None:
    proxy.spoil(black_hole)
    began = time.monotonic()
    error = refused({**space.environ(), "VAULT_ADDR": proxy.address, "VAULT_CLIENT_TIMEOUT": "1"})
    assert time.monotonic() - began < LONG_S
    assert names_all(error)
    assert error.exit_code == 69


def test_a_backend_that_is_killed_is_found_again_within_two_polls(
    durable: DurableOpenBao, follow: Follows, events: Events
) -> None:
    space = durable.namespace()
    space.put("secret/killed", password="one-CANARY")
    secret = follow(space.environ(), f"${{vault:secret/killed?ttl={POLL_S:.0f}s#password}}")
    with durable.killed():
        wait_for(secret, State.STALE)
        assert secret == "one-CANARY"
        assert told(secret).failure == "unreachable"
        left_s = told(secret).next_s
        assert left_s is not None
        assert left_s < 2 * POLL_S
        assert "the last good value is served" in events.wait(Topic.STALE)
        assert longest_of(secret.reveal, during_s=1.5 * POLL_S) < AT_ONCE_S  # long enough for some refusals in a row
        assert len(events.of(Topic.STALE)) == 1
        assert not events.of(Topic.RECOVERED)
    space.put("secret/killed", password="two-CANARY")
    wait_for_value(secret, "two-CANARY")
    events.wait(Topic.RECOVERED)
    assert secret.state is State.FRESH
    assert told(secret).failure is None


def test_a_connection_that_is_dropped_again_and_again_is_stale_and_not_gone(
    space: Space, proxy: FaultProxy, follow: Follows, events: Events
) -> None:
    space.put("secret/dropped", password="one-CANARY")
    environ = {**space.environ(), "VAULT_ADDR": proxy.address}
    secret = follow(environ, "${vault:secret/dropped?ttl=500ms#password}")
    proxy.spoil(drop)
    wait_for(secret, State.STALE)
    assert secret == "one-CANARY"
    space.put("secret/dropped", password="two-CANARY")
    proxy.heal()
    wait_for_value(secret, "two-CANARY")
    assert not events.of(Topic.GONE)
    assert len(events.wait(Topic.RECOVERED)) > 0


def test_a_backend_that_hangs_holds_up_neither_readers_nor_other_sources(
    durable: DurableOpenBao, space: Space, follow: Follows, tmp_path: Path
) -> None:
    hanging = durable.namespace()
    hanging.put("secret/hangs", password="one-CANARY")
    space.put("secret/other", password="one-CANARY")
    file = tmp_path / "key.secret"
    file.write_text("one-CANARY", "utf-8")
    environ = {**hanging.environ(), "VAULT_CLIENT_TIMEOUT": f"{HANGS_S:.0f}", "VAULT_MAX_RETRIES": "0"}
    secret = follow(environ, "${vault:secret/hangs?ttl=500ms#password}")
    other = follow(space.environ(), "${vault:secret/other?ttl=500ms#password}")
    local = follow({}, f"${{file:{file}?ttl=500ms}}")
    with durable.stalled():
        space.put("secret/other", password="two-CANARY")
        file.write_text("two-CANARY", "utf-8")
        assert longest_of(secret.reveal, during_s=1.0) < AT_ONCE_S
        wait_for_value(other, "two-CANARY")
        wait_for_value(local, "two-CANARY")
        wait_for(secret, State.STALE)
        assert secret == "one-CANARY"
        began = time.monotonic()
        assert secret.refresh() is False  # whoever asks on purpose waits, and not for ever
        assert time.monotonic() - began < LONG_S
    hanging.put("secret/hangs", password="two-CANARY")
    wait_for_value(secret, "two-CANARY")


def test_what_was_sealed_is_read_again_without_a_new_login(
    sealed_openbao: SealedOpenBao, tmp_path: Path, events: Events
) -> None:
    root = Space(sealed_openbao, "", sealed_openbao.token)
    root.put("secret/sealed", password="one-CANARY")
    root.policy("reader", 'path "secret/*" {\n  capabilities = ["read", "list", "scan"]\n}\n')
    role_id, secret_id = root.enable_approle("orders", ["reader"])
    (tmp_path / "Config.toml").touch(0o600)
    (tmp_path / "Config.toml").write_text(
        'value = "${vault:secret/sealed?ttl=500ms#password}"\n[wellkept.providers.vault]\n'
        f'role_id = "{role_id}"\nsecret_id = "{secret_id}"\n',
        "utf-8",
    )
    environ = {**root.environ(""), "BAL_CONFIG_FILES": str(tmp_path / "Config.toml")}
    del environ["VAULT_NAMESPACE"]

    class Config(Settings):
        value: Secret[str]

    config = load(Config, environ=environ, redact=False)
    before = tokens(root)
    sealed_openbao.seal()
    wait_for(config.value, State.STALE)
    assert config.value == "one-CANARY"
    assert "sealed" in events.wait(Topic.STALE)
    sealed_openbao.unseal()
    root.put("secret/sealed", password="two-CANARY")
    wait_for_value(config.value, "two-CANARY")
    assert tokens(root) == before
    close(config)


def test_a_lease_is_served_while_the_backend_hangs_and_not_a_moment_past_its_end(
    durable: DurableOpenBao, database: Database, follow_login: FollowsLogin, events: Events
) -> None:
    space = durable.namespace()
    set_up_database(space, database, default_ttl="15s", max_ttl="60s")
    environ = {**space.environ(), "VAULT_CLIENT_TIMEOUT": "1"}
    secret = follow_login(environ, "${vault:database/creds/app}")
    left_s = told(secret).expires_s
    assert left_s is not None
    ends_at = time.monotonic() + left_s
    with durable.stalled():
        assert secret.refresh() is False  # whoever asks early learns early that there is nobody
        assert secret.state is State.STALE
        assert secret.reveal()["username"]
        assert time.monotonic() < ends_at
        wait_until(lambda: time.monotonic() > ends_at, "its end")
        with pytest.raises(SecretExpired):
            secret.reveal()
        wait_for(secret, State.EXPIRED)
        events.wait(Topic.EXPIRED)
        assert not status().is_ready
    wait_for(secret, State.FRESH)
    events.wait(Topic.RECOVERED)
    login = secret.reveal()
    assert database.logs_in(login["username"], login["password"])


def test_a_slow_backend_is_asked_for_all_at_one_moment(space: Space, proxy: FaultProxy) -> None:
    names = [f"n{number}" for number in range(EIGHT)]
    for name in names:
        space.put(f"secret/slow-{name}", password=f"{name}-CANARY")
    text = {f"BAL_CONFIG_VAR_VALUES__{name.upper()}": f"${{vault:secret/slow-{name}#password}}" for name in names}
    all_ask = threading.Barrier(EIGHT)

    def answer(visit: Visit) -> None:
        all_ask.wait(LONG_S)  # each is answered when all have asked
        proxy.pass_on(visit)

    proxy.spoil(answer, only=lambda _method, path: "/slow-" in path)

    class Eight(Settings):
        n0: Secret[str]
        n1: Secret[str]
        n2: Secret[str]
        n3: Secret[str]
        n4: Secret[str]
        n5: Secret[str]
        n6: Secret[str]
        n7: Secret[str]

    environ = {key.replace("VALUES__", ""): one for key, one in text.items()}
    environ["VAULT_CLIENT_TIMEOUT"] = f"{LONG_S:.0f}"
    config = load(Eight, files=[], environ={**space.environ(), "VAULT_ADDR": proxy.address, **environ}, redact=False)
    assert config.n7 == "n7-CANARY"
    close(config)


def test_ten_thousand_reveals_a_second_do_not_wait_for_a_refresh(
    space: Space, proxy: FaultProxy, follow: Follows
) -> None:
    space.put("secret/busy", password="one-CANARY")
    environ = {**space.environ(), "VAULT_ADDR": proxy.address, "VAULT_CLIENT_TIMEOUT": f"{LONG_S:.0f}"}
    secret = follow(environ, "${vault:secret/busy?ttl=100ms#password}")
    proxy.spoil(proxy.slowly(HANGS_S))
    asked = len(proxy.seen)
    space.put("secret/busy", password="two-CANARY")
    took_s, end_at, late_at = 0.0, time.monotonic() + 1.0, time.monotonic() + LONG_S
    while time.monotonic() < end_at or (len(proxy.seen) <= asked and time.monotonic() < late_at):
        began = time.monotonic()
        for _ in range(10_000):
            secret.reveal()
        took_s = max(took_s, time.monotonic() - began)
    assert took_s < AT_ONCE_S
    assert len(proxy.seen) > asked
    proxy.heal()
    wait_for_value(secret, "two-CANARY")
