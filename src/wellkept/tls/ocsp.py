"""OCSP: whether a certificate was revoked, asked of the responder that it names, and remembered for a while.

No HTTP here: a callable carries the question and the answer, and `ocsp_answer` verifies what it brings.

The caller verifies the chain first. A certificate names its own responder: one that nobody has verified
could send this process to any address.

`check` waits for the responder, as long as the callable does; `remembered` never waits.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept._forks import after_fork
from wellkept.events import BUS, Event, Topic
from wellkept.tls.certificates import extension, is_issued_by, label
from wellkept.tls.names import printable
from wellkept.tls.ocsp_answer import SKEW, Answer, Status, question, read_answer, unknown

Fetch = Callable[[str, bytes], bytes]  # URL and request in DER → answer in DER; an OSError where there is none

CACHE_SIZE = 50  # Ballerina's cacheSize, at its least
CACHE_VALIDITY_S = 900.0  # Ballerina's cacheValidityPeriod: 15 minutes
_MOST_THREADS = 8
RETRY_S = 10.0  # for so long nobody asks again: a dead responder must not cost every handshake its timeout


class Unanswered(OSError):
    """A responder gave no answer.

    Attributes:
        fact: why, in words of ours that follow the name of the responder.
    """

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a certificate.

    Attributes:
        status: what is known.
        reason: the same in words that follow the name of the certificate.
        refuses: whether the connection is refused: always for a revoked one, by choice for an unknown one.
    """

    status: Status
    reason: str
    refuses: bool


class OcspChecker:
    """Asks responders, and remembers their answers; threads may share one."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        hard_fail: bool,
        cache_size: int = CACHE_SIZE,
        cache_validity_s: float = CACHE_VALIDITY_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Ask nobody yet.

        Args:
            fetch: what carries a request to a URL and brings the answer.
            hard_fail: whether a certificate is refused when nothing is known; otherwise an event tells of it.
            cache_size: how many answers are kept; the ones that were needed last.
            cache_validity_s: how long an answer is kept at the most; never longer than it is valid.
            clock: the time.
        """
        self._fetch = fetch
        self._hard_fail = hard_fail
        self._validity_s = cache_validity_s
        self._clock = clock
        self._answers: _Recent[Answer] = _Recent(cache_size, clock)
        self._told: _Recent[bool] = _Recent(cache_size, clock)
        self._down: _Recent[str] = _Recent(cache_size, clock)
        self._asking: set[bytes] = set()  # changed by single calls only, so it needs no lock
        _checkers.add(self)

    @property
    def hard_fail(self) -> bool:
        """Whether a certificate is refused when nothing is known."""
        return self._hard_fail

    def check(
        self, certificate: x509.Certificate, issuer: x509.Certificate, *, patience_s: float | None = None
    ) -> Verdict:
        """Find out whether a certificate was revoked, where need be by asking its responder.

        Args:
            certificate: one whose chain was verified.
            issuer: the CA that signed it.
            patience_s: how long to wait for an answer; it is kept for the next time when it comes later. None
                waits as long as the callable does, and so does hard_fail: there an unknown answer refuses.
        """
        key = _key(certificate, issuer)
        answer = self._current(key)
        if answer is None and patience_s is not None and not self._hard_fail:
            answer = self._asked_aside(key, certificate, issuer, patience_s)
        elif answer is None:
            answer = self._settled(key, self._ask(certificate, issuer))
        return self._verdict(key, certificate, answer)

    def _asked_aside(
        self, key: bytes, certificate: x509.Certificate, issuer: x509.Certificate, patience_s: float
    ) -> Answer:
        """Ask in a thread, and wait a little; one thread a certificate, and a few in all."""
        late = unknown("has an OCSP responder that has not answered yet")
        if key in self._asking or len(self._asking) >= _MOST_THREADS:
            return late
        self._asking.add(key)

        def ask() -> None:
            try:
                self._settled(key, self._ask(certificate, issuer))
            finally:
                self._asking.discard(key)

        thread = threading.Thread(target=ask, name="wellkept-ocsp", daemon=True)
        thread.start()
        thread.join(patience_s)
        return self._current(key) or late

    def remembered(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Verdict | None:
        """The verdict of an answer that is still kept, without asking anybody; None where there is none."""
        key = _key(certificate, issuer)
        answer = self._current(key)
        return None if answer is None else self._verdict(key, certificate, answer)

    def after_fork(self) -> None:
        """Make the locks anew in a forked child."""
        self._asking.clear()  # threads do not come along
        for one in (self._answers, self._told, self._down):
            one.renew_lock()

    def _current(self, key: bytes) -> Answer | None:
        answer = self._answers.get(key)
        # Looked at again: a machine that slept has not counted the seconds.
        is_over = answer is not None and answer.ends_at is not None and self._clock.now() > answer.ends_at + SKEW
        return None if is_over else answer

    def _ask(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Answer:
        url = responder_of(certificate)
        if url is None:
            return unknown("names no OCSP responder")
        if not is_issued_by(certificate, issuer):
            return unknown("is not signed by the CA that was given, so its responder is not asked")
        fact = self._down.get(url.encode())
        if fact is None:
            asked = question(certificate, issuer)
            try:
                data = self._fetch(url, asked.public_bytes(Encoding.DER))
                return read_answer(data, asked, issuer, self._clock.now())
            except OSError as error:
                fact = _fact(error)
            self._down.put(url.encode(), fact, RETRY_S)
        return unknown(f"names the responder {_shown(url)}, which {fact}")

    def _settled(self, key: bytes, answer: Answer) -> Answer:
        """Keep an answer; one that was revoked stays so until a newer answer says that it is good."""
        before = self._answers.last(key)
        if before is not None and before.status is Status.REVOKED and not _is_newer(answer, before):
            answer = Answer(Status.REVOKED, before.fact, before.made_at)  # without an end: asked again soon
        left_s = 0.0 if answer.ends_at is None else (answer.ends_at - self._clock.now()).total_seconds()
        self._answers.put(key, answer, min(max(left_s, RETRY_S), self._validity_s))
        return answer

    def _verdict(self, key: bytes, certificate: x509.Certificate, answer: Answer) -> Verdict:
        is_unknown = answer.status is Status.UNKNOWN
        if is_unknown and not self._hard_fail and self._told.add(key, self._validity_s):
            BUS.publish(Event(Topic.REVOCATION_UNKNOWN, label(certificate), answer.fact))
        refuses = answer.status is Status.REVOKED or (is_unknown and self._hard_fail)
        return Verdict(answer.status, answer.fact, refuses)


def responder_of(certificate: x509.Certificate) -> str | None:
    """The URL of the responder that a certificate names (RFC 5280 §4.2.2.1), or None."""
    try:
        access = extension(certificate, x509.AuthorityInformationAccess)
    except ValueError:  # extensions that cannot be read name nobody
        access = None
    for one in access or ():
        place = one.access_location
        is_url = isinstance(place, x509.UniformResourceIdentifier) and place.value.startswith(("http://", "https://"))
        if one.access_method == AuthorityInformationAccessOID.OCSP and is_url:
            return str(place.value)
    return None


_T = TypeVar("_T")


class _Recent(Generic[_T]):
    """A few things by their keys, each until its time is over; the ones that were needed last stay."""

    def __init__(self, size: int, clock: Clock) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._things: OrderedDict[bytes, tuple[float, _T]] = OrderedDict()

    def get(self, key: bytes) -> _T | None:
        """A thing whose time is not over."""
        with self._lock:
            until_s, thing = self._things.get(key, (-1.0, None))
            if thing is None or self._clock.seconds() >= until_s:
                return None
            self._things.move_to_end(key)
            return thing

    def last(self, key: bytes) -> _T | None:
        """A thing, whether or not its time is over."""
        with self._lock:
            return self._things.get(key, (0.0, None))[1]

    def put(self, key: bytes, thing: _T, seconds: float) -> None:
        """Keep a thing for so long."""
        with self._lock:
            self._put(key, thing, seconds)

    def add(self: "_Recent[bool]", key: bytes, seconds: float) -> bool:
        """Keep a mark for so long; whether it is new."""
        with self._lock:
            is_new = self._clock.seconds() >= self._things.get(key, (-1.0, False))[0]
            if is_new:
                self._put(key, thing=True, seconds=seconds)
            return is_new

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child."""
        self._lock = threading.Lock()

    def _put(self, key: bytes, thing: _T, seconds: float) -> None:
        self._things[key] = self._clock.seconds() + seconds, thing
        self._things.move_to_end(key)
        while len(self._things) > self._size:
            self._things.popitem(last=False)


_checkers: "weakref.WeakSet[OcspChecker]" = weakref.WeakSet()


def _after_fork() -> None:
    for checker in _checkers:
        checker.after_fork()


after_fork(_after_fork)


def _key(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    return certificate.fingerprint(hashes.SHA256()) + issuer.fingerprint(hashes.SHA256())


def _is_newer(answer: Answer, before: Answer) -> bool:
    """Whether a signed answer is at least as new as another one."""
    return answer.made_at is not None and before.made_at is not None and answer.made_at >= before.made_at


def _fact(error: OSError) -> str:
    if isinstance(error, Unanswered):
        return error.fact
    return "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"


def _shown(url: str) -> str:
    """A URL as a message may show it: without a user, a path or a query."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "(no URL)"
    return printable(f"{parts.scheme}://{parts.hostname or ''}{port}")
