"""A session: one client and one login for one configuration, shared by all loads of the process."""

import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from wellkept._clock import SYSTEM_CLOCK
from wellkept._dataclasses import replace
from wellkept._forks import after_fork
from wellkept._http.client import Client
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Denied, LoginRefused, TokenRefused, Unreachable, UsageError
from wellkept.model import Lease
from wellkept.providers.vault.answers import trouble
from wellkept.providers.vault.connection import Connection
from wellkept.providers.vault.dance import Dance, Faulty
from wellkept.providers.vault.kv import Kv
from wellkept.providers.vault.lease import Granted, look_up_self, renew_self, revoke_self
from wellkept.providers.vault.login import Login, NoToken, Token
from wellkept.providers.vault.logins import NEVER, LoggedIn, Logins, cut
from wellkept.providers.vault.mounts import Mounts
from wellkept.providers.vault.watching import Watching
from wellkept.secret import Secret

T = TypeVar("T")

_REFUSED_S = 1.0  # for so long a refused login is not tried again
_AGAIN_S = 60.0  # a refused token is followed by a new login at most so often
_ENGINE_FAULT = 500


class Session:
    """Performs dances, logged in."""

    def __init__(self, connection: Connection) -> None:
        """Connect to nothing yet."""
        self.connection: Connection = connection
        self.kv: Kv = Kv(Mounts(connection.kv_version), connection.login.label)
        self.watching: Watching = Watching()
        self._client = Client(
            connection.address,
            connection.trust,
            timeout_s=connection.timeout_s,
            attempts=connection.attempts,
            peers=connection.nodes,
            proxy=connection.proxy,
        )
        self._login: Login = connection.login
        self._logins = Logins()
        self._lock = threading.Lock()
        self._is_proven = False  # whether the token has opened anything yet
        self._again_at = 0.0
        self._refusal: tuple[float, Failure] | None = None

    def perform(self, dance: Callable[[], Dance[T | Failure]]) -> T | Failure:
        """Perform a dance; again with a new token where the old one is refused and there may be another."""
        return self.perform_as(dance)[0]

    def perform_as(self, dance: Callable[[], Dance[T | Failure]]) -> tuple[T | Failure, LoggedIn | None]:
        """The same, and the login with which it was done."""
        login = self._logged_in(None)
        if isinstance(login, Failure):
            return login, None
        answer = self._drive(dance(), login.secret)
        if not isinstance(answer, Failure) or answer.error is not TokenRefused:
            self._is_proven |= not isinstance(answer, Failure) or not issubclass(answer.error, Unreachable)
            return answer, login
        if not self._may_log_in_again(login):
            return answer, login
        fresh = self._logged_in(login)
        if isinstance(fresh, Failure):
            return fresh, None
        return self._drive(dance(), fresh.secret), fresh

    def lease(self, granted: Granted, login: LoggedIn) -> Lease:
        """A lease that was given just now under a login, with the time that it really has."""
        if login.secret is None:  # an agent adds its own token, and may have a cache for all of this machine
            return Lease(granted.id, granted.duration_s, granted.is_renewable, is_shared=True)
        known = self._timed(login, granted.duration_s)
        if known.ends_at == NEVER:
            return Lease(granted.id, granted.duration_s, granted.is_renewable)
        left_s = cut(granted, known, SYSTEM_CLOCK.seconds())
        return Lease(granted.id, left_s, granted.is_renewable, known.name)

    def find_login(self, name: str) -> LoggedIn | None:
        """A login of this session by its name, in use or left behind."""
        return self._logins.find(name)

    @property
    def has_own_login(self) -> bool:
        """Whether the login in use was made by this process."""
        return self._logins.now is not None and self._logins.now.is_ours

    def login(self) -> Lease | Failure | None:
        """The login in use; None where nobody has logged in, it does not end, or it is not ours to know."""
        known = self._logins.now
        if known is None or known.secret is None:
            return None
        found = self._looked_up(known) if self._is_open(known, 0.0) else known
        if isinstance(found, Failure) and found.error is TokenRefused and self._may_log_in_again(known):
            fresh = self._logged_in(known)  # a file may hold another token by now
            found = self._looked_up(fresh) if isinstance(fresh, LoggedIn) and fresh.name != known.name else found
        return found if isinstance(found, Failure) else _as_lease(found)

    def renew_login(self) -> Lease | Failure:
        """Ask for more time for the token; see `ports.LogsIn`."""
        if isinstance(self._login, NoToken):
            return Failure(Denied, f"denied: {self.kv.label} is not ours to renew", "the agent renews it")
        asked_at = SYSTEM_CLOCK.seconds()
        life, login = self.perform_as(partial(renew_self, self.kv.label))
        if isinstance(life, Failure):
            return life
        known = cast("LoggedIn", login).until(life, asked_at)
        self._logins.learn(known)
        return _as_lease(known) or Lease(known.name, NEVER)

    def log_in_beside(self) -> Lease | Failure:
        """Log in anew and use that from now on, while the old token lives on; see `ports.LogsIn`."""
        if not self._login.may_repeat:
            return Failure(
                LoginRefused, f"denied: {self.kv.label} is all there is: nobody can log in by it again", _BESIDE
            )
        before = self._logins.now
        # Not under the lock: while it goes on, everybody else works with the old token.
        login = self._logged_in(None) if before is None else self._log_in(SYSTEM_CLOCK.seconds())
        if isinstance(login, Failure):
            return login
        if before is not None and login.name == before.name:
            return Failure(LoginRefused, f"denied: {self.kv.label} is the same as before", "let it be written anew")
        return self.login() or Lease(login.name, NEVER)

    def log_out(self, name: str) -> Failure | None:
        """End a login that this process made, with all that was leased under it."""
        found = self._logins.find(name)
        if found is None or not found.is_ours:
            return None
        failure = self._drive(revoke_self(self.kv.label), found.secret)
        if failure is None:
            self._logins.drop(name)
        return failure

    def close(self) -> None:
        """Let go of the connections; the token stays for the next load."""
        self._client.close()

    def after_fork(self) -> None:
        """Make the locks anew in a forked child, and leave the parent's logins to the parent."""
        self._lock = threading.Lock()
        self._logins.after_fork()

    def _may_log_in_again(self, refused: LoggedIn) -> bool:
        """Whether another login may help: it costs something, and a token without default looks refused."""
        if not self._login.may_repeat:
            return False
        now = SYSTEM_CLOCK.seconds()
        with self._lock:
            known = self._logins.now
            if known is None or known.name != refused.name or self._login.is_free or self._is_proven:
                return True
            if now < self._again_at:
                return False
            self._again_at = now + _AGAIN_S
            return True

    def _logged_in(self, worn: LoggedIn | None) -> LoggedIn | Failure:
        """The login, a new one where there is none, its time is over, or it is the one that was refused."""
        with self._lock:
            now, known = SYSTEM_CLOCK.seconds(), self._logins.now
            if known is not None and (worn is None or known.name != worn.name) and now < known.worn_at:
                return known
            return self._log_in(now, leaves=True)

    def _log_in(self, now: float, *, leaves: bool = False) -> LoggedIn | Failure:
        if self._refusal is not None and now < self._refusal[0]:
            return self._refusal[1]  # all that wait are told of one refusal: each login may be counted
        if leaves:
            self._logins.leave()
        made: Token | Failure = self._drive(self._login.dance(), None)
        if isinstance(made, Failure):
            self._refusal = (SYSTEM_CLOCK.seconds() + _REFUSED_S, made) if not self._login.is_free else None
            return made
        self._refusal = None
        self._login = made.again or self._login
        self._is_proven = False
        return self._logins.use(made, now)

    def _timed(self, login: LoggedIn, needed_s: float) -> LoggedIn:
        """A login with its end, where that can be known; asked for anew before it cuts something short."""
        found = self._looked_up(login) if self._is_open(login, needed_s) else login
        return login if isinstance(found, Failure) else found

    def _is_open(self, login: LoggedIn, needed_s: float) -> bool:
        """Whether the end is not known; somebody else may have renewed a token that is not ours."""
        return login.ends_at is None or (not login.is_ours and login.ends_at < SYSTEM_CLOCK.seconds() + needed_s)

    def _looked_up(self, login: LoggedIn) -> LoggedIn | Failure:
        asked_at = SYSTEM_CLOCK.seconds()
        life = self._drive(look_up_self(self.kv.label), login.secret)
        if not isinstance(life, Failure):
            known = login.until(life, asked_at)
        elif life.error is TokenRefused and login.ends_at is None and self._is_proven:
            known = replace(login, ends_at=NEVER)  # it opens things: it only may not ask about itself
        else:
            return life
        self._logins.learn(known)
        return known

    def _drive(self, dance: Dance[T | Failure], token: Secret[str] | None) -> T | Failure:
        try:
            request = next(dance)
            while True:
                answer = self._client.send(self._dressed(request, token))
                failure = answer if isinstance(answer, Failure) else trouble(answer)
                if failure is None:
                    request = dance.send(cast("Response", answer))
                else:
                    is_fault = isinstance(answer, Response) and answer.status == _ENGINE_FAULT
                    request = dance.throw(Faulty(failure, is_of_engine=is_fault and failure.error is Unreachable))
        except Faulty as fault:
            return fault.failure
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


_BESIDE = "give a login that may be repeated (AppRole, Kubernetes …) or a file with the token"


def _as_lease(login: LoggedIn) -> Lease | None:
    if login.ends_at is None or login.ends_at == NEVER:
        return None
    left_s = max(0.0, login.ends_at - SYSTEM_CLOCK.seconds())
    return Lease(login.name, left_s, login.is_renewable)


_MOST_SESSIONS = 32  # a program that makes a Vault for each new token must not keep all of them

_sessions: "deque[Session]" = deque(maxlen=_MOST_SESSIONS)
_made: "weakref.WeakSet[Session]" = weakref.WeakSet()  # all that somebody uses, also those that went
_lock = threading.Lock()


def session_of(connection: Connection) -> Session:
    """The session of a configuration; one a process, however many loads have that configuration."""
    with _lock:
        found = next((one for one in _sessions if one.connection == connection), None)
        if found is None:
            found = Session(connection)
            _made.add(found)
        else:
            _sessions.remove(found)
        _sessions.append(found)  # the one that was not asked for the longest goes first
        return found


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 there is one
    _lock = threading.Lock()
    for session in list(_made):
        session.after_fork()


after_fork(_after_fork)
