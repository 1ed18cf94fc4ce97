"""The one thread of a process: when it runs, at the exit, and in forked children. Each in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from tests.refresh.sources import Driven, Holder, Leasing, Store, asked, eventually, listening
from wellkept.config.fetch import ask
from wellkept.events import Topic
from wellkept.model import Lease
from wellkept.refresh.calls import Calls
from wellkept.refresh.engine import Engine
from wellkept.refresh.thread import Runner

ROOT = Path(__file__).parents[2]

# What every program here begins with: a source that leases, and one whose value changes.
PRELUDE = """
import os, sys, threading, time
from wellkept import Secret, Settings, close, load
from wellkept.model import Lease, Reading
from wellkept.testing import MemorySource

def names():
    return sorted(one.name for one in threading.enumerate() if one.name.startswith("wellkept"))

def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()

class Leasing:
    number = 0
    def fetch(self, reference):
        self.number += 1
        return Reading(f"CANARY-{self.number}", "leasing", lease=Lease(f"{os.getpid()}-{self.number}", 600.0, True))
    def renew(self, reference, lease):
        return lease
    def revoke(self, lease):
        print("revoked", lease.id.partition("-")[2], "by the one that leased it" if
              lease.id.startswith(f"{os.getpid()}-") else "by another", flush=True)

class Static(Settings):
    one: Secret[str]

class Two(Settings):
    one: Secret[str]
    two: Secret[str]
"""


def told(program: str, *, code: int = 0, timeout: float = 50) -> list[str]:
    """What a program says line by line; nothing else may stand on its stderr."""
    made = subprocess.run(
        [sys.executable, "-c", PRELUDE + program],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")},  # it loads sockets
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert (made.stderr, made.returncode) == ("", code)
    return made.stdout.splitlines()


# ---- when it runs ----


def test_there_is_no_thread_before_the_first_secret_that_may_change_and_one_after() -> None:
    assert told("""
def shown(**environ):
    config = load(Static, environ=environ, providers=sources, redact=False)
    print(names())
    return config

sources = {"mem": MemorySource({"a": "CANARY", "b": "CANARY"})}
print(names())
kept = [shown(BAL_CONFIG_VAR_ONE="CANARY"), shown(BAL_CONFIG_VAR_ONE="${env:X}", X="CANARY"),
        shown(BAL_CONFIG_VAR_ONE="${mem:a?version=1}")]
kept += [shown(BAL_CONFIG_VAR_ONE="${mem:a?ttl=1h}"), shown(BAL_CONFIG_VAR_ONE="${mem:b?ttl=1h}")]
""") == ["[]", "[]", "[]", "[]", "['wellkept-refresh']", "['wellkept-refresh']"]


def test_a_load_that_follows_nothing_imports_nothing_of_what_follows() -> None:
    assert told("""
load(Static, environ={"BAL_CONFIG_VAR_ONE": "CANARY"}, redact=False)
load(Static, environ={"BAL_CONFIG_VAR_ONE": "${env:X}", "X": "CANARY"}, redact=False)
print(sorted(name for name in sys.modules if name.startswith("wellkept.refresh") or name == "wellkept.runtime.alive"))
print(sorted({"ssl", "http", "asyncio", "cryptography", "selectors", "socket"} & set(sys.modules)))
""") == ["[]", "[]"]


def test_a_load_that_follows_imports_neither_sockets_nor_an_event_loop() -> None:
    assert told("""
environ = {"BAL_CONFIG_VAR_ONE": "${mem:a?ttl=1h}"}
config = load(Static, environ=environ, providers={"mem": MemorySource({"a": "CANARY"})}, redact=False)
print(names(), sorted({"ssl", "http", "asyncio", "cryptography", "selectors", "socket"} & set(sys.modules)))
""") == ["['wellkept-refresh'] []"]


# ---- a source that hangs, or is no good ----


def test_a_source_that_hangs_holds_up_neither_reveal_nor_others_nor_the_exit() -> None:
    assert told(
        """
class Hanging(MemorySource):
    hangs = has_begun = False
    def fetch(self, reference):
        if self.hangs:
            self.has_begun = True
            time.sleep(3600)
        return super().fetch(reference)

hanging, good = Hanging({"a": "CANARY-a"}), MemorySource({"b": "CANARY-b"})
environ = {"BAL_CONFIG_VAR_ONE": "${hanging:a?ttl=100ms}", "BAL_CONFIG_VAR_TWO": "${good:b?ttl=100ms}"}
config = load(Two, environ=environ, providers={"hanging": hanging, "good": good}, redact=False)
hanging.hangs = True
print(until(lambda: hanging.has_begun))
good.put("b", "CANARY-two")
print(config.one.reveal() == "CANARY-a")
print(until(lambda: config.two.reveal() == "CANARY-two"))
"""
    ) == ["True", "True", "True"]


def test_a_local_source_that_ends_its_thread_does_not_end_the_one_that_keeps_all_fresh() -> None:
    assert told("""
class Local(MemorySource):
    is_local, leaves, has_left = True, False, False
    def versions(self, references):
        if self.leaves:
            self.has_left = True
            sys.exit("CANARY")
        return [None] * len(references)

local, good = Local({"a": "CANARY-a"}), MemorySource({"b": "CANARY-b"})
environ = {"BAL_CONFIG_VAR_ONE": "${local:a?ttl=100ms}", "BAL_CONFIG_VAR_TWO": "${good:b?ttl=100ms}"}
config = load(Two, environ=environ, providers={"local": local, "good": good}, redact=False)
local.leaves = True
print(until(lambda: local.has_left))
good.put("b", "CANARY-two")
print(until(lambda: config.two.reveal() == "CANARY-two"), names().count("wellkept-refresh"))
""") == ["True", "True 1"]


# ---- the exit ----


def test_at_the_exit_what_was_leased_is_given_back() -> None:
    assert told("""
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${x:a}"}, providers={"x": Leasing()}, redact=False)
""") == ["revoked 1 by the one that leased it"]


def test_a_source_that_hangs_holds_up_the_exit_for_two_seconds_at_the_most() -> None:
    program = """
class Hanging(Leasing):
    def revoke(self, lease):
        time.sleep(3600)
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${x:a}"}, providers={"x": Hanging()}, redact=False)
"""
    assert told(program, timeout=30) == []


def test_a_load_after_close_begins_anew() -> None:
    assert (
        told("""
memory = MemorySource({"a": "CANARY-a"})
for _ in range(3):
    config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${mem:a?ttl=100ms}"}, providers={"mem": memory}, redact=False)
    memory.put("a", "CANARY-two")
    print(until(lambda: config.one.reveal() == "CANARY-two"), names().count("wellkept-refresh"))
    close(config)
    memory.put("a", "CANARY-a")
""")
        == ["True 1"] * 3
    )


# ---- fork ----


def test_a_forked_child_goes_on_and_neither_of_both_ends_what_both_hold() -> None:
    assert told("""
memory = MemorySource({"b": "CANARY-b"})
environ = {"BAL_CONFIG_VAR_ONE": "${x:a}", "BAL_CONFIG_VAR_TWO": "${mem:b?ttl=100ms}"}
config = load(Two, environ=environ, providers={"x": Leasing(), "mem": memory}, redact=False)
child = os.fork()
memory.put("b", "CANARY-two")
fine = until(lambda: config.two.reveal() == "CANARY-two")
if child:
    os.waitpid(child, 0)
    print("parent", fine, names().count("wellkept-refresh"), flush=True)
else:
    print("child", fine, names().count("wellkept-refresh"), flush=True)
""") == ["child True 1", "parent True 1"]


def test_what_a_child_leases_after_the_fork_is_its_own_to_end() -> None:
    assert told("""
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${x:a}"}, providers={"x": Leasing()}, redact=False)
child = os.fork()
if child:
    os.waitpid(child, 0)
else:
    print(config.one.refresh(), config.one.reveal() == "CANARY-2", flush=True)
""") == ["True True", "revoked 2 by the one that leased it"]


def test_a_child_that_was_forked_during_a_journey_makes_its_own() -> None:
    assert told("""
class Slow(MemorySource):
    parent, hangs, has_begun = os.getpid(), False, False
    def fetch(self, reference):
        if self.hangs and os.getpid() == self.parent:
            self.has_begun = True
            time.sleep(3600)
        return super().fetch(reference)

slow = Slow({"a": "CANARY-a"})
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${slow:a?ttl=100ms}"}, providers={"slow": slow}, redact=False)
slow.hangs = True
print(until(lambda: slow.has_begun), flush=True)
child = os.fork()
if child:
    print(os.waitpid(child, 0)[1], flush=True)
    os._exit(0)
slow.put("a", "CANARY-two")
print(until(lambda: config.one.reveal() == "CANARY-two"), flush=True)
os._exit(0)
""") == ["True", "True", "0"]


def test_a_program_that_is_started_and_not_forked_changes_nothing() -> None:
    assert told("""
import subprocess
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${x:a}"}, providers={"x": Leasing()}, redact=False)
subprocess.run([sys.executable, "-c", "pass"])
""") == ["revoked 1 by the one that leased it"]


# ---- in this process ----


@pytest.fixture
def runner() -> Runner:
    return Runner(Engine(ask), Calls())


def test_a_runner_that_is_stopped_has_ended_what_it_held_and_starts_no_more(runner: Runner) -> None:
    source, holder = Leasing(600.0), Holder()
    runner.engine.follow([(holder, [asked(source)])])
    runner.wake()
    runner.stop()
    assert eventually(lambda: source.revoked == ["lease-1"]), "its thread may be later than `stop` waits for it"
    runner.wake()
    runner.stop()
    assert source.revoked == ["lease-1"]


def test_a_runner_that_never_ran_stops_at_once(runner: Runner) -> None:
    runner.stop()


def test_a_runner_that_is_woken_more_often_than_it_can_take_note_of_raises_nothing(runner: Runner) -> None:
    class Here(Store):
        is_local = True

    source = Here({"db": "CANARY"})
    runner.engine.follow([(Holder(), [asked(source, ttl_s=0.05)])])
    source.gate.clear()
    runner.wake()
    assert source.waiting.acquire(timeout=30)  # it is busy now
    try:
        for _ in range(70_000):  # more than a pipe holds
            runner.wake()
    finally:
        source.gate.set()
        runner.stop()


def test_an_engine_that_fails_is_a_warning_and_goes_on() -> None:
    class Failing(Engine):
        runs = 0

        def run(self, start: object) -> float:
            self.runs += 1
            if self.runs == 1:
                raise RuntimeError("CANARY")
            return super().run(start)  # type: ignore[arg-type]  # passed on

    engine = Failing(ask)
    runner = Runner(engine, Calls())
    with listening(Topic.WARNING) as heard:
        runner.wake()
        assert eventually(lambda: engine.runs > 1)
        runner.stop()
    assert [one.detail for one in heard] == ["failed with RuntimeError, and goes on: report it"]


def test_a_lease_of_no_source_that_leases_is_kept_until_its_end() -> None:
    class Bare(Store):
        def fetch(self, reference: object) -> object:  # type: ignore[override]  # with a lease that nothing renews
            made = super().fetch(reference)  # type: ignore[arg-type]  # passed on
            return type(made)(made.value, made.answer, lease=Lease(None, 100.0))

    driven, source = Driven(), Bare({"db": "CANARY"})
    holder = driven.follow(source)
    driven.run_for(90)
    assert len(source.requests) == 2
    driven.engine.forget([holder])
    driven.engine.let_go(lambda: False)


def test_a_login_of_a_source_that_is_followed_no_more_holds_the_end_up_for_two_seconds_at_the_most() -> None:
    (took_s,) = told("""
import atexit

class LogsIn:
    has_own_login = True
    def fetch(self, reference):
        return Reading("CANARY", "source", version="1")
    def login(self):
        return Lease("login", 600.0, True)
    renew_login = log_in_beside = login
    def log_out(self, login):
        time.sleep(45)

began = []  # first registered, last called
atexit.register(lambda: print(time.monotonic() - began[0], flush=True))
config = load(Static, environ={"BAL_CONFIG_VAR_ONE": "${in:a?version=1}"}, providers={"in": LogsIn()}, redact=False)
close(config)
began.append(time.monotonic())
""")
    assert float(took_s) < 22  # two seconds, and what a crowded machine takes


def test_a_journey_that_fails_is_made_again_after_a_pause() -> None:
    class Failing(Holder):
        def take(self, *_answers: object) -> NoReturn:
            self.values.append(None)
            raise LookupError("of the follower")

    engine, source, holder = Engine(ask), Store({"db": "CANARY-1"}), Failing()
    runner = Runner(engine, Calls())
    with listening() as heard:
        engine.follow([(holder, [asked(source, ttl_s=0.05)])])
        source.values["db"] = "CANARY-2"
        runner.wake()
        eventually(lambda: len(holder.values) >= 2)
        eventually(lambda: any("LookupError" in one.detail for one in heard))
        told_at, count = time.monotonic(), len(holder.values)
        time.sleep(1.5)
        assert len(holder.values) - count <= time.monotonic() - told_at + 1
    runner.stop()
