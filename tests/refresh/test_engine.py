"""Who follows what, and that one question is asked once, however many want it."""

import gc
import threading
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from tests.refresh.sources import (
    PATIENCE_S,
    Driven,
    Holder,
    Leasing,
    Store,
    Versioned,
    asked,
    eventually,
    in_threads,
    join,
    listening,
)
from wellkept._dataclasses import replace
from wellkept.config.fetch import ask
from wellkept.errors import Unreachable
from wellkept.events import Event, Topic
from wellkept.model import Reading, Reference
from wellkept.refresh.engine import Engine
from wellkept.refresh.ticket import Taken
from wellkept.secret import State

DOWN = Unreachable("store: no answer")


# ---- a herd ----


def herd(driven: Driven, source: Store, holder: Holder, number: int) -> list[bool]:
    """Let many refresh at one moment, while the source keeps its caller waiting; what each was told."""
    told: list[bool] = []
    source.gate.clear()
    threads = in_threads(number, lambda: told.append(driven.engine.refresh(holder)))
    assert source.waiting.acquire(timeout=PATIENCE_S)
    source.gate.set()
    join(threads)
    return told


def test_a_hundred_threads_that_need_an_expired_lease_make_one_request_and_half_a_second_later_one_more() -> None:
    driven, source = Driven(), Leasing(100.0)
    holder = driven.follow(source)
    driven.clock.advance(101)
    source.requests.clear()
    assert herd(driven, source, holder, 100) == [True] * 100
    assert (len(source.requests), len(holder.values)) == (1, 1)
    assert holder.until_s == 201.0
    driven.clock.advance(0.51)
    assert all(herd(driven, source, holder, 100))
    assert len(source.requests) == 2


def test_who_refreshes_less_than_half_a_second_later_is_content_with_the_same_answer() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    holder = driven.follow(source)
    driven.engine.refresh(holder)
    driven.clock.advance(0.4)
    assert driven.engine.refresh(holder)
    assert len(source.requests) == 2


def test_a_herd_at_a_source_that_fails_makes_one_request_too_and_is_told_so() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    holder = driven.follow(source)
    source.trouble = DOWN
    source.requests.clear()
    assert herd(driven, source, holder, 50) == [False] * 50
    assert len(source.requests) == 1


def test_a_refresh_joins_a_journey_that_is_under_way() -> None:
    driven, source = Driven(), Store({"db": "CANARY-one"})
    holder = driven.follow(source)
    driven.clock.advance(11)
    source.requests.clear()
    source.gate.clear()
    journeys: list[threading.Thread] = []

    def beside(journey: object) -> None:
        journeys.extend(in_threads(1, journey))  # type: ignore[arg-type]  # it is one

    driven.engine.run(beside)
    assert source.waiting.acquire(timeout=PATIENCE_S)
    source.values["db"] = "CANARY-two"
    told: list[tuple[bool, list[object]]] = []
    threads = in_threads(5, lambda: told.append((driven.engine.refresh(holder), holder.values[:])))
    source.gate.set()
    join([*journeys, *threads])
    assert source.requests == ["db"]
    assert told == [(True, ["CANARY-two"])] * 5


def test_a_refresh_of_two_sources_is_joined_until_both_have_answered() -> None:
    driven, one, other = Driven(), Store({"db": "CANARY-one"}), Store({"db": "CANARY-one"})
    holder = Holder("dsn")
    driven.engine.follow([(holder, [asked(one, scheme="one"), asked(other, scheme="other")])])
    other.values["db"] = "CANARY-two"
    other.gate.clear()
    first = in_threads(1, lambda: driven.engine.refresh(holder))
    assert other.waiting.acquire(timeout=PATIENCE_S)
    told: list[list[object]] = []

    def join_it() -> None:
        driven.engine.refresh(holder)
        told.append(holder.values[:])

    second = in_threads(1, join_it)
    is_early = eventually(lambda: bool(told), within_s=0.5)
    other.gate.set()
    join(first + second)
    assert not is_early, "who joins goes on before the second source has answered"
    assert told[0][-1] == "CANARY-two"


def test_what_is_refreshed_while_a_hanging_source_is_asked_for_another_is_not_held_up() -> None:
    driven, slow, quick = Driven(), Store({"db": "CANARY"}), Store({"db": "CANARY"})
    held, other = driven.follow(slow), Holder("other")
    driven.engine.follow([(other, [asked(quick, scheme="quick")])])
    slow.gate.clear()
    threads = in_threads(1, lambda: driven.engine.refresh(held))
    assert slow.waiting.acquire(timeout=PATIENCE_S)
    assert driven.engine.refresh(other)
    slow.gate.set()
    join(threads)


def test_what_nobody_follows_cannot_be_refreshed() -> None:
    assert not Driven().engine.refresh(Holder())


def test_a_refresh_that_is_interrupted_leaves_nothing_claimed() -> None:
    driven, one, other = Driven(), Store({"db": "CANARY-one"}), Store({"db": "CANARY-one"})
    holder = Holder("dsn")
    driven.engine.follow([(holder, [asked(one, scheme="one"), asked(other, scheme="other")])])
    one.trouble = KeyboardInterrupt()  # Ctrl-C, as a person at a prompt does
    with pytest.raises(KeyboardInterrupt):
        driven.engine.refresh(holder)
    one.trouble = None
    other.values["db"] = "CANARY-two"
    driven.run_for(30)
    assert "CANARY-two" in holder.values


# ---- journeys ----


def test_a_journey_that_ends_badly_leaves_the_others_to_be_made() -> None:
    class Here(Store):
        is_local = True

    class Raising(Holder):
        def take(self, *_given: object) -> Taken:
            raise KeyError("CANARY")  # it breaks its promise

    driven, here, far = Driven(), Here({"db": "CANARY"}), Store({"db": "CANARY-one"})
    driven.engine.follow([(Raising(), [asked(here, scheme="here")])])
    holder = driven.follow(far)
    far.values["db"] = "CANARY-two"
    for _ in range(40):
        with suppress(KeyError):
            driven.run()
        driven.clock.advance(1)
    assert holder.values == ["CANARY-two"]


def test_two_journeys_that_end_old_leases_at_one_moment_do_not_fall_over_each_other() -> None:
    class Slow(Leasing):
        def __init__(self) -> None:
            super().__init__(1000.0)
            self.ending, self.go_on = threading.Semaphore(0), threading.Event()

        def revoke(self, lease: object) -> None:
            self.ending.release()
            if not self.revoked:
                assert self.go_on.wait(PATIENCE_S)
            super().revoke(lease)  # type: ignore[arg-type]  # it is one

    driven, source = Driven(), Slow()
    driven.engine.forget([driven.follow(source, "one"), driven.follow(source, "two"), driven.follow(source, "three")])
    holder, raised = driven.follow(source, "last"), []

    def run() -> None:
        try:
            driven.run()
        except Exception as error:  # noqa: BLE001 that it raises is the fault
            raised.append(type(error))

    first = in_threads(1, run)
    assert source.ending.acquire(timeout=PATIENCE_S)
    source.revoked.append("the first waits, no other")
    driven.engine.refresh(holder)
    source.go_on.set()
    join(first)
    assert raised == []
    assert sorted(source.revoked[1:]) == ["lease-1", "lease-2", "lease-3"]


def test_many_values_of_a_source_that_raises_no_exception_do_not_hang() -> None:
    class Interrupt(BaseException):
        """As a cancellation is."""

    source = Store({"one": "CANARY", "two": "CANARY"})
    source.trouble = Interrupt("CANARY")
    references = [Reference("store", ("one",)), Reference("store", ("two",))]
    told: list[object] = []

    def run() -> None:
        try:
            told.append(ask(source, references))
        except Interrupt:
            told.append("raised")

    threading.excepthook, hook = (lambda _: None), threading.excepthook
    try:
        in_threads(1, run)
        assert eventually(lambda: bool(told)), "it waits for an answer that never comes"
    finally:
        threading.excepthook = hook


# ---- who follows, and who does no more ----


def test_two_equal_sources_are_one_that_is_asked_once_for_both() -> None:
    class Equal(Versioned):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        __hash__ = None  # type: ignore[assignment]  # no need

    driven, one, other = Driven(), Equal({"db": "CANARY-one"}), Equal({"db": "CANARY-one"})
    first, second = driven.follow(one), driven.follow(other)
    one.put("db", "CANARY-two")
    driven.run_for(30)
    assert (first.values, second.values) == (["CANARY-two"], ["CANARY-two"])
    assert other.requests == ["db"]
    assert len(driven.engine.status().sources) == 1


def test_who_follows_with_an_answer_that_is_older_than_what_is_known_is_given_the_newer_one() -> None:
    driven, source = Driven(), Versioned({"db": "CANARY-one"})
    first = driven.follow(source)
    late = asked(source)  # a load is still under way
    source.put("db", "CANARY-two")
    driven.run_for(13)
    second = Holder("late")
    driven.engine.follow([(second, [late])])
    driven.run_for(30)
    assert first.values == ["CANARY-two"]
    assert second.values == ["CANARY-two"], "it keeps the old one until the next change"


def test_two_that_lease_the_same_come_to_one_lease_and_the_other_is_given_back() -> None:
    driven, source = Driven(drain_s=10.0), Leasing(100.0)
    one, other = driven.follow(source), driven.follow(source)
    driven.run_for(300)
    assert len(source.live) == 1, "a lease that nobody renews is still out"
    assert one.values[-1:] == other.values[-1:]
    assert other.values, "it is left with a lease that is over"


def test_when_one_of_two_cannot_use_a_new_lease_the_other_is_not_left_with_a_revoked_one() -> None:
    driven, source = Driven(), Leasing(100.0, is_renewable=False)
    one, other = Holder("one"), Holder("other")
    question = asked(source)
    driven.engine.follow([(one, [question]), (other, [question])])
    one.fault = "cannot be used"
    driven.run_for(80)
    assert other.values, "it has taken the new one"
    assert "lease-2" in source.live, "what it serves is revoked"


def test_what_is_followed_no_more_is_given_back_at_once_or_when_it_has_drained() -> None:
    driven, source = Driven(drain_s=30.0), Leasing(1000.0)
    one, other = driven.follow(source, "one"), driven.follow(source, "other")
    driven.engine.forget([one])
    driven.engine.forget([other], drains=True)
    driven.run()
    assert source.revoked == ["lease-1"]
    driven.run_for(31)
    assert source.revoked == ["lease-1", "lease-2"]
    assert driven.engine.status().sources == (), "nothing of it is left to do"


class Caching(Leasing):
    """Answers once more with the lease that is held already, as a proxy with a cache does."""

    kept: Reading | None = None

    def fetch(self, reference: Reference) -> Reading:
        if self.kept is None or self.kept.lease is None or self.kept.lease.id not in self.live:
            self.kept = super().fetch(reference)
        return self.kept


def test_a_lease_that_is_given_once_more_is_not_ended_as_if_it_were_replaced() -> None:
    driven, source = Driven(drain_s=30.0), Caching(3600.0)
    one, _ = driven.follow(source, holder=Holder("one")), driven.follow(source, holder=Holder("other"))
    driven.clock.advance(5)
    assert driven.engine.refresh(one)
    driven.run_for(90)
    assert (source.revoked, len(one.values), one.state) == ([], 1, State.FRESH)


def test_a_lease_that_others_may_hold_is_left_to_its_own_end() -> None:
    class Shared(Leasing):
        def fetch(self, reference: Reference) -> Reading:
            made = super().fetch(reference)
            return replace(made, lease=None if made.lease is None else replace(made.lease, is_shared=True))

    driven, source = Driven(), Shared(1000.0)
    driven.engine.forget([driven.follow(source)])
    driven.run()
    driven.engine.let_go(lambda: False)
    assert source.revoked == []


def test_what_another_still_follows_is_not_given_back() -> None:
    driven, source = Driven(), Leasing(1000.0)
    question, one, other = asked(source), Holder("one"), Holder("other")
    driven.engine.follow([(one, [question]), (other, [question])])
    driven.engine.forget([one])
    driven.run_for(100)
    assert source.revoked == []
    driven.engine.forget([other])
    driven.run()
    assert source.revoked == ["lease-1"]


def test_who_holds_nothing_any_more_is_forgotten_and_its_lease_given_back() -> None:
    driven, source = Driven(), Leasing(1000.0)
    holder = driven.follow(source)
    holder.is_alive = False
    driven.run()
    assert (source.revoked, driven.engine.status().secrets) == (["lease-1"], ())


def test_a_lease_that_comes_for_somebody_who_is_gone_by_then_is_given_back() -> None:
    driven, source = Driven(), Leasing(1000.0)
    holder = driven.follow(source)
    source.gate.clear()
    threads = in_threads(1, lambda: driven.engine.refresh(holder))
    assert source.waiting.acquire(timeout=PATIENCE_S)
    driven.engine.forget([holder])
    source.gate.set()
    join(threads)
    driven.run_for(120)
    assert source.live == {}


def test_a_source_that_nobody_follows_any_more_is_left_alone() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    driven.engine.forget([driven.follow(source)])
    driven.run_for(100)
    assert source.requests == ["db"]
    assert driven.engine.status().sources == ()


def test_of_two_that_say_how_old_an_answer_may_grow_the_stricter_counts() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    driven.follow(source, ttl_s=60.0)
    driven.follow(source, ttl_s=1.0)
    source.requests.clear()
    driven.run_for(20)
    assert len(source.requests) >= 20


# ---- time ----


def test_after_a_sleep_what_is_due_is_asked_for_within_one_interval_and_not_all_at_one_moment() -> None:
    late = []
    for chance in (0.1, 0.9):
        driven, source = Driven(), Store({"db": "CANARY"})
        driven.follow(source)
        driven.chance = chance
        driven.clock.advance(8 * 3600)
        driven.engine.woke()
        late.append(driven.run() - driven.now)
        assert late[-1] <= 10
    assert late[0] != late[1]


def test_a_lease_whose_end_was_slept_through_is_not_served() -> None:
    driven, source = Driven(), Leasing(100.0)
    holder = driven.follow(source)
    source.trouble = DOWN
    driven.clock.advance(3600)
    driven.engine.woke()
    with listening(Topic.EXPIRED) as heard:
        driven.run()
    assert (holder.state, len(heard)) == (State.EXPIRED, 1)


def test_a_hanging_source_delays_no_other_and_its_values_are_over_in_time() -> None:
    driven, slow, quick = Driven(), Leasing(100.0), Store({"db": "CANARY-one"})
    held = driven.follow(slow, "held")
    other = Holder("other")
    driven.engine.follow([(other, [asked(quick, scheme="quick")])])
    slow.gate.clear()
    threads = in_threads(1, lambda: driven.engine.refresh(held))
    assert slow.waiting.acquire(timeout=PATIENCE_S)
    quick.values["db"] = "CANARY-two"
    driven.run_for(101)
    assert (other.values, held.state) == (["CANARY-two"], State.EXPIRED)
    slow.gate.set()
    join(threads)


# ---- what it says ----


def test_the_status_tells_states_ages_and_what_comes_next() -> None:
    driven, source, leased = Driven(), Store({"db": "CANARY"}), Leasing(100.0)
    driven.follow(source, holder=Holder("static"))
    driven.engine.follow([(Holder("leased"), [asked(leased, scheme="leasing")])])
    driven.clock.advance(4)
    source.trouble = DOWN
    first, second = driven.engine.status().secrets
    assert (first.name, first.state, first.checked_s, first.expires_s) == ("leased", State.FRESH, 4.0, 96.0)
    assert first.next_s == pytest.approx(63.5)
    assert (second.name, second.state, second.expires_s) == ("static", State.FRESH, None)
    assert second.next_s == pytest.approx(2.0)
    driven.run_for(20)
    _, second = driven.engine.status().secrets
    assert (second.state, second.failure) == (State.STALE, "unreachable")
    assert not driven.engine.status().sources[0].is_answering or not driven.engine.status().sources[1].is_answering
    assert "CANARY" not in str(driven.engine.status())


def test_no_event_holds_a_value() -> None:
    driven, source, leased = Driven(drain_s=1.0), Store({"db": "CANARY-one"}), Leasing(10.0)
    holder, other = driven.follow(source, max_stale_s=5.0), Holder("other")
    driven.engine.follow([(other, [asked(leased, scheme="leasing")])])
    heard: list[Event]
    with listening() as heard:
        for step, trouble in enumerate((None, DOWN, None, ValueError("CANARY of a value"), None)):
            source.trouble = leased.cannot_renew = leased.trouble = trouble  # type: ignore[assignment]  # any
            source.values["db"] = f"CANARY-{step}"
            holder.fault = "expected a whole number" if step == 2 else None
            driven.run_for(40)
    assert {Topic.CHANGED, Topic.STALE, Topic.EXPIRED, Topic.RECOVERED, Topic.REVOKED} <= {one.topic for one in heard}
    assert "CANARY" not in str(heard)


# ---- what it costs ----


@pytest.mark.timeout(300)  # 13 s with coverage, and nothing else to do for the machine
def test_ten_thousand_rotations_leave_nothing_behind() -> None:
    driven, source, leased = Driven(drain_s=0.0), Versioned({"db": "CANARY"}), Leasing(10.0, is_renewable=False)

    class Last(Holder):
        def take(self, *given: Any) -> Taken:  # noqa: ANN401 passed on as they come
            made = super().take(*given)
            del self.values[:-1]
            return made

    driven.follow(source, holder=Last())
    driven.engine.follow([(Last("leased"), [asked(leased, scheme="leasing")])])

    def rotate(times: int) -> None:
        for number in range(times):
            source.put("db", f"CANARY-{number}")
            driven.run_for(11)
            for noted in (source.requests, leased.requests, leased.revoked):
                noted.clear()

    rotate(100)
    gc.collect()
    tracemalloc.start()
    try:
        rotate(100)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        rotate(5_000)  # two at a time
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 512 * 1024  # a hundredth of what 5,000 rotations would leave; coverage keeps notes, too


def test_nothing_is_planned_where_nothing_is_followed() -> None:
    engine = Engine(ask)
    assert engine.run(lambda journey: journey()) == float("inf")
    assert engine.status().secrets == ()
