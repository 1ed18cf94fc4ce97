"""The connections to one address: kept between requests, sixteen at the most, none across a fork."""

import threading
from collections import deque
from contextlib import suppress

from wellkept._http.address import Address
from wellkept._http.deadline import Deadline
from wellkept._http.dial import dial, timed_out
from wellkept._http.exchange import Answer, exchange
from wellkept._http.message import Failure, Request
from wellkept._http.tls import Tls
from wellkept._http.wire import Wire

CONNECTIONS = 16  # facts: more gain nothing (100 secrets in 76 ms at 5 ms of round-trip time)


class Pool:
    """The connections to one address."""

    def __init__(self, address: Address, tls: Tls | None, proxy: Address | None) -> None:
        """Connect to nothing yet."""
        self._address = address
        self._tls = tls
        self._proxy = proxy
        self._idle: deque[Wire] = deque()
        self._open: set[Wire] = set()
        self._permits = threading.BoundedSemaphore(CONNECTIONS)

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request once, and read its answer."""
        if not self._permits.acquire(timeout=max(deadline.left(), 0)):
            return timed_out(self._address.origin, deadline, "answer")
        try:
            wire = self._take(request, deadline)
            return wire if isinstance(wire, Failure) else self._use(wire, request, deadline)
        finally:
            self._permits.release()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._drop(self._idle.pop())

    def after_fork(self) -> None:
        """Close all that was inherited; the parent's connections live on in the parent."""
        self._permits = threading.BoundedSemaphore(CONNECTIONS)
        self._idle.clear()
        for wire in self._open.copy():
            self._drop(wire)

    def _take(self, request: Request, deadline: Deadline) -> Wire | Failure:
        """A connection: a kept one only for a request that may be sent twice, since it may be dead already."""
        while request.may_repeat and self._idle:
            try:
                wire = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if wire.is_quiet():
                return wire
            self._drop(wire)
        if self._idle and len(self._open) >= CONNECTIONS:
            with suppress(IndexError):  # another thread took it
                self._drop(self._idle.popleft())
        made = dial(self._address, self._tls, deadline, self._proxy)
        if isinstance(made, Wire):
            self._open.add(made)
        return made

    def _use(self, wire: Wire, request: Request, deadline: Deadline) -> Answer:
        wire.deadline = deadline
        keeps = False
        try:
            answer, keeps = exchange(wire, request, self._address, self._tls)
        finally:
            if keeps:
                self._keep(wire)
            else:
                self._drop(wire)
        return answer

    def _keep(self, wire: Wire) -> None:
        if len(self._idle) < CONNECTIONS:
            self._idle.append(wire)
        else:
            self._drop(wire)

    def _drop(self, wire: Wire) -> None:
        self._open.discard(wire)
        wire.close()
