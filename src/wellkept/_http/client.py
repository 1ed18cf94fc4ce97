"""The client: connections that are kept, one deadline a request, and retries that do no harm."""

import os
import time
import weakref
from collections.abc import Iterable, Sequence

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._forks import after_fork
from wellkept._http.address import Address
from wellkept._http.deadline import Deadline
from wellkept._http.exchange import Answer, Elsewhere, shown
from wellkept._http.message import Failure, Request, Response
from wellkept._http.pool import Pool
from wellkept._http.tls import Tls, Trust
from wellkept._imports import load_module
from wellkept.errors import Malformed, TimedOut, Unreachable

ATTEMPTS = 3  # what Vault's own client does: two retries
TIMEOUT_S = 10.0

_FIRST_PAUSE_S = 0.1
_SLOW_S = 1.0
_DOWN_S = 1.0  # for so long others are told of a failure instead of waiting for one of their own
_PASSING = frozenset({412, 429, 500, 502, 503, 504})  # what Vault's own client repeats
_NOT_DONE = frozenset({412, 429, 503})  # the server says that it did nothing: any request may be repeated


class Client:
    """Sends requests to one server, and to those that stand in for it."""

    def __init__(
        self,
        address: Address,
        trust: Trust = Trust(),  # noqa: B008 it is frozen
        *,
        timeout_s: float = TIMEOUT_S,
        attempts: int = ATTEMPTS,
        peers: Sequence[Address] = (),
        proxy: Address | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: the server.
            trust: whom to trust; for all of its peers, too.
            timeout_s: how long one request may take, with all that it needs.
            attempts: how often it is tried within that time.
            peers: other addresses of the same server: a redirect to one of them is followed.
            proxy: an HTTP proxy to go through; only where a person asks for one.
            clock: what deadlines are measured with.
        """
        self.address = address
        addresses = (address, *peers)
        self._tls = _tls_for(addresses, trust)
        self._pools = {one.origin: Pool(one, self._tls if one.scheme == "https" else None, proxy) for one in addresses}
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._clock = clock
        self._down: tuple[float, Failure] | None = None  # until when, and why
        self._slow_until = -1.0
        self._answered_at = -1.0
        self._is_lost = False  # nothing came back the last time
        _clients.add(self)
        weakref.finalize(self, _close_all, tuple(self._pools.values()))

    def send(self, request: Request) -> Response | Failure:
        """Send a request, again where that may help and does no harm; never raises."""
        unfit = _unfit_header(request)
        if unfit is not None:
            return unfit
        started_at, down = self._clock.seconds(), self._down
        if down is not None and started_at < down[0]:
            return down[1]
        is_slow = request.may_repeat and started_at < self._slow_until
        answer = self._attempted(request, min(self._timeout_s, _SLOW_S) if is_slow else self._timeout_s)
        now = self._clock.seconds()
        if isinstance(answer, Response):
            self._answered_at, self._down, self._slow_until, self._is_lost = now, None, -1.0, False
        elif issubclass(answer.error, Unreachable) and self._answered_at < started_at:
            self._is_lost = issubclass(answer.error, TimedOut)
            if not answer.was_sent:
                self._down = now + _DOWN_S, answer
            elif not is_slow and answer is not _REDIRECTED:
                # Beside a request that got no answer others wait for less: a hundred must not wait in turn.
                self._slow_until = now + _DOWN_S
        return answer

    def close(self) -> None:
        """Let go of all connections; it can be used again."""
        _close_all(self._pools.values())

    def after_fork(self) -> None:
        """Let go of the parent's connections and locks in a forked child."""
        if self._tls is not None:
            self._tls.renew_lock()
        for pool in self._pools.values():
            pool.after_fork()

    def _attempted(self, request: Request, timeout_s: float) -> Response | Failure:
        # Else a fleet that connects in vain all comes through at one moment: when the line is there again.
        deadline = Deadline(timeout_s, self._clock, connect_s=_SLOW_S if self._is_lost else timeout_s)
        pool = self._pools[self.address.origin]
        answer = pool.exchange(request, deadline)
        for attempt in range(1, self._attempts):
            pause_s = _pause(request, answer, attempt)
            if pause_s is None or pause_s >= deadline.left():
                break
            time.sleep(pause_s)
            answer = pool.exchange(request, deadline)
        if isinstance(answer, Elsewhere):
            peer = self._pools.get(answer.origin)
            answer = _REDIRECTED if peer is None or peer is pool else peer.exchange(request, deadline)
        return _REDIRECTED if isinstance(answer, Elsewhere) else answer


def _tls_for(addresses: Sequence[Address], trust: Trust) -> Tls | None:
    if all(one.scheme != "https" for one in addresses):
        return None
    # By name: ssl takes 8 ms to load, and an agent on this machine is asked without it.
    made: Tls = load_module("wellkept._http.context").ContextKeeper(trust)
    return made


_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


def _close_all(pools: Iterable[Pool]) -> None:
    for pool in pools:
        pool.close()


def _after_fork() -> None:
    for client in _clients:
        client.after_fork()


after_fork(_after_fork)


_REDIRECTED = Failure(
    Unreachable,
    "unreachable: it answers with a redirect to another address, which is not followed",
    "name the address that answers itself; the standbys of one cluster go into nodes = […]",
    was_sent=True,
)


def _unfit_header(request: Request) -> Failure | None:
    for name, value in request.headers.items():
        text = shown(value)
        if not text or not text.isascii() or not text.isprintable() or text != text.strip():  # RFC 9110 §5.5
            hint = "often a final newline: write it with printf instead of echo"
            return Failure(Malformed, f"{name}: a header cannot hold one of its characters", hint)
    return None


def _pause(request: Request, answer: Answer, attempt: int) -> float | None:
    """How long to wait before the next attempt, or None where there is to be none."""
    if isinstance(answer, Elsewhere):
        return None
    if isinstance(answer, Failure):
        may = answer.is_passing and (request.may_repeat or not answer.was_sent)
    else:
        may = answer.status in _PASSING and (request.may_repeat or answer.status in _NOT_DONE)
    if not may:
        return None
    chance = os.urandom(1)[0] / 256
    if isinstance(answer, Response) and answer.retry_after_s is not None:
        return answer.retry_after_s * (1 + 0.2 * chance)
    # Half to one and a half: clients that failed together must not come back together.
    return _FIRST_PAUSE_S * 2.0 ** (attempt - 1) * (0.5 + chance)
