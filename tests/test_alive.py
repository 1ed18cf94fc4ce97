"""load() and what follows it: files, mounts, Secrets.toml and sources that change under a program that goes on."""

import gc
import os
import threading
import time
import weakref
from collections.abc import Generator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import pytest

from tests.refresh.sources import PATIENCE_S, Leasing, Store, Versioned, eventually, in_threads, join, listening
from tests.secrets_files import environ_of, secrets_file
from wellkept import ConfigError, Secret, Settings, close, status
from wellkept import load as load_root
from wellkept.errors import Absent, SecretExpired, Unreachable
from wellkept.events import Topic
from wellkept.ports import Source
from wellkept.refresh.backend import Backend
from wellkept.refresh.engine import DRAIN_S
from wellkept.runtime.alive import runner
from wellkept.secret import State
from wellkept.testing import MemorySource

S = TypeVar("S", bound=Settings)

DOWN = Unreachable("x: no answer")


class App(Settings):
    value: Secret[str]


class Two(Settings):
    one: Secret[str]
    two: Secret[str]


class Login(Settings):
    username: str
    password: str


class Db(Settings):
    login: Secret[Login]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    for one in _loaded:
        config = one()
        if config is not None:
            close(config)
    _loaded.clear()


_loaded: list[weakref.ref[Settings]] = []


def load(cls: type[S], **given: Any) -> S:  # noqa: ANN401 passed on as they come
    """Load without masking; what was loaded is closed at the end of the test, also of one that fails."""
    made = load_root(cls, **given, redact=False)
    _loaded.append(weakref.ref(made))
    return made


def alive(text: str, source: Source | None = None, **environ: str) -> App:
    """Load one secret of a variable."""
    given = {"BAL_CONFIG_VAR_VALUE": text, **environ}
    return load(App, environ=given, providers={"x": source} if source else None)


def backend_of(source: Source) -> Backend:
    """What the engine of this process knows of a source."""
    return next(one for one in runner().engine._backends if one.source is source)


def joined(source: Source) -> int:
    """How many wait for journeys to a source that are under way."""
    flights = {one.flight for one in list(backend_of(source).tickets.values()) if one.flight is not None}
    waiting = [one.done._cond._waiters for one in flights]  # type: ignore[attr-defined]  # no other way to see it
    return sum(map(len, waiting))


def comes_to(secret: Secret[str], value: str) -> bool:
    return eventually(lambda: secret.reveal() == value)


def replace(file: Path, value: str) -> None:
    """Replace a file as everybody should: another one, renamed over it."""
    other = file.with_name(f".{file.name}.secret")
    other.touch(mode=0o600)
    other.write_text(value, encoding="utf-8")
    other.replace(file)


def mount(folder: Path, version: str, values: Mapping[str, str]) -> None:
    """Swap a volume as the kubelet does: `..data` points to another folder, at one moment."""
    made = folder / version
    made.mkdir(parents=True)
    for name, value in values.items():
        (made / name).touch(mode=0o600)
        (made / name).write_text(value, encoding="utf-8")
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(version)
    (folder / "..new").replace(folder / "..data")


# ---- where a secret stands ----


def test_a_file_that_a_reference_names_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "pw.secret"
    replace(file, "CANARY-one\n")
    config = alive("${file:pw.secret?ttl=50ms}")
    replace(file, "CANARY-two\n")
    assert comes_to(config.value, "CANARY-two")
    file.write_text("CANARY-three", encoding="utf-8")
    assert comes_to(config.value, "CANARY-three")


def test_a_file_is_followed_without_a_word_about_how_often(tmp_path: Path) -> None:
    file = tmp_path / "pw.secret"
    replace(file, "CANARY-one\n")
    config = alive("${file:pw.secret}")
    replace(file, "CANARY-two\n")
    assert comes_to(config.value, "CANARY-two")


def test_a_file_that_an_argument_names_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "pw.secret"
    replace(file, "CANARY-one\n")
    config = load(App, environ={}, arguments=["-Cvalue=@pw.secret"])
    assert config.value.reveal() == "CANARY-one"
    replace(file, "CANARY-two\n")
    assert comes_to(config.value, "CANARY-two")


def test_a_mount_that_is_a_layer_is_followed_swap_for_swap(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    mount(folder, "v0", {"value": "CANARY-0"})
    config = load(App, environ={}, files=[folder])
    for number in range(1, 4):
        mount(folder, f"v{number}", {"value": f"CANARY-{number}"})
        assert comes_to(config.value, f"CANARY-{number}")


def test_a_mount_that_a_reference_names_gives_two_keys_that_belong_together(tmp_path: Path) -> None:
    folder = tmp_path / "mount"
    mount(folder, "v0", {"username": "u0", "password": "CANARY-0"})
    environ = {"BAL_CONFIG_VAR_LOGIN": "${file:mount?ttl=50ms}"}
    config = load(Db, environ=environ)
    mount(folder, "v1", {"username": "u1", "password": "CANARY-1"})
    assert eventually(lambda: config.login.reveal().username == "u1")
    assert config.login.reveal().password == "CANARY-1"


def test_secrets_toml_is_followed(tmp_path: Path) -> None:
    file = secrets_file(tmp_path / "Secrets.toml", {"value": "CANARY-one"})
    config = load(App, environ=environ_of())
    assert config.value.reveal() == "CANARY-one"
    secrets_file(tmp_path / "Secrets.new.toml", {"value": "CANARY-two"}).replace(file)
    assert comes_to(config.value, "CANARY-two")


def test_a_value_of_a_source_is_followed_and_says_who_it_is() -> None:
    memory = MemorySource({"a": "CANARY-one"})
    config = alive("${x:a?ttl=50ms}", memory)
    with listening(Topic.CHANGED) as heard:
        memory.put("a", "CANARY-two")
        assert comes_to(config.value, "CANARY-two")
        assert eventually(lambda: bool(heard))
    assert (config.value.version, config.value.origin.answer) == ("2", "memory a")
    assert [(one.subject, one.detail) for one in heard] == [("value", "memory a is served now")]


def test_a_program_that_goes_to_another_folder_still_follows_what_it_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Three(Two):
        three: Secret[str]

    for name in ("one", "two", "three"):
        replace(tmp_path / f"{name}.secret", "CANARY-one")
    (tmp_path / "Config.toml").touch(mode=0o600)
    (tmp_path / "Config.toml").write_text('one = "${file:one.secret?ttl=50ms}"\n', encoding="utf-8")
    environ = {"BAL_CONFIG_VAR_TWO": "${file:two.secret?ttl=50ms}"}
    config = load(Three, environ=environ, arguments=["-Cthree=@three.secret"])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in ("one", "two", "three"):
        replace(tmp_path / f"{name}.secret", "CANARY-two")
    assert comes_to(config.one, "CANARY-two")
    assert comes_to(config.three, "CANARY-two")
    assert comes_to(config.two, "CANARY-two"), "a reference of a variable"


def test_only_the_place_that_won_is_asked() -> None:
    winner, loser = MemorySource({"a": "CANARY-winner"}), MemorySource({"a": "CANARY-loser"})
    Path("Config.toml").touch(mode=0o600)
    Path("Config.toml").write_text('value = "${lost:a?ttl=50ms}"\n', encoding="utf-8")
    environ = {"BAL_CONFIG_VAR_VALUE": "${won:a?ttl=50ms}"}
    kept = load(App, environ=environ, providers={"won": winner, "lost": loser})
    assert eventually(lambda: len(winner.requests) > 3)
    assert (loser.requests, kept.value.reveal()) == ([], "CANARY-winner")


def test_a_text_with_a_variable_and_a_reference_follows_the_reference() -> None:
    memory = MemorySource({"pw": "CANARY-one"})
    config = alive("postgresql://${env:WHO}:${x:pw?ttl=50ms}@db", memory, WHO="ada")
    memory.put("pw", "CANARY-two")
    assert eventually(lambda: config.value.reveal().endswith(":CANARY-two@db"))


# ---- for the program ----


def test_a_callback_sees_the_new_value_already_and_stops_when_it_is_told_to() -> None:
    memory, seen = MemorySource({"a": "CANARY-one"}), list[str]()
    config = alive("${x:a?ttl=50ms}", memory)
    stop = config.value.on_change(lambda secret: seen.append(secret.reveal()))
    memory.put("a", "CANARY-two")
    assert eventually(lambda: seen == ["CANARY-two"])
    stop()
    memory.put("a", "CANARY-three")
    assert comes_to(config.value, "CANARY-three")
    assert seen == ["CANARY-two"]


def test_a_callback_that_raises_or_hangs_stops_neither_rotation_nor_the_others() -> None:
    memory, seen, released = MemorySource({"a": "CANARY-0"}), list[str](), threading.Event()
    config = alive("${x:a?ttl=50ms}", memory)

    def raises(_secret: object) -> None:
        raise ValueError("CANARY of a callback")

    def hangs(_secret: object) -> None:
        released.wait(PATIENCE_S)

    with listening(Topic.CALLBACK_FAILED) as heard:
        config.value.on_change(raises)
        config.value.on_change(hangs)
        config.value.on_change(lambda secret: seen.append(secret.reveal()))
        for number in range(1, 4):
            memory.put("a", f"CANARY-{number}")
            assert comes_to(config.value, f"CANARY-{number}")
        assert eventually(lambda: "CANARY-3" in seen)
        told = {"raised ValueError", "has not come back for 5 s: it is left alone"}
        assert eventually(lambda: {one.detail for one in heard} >= told)
    released.set()
    assert "CANARY" not in str(heard)


def test_a_callback_may_refresh_what_it_is_told_of() -> None:
    source, told = Store({"a": "CANARY-one"}), list[bool]()
    config = alive("${x:a?ttl=50ms}", source)
    config.value.on_change(lambda secret: told.append(secret.refresh()))
    source.values["a"] = "CANARY-two"
    assert eventually(lambda: told == [True])


def test_a_newer_version_can_be_waited_for_where_the_source_has_versions_and_where_it_has_none() -> None:
    for source in (Versioned({"a": "CANARY-one"}), Store({"a": "CANARY-one"})):
        config = alive("${x:a?ttl=50ms}", source)
        version = config.value.version
        assert not config.value.wait_newer(version, 0.2)
        source.values["a"] = "CANARY-two"
        if isinstance(source, Versioned):
            source.put("a", "CANARY-two")
        assert config.value.wait_newer(version, PATIENCE_S)
        assert config.value.reveal() == "CANARY-two"
        close(config)


def test_refresh_brings_the_newest_value_now_also_through_what_is_derived() -> None:
    source = Store({"a": "CANARY-one"})
    config = alive("${x:a?ttl=1h}", source)
    dsn = config.value.dsn("pg://{}@db")
    source.values["a"] = "CANARY-two"
    assert dsn.refresh()
    assert (config.value.reveal(), dsn.reveal()) == ("CANARY-two", "pg://CANARY-two@db")
    source.trouble = DOWN
    time.sleep(0.6)
    assert not config.value.refresh()
    assert (dsn.reveal(), dsn.state) == ("pg://CANARY-two@db", State.STALE)


def test_what_cannot_be_asked_for_again_says_so() -> None:
    config = load(Two, environ={"BAL_CONFIG_VAR_ONE": "CANARY", "BAL_CONFIG_VAR_TWO": "${env:X}", "X": "CANARY"})
    assert (config.one.refresh(), config.two.refresh(), Secret("CANARY").refresh()) == (False, False, False)


def test_a_hundred_threads_that_refresh_make_one_request() -> None:
    source = Leasing(600.0)
    config = load(Db, environ={"BAL_CONFIG_VAR_LOGIN": "${x:db}"}, providers={"x": source})
    source.gate.clear()
    source.requests.clear()
    told: list[bool] = []
    threads = in_threads(100, lambda: told.append(config.login.refresh()))
    assert source.waiting.acquire(timeout=PATIENCE_S)
    assert eventually(lambda: joined(source) == 99)  # who comes half a second later makes a request of its own
    source.gate.set()
    join(threads)
    assert (told, len(source.requests)) == ([True] * 100, 1)
    assert config.login.reveal().password == "CANARY-password-2"


def test_reveal_does_not_wait_while_a_source_hangs() -> None:
    source = Store({"a": "CANARY-one"})
    config = alive("${x:a?ttl=50ms}", source)
    source.gate.clear()
    assert source.waiting.acquire(timeout=PATIENCE_S)
    took: list[float] = []
    for _ in range(1000):
        began = time.monotonic()
        assert config.value.reveal() == "CANARY-one"
        took.append(time.monotonic() - began)
    source.gate.set()
    assert median(took) < 0.01
    assert max(took) < PATIENCE_S / 2  # for so long the source hangs; a busy machine may stop this thread for a while


# ---- what goes wrong ----


def test_a_value_that_was_stale_for_too_long_is_not_shown_and_comes_back() -> None:
    source = Store({"a": "CANARY-one"})
    config = alive("${x:a?ttl=50ms&max_stale=300ms}", source)
    source.trouble = DOWN
    assert eventually(lambda: config.value.state is State.EXPIRED)
    with pytest.raises(SecretExpired):
        config.value.reveal()
    assert not status().is_ready
    source.values["a"] = "CANARY-two"
    source.trouble = None  # last: it may be asked at any moment
    assert eventually(lambda: config.value.state is State.FRESH)
    assert config.value.reveal() == "CANARY-two"


def test_what_is_gone_is_served_on_with_one_event(tmp_path: Path) -> None:
    file = tmp_path / "pw.secret"
    replace(file, "CANARY-one")
    config = alive("${file:pw.secret?ttl=50ms}")
    with listening(Topic.GONE, Topic.RECOVERED) as heard:
        file.unlink()
        assert eventually(lambda: config.value.state is State.GONE)
        assert config.value.reveal() == "CANARY-one"
        replace(file, "CANARY-two")
        assert config.value.refresh()
    assert config.value.reveal() == "CANARY-two"
    assert [one.topic for one in heard] == [Topic.GONE, Topic.RECOVERED]


def test_a_value_that_cannot_be_used_keeps_the_last_good_one() -> None:
    class Number(Settings):
        value: Secret[int]

    source = Store({"a": "1"})
    config = load(Number, environ={"BAL_CONFIG_VAR_VALUE": "${x:a?ttl=50ms}"}, providers={"x": source})
    with listening(Topic.STALE) as heard:
        source.values["a"] = "CANARY"
        assert eventually(lambda: config.value.state is State.STALE)
        before = len(source.requests)
        assert eventually(lambda: len(source.requests) > before + 3)
    assert config.value.reveal() == 1
    assert [one.detail for one in heard] == ["expected a whole number; the last good value is served"]
    source.values["a"] = "2"
    assert eventually(lambda: config.value.reveal() == 2)


def test_an_empty_file_is_no_new_value(tmp_path: Path) -> None:
    file = tmp_path / "pw.secret"
    replace(file, "CANARY-one")
    config = alive("${file:pw.secret?ttl=50ms}")
    file.write_text("", encoding="utf-8")
    assert eventually(lambda: config.value.state is State.STALE)
    assert config.value.reveal() == "CANARY-one"


# ---- leases ----


def leased(source: Leasing) -> Db:
    return load(Db, environ={"BAL_CONFIG_VAR_LOGIN": "${x:db}"}, providers={"x": source})


def test_closing_gives_leases_back_and_follows_no_more() -> None:
    source, memory = Leasing(600.0), MemorySource({"a": "CANARY-one"})
    config, other = leased(source), alive("${x:a?ttl=50ms}", memory)
    close(config)
    assert eventually(lambda: source.revoked == ["lease-1"])
    known = backend_of(memory)
    close(other)
    assert eventually(lambda: not known.busy)  # a journey that was under way may ask once more
    asked = len(memory.requests)
    memory.put("a", "CANARY-two")
    eventually(lambda: False, within_s=0.5)
    assert (len(memory.requests), other.value.reveal()) == (asked, "CANARY-one")
    assert not other.value.refresh()
    close(config)


def test_what_nobody_holds_any_more_is_given_back() -> None:
    source = Leasing(600.0)
    config = leased(source)
    gone = weakref.ref(config)
    kept = config.login
    del config
    gc.collect()
    assert gone() is None
    eventually(lambda: False, within_s=0.3)
    assert source.revoked == [], "a secret of it is still held"
    assert kept.refresh()
    del kept
    gc.collect()
    assert eventually(lambda: "lease-2" in source.revoked)


def test_a_load_that_fails_gives_back_what_it_had_leased() -> None:
    source = Leasing(600.0)
    environ = {"BAL_CONFIG_VAR_ONE": "${x:db#password}", "BAL_CONFIG_VAR_TWO": "${mem:absent}"}
    with pytest.raises(ConfigError):
        load(Two, environ=environ, providers={"x": source, "mem": MemorySource()})
    assert (source.revoked, source.live) == (["lease-1"], {})


def test_what_is_leased_for_a_plain_setting_is_given_back_too() -> None:
    class Both(Settings):
        host: str
        value: Secret[str]

    source, memory = Leasing(600.0), MemorySource({"a": "CANARY"})
    environ = {"BAL_CONFIG_VAR_HOST": "${x:db?plain=true#username}", "BAL_CONFIG_VAR_VALUE": "${m:a}"}
    config = load(Both, environ=environ, providers={"x": source, "m": memory})
    assert source.revoked == []
    close(config)
    assert eventually(lambda: source.live == {}), "nobody gives it back"


def test_two_settings_of_one_lease_are_an_error_that_names_both_and_gives_it_back() -> None:
    source = Leasing(600.0)
    environ = {"BAL_CONFIG_VAR_ONE": "${x:db#username}", "BAL_CONFIG_VAR_TWO": "${x:db#password}"}
    with pytest.raises(ConfigError) as caught:
        load(Two, environ=environ, providers={"x": source})
    (problem,) = caught.value.problems
    assert (problem.setting, "one" in problem.message) == ("two", True)
    assert "Secret[Login]" in problem.hint
    assert source.live == {}


def test_a_lease_in_one_text_is_replaced_as_a_whole() -> None:
    source = Leasing(600.0)
    config = alive("pg://${x:db#username}:${x:db#password}@db", source)
    assert config.value.refresh()
    assert config.value.reveal() == "pg://user-2:CANARY-password-2@db"
    close(config)
    assert eventually(lambda: "lease-2" in source.revoked)


def test_a_lease_that_is_over_and_cannot_be_replaced_is_not_shown() -> None:
    source = Leasing(0.6)
    config = leased(source)
    source.trouble = source.cannot_renew = DOWN
    assert eventually(lambda: config.login.state is State.EXPIRED and user_of(config) is None)
    source.live.clear()  # it is over there, too
    source.duration_s = 600.0
    source.trouble = source.cannot_renew = None  # last: it may be asked at any moment
    assert eventually(config.login.refresh), "one that was under way may have failed"
    assert config.login.reveal().username != "user-1"


def user_of(config: Db) -> str | None:
    """Who is shown; None while the lease is over."""
    try:
        return config.login.reveal().username
    except SecretExpired:
        return None


def outlives_itself(duration_s: float) -> bool:
    """Whether the first lease is still served, and renewed, when it would have been over twice."""
    source = Leasing(duration_s)
    config = leased(source)
    assert eventually(lambda: len(source.renewed) > 3, within_s=2 * PATIENCE_S)
    is_served = user_of(config) == "user-1"
    close(config)
    return is_served and source.renewed[:4] == ["lease-1"] * 4


@pytest.mark.timeout(180)
def test_a_lease_is_renewed_as_long_as_it_is_needed() -> None:
    # A quarter of its time is left to renew it in; where the machine is later than that, a longer one is tried.
    assert any(outlives_itself(duration_s) for duration_s in (0.5, 2.0, 8.0))


def test_a_lease_that_was_revoked_behind_us_is_replaced() -> None:
    source = Leasing(1.0)
    config = leased(source)
    source.duration_s = 600.0
    source.live.clear()
    source.cannot_renew = Absent("x:db: absent: its lease is over")
    assert eventually(lambda: user_of(config) not in {None, "user-1"})


def test_the_time_of_a_lease_counts_from_when_it_was_asked_for() -> None:
    class Slow(Store):
        def fetch(self, reference: object) -> object:  # type: ignore[override]  # only slower
            time.sleep(0.8)
            return super().fetch(reference)  # type: ignore[arg-type]  # passed on

    source = Leasing(600.0)
    environ = {"BAL_CONFIG_VAR_ONE": "${x:db#password}", "BAL_CONFIG_VAR_TWO": "${slow:a}"}
    config = load(Two, environ=environ, providers={"x": source, "slow": Slow({"a": "CANARY"})})
    (first, _) = status().secrets
    close(config)
    assert first.expires_s is not None
    assert first.expires_s <= 599.3


def test_two_loads_of_one_source_share_what_they_ask() -> None:
    source = Versioned({"a": "CANARY-one"})
    environ, providers = {"BAL_CONFIG_VAR_VALUE": "${shared:a?ttl=50ms}"}, {"shared": source}
    one, other = (load(App, environ=environ, providers=providers) for _ in range(2))
    source.put("a", "CANARY-two")
    assert comes_to(one.value, "CANARY-two")
    assert comes_to(other.value, "CANARY-two")
    assert [one.name for one in status().sources].count("shared") == 1
    close(one)
    source.put("a", "CANARY-three")
    assert comes_to(other.value, "CANARY-three")
    assert one.value.reveal() == "CANARY-two"


def test_a_second_load_of_a_lease_does_not_leave_two() -> None:
    source = Leasing(600.0)
    Path("Config.toml").touch(mode=0o600)
    Path("Config.toml").write_text('[wellkept]\ndrain = "100ms"\n', encoding="utf-8")
    one, other = leased(source), leased(source)
    within = eventually(lambda: one.login.reveal().username == other.login.reveal().username)
    settled = eventually(lambda: len(source.live) == 1)
    runner().engine.set_drain(DRAIN_S)
    close(one)
    close(other)
    assert (within, settled) == (True, True)


# ---- what it says ----


def test_the_status_shows_states_and_no_values() -> None:
    memory = MemorySource({"a": "CANARY-one"})
    config = alive("${x:a?ttl=50ms}", memory)
    (one,) = status().secrets
    assert (one.name, one.origin, one.version) == ("value", "memory a", "1")
    assert (status().is_ready, status().pid) == (True, os.getpid())
    assert "CANARY" not in str(status())
    close(config)
    assert status().secrets == ()


def test_threads_beside_the_one_come_to_their_end() -> None:
    memory = MemorySource({"a": "CANARY-one"})
    config = alive("${x:a?ttl=50ms}", memory)
    assert eventually(lambda: len(memory.requests) > 5)
    close(config)

    def names() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "wellkept-journey"]

    assert eventually(lambda: names() == [])
    assert [one.name for one in threading.enumerate()].count("wellkept-refresh") == 1
