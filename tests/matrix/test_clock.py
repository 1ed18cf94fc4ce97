"""Time that jumps, a machine that sleeps, and many processes that all come back at one moment."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest

from tests.matrix.compressed import Held, Life
from tests.matrix.faults import FaultProxy, drop
from tests.matrix.following import Events
from tests.refresh.simulated import burst
from tests.servers.database import Database, set_up_database
from tests.servers.space import Space
from wellkept._clock import SYSTEM_CLOCK
from wellkept.events import Topic
from wellkept.providers.vault import Vault
from wellkept.secret import State
from wellkept.testing import ManualClock

HOUR_S: Final = 3600.0
MINUTE_S: Final = 60.0
ENGINES: Final = 300  # of a hundred, chance alone makes twice the mean now and then
PATHS: Final = [f"secret/n{number}" for number in range(20)]


class JumpingClock(ManualClock):
    """A clock whose time of day somebody sets."""

    skew = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.skew


def vault_of(space: Space, proxy: FaultProxy) -> Vault:
    return Vault.from_environ({**space.environ(), "VAULT_ADDR": proxy.address, "VAULT_MAX_RETRIES": "0"})


def pairs_of(space: Space, proxy: FaultProxy) -> list[tuple[Life, Held]]:
    """Many engines, that have started together, with one secret each."""
    space.put("secret/one", password="one-CANARY")
    vault = vault_of(space, proxy)
    lives = [Life(seed) for seed in range(ENGINES)]
    return [(life, life.follow(vault, "secret/one")) for life in lives]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system does not tell for how long it slept")
def test_deadlines_stand_on_a_clock_that_nobody_sets_and_that_goes_on_in_sleep() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SYSTEM_CLOCK.seconds() <= time.clock_gettime(time.CLOCK_BOOTTIME)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_time_of_day_that_jumps_costs_no_request_and_no_value(
    space: Space, proxy: FaultProxy, events: Events, hours: int
) -> None:
    for path in PATHS:
        space.put(path, password="one-CANARY")
    clock = JumpingClock()
    life = Life(clock=clock)
    held = life.follow_all(vault_of(space, proxy), PATHS)
    life.passes(5 * MINUTE_S)
    usual = len(life.requests_at)
    clock.skew = timedelta(hours=hours)
    life.passes(5 * MINUTE_S)
    assert len(life.requests_at) - usual <= 1.2 * usual
    assert {one.state for one in held} == {State.FRESH}
    space.put(PATHS[0], password="two-CANARY")
    life.passes(12.1)
    assert held[0].has({"password": "two-CANARY"})
    assert not events.of(Topic.STALE, PATHS[0])


def test_what_changed_while_the_machine_slept_is_seen_within_one_poll(space: Space, proxy: FaultProxy) -> None:
    for path in PATHS:
        space.put(path, password="one-CANARY")
    life = Life()
    held = life.follow_all(vault_of(space, proxy), PATHS)
    life.passes(MINUTE_S)
    space.put(PATHS[3], password="two-CANARY")
    usual = len(life.requests_at)
    life.clock.advance(8 * HOUR_S)
    life.engine.woke()
    life.passes(10.0)
    assert held[3].has({"password": "two-CANARY"})
    assert {one.state for one in held} == {State.FRESH}
    assert len(life.requests_at) - usual <= 4  # one look and one fetch, not one for each poll that was slept through


def test_many_that_wake_at_one_moment_do_not_ask_at_one_moment(space: Space, proxies: Callable[[], FaultProxy]) -> None:
    times: list[float] = []
    for life, held in pairs_of(space, proxies()):
        life.passes(MINUTE_S)
        life.clock.advance(HOUR_S)
        woke_at = life.now
        life.engine.woke()
        life.passes(10.0)
        times.append(next(one for one in life.requests_at if one >= woke_at) - woke_at)
        assert held.state is State.FRESH
    assert burst(times, 0.0) <= 2.0


def test_a_lease_that_was_slept_through_is_not_served_until_there_is_another(
    space: Space, database: Database, events: Events
) -> None:
    set_up_database(space, database, default_ttl="60s", max_ttl="120s")
    life = Life()
    held = life.follow(Vault.from_environ(space.environ()), "database/creds/app")
    life.passes(1.0)
    life.clock.advance(HOUR_S)
    life.engine.woke()
    life.passes(0.0, until=lambda: held.state is State.EXPIRED)
    assert next(one.topic for one in events.all if one.subject == "database/creds/app") is Topic.EXPIRED
    life.passes(3.0)
    assert held.state is State.FRESH
    assert len(held.versions) == 2
    life.passes(30.0)
    assert not events.of(Topic.GONE, "database/creds/app")


def test_many_that_were_cut_off_come_back_one_by_one_when_it_heals(
    space: Space, proxies: Callable[[], FaultProxy]
) -> None:
    proxy = proxies()
    times: list[float] = []
    for life, held in pairs_of(space, proxy):
        life.passes(MINUTE_S)
        proxy.spoil(drop)
        life.passes(MINUTE_S)
        assert held.is_(State.STALE)
        proxy.heal()
        healed_at = life.now
        life.passes(12.1)
        assert held.is_(State.FRESH)
        times.append(next(one for one in life.requests_at if one > healed_at) - healed_at)
    assert burst(times, 0.0) <= 2.0
