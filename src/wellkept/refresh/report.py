"""What `status()` says of a setting that is followed, and of a source. No I/O here."""

from wellkept.refresh.backend import Backend
from wellkept.refresh.status import SecretStatus, SourceStatus
from wellkept.refresh.ticket import Following
from wellkept.secret import State


def secret_status(following: Following, now: float) -> SecretStatus:
    """How a setting does."""
    origin, version, age_s = following.follower.facts()
    state, ends_at = following.standing
    tickets = following.tickets
    due_at = min(one.plan.due_at for one in tickets)
    if state is State.FRESH and due_at <= now:
        state = State.DUE
    if ends_at is not None and ends_at <= now:
        state = State.EXPIRED
    failures = [following.fault, *(one.plan.failure for one in tickets)]
    failure = next((one for one in failures if one is not None), None)
    return SecretStatus(
        following.follower.name,
        origin,
        version,
        state,
        age_s,
        now - min(one.plan.checked_at for one in tickets),
        max(0.0, due_at - now),
        None if ends_at is None else max(0.0, ends_at - now),
        None if failure is None else str(failure),
        tickets[0].question.scheme,
    )


def source_status(backend: Backend, now: float) -> SourceStatus:
    """How a source does."""
    asking, logins = backend.asking, backend.logins
    ends_at = None if logins is None else logins.ends_at
    return SourceStatus(
        asking.name,
        asking.is_answering,
        asking.breaker.is_open(now),
        asking.requests,
        asking.failures,
        None if ends_at is None else max(0.0, ends_at - now),
    )
