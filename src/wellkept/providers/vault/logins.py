"""The logins of one session: the one in use, those before it, and when each ends. No I/O here.

A lease dies with the token under which it was given, whatever the lease says (delivery.md, finding 3): so a login has a
name that each of its leases carries, and its end is kept for as long as they may live.
"""

import threading
from collections import deque

from wellkept._dataclasses import dataclass, replace
from wellkept.providers.vault.lease import Granted, Life
from wellkept.providers.vault.login import Token
from wellkept.secret import Secret

NEVER = float("inf")

_MARGIN_S = 5  # a token that dies within it would die on the way
_MOST_OLD = 32  # one is left behind in each life of a token: a lease is not that old


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One login.

    Attributes:
        name: `login 1`, `login 2` … of the session.
        secret: its token, or None where requests go without one.
        ends_at: when the token dies, on the clock of the session; None where nobody has asked yet.
        is_renewable: whether asking may make its life longer.
        is_ours: whether this process made it: then it may end it, and nobody else makes its life longer.
        worn_at: when it is followed by another login.
    """

    name: str
    secret: Secret[str] | None
    ends_at: float | None = None
    is_renewable: bool = False
    is_ours: bool = False
    worn_at: float = NEVER

    def until(self, life: Life, now: float) -> "LoggedIn":
        """The same, with the time that it was told to have from now on."""
        ends_at = NEVER if life.left_s is None else now + life.left_s
        return replace(self, ends_at=ends_at, worn_at=_worn_at(self, ends_at, now), is_renewable=life.is_renewable)


class Logins:
    """All of them, up to a number."""

    def __init__(self) -> None:
        """Nobody has logged in yet."""
        self.now: LoggedIn | None = None
        self._old: deque[LoggedIn] = deque(maxlen=_MOST_OLD)
        self._count = 0
        self._lock = threading.Lock()

    def use(self, made: Token, now: float) -> LoggedIn:
        """Use another token from now on; one that is the same as before is the same login."""
        with self._lock:  # `now` is read without it, so it is never None in between
            before = self.now or (self._old[-1] if self._old else None)
            if before is not None and not made.is_ours and before.secret == made.secret:
                if self.now is None:
                    self._old.pop()
                self.now = before
                return before
            self._count += 1
            login = LoggedIn(f"login {self._count}", made.secret, is_ours=made.is_ours)
            if made.is_ours:
                login = login.until(Life(made.lifetime_s, made.is_renewable), now)
            if self.now is not None:
                self._old.append(self.now)
            self.now = login
            return login

    def leave(self) -> None:
        """Use none; the one in use is an old one then."""
        with self._lock:
            if self.now is not None:
                self._old.append(self.now)
            self.now = None

    def find(self, name: str) -> LoggedIn | None:
        """The one of a name, where it is still known."""
        with self._lock:
            return next((one for one in (self.now, *self._old) if one is not None and one.name == name), None)

    def learn(self, known: LoggedIn) -> None:
        """Put what is known by now of a login in the place of what was."""
        with self._lock:
            if self.now is not None and self.now.name == known.name:
                self.now = known
                return
            for place, one in enumerate(self._old):
                if one.name == known.name:
                    self._old[place] = known

    def drop(self, name: str) -> None:
        """Forget one that has ended."""
        with self._lock:
            if self.now is not None and self.now.name == name:
                self.now = None
            for one in [one for one in self._old if one.name == name]:
                self._old.remove(one)

    def after_fork(self) -> None:
        """In a forked child they are the parent's: it may use them, and not end them."""
        self._lock = threading.Lock()
        self.now = None if self.now is None else replace(self.now, is_ours=False)
        self._old = deque((replace(one, is_ours=False) for one in self._old), maxlen=_MOST_OLD)


def cut(granted: Granted, login: LoggedIn, now: float) -> float:
    """How long a lease really lives: no longer than the token under which it was given."""
    return granted.duration_s if login.ends_at is None else max(0.0, min(granted.duration_s, login.ends_at - now))


def _worn_at(login: LoggedIn, ends_at: float, now: float) -> float:
    """Another one is at hand a moment before the end; that of a token that was given is not ours to know."""
    return ends_at - min(_MARGIN_S, (ends_at - now) / 10) if login.is_ours and ends_at < NEVER else NEVER
