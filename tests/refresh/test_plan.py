"""When a value is asked for again: each rule by itself, and days of it with sources that fail."""

import math
from collections.abc import Callable

import pytest

from tests.refresh.simulated import DAY, HOUR, MINUTE, Process, Source, Window, World, burst, busiest, leased, waits
from wellkept.errors import Kind
from wellkept.refresh.plan import Breaker, LeasedPlan, Pace, StaticPlan, Task, next_wait
from wellkept.secret import State

USUAL = Pace(10.0)
CHANCES = [0.0, 0.25, 0.5, 0.75, 1.0]
FOREVER = float("inf")


def static(world: World, source: Source, pace: Pace = USUAL) -> Process:
    return Process(world, source, [StaticPlan(pace, world.now, world.chance())])


def fleet(world: World, source: Source, number: int, pace: Pace = USUAL) -> list[Process]:
    return [static(world, source, pace) for _ in range(number)]


def looks(source: Source, until_s: float = DAY, pace: Pace = USUAL, seed: int = 1) -> list[float]:
    world = World(seed)
    static(world, source, pace)
    world.run(until_s)
    return source.times()


# ---- a value that stays good ----


def test_a_value_is_looked_at_every_ten_seconds_give_or_take_a_fifth() -> None:
    found = waits(looks(Source()))
    assert all(8.0 <= one <= 12.1 for one in found)
    assert sum(found) / len(found) == pytest.approx(10.0, rel=0.02)


def test_the_first_look_comes_within_the_first_interval_and_not_all_at_one_moment() -> None:
    first = [StaticPlan(USUAL, 0.0, chance).due_at for chance in CHANCES]
    assert first == pytest.approx([2.0, 4.0, 6.0, 8.0, 10.0])


def test_a_thousand_that_start_together_do_not_ask_together() -> None:
    world, source = World(), Source()
    fleet(world, source, 1000)
    world.run(5 * MINUTE)
    assert max(burst(source.times(), begin) for begin in range(0, 280, 10)) <= 2.0


def test_after_a_change_it_is_looked_at_twice_as_often_and_then_as_before() -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    plan.answered(10.0, 0.5, is_new=True)
    assert plan.due_at == 15.0
    found = []
    for _ in range(6):
        asked_at = plan.due_at
        plan.answered(asked_at, 0.5)
        found.append(plan.due_at - asked_at)
    assert found[0] == pytest.approx(6.25)
    assert found[-1] == pytest.approx(10.0)
    assert found == sorted(found)


def test_two_changes_in_a_row_do_not_halve_it_twice() -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    plan.answered(10.0, 0.5, is_new=True)
    plan.answered(15.0, 0.5, is_new=True)
    assert plan.due_at == 20.0


def test_a_change_is_seen_within_one_interval() -> None:
    world, source = World(), Source(changes=[HOUR + 3.3])
    static(world, source)
    world.run(2 * HOUR)
    assert min(one for one in source.times() if one >= HOUR + 3.3) - (HOUR + 3.3) <= 12.1


def test_slow_answers_make_it_rarer_up_to_five_minutes_and_quick_ones_bring_it_back() -> None:
    plan, found = StaticPlan(USUAL, 0.0, 0.5), []
    for took_s in [2.0] * 7 + [0.1] * 6:
        asked_at = plan.due_at
        plan.answered(asked_at, 0.5, took_s=took_s)
        found.append(plan.due_at - asked_at)
    assert found[:7] == [20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    assert found[7:] == [150.0, 75.0, 37.5, 18.75, 10.0, 10.0]


@pytest.mark.parametrize("took_s", [0.0, 0.2, 1.0])
def test_only_slow_answers_make_it_rarer(took_s: float) -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    for _ in range(10):
        plan.answered(plan.due_at, 0.5, took_s=took_s)
    assert plan.due_at == pytest.approx(6.0 + 10 * 10.0)


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.INVALID, Kind.ABSENT, Kind.DENIED])
def test_a_source_that_failed_is_looked_at_as_before_when_it_answers_again(kind: Kind) -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    for _ in range(20):
        plan.failed(plan.due_at, 0.9, kind)
    asked_at = plan.due_at
    plan.answered(asked_at, 0.5)
    assert plan.due_at == asked_at + 10.0


def test_a_source_that_limits_is_asked_less_often_for_good() -> None:
    source = Source(per_s=1)
    world = World()
    fleet(world, source, 100)
    world.run(HOUR)
    early = sum(one < 2 * MINUTE for one in source.times()) / 120
    late = [one for one in source.requests if one.at > 40 * MINUTE]
    assert len(late) / (20 * 60) < early / 2
    assert sum(one.is_answered for one in late) / len(late) > 0.3


@pytest.mark.parametrize(("asks_s", "least_s"), [(7.0, 7.0), (59.0, 59.0), (3600.0, 60.0)])
@pytest.mark.parametrize("chance", CHANCES)
def test_a_source_that_asks_for_a_pause_gets_it_up_to_a_minute(asks_s: float, least_s: float, chance: float) -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    plan.failed(10.0, chance, Kind.UNREACHABLE, asks_s)
    assert least_s <= plan.due_at - 10.0 <= least_s + 4.0 + 1e-9


def test_a_row_of_limits_ends_at_waits_of_two_minutes_at_the_most() -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    for _ in range(20):
        plan.failed(1000.0, 1.0, Kind.UNREACHABLE, 60.0)
    assert plan.due_at - 1000.0 == pytest.approx(120.0)


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("asks_s", [0.0, 0.01])
def test_a_limit_without_a_pause_is_no_reason_to_ask_at_once(asks_s: float, chance: float) -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    plan.failed(10.0, chance, Kind.UNREACHABLE, asks_s)
    assert plan.due_at - 10.0 >= 0.5


# ---- ttl= ----


@pytest.mark.parametrize("ttl_s", [0.1, 1.0, 30.0, HOUR, 30 * DAY])
@pytest.mark.parametrize("chance", CHANCES)
def test_a_ttl_is_never_exceeded(ttl_s: float, chance: float) -> None:
    plan = StaticPlan(Pace(ttl_s, is_exact=True), 0.0, chance)
    assert 0.2 * ttl_s <= plan.due_at <= ttl_s
    for is_new in [False, True, False, False]:
        asked_at = plan.due_at
        plan.answered(asked_at, chance, is_new=is_new)
        assert 0.8 * ttl_s - 1e-6 <= plan.due_at - asked_at <= ttl_s + 1e-6


def test_a_ttl_of_one_second_is_kept_for_a_day_and_costs_no_more_than_it_must() -> None:
    found = waits(looks(Source(), until_s=HOUR, pace=Pace(1.0, is_exact=True)))
    assert max(found) <= 1.0 + 0.011
    assert sum(found) / len(found) > 0.85


@pytest.mark.parametrize("ttl_s", [1.0, 5.0])
def test_a_ttl_is_kept_when_answers_are_slow(ttl_s: float) -> None:
    plan = StaticPlan(Pace(ttl_s, is_exact=True), 0.0, 1.0)
    for _ in range(5):
        plan.answered(1000.0, 1.0, took_s=3.0)
    assert plan.due_at - 1000.0 <= ttl_s


@pytest.mark.parametrize("pace", [Pace(HOUR), Pace(HOUR, is_exact=True), Pace(30 * DAY, is_exact=True)])
def test_a_source_that_has_enough_to_do_is_never_asked_more_often_than_before(pace: Pace) -> None:
    slow, limited = StaticPlan(pace, 0.0, 0.5), StaticPlan(pace, 0.0, 0.5)
    slow.answered(0.0, 0.0, took_s=5.0)
    limited.failed(0.0, 0.0, Kind.UNREACHABLE, 1.0)
    limited.answered(0.0, 0.0)
    assert min(slow.due_at, limited.due_at) >= 0.8 * pace.every_s


def test_another_pace_holds_from_the_next_answer_on() -> None:
    plan = StaticPlan(Pace(HOUR), 0.0, 0.5)
    plan.pace = Pace(1.0, is_exact=True)
    plan.answered(1.0, 0.0)
    assert plan.pace.every_s == 1.0
    assert plan.due_at == 2.0


def test_the_same_pace_again_changes_nothing() -> None:
    plan = StaticPlan(USUAL, 0.0, 0.5)
    plan.answered(10.0, 0.5, took_s=5.0)
    plan.pace = Pace(10.0)
    plan.answered(30.0, 0.5, took_s=5.0)
    assert plan.due_at == 70.0


# ---- a source that fails ----


@pytest.mark.parametrize("hangs_s", [0.0, 5.0])
@pytest.mark.parametrize("down_s", [1.0, 40.0, HOUR])
@pytest.mark.parametrize("seed", range(5))
def test_a_source_that_is_back_is_found_within_two_intervals(hangs_s: float, down_s: float, seed: int) -> None:
    source = Source(outages=[(HOUR, HOUR + down_s)], hangs_s=hangs_s)
    heal = HOUR + down_s
    found = [one for one in looks(source, heal + MINUTE, seed=seed) if one >= heal]
    assert found[0] - heal <= 20.0


def test_a_source_that_is_down_is_asked_at_most_twice_as_often_as_one_that_is_up() -> None:
    source = Source(outages=[(0.0, DAY)])
    assert len(looks(source)) <= 2 * DAY / 10


def test_a_value_is_served_on_for_as_long_as_its_source_is_down() -> None:
    world, source = World(), Source(outages=[(HOUR, DAY)])
    process = static(world, source)
    world.run(DAY - 1)
    assert (process.only.plan.state, process.only.plan.failure) == (State.STALE, Kind.UNREACHABLE)
    assert process.only.plan.ends_at is None
    assert HOUR - 12.1 <= process.only.plan.checked_at <= HOUR
    world.run(DAY + MINUTE)
    assert (process.only.plan.state, process.only.plan.failure) == (State.FRESH, None)


def test_a_thousand_that_find_their_source_again_do_not_ask_together() -> None:
    world, source = World(), Source(outages=[(MINUTE, 10 * MINUTE)])
    fleet(world, source, 1000)
    world.run(15 * MINUTE)
    assert max(burst(source.times(), 600.0 + begin) for begin in range(0, 100, 10)) <= 2.0


def test_a_thousand_that_lose_their_source_do_not_fall_into_step() -> None:
    world, source = World(), Source(outages=[(MINUTE, HOUR)])
    fleet(world, source, 400)
    world.run(10 * MINUTE)
    assert max(burst(source.times(), begin) for begin in range(60, 580, 20)) <= 2.0


@pytest.mark.parametrize("kind", ["gone", "denied"])
def test_what_is_gone_or_denied_is_asked_for_every_thirty_seconds_without_end(kind: str) -> None:
    window: list[Window] = [(HOUR, DAY)]
    source = Source(gone=window) if kind == "gone" else Source(denied=window)
    found = waits([one for one in looks(source) if one >= HOUR])
    assert all(24.0 <= one <= 36.1 for one in found)
    assert sum(found[-100:]) / 100 == pytest.approx(30.0, rel=0.05)


def test_what_is_gone_is_served_on_and_is_fresh_when_it_is_there_again() -> None:
    world, source = World(), Source(gone=[(HOUR, 2 * HOUR)])
    process = static(world, source)
    world.run(3 * HOUR)
    told = [(at, state) for at, state in process.only.seen if state in {State.GONE, State.STALE, State.EXPIRED}]
    assert [state for _, state in told] == [State.GONE]
    assert process.only.plan.state in {State.FRESH, State.DUE}
    assert min(one for one in source.times() if one >= 2 * HOUR) - 2 * HOUR <= 36.0


def test_a_limit_of_staleness_ends_a_value_and_an_answer_brings_it_back() -> None:
    world, source = World(), Source(outages=[(HOUR, DAY)])
    process = static(world, source, Pace(10.0, max_stale_s=15 * MINUTE))
    world.run(DAY + MINUTE)
    (ended_at,) = [at for at, state in process.only.seen if state is State.EXPIRED]
    assert HOUR + 15 * MINUTE - 12.1 <= ended_at <= HOUR + 15 * MINUTE
    assert (process.only.plan.state, process.only.plan.ends_at) == (State.FRESH, None)


def test_a_limit_of_zero_ends_a_value_with_the_first_failure() -> None:
    plan = StaticPlan(Pace(10.0, max_stale_s=0.0), 0.0, 0.5)
    plan.failed(HOUR, 0.5, Kind.UNREACHABLE)
    assert plan.state is State.EXPIRED


def test_a_value_that_has_ended_is_asked_for_as_often_as_one_that_has_not() -> None:
    source = Source(outages=[(MINUTE, HOUR)])
    found = [one for one in looks(source, HOUR, Pace(10.0, max_stale_s=0.0)) if one > 5 * MINUTE]
    assert max(waits(found)) <= 10.0
    assert len(found) > 55 * 6


def test_a_look_that_is_due_is_late() -> None:
    plan, found = StaticPlan(USUAL, 0.0, 0.5), []
    for now in [5.9, 6.1, 100.0]:
        plan.tick(now)
        found.append(plan.state)
    assert found == [State.FRESH, State.DUE, State.DUE]


# ---- the machine slept ----


def test_a_thousand_values_that_wake_after_eight_hours_do_not_ask_together() -> None:
    world, source = World(), Source()
    plans = [StaticPlan(USUAL, 0.0, world.chance()) for _ in range(1000)]
    world.run(8 * HOUR)
    for one in plans:
        one.woke(world.now, world.chance())
    for one in plans:
        Process(world, source, [one])
    world.run(8 * HOUR + 5 * MINUTE)
    assert max(burst(source.times(), 8 * HOUR + begin) for begin in range(0, 280, 10)) <= 2.0
    assert min(source.times()) >= 8 * HOUR


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("pace", [USUAL, Pace(1.0, is_exact=True), Pace(HOUR, is_exact=True)])
def test_a_value_that_wakes_is_looked_at_soon(pace: Pace, chance: float) -> None:
    plan = StaticPlan(pace, 0.0, 0.5)
    plan.woke(8 * HOUR, chance)
    assert 0.0 <= plan.due_at - 8 * HOUR <= min(pace.every_s, 5 * MINUTE)


def test_a_value_that_wakes_before_it_is_due_is_looked_at_no_later_than_planned() -> None:
    plan = StaticPlan(Pace(HOUR, is_exact=True), 0.0, 1.0)
    plan.woke(HOUR - 1, 1.0)
    assert plan.due_at <= HOUR


def test_a_thousand_leases_that_wake_do_not_ask_together() -> None:
    world, source = World(), Source(lease_s=12 * HOUR)
    plans = [LeasedPlan(0.0, world.chance(), 12 * HOUR, is_renewable=True) for _ in range(1000)]
    world.run(9 * HOUR)
    for one in plans:
        one.woke(world.now, world.chance())
    for one in plans:
        Process(world, source, [one])
    world.run(9 * HOUR + MINUTE)
    assert burst(source.times(), 9 * HOUR) <= 2.0


def test_a_lease_that_was_slept_through_is_over_and_is_asked_for_at_once() -> None:
    plan = LeasedPlan(0.0, 0.5, HOUR, is_renewable=True)
    plan.woke(8 * HOUR, 0.5)
    plan.tick(8 * HOUR)
    assert (plan.state, plan.task) == (State.EXPIRED, Task.ISSUE)
    assert plan.due_at <= 8 * HOUR


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("left_s", [0.4, 10.0, HOUR])
def test_a_lease_that_wakes_near_its_end_is_asked_for_well_before_it(left_s: float, chance: float) -> None:
    plan = LeasedPlan(0.0, 0.0, 4 * HOUR, is_renewable=True)
    now = 4 * HOUR - left_s
    plan.woke(now, chance)
    assert now <= plan.due_at <= now + left_s / 4


# ---- a lease ----


@pytest.mark.parametrize("duration_s", [1.0, 60.0, HOUR, 30 * DAY])
@pytest.mark.parametrize(("is_renewable", "low", "high"), [(True, 0.60, 0.75), (False, 0.70, 0.85)])
def test_a_lease_is_asked_for_in_its_second_half(
    duration_s: float, low: float, high: float, *, is_renewable: bool
) -> None:
    found = [LeasedPlan(0.0, chance, duration_s, is_renewable=is_renewable).due_at for chance in CHANCES]
    assert found[0] == pytest.approx(low * duration_s)
    assert found[-1] == pytest.approx(high * duration_s)
    assert found == sorted(found)


@pytest.mark.parametrize(("is_renewable", "task"), [(True, Task.RENEW), (False, Task.ISSUE)])
def test_a_lease_that_cannot_be_renewed_is_replaced(task: Task, *, is_renewable: bool) -> None:
    assert LeasedPlan(0.0, 0.5, HOUR, is_renewable=is_renewable).task is task


@pytest.mark.parametrize("latency_s", [0.01, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(5))
def test_every_renewal_of_a_day_comes_between_three_fifths_and_three_quarters(latency_s: float, seed: int) -> None:
    world, source = World(seed), Source(latency_s=latency_s, lease_s=HOUR)
    process = leased(world, source)
    world.run(DAY)
    assert source.times(Task.ISSUE) == []
    assert all(0.60 * HOUR <= one <= 0.75 * HOUR for one in waits(source.times()))
    assert process.only.overrun_s <= 0.0


@pytest.mark.parametrize("lease_s", [2.0, 10.0, 60.0, 900.0, DAY])
@pytest.mark.parametrize("is_renewable", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_four_attempts_fit_before_the_end_whenever_the_outage_begins(
    lease_s: float, seed: int, *, is_renewable: bool
) -> None:
    world = World(seed)
    begin = world.chance() * 3 * lease_s
    source = Source(latency_s=0.0, lease_s=lease_s, outages=[(begin, FOREVER)], is_renewable=is_renewable)
    process = leased(world, source)
    world.run(begin + lease_s)
    assert process.only.grant is not None
    tried = [one.at for one in source.requests if not one.is_answered and one.at < process.only.grant.ends_at]
    assert len(tried) >= 4


@pytest.mark.parametrize("seed", range(8))
def test_four_attempts_fit_before_the_end_when_each_takes_five_seconds(seed: int) -> None:
    world = World(seed)
    source = Source(lease_s=5 * MINUTE, outages=[(MINUTE, FOREVER)], hangs_s=5.0)
    process = leased(world, source)
    world.run(10 * MINUTE)
    assert process.only.grant is not None
    assert sum(one < process.only.grant.ends_at for one in source.times()) >= 4


@pytest.mark.parametrize("latency_s", [0.01, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_renewal_that_is_cut_short_brings_a_new_lease_at_once_beside_the_old_one(latency_s: float, seed: int) -> None:
    world, source = World(seed), Source(latency_s=latency_s, lease_s=MINUTE, most_s=150.0)
    process = leased(world, source)
    world.run(DAY)
    issued, renewed = source.times(Task.ISSUE), source.times(Task.RENEW)
    assert process.only.gaps == []
    assert process.only.overrun_s <= 0.0
    assert len(issued) > DAY / 150 - 1
    assert len(renewed) < 4 * len(issued)
    assert all(min(one - other for other in renewed if other < one) <= 2.0 + latency_s + 0.02 for one in issued)


@pytest.mark.parametrize("seed", range(10))
def test_there_is_always_a_valid_lease_unless_the_source_is_down_for_longer_than_what_is_left(seed: int) -> None:
    world = World(seed)
    # A renewal comes after three quarters at the latest: what is down for a fifth is found again in time.
    outages = [
        (begin, begin + world.chance() * 12 * MINUTE)
        for begin in (hour * 2 * HOUR + world.chance() * HOUR for hour in range(36))
    ]
    source = Source(latency_s=0.1, lease_s=HOUR, most_s=5 * HOUR, outages=outages, hangs_s=5.0 * world.chance())
    process = leased(world, source)
    world.run(3 * DAY)
    assert process.only.gaps == []
    assert process.only.overrun_s <= 0.0
    assert State.EXPIRED not in [state for _, state in process.only.seen]


@pytest.mark.parametrize("seed", range(4))
def test_a_lease_that_ends_in_an_outage_is_not_served_and_is_replaced_within_half_a_minute_of_the_heal(
    seed: int,
) -> None:
    world, source = World(seed), Source(lease_s=HOUR, outages=[(MINUTE, 5 * HOUR)])
    process = leased(world, source)
    world.run(6 * HOUR)
    ((begin, end),) = process.only.gaps
    (ended_at,) = [at for at, state in process.only.seen if state is State.EXPIRED]
    assert ended_at <= begin
    assert end - 5 * HOUR <= 30.1
    assert process.only.overrun_s <= 0.0
    assert process.only.plan.state in {State.FRESH, State.DUE}


@pytest.mark.parametrize("seed", range(4))
def test_a_renewal_that_keeps_failing_is_tried_until_nine_tenths_and_then_replaced(seed: int) -> None:
    world, source = World(seed), Source(lease_s=HOUR, cannot_renew=[(0.0, FOREVER)])
    process = leased(world, source)
    world.run(HOUR)
    first = source.times(Task.ISSUE)[0]
    assert 0.9 * HOUR <= first <= 0.9 * HOUR + 32.0
    assert max(source.times(Task.RENEW)) >= 0.9 * HOUR - 30.0
    world.run(DAY)
    assert process.only.gaps == []


@pytest.mark.parametrize("kind", [Kind.ABSENT, Kind.DENIED])
@pytest.mark.parametrize("chance", CHANCES)
def test_a_renewal_that_is_refused_is_replaced_within_a_second(kind: Kind, chance: float) -> None:
    plan = LeasedPlan(0.0, 0.5, HOUR, is_renewable=True)
    asked_at = plan.due_at
    plan.failed(asked_at, chance, kind)
    assert (plan.state, plan.task) == (State.STALE, Task.ISSUE)
    assert plan.due_at - asked_at <= 1.0


def test_an_end_is_an_end_to_the_moment() -> None:
    plan = LeasedPlan(100.0, 0.5, 60.0, is_renewable=True)
    plan.failed(159.9, 0.5, Kind.UNREACHABLE)
    plan.tick(159.999)
    assert plan.state is State.STALE
    plan.tick(160.0)
    assert (plan.state, plan.task) == (State.EXPIRED, Task.ISSUE)


def test_a_lease_that_is_gone_is_served_to_its_end_and_no_longer() -> None:
    plan = LeasedPlan(0.0, 0.5, HOUR, is_renewable=False)
    plan.failed(plan.due_at, 0.5, Kind.DENIED)
    assert (plan.state, plan.failure) == (State.GONE, Kind.DENIED)
    plan.tick(HOUR)
    assert (plan.state, plan.failure) == (State.EXPIRED, Kind.DENIED)


def test_a_lease_that_is_due_is_late() -> None:
    plan = LeasedPlan(0.0, 0.0, 100.0, is_renewable=True)
    plan.tick(60.0)
    assert plan.state is State.DUE


@pytest.mark.parametrize("chance", CHANCES)
def test_a_source_of_leases_that_asks_for_a_pause_gets_it_where_there_is_time(chance: float) -> None:
    plan = LeasedPlan(0.0, 0.0, HOUR, is_renewable=True)
    plan.failed(plan.due_at, chance, Kind.UNREACHABLE, 20.0)
    assert 20.0 <= plan.due_at - 0.6 * HOUR <= 26.0
    plan.failed(0.6 * HOUR, chance, Kind.UNREACHABLE, HOUR)
    assert 60.0 <= plan.due_at - 0.6 * HOUR <= 78.0
    plan.failed(HOUR - 40.0, chance, Kind.UNREACHABLE, 20.0)  # gives up the renewal, and asks for another one
    plan.failed(HOUR - 40.0, chance, Kind.UNREACHABLE, 20.0)
    assert plan.due_at - (HOUR - 40.0) <= 10.0


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(lambda plan, chance: plan.failed(0.6 * HOUR, chance, Kind.UNREACHABLE, 20.0), id="limited"),
        pytest.param(lambda plan, chance: plan.failed(HOUR - 8.0, chance, Kind.UNREACHABLE), id="near the end"),
        pytest.param(lambda plan, chance: plan.failed(HOUR - 8.0, chance, Kind.DENIED), id="denied near the end"),
        pytest.param(lambda plan, chance: plan.failed(2 * HOUR, chance, Kind.DENIED), id="denied after the end"),
        pytest.param(lambda plan, chance: plan.failed(2 * HOUR, chance, Kind.UNREACHABLE), id="after the end"),
    ],
)
def test_two_leases_with_one_past_part(fail: Callable[[LeasedPlan, float], None]) -> None:
    found = []
    for chance in [0.6, 0.7, 0.8, 0.9]:
        plan = LeasedPlan(0.0, 0.0, HOUR, is_renewable=False)
        for _ in range(8):  # the waits have grown to the most by then
            fail(plan, chance)
        found.append(plan.due_at)
    assert len(set(found)) == len(found)


# ---- hot loops ----


@pytest.mark.parametrize("kind", ["gone", "denied", "down"])
@pytest.mark.parametrize("lease_s", [MINUTE, HOUR])
@pytest.mark.parametrize("seed", range(3))
def test_a_lease_that_cannot_be_had_is_asked_for_at_most_three_times_a_second(
    kind: str, lease_s: float, seed: int
) -> None:
    window: list[Window] = [(1.0, DAY)]
    world = World(seed)
    source = Source(latency_s=0.0, lease_s=lease_s)
    leased_there = leased(world, source)
    source.gone, source.denied, source.outages = (window if kind == one else [] for one in ("gone", "denied", "down"))
    world.run(2 * lease_s)
    assert leased_there.only.plan.state is State.EXPIRED
    assert busiest(source.times()) <= 3


def test_a_source_of_leases_that_limits_without_saying_for_how_long_is_not_hammered() -> None:
    world, source = World(), Source(latency_s=0.0, lease_s=HOUR)
    leased(world, source)
    source.per_s = 0
    world.run(HOUR, most=10_000)
    assert busiest(source.times()) <= 3
    assert len(source.times()) < 200


@pytest.mark.parametrize("lease_s", [0.0, 1e-9, 0.001, 0.1])
def test_a_lease_of_no_time_at_all_is_no_hot_loop(lease_s: float) -> None:
    world, source = World(), Source(latency_s=0.0, lease_s=lease_s)
    process = leased(world, source)
    world.run(MINUTE, most=10_000)
    assert busiest(source.times()) <= 3
    assert process.only.plan.ends_at is not None
    assert process.only.plan.ends_at <= world.now + lease_s


def test_a_lease_of_one_second_is_kept_without_a_gap() -> None:
    world, source = World(), Source(latency_s=0.01, lease_s=1.0, most_s=5.0)
    process = leased(world, source)
    world.run(HOUR)
    assert process.only.gaps == []
    assert busiest(source.times()) <= 5


def test_a_lease_of_thirty_days_is_renewed_in_its_third_week() -> None:
    world, source = World(), Source(lease_s=30 * DAY, most_s=300 * DAY)
    process = leased(world, source)
    world.run(365 * DAY)
    assert process.only.gaps == []
    assert len(source.times()) < 40


# ---- a login that ends sooner ----


def test_a_lease_under_a_login_that_ends_sooner_is_never_served_past_that_end() -> None:
    world, source = World(), Source(lease_s=HOUR, logins=[(0.0, 10 * MINUTE)])
    process = leased(world, source)
    world.run(HOUR)
    assert process.only.overrun_s <= 0.0
    assert process.only.plan.ends_at is not None
    assert process.only.plan.ends_at <= 10 * MINUTE


def test_a_login_that_runs_out_does_not_cost_a_row_of_ever_shorter_leases() -> None:
    world, source = World(), Source(latency_s=0.0, lease_s=HOUR, logins=[(0.0, 10 * MINUTE)])
    leased(world, source)
    world.run(15 * MINUTE, most=10_000)
    assert busiest(source.times()) <= 4
    assert len(source.times(Task.ISSUE)) <= 30


@pytest.mark.parametrize("seed", range(5))
def test_leases_move_to_the_login_that_is_made_beside_the_old_one_without_a_gap(seed: int) -> None:
    logins = [(number * 8 * MINUTE, number * 8 * MINUTE + 10 * MINUTE) for number in range(150)]
    world, source = World(seed), Source(latency_s=0.05, lease_s=HOUR, logins=logins)
    process = leased(world, source)

    def move() -> None:
        plan = process.only.plan
        assert isinstance(plan, LeasedPlan)
        plan.replace(world.now, world.chance())
        world.at(plan.due_at, process._step)

    for made_at, _ in logins[1:]:
        world.at(made_at + 0.001, move)
    world.run(HOUR * 15)
    assert process.only.gaps == []
    assert process.only.overrun_s <= 0.0


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("left_s", [0.1, 5.0, HOUR])
def test_a_lease_that_is_to_be_replaced_is_asked_for_within_a_tenth_of_what_is_left(
    left_s: float, chance: float
) -> None:
    plan = LeasedPlan(0.0, 0.0, left_s, is_renewable=True)
    plan.replace(0.0, chance)
    assert plan.task is Task.ISSUE
    assert 0.0 <= plan.due_at <= min(left_s / 10, 2.0)


# ---- waits ----


def test_waits_grow_from_half_a_second_to_the_most_and_not_beyond() -> None:
    row = [0.0]
    for _ in range(10):
        row.append(next_wait(row[-1], 0.5, most_s=30.0))
    assert row[1:4] == pytest.approx([0.75, 1.375, 2.3125])
    assert row[-1] == pytest.approx(27.0)
    assert all(0.5 <= one <= 30.0 for one in row[1:])


@pytest.mark.parametrize("chance", CHANCES)
def test_a_wait_is_never_shorter_than_two_fifths_of_a_second(chance: float) -> None:
    assert next_wait(0.0, chance, most_s=0.5) >= 0.4
    assert math.isfinite(next_wait(1e300, chance, most_s=30.0))


def test_a_hundred_values_of_a_source_that_heals_are_all_fresh_within_two_intervals() -> None:
    world, source = World(), Source(outages=[(MINUTE, 10 * MINUTE)], latency_s=0.0, hangs_s=1.0)
    plans = [StaticPlan(USUAL, 0.0, world.chance()) for _ in range(100)]
    process = Process(world, source, plans, Breaker())
    world.run(10 * MINUTE + 20.0)
    assert all(one.plan.state is not State.STALE for one in process.watched)
