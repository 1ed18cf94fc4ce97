"""Telling all that follow a ticket: a new answer, or that there is none. No I/O here."""

from typing import Final

from wellkept.errors import SourceError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Reading
from wellkept.refresh.asking import retry_after
from wellkept.refresh.ticket import Taken, Ticket
from wellkept.secret import State

_SERVED: Final = "the last good value is served"
_WORDS: Final = {
    State.STALE: (Topic.STALE, f"its source does not answer, and {_SERVED}"),
    State.GONE: (Topic.GONE, f"its source does not give it any more, and {_SERVED}"),
    State.EXPIRED: (Topic.EXPIRED, "its time is over, and it is not served any more"),
}


def deliver(ticket: Ticket, answer: Reading, until_s: float | None) -> Taken:
    """Give an answer to all that follow it; whether it is news to any, and whether any could not use it."""
    is_new, fault = False, None
    for following in list(ticket.followings):
        follower = following.follower
        state, ends_at = following.standing_without(ticket)
        until = min((one for one in (until_s, ends_at) if one is not None), default=None)
        taken = follower.take({ticket.question: answer}, state, until)
        is_new |= taken.is_new
        if taken.fault is not None:
            fault = taken.fault
            if following.fault is None:
                BUS.publish(Event(Topic.STALE, follower.name, f"{taken.fault}; {_SERVED}"))
        elif taken.is_new:
            BUS.publish(Event(Topic.CHANGED, follower.name, f"{follower.facts()[0]} is served now"))
        if (following.fault is None) != (taken.fault is None):
            following.fault = None if taken.fault is None else taken.kind
            following.mark()
    return Taken(is_new, fault)


def tell_failed(ticket: Ticket, error: SourceError, now: float, chance: float) -> None:
    """Plan what comes after a failure, and tell of it."""
    before = ticket.plan.state
    ticket.plan.failed(now, chance, error.kind, retry_after(error))
    tell(ticket, before, error)


def tell(ticket: Ticket, before: State, error: SourceError | None, *, is_moved: bool = False) -> None:
    """Mark what follows a ticket and tell of it, where its state is another one than before."""
    is_same = ticket.plan.state is before or {ticket.plan.state, before} == {State.FRESH, State.DUE}
    if is_same and not is_moved:
        return
    for following in list(ticket.followings):
        following.mark()
        state, told = following.standing[0], following.told
        following.told = state
        if state in _WORDS and state is not told:
            topic, words = _WORDS[state]
            detail = words if error is None else f"{words}: {error.message}"
            BUS.publish(Event(topic, following.follower.name, detail))
        elif state is State.FRESH and told in _WORDS:
            BUS.publish(Event(Topic.RECOVERED, following.follower.name, "its source answers again"))


def publish(topic: Topic, ticket: Ticket, detail: str) -> None:
    """Publish an event for each follower of a ticket."""
    for following in list(ticket.followings):
        BUS.publish(Event(topic, following.follower.name, detail))
