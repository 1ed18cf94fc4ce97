"""Callbacks that raise or hang hurt nobody: with real threads, and a clock that is moved by hand."""

import sys
import threading
from collections.abc import Callable, Generator

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


def test_callbacks_are_carried_out_elsewhere_one_after_another_in_their_order() -> None:
    calls, order = Calls(), list[int]()
    made = [Called(lambda number=number: order.append(number)) for number in range(50)]  # type: ignore[misc]  # bound now
    for one in made:
        assert run(calls, one) is None
    assert eventually(lambda: len(order) == 50)
    assert order == list(range(50))
    (thread,) = {thread for one in made for thread in one.threads}
    assert thread != threading.get_ident()


def test_a_callback_that_raises_is_an_event_without_its_text_and_the_others_are_called(heard: list[Event]) -> None:
    def fails() -> None:
        raise ValueError("CANARY")

    calls, other = Calls(), Called()
    calls.run(fails, fails)
    run(calls, other)
    assert eventually(lambda: other.times == 1)
    (event,) = heard
    assert event.subject.endswith("fails")
    assert event.detail == "raised ValueError"


def test_a_callback_that_ends_its_thread_is_no_other_case(heard: list[Event]) -> None:
    calls, leaving, other = Calls(), Called(lambda: sys.exit("CANARY")), Called()
    run(calls, leaving)
    run(calls, other)
    assert eventually(lambda: other.times == 1, within_s=3), "nobody carries out what waits behind it"
    assert [one.detail for one in heard] == ["raised SystemExit"]


def test_a_callback_that_hangs_is_an_event_is_left_out_and_holds_up_no_other(heard: list[Event]) -> None:
    clock, released = ManualClock(), threading.Event()
    calls, other = Calls(clock), Called()
    hanging = Called(lambda: released.wait(PATIENCE_S))
    run(calls, hanging)
    assert eventually(lambda: hanging.times == 1)
    run(calls, other)
    assert calls.tend()
    assert (heard, other.times) == ([], 0)
    clock.advance(CALLS_PATIENCE_S)
    assert calls.tend()
    assert [one.detail for one in heard] == ["has not come back for 5 s: it is left alone"]
    assert eventually(lambda: other.times == 1)
    told = run(calls, hanging)
    assert told is not None
    assert "is left out" in told
    assert hanging.times == 1
    released.set()
    assert eventually(lambda: run(calls, hanging) is None), "it came back, and is called again"
    assert eventually(lambda: hanging.times == 2)
    assert len(heard) == 1


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
    before = threading.active_count()
    calls = Calls()
    assert not calls.tend()
    assert threading.active_count() == before


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
