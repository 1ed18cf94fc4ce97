"""Looking whether what has no lease is another one by now, and fetching what is."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from wellkept.errors import SourceError
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Watches
from wellkept.refresh.asking import Asking, Means
from wellkept.refresh.plan import StaticPlan
from wellkept.refresh.telling import deliver, tell, tell_failed
from wellkept.refresh.ticket import Ticket, pace_of
from wellkept.secret import State

Issued = Callable[[Ticket, Reading, Lease, float], None]
"""Takes an answer with a lease, and when it was asked for."""


class Looking:
    """Looks for one source."""

    def __init__(self, asking: Asking, means: Means, issued: Issued) -> None:
        """Ask nothing yet.

        Args:
            asking: asks the source.
            means: those of the engine.
            issued: takes an answer that has a lease.
        """
        self._asking = asking
        self._means = means
        self._issued = issued

    def look(self, tickets: Sequence[Ticket], *, is_forced: bool) -> None:
        """Ask which version is there, and fetch what is another one."""
        chance, began = self._means.chance(), self._means.clock.seconds()
        found: Sequence[str | SourceError | None] = [None] * len(tickets)
        if isinstance(self._asking.source, Watches) and not is_forced:
            found = self._versions(self._asking.source, [one.question for one in tickets])
        changed: list[tuple[Ticket, str | None]] = []
        for ticket, version in zip(tickets, found, strict=True):
            is_known = ticket.plan.state is not State.GONE  # after an outage, the same version needs no fetch
            if isinstance(version, SourceError):
                tell_failed(ticket, version, self._means.clock.seconds(), chance)
            elif version is not None and version == ticket.mark and is_known:
                self._good(ticket, chance, began)
            else:
                changed.append((ticket, version))
        if changed:
            self._fetch(changed, chance)

    def _versions(self, source: Watches, questions: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        found: object = self._asking.call(partial(source.versions, questions))
        if isinstance(found, SourceError):
            return [found] * len(questions)
        if isinstance(found, (list, tuple)) and len(cast("Sequence[object]", found)) == len(questions):
            return cast("Sequence[str | SourceError | None]", found)
        return [None] * len(questions)

    def _fetch(self, changed: Sequence[tuple[Ticket, str | None]], chance: float) -> None:
        began = self._means.clock.seconds()
        answers = self._asking.fetch([one.question for one, _ in changed])
        for (ticket, version), answer in zip(changed, answers, strict=True):
            if isinstance(answer, SourceError):
                ticket.mark = None  # a version that is not fetched is not known
                tell_failed(ticket, answer, self._means.clock.seconds(), chance)
            elif answer.lease is not None:  # another engine is mounted there by now
                self._issued(ticket, answer, answer.lease, began)
            else:
                is_new = deliver(ticket, answer, None).is_new
                ticket.mark = answer.version if version is None else version
                ticket.asked_at = began
                _set_pace(ticket, answer)
                self._good(ticket, chance, began, is_new=is_new)

    def _good(self, ticket: Ticket, chance: float, began: float, *, is_new: bool = False) -> None:
        plan, now = ticket.plan, self._means.clock.seconds()
        before = plan.state
        if isinstance(plan, StaticPlan):
            plan.answered(now, chance, is_new=is_new, took_s=now - began)
        tell(ticket, before, None)


def _set_pace(ticket: Ticket, answer: Reading) -> None:
    """Take up what an answer says of how long it is good, where nobody wrote it."""
    plan = ticket.plan
    if isinstance(plan, StaticPlan) and answer.ttl_s is not None and not ticket.has_ttl:
        plan.pace = pace_of(answer.ttl_s, plan.pace)
