"""Plans, whatever comes of what they ask for and however time goes on: they never turn in a circle, and never stop."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept.errors import Kind
from wellkept.refresh.plan import Breaker, LeasedPlan, Pace, StaticPlan, Task, next_wait
from wellkept.secret import State

DAY = 86400.0
REFUSED = {Kind.ABSENT, Kind.DENIED}
EXACT = 1e-6  # of a clock that has gone on for years

CHANCES = st.floats(0, 1)
KINDS = st.sampled_from([Kind.UNREACHABLE, Kind.INVALID, Kind.ABSENT, Kind.DENIED])
PAUSES = st.none() | st.floats(0, 1e6)
# Either to any time at all, or to the moment that the plan has named: most faults sit there.
STEPS = st.just("due") | st.just("end") | st.floats(0, 10) | st.floats(0, 100 * DAY)
LEASES = st.sampled_from([0.0, 1e-9, 0.1, 1.0, 60.0, 3600.0, 30 * DAY]) | st.floats(0, 30 * DAY)
PACES = st.builds(
    Pace,
    st.sampled_from([0.1, 1.0, 10.0, 3600.0, 30 * DAY]) | st.floats(0.001, 30 * DAY),
    st.booleans(),
    st.none() | st.floats(0, 10 * DAY),
)
FAILURES = st.tuples(st.just("failed"), KINDS, PAUSES)
LOOKS = st.tuples(st.just("answered"), st.booleans(), st.floats(0, 100)) | FAILURES | st.tuples(st.just("woke"))
ASKED = (
    st.tuples(st.just("issued"), LEASES, st.booleans())
    | st.tuples(st.just("renewed"), LEASES)
    | FAILURES
    | st.tuples(st.just("woke"))
    | st.tuples(st.just("replace"))
)


def later(plan: StaticPlan | LeasedPlan, now: float, step: str | float) -> float:
    if isinstance(step, float):
        return now + step
    then = plan.due_at if step == "due" else plan.ends_at
    return now if then is None else max(now, then)


def check(plan: StaticPlan | LeasedPlan, now: float) -> None:
    """What holds of every plan at every moment, once it was told the time."""
    plan.tick(now)
    assert math.isfinite(plan.due_at)
    assert plan.checked_at <= now
    assert (plan.state is State.EXPIRED) == (plan.ends_at is not None and now >= plan.ends_at)
    if plan.state is State.FRESH:
        assert plan.due_at > now
    if plan.state in {State.FRESH, State.DUE}:
        assert plan.failure is None


@given(PACES, CHANCES, st.lists(st.tuples(STEPS, CHANCES, LOOKS), max_size=30))
def test_a_value_that_stays_good_is_always_asked_for_again_in_time(
    pace: Pace, chance: float, row: list[tuple[str | float, float, tuple[object, ...]]]
) -> None:
    plan, now = StaticPlan(pace, 0.0, chance), 0.0
    assert 0 < plan.due_at <= pace.every_s * (1 + EXACT)
    planned_at = 0.0
    for step, luck, outcome in row:
        now = later(plan, now, step)
        check(plan, now)
        match outcome:
            case ("answered", bool(is_new), float(took_s)):
                plan.answered(now, luck, is_new=is_new, took_s=took_s)
                planned_at = now
                assert plan.state is State.FRESH
                assert 0.4 * min(pace.every_s, 300) - EXACT <= plan.due_at - now
                assert plan.due_at - now <= 1.2 * max(pace.every_s, 300.0) + EXACT
                if pace.is_exact and took_s <= 1.0 and plan._every_s <= pace.every_s:
                    assert plan.due_at - now <= pace.every_s + EXACT
            case ("failed", Kind() as kind, pause_s):
                assert pause_s is None or isinstance(pause_s, float)
                plan.failed(now, luck, kind, pause_s)
                planned_at = now
                assert plan.failure is kind
                assert plan.state in {State.GONE if kind in REFUSED else State.STALE, State.EXPIRED}
                assert 0 <= plan.due_at - now <= max(36.0, 60 + 1.2 * max(pace.every_s, 300.0)) + EXACT
                if kind in REFUSED or pause_s is None:
                    assert plan.due_at - now >= 0.4 - EXACT
            case _:
                before = plan.due_at
                plan.woke(now, luck)
                assert plan.due_at <= max(before, now + max(pace.every_s, 300.0)) + EXACT
        assert plan.due_at >= planned_at
        check(plan, now)


@given(LEASES, st.booleans(), CHANCES, st.lists(st.tuples(STEPS, CHANCES, ASKED), max_size=30))
def test_a_lease_is_never_served_past_its_end_and_never_forgotten(
    lease_s: float, is_renewable: bool, chance: float, row: list[tuple[str | float, float, tuple[object, ...]]]
) -> None:
    plan, now = LeasedPlan(0.0, chance, lease_s, is_renewable=is_renewable), 0.0
    for step, luck, outcome in row:
        now = later(plan, now, step)
        check(plan, now)
        assert plan.ends_at is not None
        left_s = max(0.0, plan.ends_at - now)
        match outcome:
            case ("issued", float(given_s), bool(may_renew)):
                plan.issued(now, luck, given_s, is_renewable=may_renew)
                assert plan.ends_at == now + given_s
                assert plan.task is (Task.RENEW if may_renew else Task.ISSUE)
                assert now <= plan.due_at <= now + max(0.85 * given_s, 1.0) + EXACT
            case ("renewed", float(given_s)):
                plan.renewed(now, luck, given_s)
                assert plan.ends_at == now + given_s
                assert now <= plan.due_at <= now + max(0.85 * given_s, 1.0) + EXACT
            case ("failed", Kind() as kind, pause_s):
                assert pause_s is None or isinstance(pause_s, float)
                was_renewal = plan.task is Task.RENEW
                plan.failed(now, luck, kind, pause_s)
                assert plan.failure is kind
                is_given_up = was_renewal and plan.task is Task.ISSUE
                assert plan.due_at - now >= (0.0 if is_given_up else 0.05 - EXACT)
                assert plan.due_at - now <= (max(left_s / 4, 1.0) if left_s > 0 else 102.0) + EXACT
                if was_renewal and kind in REFUSED:
                    assert plan.task is Task.ISSUE
            case ("replace",):
                plan.replace(now, luck)
                assert plan.task is Task.ISSUE
                assert now <= plan.due_at <= now + min(left_s / 10, 2.0) + EXACT
            case _:
                before = plan.due_at
                plan.woke(now, luck)
                assert plan.due_at == before or now <= plan.due_at <= now + left_s / 4 + EXACT
        check(plan, now)
        assert plan.state is not State.EXPIRED or plan.task is Task.ISSUE


@given(
    st.floats(2.0, 30 * DAY),  # below it the least wait is longer than a quarter of what is left
    st.booleans(),
    CHANCES,
    st.lists(CHANCES, min_size=5, max_size=5),
    st.sampled_from([Kind.UNREACHABLE, Kind.INVALID]),
)
def test_four_attempts_always_fit_before_the_end_of_a_lease(
    lease_s: float, is_renewable: bool, chance: float, lucks: list[float], kind: Kind
) -> None:
    plan = LeasedPlan(0.0, chance, lease_s, is_renewable=is_renewable)
    attempts = 0
    for luck in lucks:
        if plan.due_at < lease_s:
            attempts += 1
        plan.failed(plan.due_at, luck, kind)
    assert attempts >= 4


@given(st.floats(1.0, 30 * DAY), CHANCES, st.lists(CHANCES, min_size=1))
def test_a_lease_that_cannot_be_renewed_before_its_last_tenth_is_replaced(
    lease_s: float, chance: float, lucks: list[float]
) -> None:
    plan = LeasedPlan(0.0, chance, lease_s, is_renewable=True)
    for luck in lucks:
        asked_at = plan.due_at
        plan.failed(asked_at, luck, Kind.UNREACHABLE)
        assert (plan.task is Task.ISSUE) == (asked_at > 0.9 * lease_s) or asked_at == pytest.approx(0.9 * lease_s)


@given(st.lists(st.tuples(st.floats(0, 1000), CHANCES, st.booleans())))
def test_a_breaker_is_open_for_eight_seconds_at_the_most(row: list[tuple[float, float, bool]]) -> None:
    breaker, now, failed_at = Breaker(), 0.0, 0.0
    for step_s, chance, is_answered in row:
        now += step_s
        if is_answered:
            breaker.answered()
        else:
            breaker.failed(now, chance)
            failed_at = now
        assert not (breaker.is_closed and breaker.is_open(now))
        assert breaker.is_closed or failed_at + 0.4 <= breaker.opens_again_at <= failed_at + 8.0 + EXACT
        assert not breaker.is_open(now + 8.0 + EXACT)
        assert breaker.is_closed or not is_answered


@given(st.floats(0, 1e9), CHANCES, st.floats(0.5, 300))
def test_a_wait_is_neither_shorter_than_the_least_nor_longer_than_the_most(
    last_s: float, chance: float, most_s: float
) -> None:
    assert 0.4 <= next_wait(last_s, chance, most_s=most_s) <= most_s


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda chance: StaticPlan(Pace(10.0), 0.0, chance).due_at, id="looks"),
        pytest.param(lambda chance: LeasedPlan(0.0, chance, 60.0, is_renewable=True).due_at, id="renewals"),
        pytest.param(lambda chance: LeasedPlan(0.0, chance, 60.0, is_renewable=False).due_at, id="replacements"),
    ],
)
@given(one=CHANCES, other=CHANCES)
def test_two_that_start_at_one_moment_part_as_their_chances_do(
    make: Callable[[float], float], one: float, other: float
) -> None:
    assert abs(make(one) - make(other)) == pytest.approx(abs(one - other) * (make(1.0) - make(0.0)), abs=EXACT)
