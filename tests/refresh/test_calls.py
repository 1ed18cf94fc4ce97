"""Callbacks that raise or hang hurt nobody: with real threads, and a clock that is moved by hand."""

import sys
import threading
from collections.abc import Callable, Generator
from functools import partial

import pytest

from tests.refresh.sources import PATIENCE_S, eventually, listening
from wellkept.events import Event, Topic
from wellkept.refresh.calls import PATIENCE_S as CALLS_PATIENCE_S
from wellkept.refresh.calls import Calls
from wellkept.testing import ManualClock


@pytest.fixture
def heard() -> Generator[list[Event]]:
    with listening(Topic.CALLBACK_FAILED) as events:
        yield events


class Called:
    """A callback that notes each call, and then does what it is told."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.times = 0
        self.threads: set[int] = set()
        self._then = then

    def __call__(self) -> None:
        self.times += 1
        self.threads.add(threading.get_ident())
        self._then()


def run(calls: Calls, callback: Called) -> str | None:
    return calls.run(callback, callback)


def at_work(calls: Calls) -> list[object]:
    """What is called right now: a worker is at work for a moment longer than what it calls."""
    with calls._lock:
        return [one.callback for one in calls._workers if one.began is not None]


def test_calls_of_one_callback_are_carried_out_elsewhere_one_after_another_in_their_order() -> None:
    calls, order, at_work = Calls(), list[int](), list[int]()
    callback = Called()

    def call(number: int) -> None:
        at_work.append(number)
        order.append(number)
        assert at_work == [number], "it is called while it runs"
        at_work.clear()
        callback()

    for number in range(50):
        assert calls.run(callback, partial(call, number)) is None
    assert eventually(lambda: callback.times == 50)
    assert order == list(range(50))
    assert threading.get_ident() not in callback.threads


def test_a_callback_that_raises_is_an_event_without_its_text_and_the_others_are_called(heard: list[Event]) -> None:
    def fails() -> None:
        raise ValueError("CANARY")

    calls, other = Calls(), Called()
    calls.run(fails, fails)
    run(calls, other)
    assert eventually(lambda: other.times == 1)
    assert eventually(lambda: bool(heard)), "it may be told of after the other is called, by another thread"
    (event,) = heard
    assert event.subject.endswith("fails")
    assert event.detail == "raised ValueError"


def test_a_callback_that_ends_its_thread_is_no_other_case(heard: list[Event]) -> None:
    calls, leaving, other = Calls(), Called(lambda: sys.exit("CANARY")), Called()
    run(calls, leaving)
    run(calls, other)
    assert eventually(lambda: other.times == 1), "nobody carries out what waits behind it"
    assert eventually(lambda: bool(heard))
    assert [one.detail for one in heard] == ["raised SystemExit"]


def test_a_callback_that_hangs_holds_up_no_other_and_after_a_while_is_an_event_and_left_out(heard: list[Event]) -> None:
    clock, released = ManualClock(), threading.Event()
    calls, other = Calls(clock), Called()
    hanging = Called(lambda: released.wait(PATIENCE_S))
    run(calls, hanging)
    assert eventually(lambda: hanging.times == 1)
    run(calls, other)
    assert eventually(lambda: other.times == 1)
    assert eventually(lambda: at_work(calls) == [hanging]), "the other has come back"
    assert calls.tend()
    assert heard == []
    clock.advance(CALLS_PATIENCE_S)
    calls.tend()
    calls.tend()
    assert [one.detail for one in heard] == ["has not come back for 5 s: it is left alone"]
    run(calls, other)
    assert eventually(lambda: other.times == 2)
    told = run(calls, hanging)
    assert told is not None
    assert "is left out" in told
    assert hanging.times == 1
    released.set()
    assert eventually(lambda: run(calls, hanging) is None), "it came back, and is called again"
    assert eventually(lambda: hanging.times == 2)
    assert len(heard) == 1


def test_many_that_hang_hold_up_the_others_only_until_they_are_given_up(heard: list[Event]) -> None:
    clock, released, other = ManualClock(), threading.Event(), Called()
    calls = Calls(clock)
    hanging = [Called(lambda: released.wait(PATIENCE_S)) for _ in range(20)]
    for one in hanging:
        run(calls, one)
    run(calls, other)

    def goes_on() -> bool:
        clock.advance(1)
        calls.tend()
        return other.times == 1

    assert eventually(goes_on)
    released.set()
    assert {one.detail for one in heard} == {"has not come back for 5 s: it is left alone"}


def test_one_that_hangs_alone_is_given_up_too(heard: list[Event]) -> None:
    clock, released = ManualClock(), threading.Event()
    calls, hanging, other = Calls(clock), Called(lambda: released.wait(PATIENCE_S)), Called()
    run(calls, hanging)
    assert eventually(lambda: hanging.times == 1)
    clock.advance(CALLS_PATIENCE_S)
    calls.tend()
    assert len(heard) == 1
    run(calls, other)
    assert eventually(lambda: other.times == 1)
    released.set()


def test_where_nothing_is_called_there_is_no_thread() -> None:
    before = set(threading.enumerate())  # of them, some may come to their end right now
    calls = Calls()
    assert not calls.tend()
    assert [one.name for one in threading.enumerate() if one not in before] == []


def test_in_a_forked_child_callbacks_are_carried_out_anew() -> None:
    calls, released = Calls(), threading.Event()
    hanging, other = Called(lambda: released.wait(PATIENCE_S)), Called()
    run(calls, hanging)
    assert eventually(lambda: hanging.times == 1)
    calls.after_fork()  # where no worker lives
    run(calls, other)
    assert eventually(lambda: other.times == 1)
    released.set()


def test_a_callable_without_a_name_is_called_by_that_of_its_class(heard: list[Event]) -> None:
    def fails() -> None:
        raise OSError

    calls = Calls()
    run(calls, Called(fails))
    assert eventually(lambda: len(heard) == 1)
    assert heard[0].subject == "Called"
