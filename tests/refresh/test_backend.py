"""What is done with one source: looking, fetching, leasing; with a clock that is moved by hand."""

from collections.abc import Sequence

import pytest

from tests.refresh.sources import Driven, Holder, Leasing, Store, Versioned, asked, listening
from wellkept.errors import Absent, Denied, Malformed, RateLimited, SourceError, Unreachable
from wellkept.events import Topic
from wellkept.model import Lease, Reading, Reference
from wellkept.refresh.engine import Question
from wellkept.secret import State

DOWN = Unreachable("store: no answer")
GONE = Absent("store:db: absent")
NOT_OURS = Denied("store:db: denied")


# ---- a value that stays good ----


def test_a_value_is_asked_for_again_every_ten_seconds_and_taken_when_it_is_another_one() -> None:
    driven, source = Driven(), Store({"db": "CANARY-one"})
    holder = driven.follow(source)
    driven.run_for(100)
    assert len(source.requests) == pytest.approx(11, abs=2)
    source.values["db"] = "CANARY-two"
    driven.run_for(13)
    assert holder.values == ["CANARY-one", "CANARY-two"]


def test_a_source_with_versions_is_fetched_from_only_when_one_changes() -> None:
    driven, source = Driven(), Versioned({"db": "CANARY-one"})
    holder = driven.follow(source)
    driven.run_for(100)
    assert (source.requests, source.looks > 8) == (["db"], True)
    source.put("db", "CANARY-two")
    driven.run_for(13)
    assert (holder.values, source.requests) == (["CANARY-two"], ["db", "db"])


def test_a_version_that_goes_down_is_another_version() -> None:
    driven, source = Driven(), Versioned({"db": "CANARY-one"})
    source.numbers["db"] = 7
    holder = driven.follow(source)
    source.values["db"], source.numbers["db"] = "CANARY-anew", 1
    driven.run_for(13)
    assert holder.values == ["CANARY-anew"]


def test_all_that_is_due_at_one_source_is_one_look() -> None:
    driven, source = Driven(), Versioned({str(number): "CANARY" for number in range(100)})
    driven.engine.follow([(Holder(path), [asked(source, path)]) for path in source.values])
    driven.run_for(13)
    assert source.looks <= 2


def test_a_source_that_says_how_long_its_answer_is_good_is_asked_then() -> None:
    class Brief(Store):
        def fetch(self, reference: Reference) -> Reading:
            made = super().fetch(reference)
            return Reading(made.value, made.answer, ttl_s=2.0)

    driven, source = Driven(), Brief({"db": "CANARY"})
    driven.follow(source)
    driven.run_for(40)
    assert len(source.requests) >= 20


def test_what_a_person_wrote_counts_more_than_what_the_source_says() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    driven.follow(source, ttl_s=1.0)
    driven.run_for(20)
    assert len(source.requests) >= 20


@pytest.mark.parametrize(
    ("trouble", "state", "topic"),
    [(DOWN, State.STALE, Topic.STALE), (GONE, State.GONE, Topic.GONE), (NOT_OURS, State.GONE, Topic.GONE)],
)
def test_what_is_not_answered_is_served_on_with_one_event_and_another_when_it_comes_back(
    trouble: SourceError, state: State, topic: Topic
) -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    holder = driven.follow(source)
    source.trouble = trouble
    with listening() as heard:
        driven.run_for(300)
        assert (holder.state, holder.until_s) == (state, None)
        assert [one.topic for one in heard] == [topic]
        source.trouble = None
        driven.run_for(60)
    assert holder.state is State.FRESH
    assert [one.topic for one in heard][1:] in ([Topic.RECOVERED], [Topic.CHANGED, Topic.RECOVERED])


@pytest.mark.parametrize("trouble", [GONE, NOT_OURS])
def test_what_is_gone_is_asked_for_every_half_minute_and_the_wait_does_not_grow(trouble: SourceError) -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    driven.follow(source)
    source.trouble = trouble
    driven.run_for(3600)
    assert 3600 / 36 <= len(source.requests) <= 3600 / 24 + 3


def test_a_dead_source_is_found_again_within_two_intervals() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    holder = driven.follow(source)
    source.trouble = DOWN
    driven.run_for(3600)
    source.trouble = None
    driven.run_for(20)
    assert holder.state is State.FRESH


def test_what_became_of_a_change_that_could_not_be_fetched_at_first_is_fetched_later() -> None:
    class Torn(Versioned):
        def versions(self, references: Sequence[Reference]) -> Sequence[str]:  # it answers while fetch fails
            return [str(self.numbers[one.location]) for one in references]

    driven, source = Driven(), Torn({"db": "CANARY-one"})
    holder = driven.follow(source)
    source.put("db", "CANARY-two")
    source.trouble = DOWN
    driven.run_for(60)
    source.trouble = None
    driven.run_for(60)
    assert holder.values == ["CANARY-two"]


def test_a_source_that_asks_for_time_is_given_it() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    driven.follow(source)
    source.trouble = RateLimited("store: 429", retry_after_s=40.0)
    driven.run_for(11)
    before = len(source.requests)
    driven.run_for(29)
    assert len(source.requests) == before


def test_a_value_is_served_for_as_long_as_was_said_and_again_when_its_source_answers() -> None:
    driven, source = Driven(), Store({"db": "CANARY"})
    holder = driven.follow(source, max_stale_s=30.0)
    driven.run_for(60)
    source.trouble = DOWN
    with listening(Topic.EXPIRED, Topic.RECOVERED) as heard:
        driven.run_for(60)
        assert holder.state is State.EXPIRED
        assert holder.until_s is not None
        assert holder.until_s <= driven.now
        source.trouble = None
        driven.run_for(20)
    assert holder.standing() == (State.FRESH, None)
    assert [one.topic for one in heard] == [Topic.EXPIRED, Topic.RECOVERED]


def test_a_value_that_cannot_be_used_keeps_the_last_good_one_with_one_event() -> None:
    driven, source = Driven(), Store({"db": "CANARY-one"})
    holder = driven.follow(source)
    source.values["db"], holder.fault = "CANARY-bad", "expected a whole number"
    with listening() as heard:
        driven.run_for(300)
    assert (holder.values, holder.state) == ([], State.STALE)
    assert [(one.topic, one.subject) for one in heard] == [(Topic.STALE, "db")]
    assert "CANARY" not in str(heard)
    holder.fault = None
    driven.run_for(20)
    assert (holder.values, holder.state) == (["CANARY-bad"], State.FRESH)


def test_two_followers_of_one_question_cost_one_request_and_one_that_cannot_use_it_does_not_harm_the_other() -> None:
    driven, source = Driven(), Versioned({"db": "CANARY-one"})
    one, other = driven.follow(source), driven.follow(source)
    source.put("db", "CANARY-two")
    one.fault = "expected a whole number"
    source.requests.clear()
    driven.run_for(30)
    assert (source.requests, other.values) == (["db"], ["CANARY-two"])
    assert (one.state, other.state) == (State.STALE, State.FRESH)


def test_a_dead_source_with_many_values_is_not_asked_for_each_of_them() -> None:
    driven, source = Driven(), Store({str(number): "CANARY" for number in range(30)})
    for path in source.values:
        driven.follow(source, path)
        driven.clock.advance(0.3)
    source.trouble = DOWN
    driven.run_for(60)
    source.requests.clear()
    driven.run_for(60)
    (status,) = driven.engine.status().sources
    assert not status.is_answering
    assert status.failures < 60


# ---- what is leased ----


def test_a_lease_is_renewed_in_time_and_its_end_moves_on() -> None:
    driven, source = Driven(), Leasing(100.0)
    holder = driven.follow(source)
    assert holder.until_s == 100.0
    driven.run_for(1000)
    assert (source.requests, holder.values) == (["db"], [])
    assert 1000 / 75 <= len(source.renewed) <= 1000 / 60
    assert holder.until_s is not None
    assert holder.until_s >= driven.now + 25
    assert holder.state is State.FRESH


def test_a_renewal_that_is_cut_short_brings_another_lease_at_once_and_the_old_one_is_revoked_when_it_has_drained() -> (
    None
):
    driven, source = Driven(drain_s=10.0), Leasing(100.0)
    holder = driven.follow(source)
    source.renewal_s = 30.0
    driven.run_for(72)
    source.renewal_s = None
    assert len(holder.values) == 1
    assert (list(source.live), source.revoked) == (["lease-1", "lease-2"], [])
    with listening(Topic.REVOKED) as heard:
        driven.run_for(10)
    assert (source.revoked, list(source.live)) == (["lease-1"], ["lease-2"])
    assert [one.detail for one in heard] == ["what was replaced is revoked"]


def test_a_lease_that_was_revoked_behind_us_is_replaced_at_its_next_renewal() -> None:
    driven, source = Driven(), Leasing(100.0)
    holder = driven.follow(source)
    source.live.clear()
    driven.run_for(80)
    assert (len(holder.values), holder.state) == (1, State.FRESH)


def test_what_cannot_be_renewed_is_replaced_before_its_end() -> None:
    driven, source = Driven(), Leasing(100.0, is_renewable=False)
    holder = driven.follow(source)
    driven.run_for(86)
    assert (source.renewed, len(holder.values)) == ([], 1)


def test_a_lease_is_never_served_past_its_end_and_comes_back() -> None:
    driven, source = Driven(), Leasing(100.0)
    holder = driven.follow(source)
    source.trouble = source.cannot_renew = DOWN
    with listening(Topic.EXPIRED, Topic.RECOVERED, Topic.STALE) as heard:
        driven.run_for(99)
        assert holder.state is State.STALE
        driven.run_for(1.5)
        assert (holder.state, holder.until_s) == (State.EXPIRED, 100.0)
        source.trouble = source.cannot_renew = None
        driven.run_for(60)
    assert (holder.state, len(holder.values)) == (State.FRESH, 1)
    assert [one.topic for one in heard] == [Topic.STALE, Topic.EXPIRED, Topic.RECOVERED]


def test_a_revocation_that_is_not_answered_is_tried_again_and_then_left_alone_with_an_event() -> None:
    driven, source = Driven(drain_s=0.0), Leasing(1000.0, is_renewable=False)
    driven.follow(source)
    source.cannot_revoke = DOWN
    with listening(Topic.WARNING) as heard:
        driven.run_for(1600, most=4000)
    assert len(heard) == 1
    assert "ends by itself" in heard[0].detail


def test_the_drain_that_is_said_later_counts_from_then_on() -> None:
    driven, source = Driven(drain_s=1000.0), Leasing(100.0, is_renewable=False)
    driven.follow(source)
    driven.engine.set_drain(5.0)
    driven.run_for(95)
    assert source.revoked == ["lease-1"]


def test_a_new_lease_that_its_follower_cannot_use_is_given_back_and_the_old_one_served_on() -> None:
    driven, source = Driven(), Leasing(100.0, is_renewable=False)
    holder = driven.follow(source)
    holder.fault = "cannot be used"
    driven.run_for(90)
    assert source.live.keys() == {"lease-1"}
    assert (holder.values, holder.state, holder.until_s) == ([], State.STALE, 100.0)


def test_a_refresh_replaces_a_lease_at_once() -> None:
    driven, source = Driven(drain_s=5.0), Leasing(100.0)
    holder = driven.follow(source)
    driven.clock.advance(1)
    assert driven.engine.refresh(holder)
    assert len(holder.values) == 1
    driven.run_for(6)
    assert source.live.keys() == {"lease-2"}


def test_a_static_place_where_an_engine_of_leases_is_mounted_by_now_is_leased_from_then_on() -> None:
    class Turning(Leasing):
        is_static = True

        def fetch(self, reference: Reference) -> Reading:
            made = super().fetch(reference)
            return Reading("CANARY-static", made.answer) if self.is_static else made

    driven, source = Driven(), Turning(50.0)
    holder = driven.follow(source)
    source.is_static = False
    driven.run_for(13)
    assert holder.until_s is not None
    source.is_static = True
    driven.engine.refresh(holder)
    driven.run_for(30)
    assert holder.standing() == (State.FRESH, None)


def test_what_is_to_be_ended_while_its_source_is_left_alone_is_no_hot_loop() -> None:
    driven, source = Driven(), Leasing(1000.0)
    holder = driven.follow(source)
    driven.engine.refresh(holder)
    driven.run_for(57)
    source.trouble = source.cannot_revoke = DOWN
    driven.chance = 1.0
    for _ in range(6):  # the program tries, until the source is left alone
        driven.clock.advance(0.6)
        driven.engine.refresh(holder)
    (status,) = driven.engine.status().sources
    assert status.is_circuit_open
    driven.run_for(30, most=200)
    source.trouble = source.cannot_revoke = None
    driven.run_for(60)
    assert "lease-1" in source.revoked


# ---- what several parts make ----


def two_parts(driven: Driven, leased: Leasing, static: Store) -> Holder:
    """A follower that is made of a leased answer and a static one."""
    holder = Holder("dsn")
    driven.engine.follow([(holder, [asked(leased, scheme="leasing"), asked(static)])])
    return holder


def test_a_change_of_one_part_does_not_make_another_part_last_longer() -> None:
    driven, leased, static = Driven(), Leasing(100.0), Store({"db": "CANARY-one"})
    holder = two_parts(driven, leased, static)
    static.values["db"] = "CANARY-two"
    driven.run_for(15)
    assert holder.values[-1] == "CANARY-two"
    assert holder.until_s == 100.0, "the lease of the other part is forgotten"


def test_a_change_of_one_part_does_not_make_another_part_fresh() -> None:
    driven, dead, static = Driven(), Store({"db": "CANARY"}), Store({"db": "CANARY-one"})
    holder = Holder("dsn")
    driven.engine.follow([(holder, [asked(dead, scheme="dead"), asked(static)])])
    dead.trouble = DOWN
    driven.run_for(30)
    assert holder.state is State.STALE
    static.values["db"] = "CANARY-two"
    driven.run_for(15)
    assert (holder.values[-1], holder.state) == ("CANARY-two", State.STALE)


def test_of_two_parts_that_fail_one_event_is_heard_and_another_when_both_are_back() -> None:
    driven, one, other = Driven(), Store({"db": "CANARY"}), Store({"db": "CANARY"})
    holder = Holder("dsn")
    driven.engine.follow([(holder, [asked(one, scheme="one"), asked(other, scheme="other")])])
    driven.run_for(30)
    with listening(Topic.STALE, Topic.RECOVERED) as heard:
        one.trouble = other.trouble = DOWN
        driven.run_for(60)
        assert [event.topic for event in heard] == [Topic.STALE]
        one.trouble = None
        driven.run_for(60)
        assert holder.state is State.STALE
        assert [event.topic for event in heard] == [Topic.STALE], "it is not well yet"
        other.trouble = None
        driven.run_for(60)
    assert [event.topic for event in heard] == [Topic.STALE, Topic.RECOVERED]


# ---- sources of careless authors ----


class Odd(Leasing):
    """Answers with what is none."""

    def renew(self, reference: Reference, lease: Lease) -> Lease:
        super().renew(reference, lease)
        return None  # type: ignore[return-value]  # what a careless author returns


@pytest.mark.parametrize("told", [7, ["1", "2"], [object()]])
def test_a_source_that_answers_with_no_versions_is_neither_the_end_nor_a_hot_loop(told: object) -> None:
    driven, source, other = Driven(), Versioned({"db": "CANARY-one"}), Store({"db": "CANARY"})
    driven.follow(source)
    driven.engine.follow([(Holder("other"), [asked(other, scheme="other")])])
    source.told = told
    driven.run_for(60)
    assert len(other.requests) > 4
    assert source.looks < 40


def test_a_source_that_renews_with_no_lease_is_neither_the_end_nor_a_hot_loop() -> None:
    driven, source = Driven(), Odd(100.0)
    holder = driven.follow(source)
    driven.run_for(300)
    assert len(source.renewed) < 60
    assert len(holder.values) >= 1


def test_a_lease_without_any_time_is_no_hot_loop() -> None:
    driven, source = Driven(), Leasing(0.0)
    driven.follow(source)
    driven.run_for(60)
    assert len(source.requests) <= 62


class Interrupt(BaseException):
    """As a cancellation is: no Exception."""


@pytest.mark.parametrize("trouble", [ValueError("CANARY of a value"), Interrupt("CANARY"), SystemExit("CANARY")])
@pytest.mark.parametrize("kind", [Store, Versioned])
def test_a_source_that_raises_anything_is_one_that_does_not_answer(kind: type[Store], trouble: BaseException) -> None:
    driven, source = Driven(), kind({"db": "CANARY-one"})
    holder = driven.follow(source)
    source.trouble = trouble
    if isinstance(source, Versioned):
        source.put("db", "CANARY-two")
    else:
        source.values["db"] = "CANARY-two"
    with listening() as heard:
        driven.run_for(60)
        assert holder.state is State.STALE
        source.trouble = None
        driven.run_for(30)
    assert (holder.values, holder.state) == (["CANARY-two"], State.FRESH)
    assert "CANARY" not in str(heard)


def test_an_answer_that_is_malformed_is_no_answer() -> None:
    driven, source = Driven(), Store({"db": "CANARY-one"})
    holder = driven.follow(source)
    source.trouble = Malformed("store:db: is no JSON")
    driven.run_for(30)
    assert holder.state is State.STALE


def test_a_question_without_an_answer_at_hand_is_asked() -> None:
    driven, source, holder = Driven(), Store({"db": "CANARY-one"}), Holder()
    driven.engine.follow([(holder, [Question(Reference("store", ("db",)), source, Reading(None, ""))])])
    driven.run_for(13)
    assert holder.values == ["CANARY-one"]
