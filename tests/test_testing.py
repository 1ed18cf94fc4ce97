"""What the package gives to tests of services: the source in memory, the clock, the canary."""

from datetime import UTC, datetime, timedelta

import pytest

from wellkept import ConfigError, Secret, Settings, load
from wellkept.errors import Absent, Denied, Unreachable
from wellkept.model import Reference
from wellkept.ports import Source
from wellkept.testing import ManualClock, MemorySource, assert_hidden

A = Reference("vault", ("a",))


def pinned(version: str) -> Reference:
    return Reference("vault", ("a",), options=(("version", version),))


class App(Settings):
    password: Secret[str]
    host: str = "localhost"


def test_a_memory_source_serves_a_load() -> None:
    memory = MemorySource({"prod/db": {"password": "CANARY-memory"}})
    environ = {"BAL_CONFIG_VAR_PASSWORD": "${vault:prod/db#password}"}
    config = load(App, environ=environ, files=[], providers={"vault": memory}, redact=False)
    assert config.password == "CANARY-memory"
    assert str(config.password.origin) == "memory prod/db#password v1"
    assert memory.requests == ["prod/db"]


def test_a_memory_source_is_a_secret_store_unless_it_says_otherwise() -> None:
    environ = {"BAL_CONFIG_VAR_PASSWORD": "CANARY-password", "BAL_CONFIG_VAR_HOST": "${vault:host}"}
    with pytest.raises(ConfigError, match="host"):
        load(App, environ=environ, files=[], providers={"vault": MemorySource({"host": "db"})}, redact=False)
    plain = MemorySource({"host": "db"}, is_secret_store=False)
    assert load(App, environ=environ, files=[], providers={"vault": plain}, redact=False).host == "db"


def test_each_value_that_is_put_is_the_next_version() -> None:
    memory = MemorySource({"a": "CANARY-1"})
    assert memory.fetch(A).version == "1"
    memory.put("a", "CANARY-2")
    assert (memory.fetch(A).value, memory.fetch(A).version) == ("CANARY-2", "2")


def test_versions_go_on_where_a_value_was_removed() -> None:
    memory = MemorySource({"a": "CANARY-1"})
    memory.remove("a")
    with pytest.raises(Absent):
        memory.fetch(A)
    memory.put("a", "CANARY-2")
    assert memory.fetch(A).version == "2"


def test_a_pinned_version_is_answered_or_absent() -> None:
    memory = MemorySource({"a": "CANARY-1"})
    memory.put("a", "CANARY-2")
    reading = memory.fetch(pinned("1"))
    assert (reading.value, reading.version) == ("CANARY-1", "1")
    for version in ("0", "3", "latest"):
        with pytest.raises(Absent):
            memory.fetch(pinned(version))


def test_a_memory_source_gives_each_of_the_three_answers() -> None:
    memory: MemorySource = MemorySource()
    assert isinstance(memory, Source)
    with pytest.raises(Absent):
        memory.fetch(A)
    memory.deny("a")
    with pytest.raises(Denied):
        memory.fetch(A)
    memory.disconnect()
    with pytest.raises(Unreachable):
        memory.fetch(A)
    memory.connect()
    with pytest.raises(Denied):
        memory.fetch(A)
    assert memory.requests == ["a"] * 4


def test_removing_what_is_not_there_is_no_mistake() -> None:
    memory = MemorySource()
    memory.remove("a")
    memory.put("a", "CANARY-1")
    assert memory.fetch(A).version == "1"


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert (clock.now(), clock.seconds()) == (datetime(2026, 3, 1, tzinfo=UTC), 0)
    clock.advance(90)
    clock.advance(0.5)
    assert (clock.now(), clock.seconds()) == (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=90.5), 90.5)


def test_hidden_canaries_pass_and_a_shown_one_is_told_by_number_only() -> None:
    assert_hidden(["CANARY-x", "CANARY-y"], "nothing here", 5, None)
    with pytest.raises(AssertionError, match="canary 0 in text 2; canary 1 in text 0") as caught:
        assert_hidden(["CANARY-y", "CANARY-x"], b"shows CANARY-x", "fine", Exception("CANARY-y"))
    assert "CANARY" not in str(caught.value)


def test_the_frame_of_a_failed_canary_assertion_shows_none_either() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_hidden(["CANARY-x"], "shows CANARY-x")
    own = caught.tb.tb_next  # the first frame is this test, which holds the text
    assert own is not None
    assert "CANARY" not in repr(own.tb_frame.f_locals)
