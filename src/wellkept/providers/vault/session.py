"""A session: one client and one login for one configuration, shared by all loads of the process."""

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar, cast

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import replace
from wellkept._http.client import Client
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import LoginRefused, TokenRefused, Unreachable, UsageError
from wellkept.providers.vault.answers import trouble
from wellkept.providers.vault.connection import Connection
from wellkept.providers.vault.dance import Dance
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.login import Token
from wellkept.providers.vault.mounts import Mounts
from wellkept.secret import Secret

T = TypeVar("T")

_REFUSED_S = 1.0  # for so long a refused login is not tried again
_AGAIN_S = 60.0  # a refused token is followed by a new login at most so often
_MARGIN_S = 5  # a token that dies within it would die on the way


class Session:
    """Performs dances, logged in."""

    def __init__(self, connection: Connection) -> None:
        """Connect to nothing yet."""
        self.connection: Connection = connection
        self.kv: Kv = Kv(Mounts(connection.kv_version), connection.login.label)
        self._client = Client(
            connection.address,
            connection.trust,
            timeout_s=connection.timeout_s,
            attempts=connection.attempts,
            peers=connection.nodes,
            proxy=connection.proxy,
        )
        self._login = connection.login
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._ends_at = 0.0
        self._is_proven = False  # whether the token has opened anything yet
        self._again_at = 0.0
        self._refusal: tuple[float, Failure] | None = None

    def perform(self, dance: Callable[[], Dance[T | Failure]]) -> T | Failure:
        """Perform a dance; again with a new token where the old one is refused and there may be another."""
        token = self._logged_in(None)
        if isinstance(token, Failure):
            return token
        answer = self._drive(dance(), token.secret)
        if not isinstance(answer, Failure) or answer.error is not TokenRefused:
            self._is_proven |= not isinstance(answer, Failure) or not issubclass(answer.error, Unreachable)
            return answer
        if not self._may_log_in_again(token):
            return answer
        fresh = self._logged_in(token)
        if isinstance(fresh, Failure):
            return fresh
        return self._drive(dance(), fresh.secret)

    def close(self) -> None:
        """Let go of the connections; the token stays for the next load."""
        self._client.close()

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child."""
        self._lock = threading.Lock()

    def _may_log_in_again(self, refused: Token) -> bool:
        """Whether another login may help: it costs something, and a token without default looks refused."""
        if not self._login.may_repeat:
            return False
        now = SYSTEM_CLOCK.seconds()
        with self._lock:
            if self._token is not refused or self._login.is_free or self._is_proven:
                return True
            if now < self._again_at:
                return False
            self._again_at = now + _AGAIN_S
            return True

    def _logged_in(self, worn: Token | None) -> Token | Failure:
        """The token, from a new login where there is none, its time is over, or it is the one that was refused."""
        with self._lock:
            now = SYSTEM_CLOCK.seconds()
            known = self._token
            if known is not None and known is not worn and now < self._ends_at:
                return known
            if self._refusal is not None and now < self._refusal[0]:
                return self._refusal[1]  # all that wait are told of one refusal: each login may be counted
            self._token = None
            made = self._drive(self._login.dance(), None)
            if isinstance(made, Failure):
                self._refusal = (SYSTEM_CLOCK.seconds() + _REFUSED_S, made) if not self._login.is_free else None
                return made
            self._refusal = None
            self._login = made.again or self._login
            self._token, self._is_proven = made, False
            life_s = made.lifetime_s
            self._ends_at = float("inf") if life_s is None else now + life_s - min(_MARGIN_S, life_s / 10)
            return made

    def _drive(self, dance: Dance[T | Failure], token: Secret[str] | None) -> T | Failure:
        try:
            request = next(dance)
            while True:
                answer = self._client.send(self._dressed(request, token))
                failure = answer if isinstance(answer, Failure) else trouble(answer)
                if failure is not None:
                    dance.close()
                    return failure
                request = dance.send(cast("Response", answer))
        except UsageError as error:  # of what a person gave for the login
            return Failure(LoginRefused, f"denied: {error.message}", error.hint or "correct it")
        except StopIteration as end:
            made: T | Failure = end.value
            return made

    def _dressed(self, request: Request, token: Secret[str] | None) -> Request:
        """The request with what every request to Vault carries."""
        headers: dict[str, Secret[str] | str] = {"X-Vault-Request": "true"}
        if self.connection.namespace is not None:
            headers["X-Vault-Namespace"] = self.connection.namespace
        if token is not None:
            headers["X-Vault-Token"] = token
        return replace(request, headers={**headers, **request.headers})


_MOST_SESSIONS = 32  # a program that makes a Vault for each new token must not keep all of them

_sessions: "deque[Session]" = deque(maxlen=_MOST_SESSIONS)
_lock = threading.Lock()


def session_of(connection: Connection) -> Session:
    """The session of a configuration; one a process, however many loads have that configuration."""
    with _lock:
        found = next((one for one in _sessions if one.connection == connection), None)
        if found is None:
            found = Session(connection)
        else:
            _sessions.remove(found)
        _sessions.append(found)  # the one that was not asked for the longest goes first
        return found


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 there is one
    _lock = threading.Lock()
    for session in _sessions:
        session.renew_lock()


os.register_at_fork(after_in_child=_after_fork)
