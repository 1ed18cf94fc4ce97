"""What the package gives to tests of services: the source in memory, the clock, the canary."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.frames import shown_by
from wellkept import ConfigError, Secret, Settings, load
from wellkept.errors import Absent, Conflict, Denied, Malformed, SourceError, Unreachable
from wellkept.model import Reference
from wellkept.ports import Lists, Source, Writes
from wellkept.testing import ManualClock, MemorySource, assert_hidden

A = Reference("vault", ("a",))


PASSWORD = Reference("vault", ("prod", "db"), ("password",))


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


def test_a_memory_source_can_be_written_and_listed() -> None:
    memory = MemorySource()
    assert isinstance(memory, Writes)
    assert isinstance(memory, Lists)


def test_one_key_is_written_as_the_next_version_and_the_others_stay() -> None:
    memory = MemorySource({"prod/db": {"user": "app"}})
    assert memory.write(PASSWORD, "CANARY") == "2"
    assert memory.fetch(PASSWORD).value == {"user": "app", "password": "CANARY"}
    assert memory.write(Reference("vault", ("new",), ("a", "b")), "CANARY") == "1"
    assert memory.fetch(Reference("vault", ("new",))).value == {"a": {"b": "CANARY"}}


def test_an_older_version_is_still_what_it_was() -> None:
    memory = MemorySource({"a": {"outer": {"inner": "CANARY-1"}}})
    memory.write(Reference("vault", ("a",), ("outer", "inner")), "CANARY-2")
    assert memory.fetch(pinned("1")).value == {"outer": {"inner": "CANARY-1"}}


def test_one_key_or_the_whole_is_removed() -> None:
    memory = MemorySource({"prod/db": {"user": "app", "password": "CANARY"}})
    assert memory.write(PASSWORD, None) == "2"
    assert memory.fetch(PASSWORD).value == {"user": "app"}
    with pytest.raises(Absent, match="no such key"):
        memory.write(PASSWORD, None)
    whole = Reference("vault", PASSWORD.path)
    assert memory.write(whole, None) is None
    for reference in (whole, PASSWORD):
        with pytest.raises(Absent):
            memory.write(reference, None)
    assert memory.write(PASSWORD, "CANARY") == "3"
    assert memory.fetch(PASSWORD).value == {"password": "CANARY"}


def test_a_write_that_expects_another_version_changes_nothing() -> None:
    memory = MemorySource({"prod/db": {"password": "CANARY-1"}})
    memory.put("prod/db", {"password": "CANARY-2"})
    for value in ("CANARY-3", None):
        with pytest.raises(Conflict, match="version 2"):
            memory.write(PASSWORD, value, expected_version="1")
    assert memory.fetch(PASSWORD).value == {"password": "CANARY-2"}
    assert memory.write(PASSWORD, "CANARY-3", expected_version="2") == "3"


def test_version_0_is_what_never_was() -> None:
    memory = MemorySource()
    assert memory.write(PASSWORD, "CANARY", expected_version="0") == "1"
    with pytest.raises(Conflict):
        memory.write(PASSWORD, "CANARY", expected_version="0")


def test_a_key_needs_a_table_and_a_value_needs_a_key() -> None:
    memory = MemorySource({"a": "CANARY-text", "b": {"inner": "CANARY"}})
    for reference in (A, Reference("vault", ("a",), ("key",)), Reference("vault", ("b",), ("inner", "key"))):
        with pytest.raises(Malformed):
            memory.write(reference, "CANARY")


def test_a_write_is_denied_and_out_of_reach_like_a_read() -> None:
    memory = MemorySource()
    memory.deny("prod/db")
    with pytest.raises(Denied):
        memory.write(PASSWORD, "CANARY")
    memory.disconnect()
    with pytest.raises(Unreachable):
        memory.write(PASSWORD, "CANARY")
    with pytest.raises(Unreachable):
        memory.names(PASSWORD)
    assert memory.requests == ["prod/db"] * 3


def test_a_refused_write_does_not_hold_the_value() -> None:
    memory = MemorySource()
    memory.deny("prod/db")
    for reference in (PASSWORD, A):
        with pytest.raises(SourceError) as caught:
            memory.write(reference, "CANARY", expected_version="7")
        assert "CANARY" not in shown_by(caught.value)


def test_the_names_directly_below_a_path_are_listed_in_order() -> None:
    memory = MemorySource({"prod/db": "CANARY", "prod/a/b": "CANARY", "prod/a/c": "CANARY", "product": "CANARY"})
    memory.put("prod/gone", "CANARY")
    memory.remove("prod/gone")
    prod = Reference("vault", ("prod",))
    assert memory.names(prod) == ["a/", "db"]
    with pytest.raises(Absent):
        memory.names(Reference("vault", ("prod", "db")))


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
