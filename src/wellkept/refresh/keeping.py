"""Keeping what is leased: renewing a lease, taking another one, ending what was replaced."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from wellkept.errors import Kind, Malformed, SourceError
from wellkept.events import Topic
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Leases
from wellkept.refresh.asking import Asking, Means
from wellkept.refresh.plan import LeasedPlan, Pace, Task
from wellkept.refresh.retiring import Retiring
from wellkept.refresh.telling import deliver, publish, tell, tell_failed
from wellkept.refresh.ticket import Ticket, plan_of

_USUAL_S: Final = 10.0  # for what has no lease any more


class Keeping:
    """Keeps the leases of one source."""

    def __init__(self, asking: Asking, tickets: Mapping[Reference, Ticket], retiring: Retiring, means: Means) -> None:
        """Keep nothing yet.

        Args:
            asking: asks the source.
            tickets: what is asked of it; an answer for another one is given back.
            retiring: ends what is old.
            means: those of the engine.
        """
        self._asking = asking
        self._tickets = tickets
        self._retiring = retiring
        self._means = means

    def keep(self, ticket: Ticket, plan: LeasedPlan, *, is_forced: bool) -> None:
        """Renew a lease, or take another one: at once, where a renewal shows that this one comes to its end."""
        if is_forced:
            plan.replace(self._now, 0.0)
        if plan.task is Task.RENEW and ticket.lease is not None and isinstance(self._asking.source, Leases):
            self._renew(ticket, plan, ticket.lease, self._asking.source)
        if plan.task is Task.ISSUE and plan.due_at <= self._now:
            self._issue(ticket)

    def issued(self, ticket: Ticket, answer: Reading, lease: Lease | None, began: float) -> None:
        """Take a new lease, or what stands there without one by now; what was there before drains.

        Args:
            ticket: what was asked.
            answer: what was answered.
            lease: its lease, or None.
            began: when it was asked.
        """
        before, ends_at = ticket.plan.state, ticket.plan.ends_at
        old = ticket.lease  # a proxy that caches leases gives the one that is held already once more
        is_same = lease is not None and old is not None and old.id == lease.id
        # A fork from here on shares what followers are given now; what was shared before is the old one.
        was_shared, ticket.is_shared = ticket.is_shared, is_same and ticket.is_shared
        taken = deliver(ticket, answer, None if lease is None else began + lease.duration_s)
        is_wanted = self._tickets.get(ticket.question) is ticket
        if not is_wanted or (taken.fault is not None and not taken.is_new):  # served on, and the new one given back
            ticket.is_shared |= was_shared
            if not is_same:
                self.retire(Ticket(ticket.question, ticket.plan, answer, has_ttl=True), float("-inf"))
            if is_wanted:
                ticket.plan.failed(began, self._means.chance(), Kind.INVALID)
                tell(ticket, before, None)
            return
        if taken.fault is None and not is_same and not was_shared:
            self.retire(ticket, began)
        for following in ticket.followings:  # who could not use it serves the old one, to that one's end
            following.ends_at = None if following.fault is None else following.ends_at or ends_at
        ticket.lease, ticket.mark, ticket.asked_at = lease, answer.version, began
        ticket.plan = plan_of(answer, Pace(_USUAL_S), began, self._means.chance())
        tell(ticket, before, None, is_moved=True)

    def retire(self, ticket: Ticket, now: float) -> bool:
        """End the lease of a ticket when all have had the time to take the new value; whether there is one to end."""
        lease, source = ticket.lease, self._asking.source
        if lease is None or lease.id is None or not isinstance(source, Leases):
            return False
        if lease.is_shared or ticket.is_shared:
            return False
        self._retiring.add(now + self._means.drain_s, partial(source.revoke, lease), str(ticket.question))
        return True

    def _renew(self, ticket: Ticket, plan: LeasedPlan, lease: Lease, source: Leases) -> None:
        began, before = self._now, plan.state
        made = _lease(ticket.question, self._asking.call(partial(source.renew, ticket.question, lease)))
        if isinstance(made, SourceError):
            tell_failed(ticket, made, self._now, self._means.chance())
            return
        ticket.lease = made
        plan.renewed(began, self._means.chance(), made.duration_s)
        publish(Topic.RENEWED, ticket, f"good for {made.duration_s:.0f} s more")
        tell(ticket, before, None, is_moved=True)

    def _issue(self, ticket: Ticket) -> None:
        began = self._now
        (answer,) = self._asking.fetch([ticket.question])
        if isinstance(answer, SourceError):
            tell_failed(ticket, answer, self._now, self._means.chance())
        else:
            self.issued(ticket, answer, answer.lease, began)

    @property
    def _now(self) -> float:
        return self._means.clock.seconds()


def _lease(question: Reference, made: object) -> Lease | SourceError:
    """What a provider's renewal came to: it is somebody else's code."""
    if isinstance(made, (Lease, SourceError)):
        return made
    return Malformed(f"{question}: its provider renews with no lease", hint="a fault in the provider: report it")
