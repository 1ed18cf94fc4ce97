"""Leaving a source alone that has failed several times in a row: what it saves, and what it must not cost."""

import pytest

from tests.refresh.simulated import HOUR, MINUTE, Process, Source, World, burst, waits
from wellkept.errors import Kind
from wellkept.refresh.plan import Breaker, LeasedPlan, Pace, StaticPlan
from wellkept.secret import State

CHANCES = [0.0, 0.25, 0.5, 0.75, 1.0]
USUAL = Pace(10.0)


def opened(chance: float = 0.5, at_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(5):
        breaker.failed(at_s, chance)
    return breaker


def values(world: World, source: Source, number: int, breaker: Breaker | None) -> Process:
    return Process(world, source, [StaticPlan(USUAL, world.now, world.chance()) for _ in range(number)], breaker)


def test_one_that_has_heard_of_no_failure_is_closed() -> None:
    breaker = Breaker()
    assert breaker.is_closed
    assert not breaker.is_open(0.0)
    assert (breaker.pause_s, breaker.opens_again_at) == (0.0, 0.0)


def test_four_failures_leave_it_closed_and_the_fifth_opens_it() -> None:
    breaker = Breaker()
    for at_s in [0.0, 1.0, 2.0, 3.0]:
        breaker.failed(at_s, 0.5)
        assert breaker.is_closed
    breaker.failed(4.0, 0.5)
    assert not breaker.is_closed
    assert breaker.is_open(4.0)
    assert breaker.opens_again_at == 4.0 + breaker.pause_s


@pytest.mark.parametrize(("apart_s", "is_closed"), [(7.4, False), (7.6, True)])
def test_only_failures_of_the_last_half_minute_count(apart_s: float, *, is_closed: bool) -> None:
    breaker = Breaker()
    for number in range(50):
        if breaker.is_closed:
            breaker.failed(number * apart_s, 0.5)
    assert breaker.is_closed is is_closed


def test_an_answer_between_failures_begins_the_count_again() -> None:
    breaker = Breaker()
    for number in range(40):
        breaker.failed(number / 10, 0.5)
        if number % 4 == 3:
            breaker.answered()
    assert breaker.is_closed


@pytest.mark.parametrize("chance", CHANCES)
def test_a_pause_is_over_after_a_second_at_first_and_after_eight_at_the_most(chance: float) -> None:
    breaker = opened(chance)
    assert 0.5 <= breaker.pause_s <= 1.0
    for _ in range(20):
        breaker.failed(breaker.opens_again_at, chance)
        assert 0.5 <= breaker.pause_s <= 8.0
        assert breaker.is_open(breaker.opens_again_at - 0.001)
        assert not breaker.is_open(breaker.opens_again_at)


def test_pauses_grow() -> None:
    breaker, found = opened(), []
    for _ in range(6):
        found.append(breaker.pause_s)
        breaker.failed(breaker.opens_again_at, 0.5)
    assert found == sorted(found)
    assert found[-1] > 5 * found[0]


def test_when_its_pause_is_over_it_is_half_open_and_one_failure_opens_it_again() -> None:
    breaker = opened()
    now = breaker.opens_again_at
    assert (breaker.is_open(now), breaker.is_closed) == (False, False)
    breaker.failed(now, 0.5)
    assert breaker.is_open(now)


def test_an_answer_closes_it_and_the_next_pause_is_a_first_one() -> None:
    breaker = opened()
    for _ in range(10):
        breaker.failed(breaker.opens_again_at, 0.5)
    now = breaker.opens_again_at
    breaker.answered()
    assert breaker.is_closed
    assert breaker.opens_again_at == 0.0
    for _ in range(5):
        assert not breaker.is_open(now)
        breaker.failed(now, 0.5)
    assert breaker.is_open(now)
    assert breaker.pause_s <= 1.0


def test_two_breakers_with_one_past_part() -> None:
    assert len({opened(chance).opens_again_at for chance in CHANCES}) == len(CHANCES)


@pytest.mark.parametrize("hangs_s", [0.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_values_of_a_dead_source_cost_half_a_request_a_second_at_the_most(hangs_s: float, seed: int) -> None:
    world, source = World(seed), Source(outages=[(MINUTE, HOUR)], hangs_s=hangs_s)
    values(world, source, 100, Breaker())
    world.run(20 * MINUTE)
    for minute in range(1, 20):
        assert sum(minute * MINUTE <= one < (minute + 1) * MINUTE for one in source.times()) <= 30


def test_without_a_breaker_they_cost_hundreds() -> None:
    world, source = World(), Source(outages=[(MINUTE, HOUR)])
    values(world, source, 100, None)
    world.run(5 * MINUTE)
    assert sum(3 * MINUTE <= one < 4 * MINUTE for one in source.times()) > 500


@pytest.mark.parametrize("hangs_s", [0.0, 5.0])
def test_while_it_is_not_closed_a_source_is_asked_one_thing_at_a_time(hangs_s: float) -> None:
    world, source = World(), Source(outages=[(MINUTE, HOUR)], hangs_s=hangs_s)
    values(world, source, 100, Breaker())
    world.run(HOUR - 1)
    late = [one for one in source.times() if one > 2 * MINUTE]
    assert min(waits(late)) >= hangs_s + 0.5 - 1e-6


@pytest.mark.parametrize("hangs_s", [0.0, 1.0])
@pytest.mark.parametrize("number", [1, 3, 100])
@pytest.mark.parametrize("seed", range(5))
def test_a_source_that_is_back_is_found_within_two_intervals_for_all_its_breaker(
    hangs_s: float, number: int, seed: int
) -> None:
    world, source = World(seed), Source(latency_s=0.001, outages=[(MINUTE, 10 * MINUTE)], hangs_s=hangs_s)
    process = values(world, source, number, Breaker())
    world.run(10 * MINUTE + 20.0)
    assert {one.plan.state for one in process.watched} <= {State.FRESH, State.DUE}


def test_a_thousand_processes_that_find_their_source_again_do_not_ask_together() -> None:
    world, source = World(), Source(outages=[(MINUTE, 6 * MINUTE)])
    for _ in range(1000):
        values(world, source, 1, Breaker())
    world.run(8 * MINUTE)
    assert max(burst(source.times(), 6 * MINUTE + begin) for begin in range(0, 100, 10)) <= 2.0


def test_what_is_absent_is_an_answer_and_keeps_it_closed() -> None:
    world, source = World(), Source(gone=[(0.0, HOUR)])
    breaker = Breaker()
    process = values(world, source, 10, breaker)
    world.run(HOUR - 1)
    assert breaker.is_closed
    assert {one.plan.failure for one in process.watched} == {Kind.ABSENT}


@pytest.mark.parametrize("seed", range(5))
def test_a_lease_of_five_minutes_outlives_an_outage_of_one_for_all_its_breaker(seed: int) -> None:
    world = World(seed)
    source = Source(lease_s=5 * MINUTE, outages=[(3 * MINUTE, 4 * MINUTE)], hangs_s=1.0)
    plans = [LeasedPlan(0.0, world.chance(), 5 * MINUTE, is_renewable=False) for _ in range(20)]
    process = Process(world, source, plans, Breaker())
    world.run(HOUR)
    assert State.EXPIRED not in {state for one in process.watched for _, state in one.seen}
