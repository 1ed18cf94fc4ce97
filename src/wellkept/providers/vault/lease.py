"""Leases and the life of a token: more time, less time, and how much there is. Dances; no I/O here.

delivery.md §2.6. A lease is named by an id, which opens nothing, and stands in no error all the same.
"""

from collections.abc import Mapping
from typing import Final

from wellkept._dataclasses import dataclass
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Absent, Denied, TokenRefused, Unreachable
from wellkept.providers.vault.answers import LOOKUP_SELF, denied
from wellkept.providers.vault.dance import (
    BAD_REQUEST,
    FORBIDDEN,
    NO_CONTENT,
    OK,
    Dance,
    data_of,
    says,
    table,
    unexpected,
    whole,
)

_RENEW: Final = ("sys", "leases", "renew")
_REVOKE: Final = ("sys", "leases", "revoke")
_RENEW_SELF: Final = ("auth", "token", "renew-self")
_REVOKE_SELF: Final = ("auth", "token", "revoke-self")
_GONE: Final = ("lease not found", "lease expired")


@dataclass(frozen=True, slots=True)
class Granted:
    """A time that the server granted, which a token may cut short.

    Attributes:
        id: the name of the lease.
        duration_s: how long, from the answer on.
        is_renewable: whether asking may make it longer.
    """

    id: str
    duration_s: float
    is_renewable: bool


@dataclass(frozen=True, slots=True)
class Life:
    """How long a token lives from the answer on.

    Attributes:
        left_s: the seconds, or None for one that does not end.
        is_renewable: whether asking may make it longer.
    """

    left_s: float | None
    is_renewable: bool


def granted(answer: Response) -> Granted | None:
    """The lease of an answer, or None where it has none; a renewal at its very end gives it no second more."""
    told = table(answer.data)
    name, duration_s = told.get("lease_id"), whole(told.get("lease_duration"))
    if not isinstance(name, str) or not name or duration_s is None:
        return None
    return Granted(name, float(duration_s), told.get("renewable") is True)


def renew(lease_id: str, label: str) -> Dance[Granted | Failure]:
    """Ask for more time.

    Without an increment it is what the role of the engine gives (OpenBao 2.7.2): after a lease was cut short, nobody
    here knows that any more.
    """
    answer = yield Request("PUT", ("v1", *_RENEW), body={"lease_id": lease_id}, is_repeatable=True)
    if answer.status == FORBIDDEN:
        return (yield from denied(label, _RENEW, "update"))
    if answer.status == BAD_REQUEST:
        if any(says(answer, one) for one in _GONE):
            return Failure(Absent, "absent: its lease is over or was revoked", "read it anew")
        if says(answer, "not renewable"):
            return Failure(Denied, "denied: its lease cannot be renewed", "read it anew")
        return _engine_fails("renew")
    made = granted(answer) if answer.status == OK else None
    return made or unexpected(answer)


def revoke(lease_id: str, label: str) -> Dance[Failure | None]:
    """End it; one that is over already is an answer like any other."""
    answer = yield Request("PUT", ("v1", *_REVOKE), body={"lease_id": lease_id}, is_repeatable=True)
    if answer.status == FORBIDDEN:
        return (yield from denied(label, _REVOKE, "update"))
    if answer.status == BAD_REQUEST:
        return None if any(says(answer, one) for one in _GONE) else _engine_fails("revoke")
    return None if answer.status in {OK, NO_CONTENT} else unexpected(answer)


def look_up_self(label: str) -> Dance[Life | Failure]:
    """How long the token lives; a token without the policy `default` may not know, and looks refused."""
    answer = yield LOOKUP_SELF
    if answer.status == FORBIDDEN:
        hint = "log in again; a token may also lack the policy default, which lets it ask about itself"
        return Failure(TokenRefused, f"denied: {label} is expired, revoked or unknown there", hint)
    told = data_of(answer)
    # In its last second it has a ttl of 0, as one without an end has, which has no moment of its end either.
    is_endless = told.get("ttl") == 0 and not told.get("expire_time")
    return Life(None, is_renewable=False) if is_endless else _life(answer, told, "ttl")


def renew_self(label: str) -> Dance[Life | Failure]:
    """Ask for more time for the token; a periodic one gets its period each time."""
    answer = yield Request("POST", ("v1", *_RENEW_SELF), body={}, is_repeatable=True)
    if answer.status == FORBIDDEN:
        return (yield from denied(label, _RENEW_SELF, "update"))
    if answer.status == BAD_REQUEST:  # a batch token, or one that was made so
        return Failure(Denied, f"denied: {label} cannot be renewed", "log in again; or let its role give another kind")
    return _life(answer, table(table(answer.data).get("auth")), "lease_duration")


def revoke_self(label: str) -> Dance[Failure | None]:
    """End the token, with all that was leased under it; one that is over already is fine, and a batch token stays."""
    answer = yield Request("POST", ("v1", *_REVOKE_SELF), body={}, is_repeatable=True)
    if answer.status == FORBIDDEN:
        failure = yield from denied(label, _REVOKE_SELF, "update")
        return None if failure.error is TokenRefused else failure
    return None if answer.status in {OK, NO_CONTENT, BAD_REQUEST} else unexpected(answer)


def _life(answer: Response, told: Mapping[str, object], key: str) -> Life | Failure:
    left_s = whole(told.get(key))
    if answer.status != OK or left_s is None:
        return unexpected(answer)
    return Life(float(left_s), told.get("renewable") is True)


def _engine_fails(what: str) -> Failure:
    hint = "look whether what its engine leads to runs, then at the log of the server"
    return Failure(Unreachable, f"unreachable: its engine fails to {what} the lease", hint, was_sent=True)
