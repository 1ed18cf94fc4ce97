"""The bus: who hears what, whatever listeners do."""

import threading
from datetime import UTC

import pytest

from wellkept.events import Bus, Event, Topic

CLOSED = Event(Topic.CLOSED, "App", "closed")


def fails(_event: Event) -> None:
    raise RuntimeError("CANARY-of-a-listener")


def test_listeners_hear_in_the_order_in_which_they_came() -> None:
    bus, heard = Bus(), list[str]()
    bus.subscribe(lambda event: heard.append(f"first {event.subject}"))
    bus.subscribe(lambda event: heard.append(f"second {event.subject}"))
    bus.publish(CLOSED)
    assert heard == ["first App", "second App"]


def test_a_listener_that_raises_hurts_nobody() -> None:
    bus, heard = Bus(), list[Event]()
    bus.subscribe(fails)
    bus.subscribe(heard.append)
    bus.publish(CLOSED)
    assert heard == [CLOSED]


def test_a_listener_that_asks_the_program_to_stop_is_obeyed() -> None:
    bus = Bus()
    bus.subscribe(lambda _event: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        bus.publish(CLOSED)


def test_a_listener_that_left_hears_nothing_and_may_leave_twice() -> None:
    bus, heard = Bus(), list[Event]()
    leave = bus.subscribe(heard.append)
    leave()
    leave()
    bus.publish(CLOSED)
    assert heard == []


def test_a_listener_that_came_twice_leaves_once() -> None:
    bus, heard = Bus(), list[Event]()
    hear = heard.append
    leave = bus.subscribe(hear)
    bus.subscribe(hear)
    leave()
    bus.publish(CLOSED)
    assert heard == [CLOSED]


def test_a_listener_may_come_and_leave_while_it_is_told() -> None:
    bus, heard = Bus(), list[str]()

    def once(_event: Event) -> None:
        leave()
        bus.subscribe(lambda _event: heard.append("new"))
        heard.append("once")

    leave = bus.subscribe(once)
    bus.publish(CLOSED)
    bus.publish(CLOSED)
    assert heard == ["once", "new"]


def test_threads_that_come_and_leave_lose_nobody_else() -> None:
    bus, heard = Bus(), list[int]()

    def come_and_leave(number: int) -> None:
        for _ in range(200):
            bus.subscribe(fails)()
        bus.subscribe(lambda _event: heard.append(number))

    threads = [threading.Thread(target=come_and_leave, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bus.publish(CLOSED)
    assert sorted(heard) == list(range(8))


def test_an_event_knows_when_it_happened_in_utc_and_does_not_change() -> None:
    assert CLOSED.at.tzinfo is UTC
    with pytest.raises(AttributeError):
        CLOSED.detail = "other"  # type: ignore[misc]  # that is what is tested
