"""Keeps a context current: looks at the files when it is used, swaps whole bundles, and keeps the last good one.

A look costs three `stat()`, at most once a second, inside whatever asks for a connection: no thread, nothing that
a fork could break, and each worker process sees the change itself. A change is read, judged, rehearsed and swapped
in at once (3.5 ms; facts §9): done beside the loop, an idle server would serve an expired certificate first.
"""

import signal
import ssl
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import NoReturn

from cryptography import x509

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass
from wellkept._forks import after_fork
from wellkept.errors import BundleError, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.model import Finding
from wellkept.tls.bundle import Bundle, Parts
from wellkept.tls.certificates import day, fingerprint, label
from wellkept.tls.connection import Inner
from wellkept.tls.context import LiveContext
from wellkept.tls.guard import Guard
from wellkept.tls.inner import build
from wellkept.tls.judge import ends_soon, errors_of, findings_of, is_nearly_over
from wellkept.tls.ocsp import OcspChecker
from wellkept.tls.policy import CrlMode, Policy
from wellkept.tls.rehearse import rehearse
from wellkept.tls.source import BundleSource

CHECK_INTERVAL_S = 1.0
_RETRY_S = 10.0  # for so long files that were told to be broken are not read again, while nothing says they changed


@dataclass(slots=True)
class _State:
    """What is served now; swapped by one assignment."""

    inner: Inner
    bundle: Bundle
    stamp: object
    built_at: float
    findings: Sequence[Finding] = ()  # what was found when the bundle was judged, and stops nothing


class Live:
    """A context and what keeps it current.

    Attributes:
        context: what servers and clients take.
    """

    def __init__(
        self,
        source: BundleSource,
        policy: Policy,
        *,
        ocsp: OcspChecker | None = None,
        remake: Callable[[], object] | None = None,
        check_interval_s: float = CHECK_INTERVAL_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Read the bundle for the first time.

        Args:
            source: where its parts come from.
            policy: what is demanded of the other side.
            ocsp: what asks whether a certificate is revoked, or None.
            remake: makes the context again in another process; without it, it cannot be pickled.
            check_interval_s: how long nobody looks again.
            clock: tells the time.

        Raises:
            BundleError: a part cannot be used: no service starts with it.
        """
        self._source = source
        self._policy = policy
        self._ocsp = ocsp
        self._interval_s = check_interval_s
        self._clock = clock
        self._lock = threading.Lock()
        self._held_by: int | None = None  # the thread that has the lock
        self._news: list[Event] = []  # told when the lock is free: who hears it may want to reload
        self._told: set[object] = set()
        self._failed: tuple[object, float] | None = None  # the stamp of files that were told to be broken, and when
        self._failing: str | None = None
        self._suspected: str | None = None
        self._context = LiveContext(self._current_inner, policy, remake or _no_remake)
        self.context: ssl.SSLContext = self._context
        self._state = self._made(self._source.stamp(), self._source.read(), generation=1)
        self._looked_at = clock.seconds()
        self._tell_findings()
        self._tell_news()
        _lives.add(self)

    @property
    def bundle(self) -> Bundle:
        """What is served now, after a look at the files where one is due."""
        self._look()
        return self._state.bundle

    def describe(self) -> Mapping[str, object]:
        """What a status page may show; nothing private."""
        return self.bundle.describe()

    def reload(self) -> bool:
        """Look at the files now, and whether another bundle is served than before.

        Raises:
            BundleError: they cannot be used; the last good bundle is served on.
        """
        if self._held_by == threading.get_ident():  # a signal has come while this thread looks
            self.look_soon()
            return False
        with self._lock:
            self._held_by = threading.get_ident()
            try:
                self._looked_at = self._clock.seconds()
                fault = self._exchanged(self._source.stamp())
            finally:
                self._held_by = None
        self._tell_news()
        if isinstance(fault, BundleError):
            raise fault
        return fault

    def _current_inner(self) -> Inner:
        self._look()
        return self._state.inner

    def _look(self) -> None:
        """Look at the files, where that is due and nobody else is at it."""
        now = self._clock.seconds()
        if now - self._looked_at < self._interval_s or not self._lock.acquire(blocking=False):
            return
        try:
            self._held_by = threading.get_ident()
            if now - self._looked_at < self._interval_s:
                return
            self._looked_at = now
            stamp = self._source.stamp()
            if stamp != self._state.stamp:
                if not self._is_known_to_fail(stamp, now):
                    self._exchanged(stamp, may_wait=True)
            elif self._is_over(now):
                self._renew_sessions(stamp, now)
            self._tell_dates()
        finally:
            self._held_by = None
            self._lock.release()
        self._tell_news()

    def _is_known_to_fail(self, stamp: object, now: float) -> bool:
        """Whether these very files were told to be broken a moment ago: reading them may cost a password's hashing."""
        return self._failed is not None and self._failed[0] == stamp and now - self._failed[1] < _RETRY_S

    def _renew_sessions(self, stamp: object, now: float) -> None:
        """Make the inner context anew, for its ticket keys; where that cannot be done, the old one goes on."""
        fault: BundleError | None = None
        try:
            self._state = self._built(stamp, self._state.bundle)
        except BundleError as error:
            fault = error.with_traceback(None)
        if fault is not None:
            self._state.built_at = now
            self._tell_failure(fault, may_wait=False)

    def _exchanged(self, stamp: object, *, may_wait: bool = False) -> bool | BundleError:
        """Swap in what the files hold now; or say what is wrong with it, and serve on what was good."""
        old = self._state.bundle
        fault: BundleError | None = None
        try:
            parts = self._source.read()
            if _is_equal(parts, old.parts):
                self._state.stamp, self._failing, self._failed = stamp, None, None
                return False
            self._state = self._made(stamp, parts, old.generation + 1)
        except BundleError as error:
            fault = error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 a fault of ours in reading must not reach who asks for a connection
            fault = BundleError(f"bundle: cannot be read ({type(error).__name__})", hint="report it: it is our fault")
        if fault is None:
            self._failing = self._suspected = self._failed = None
            self._news.append(Event(Topic.BUNDLE_SWAPPED, self._side, f"{old} → {self._state.bundle}"))
            self._tell_findings()
            return True
        if self._tell_failure(fault, may_wait=may_wait):
            self._failed = stamp, self._clock.seconds()
        return fault

    def _made(self, stamp: object, parts: Parts, generation: int) -> _State:
        """Judge, build and rehearse.

        Raises:
            BundleError: something of it cannot be used.
        """
        now = self._clock.now()
        findings = findings_of(parts, self._policy, now=now)
        errors = errors_of(findings)
        if errors:
            first = errors[0]
            more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
            raise BundleError(f"{first.place}: {first.evidence}{more}", hint=first.fix)
        anchors = frozenset(fingerprint(one.certificate) for one in parts.trust)
        bundle = Bundle(parts, self._policy, generation, now, anchors)
        made = self._built(stamp, bundle)
        made.findings = findings
        rehearse(bundle)
        return made

    def _built(self, stamp: object, bundle: Bundle) -> _State:
        """Make the inner context of a bundle, which was judged: it may have ended meanwhile, and is served on."""
        uses_lists = self._policy.crl_mode is CrlMode.REQUIRE
        inner = build(bundle, Inner, checks_crls=uses_lists)
        guard = Guard(bundle, self._ocsp, not uses_lists, self._clock)
        inner.attach(guard, lambda: self.bundle, self.context)
        self._context.prepare(inner)
        return _State(inner, bundle, stamp, self._clock.seconds())

    def _is_over(self, now: float) -> bool:
        """Whether the sessions of the inner context have lived long enough: new ticket keys come with a new one."""
        limit_s = self._policy.session_timeout_s
        return limit_s is not None and now - self._state.built_at >= limit_s

    def _tell_failure(self, fault: BundleError, *, may_wait: bool) -> bool:
        """Say once what is wrong; a pair that does not match may be half written, so it is looked at twice.

        Returns:
            Whether it is told of.
        """
        text = fault.message
        is_new = text != self._failing
        if may_wait and is_new and text != self._suspected and "does not match" in text:
            self._suspected = text
            return False
        if is_new:
            self._failing = text
            self._news.append(Event(Topic.RELOAD_FAILED, self._side, f"{text}; the last good bundle is served on"))
        return True

    def _tell_findings(self) -> None:
        for one in self._state.findings:
            self._tell_once(Topic.WARNING, one.place, f"{one.id}: {one.evidence}")

    def _tell_dates(self) -> None:
        """Say when a certificate or a revocation list of ours comes to its end: once for each stage."""
        now = self._clock.now()
        for one, place in _certificates(self._state.bundle):
            end = one.not_valid_after_utc
            if now > end:
                self._tell_once(Topic.EXPIRED, place, f"{label(one)} has expired ({day(end)})")
            elif is_nearly_over(one, now):
                self._tell_once(Topic.EXPIRES_SOON, place, f"{label(one)} ends {day(end)}: less than a tenth is left")
            elif ends_soon(one, now):
                self._tell_once(Topic.EXPIRES_SOON, place, f"{label(one)} ends {day(end)}: less than a third is left")

        for crl in self._state.bundle.parts.crls:  # its dates only: a large one takes long to judge
            if not crl.is_current(now):
                self._tell_once(Topic.EXPIRED, crl.place, "the revocation list has expired, or is not yet valid")
            elif crl.ends_soon(now):
                self._tell_once(Topic.EXPIRES_SOON, crl.place, "the revocation list ends soon: get the CA's next one")

    def _tell_once(self, topic: Topic, place: str, detail: str) -> None:
        if (topic, place, detail) not in self._told:
            self._told.add((topic, place, detail))
            self._news.append(Event(topic, place, detail))

    def _tell_news(self) -> None:
        """Tell what has happened; the lock is free."""
        while self._news:
            BUS.publish(self._news.pop(0))

    @property
    def _side(self) -> str:
        return "server" if self._policy.is_server else "client"

    def look_soon(self) -> None:
        """Read the files at the next use, whatever their dates say; safe inside a signal handler."""
        self._looked_at = -self._interval_s
        self._state.stamp = None

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child: a thread of the parent may have held it."""
        self._lock, self._held_by = threading.Lock(), None


def _is_equal(one: Parts, other: Parts) -> bool:
    """Whether two looks found the same: a file that was only touched is no news."""
    return _facts(one) == _facts(other)


def _facts(parts: Parts) -> object:
    own = parts.identity
    mine = () if own is None else (own.certificates, own.key.public_key(), own.is_key_exposed)
    return mine, [one.certificate for one in parts.trust], [one.crl for one in parts.crls]


def _certificates(bundle: Bundle) -> Iterable[tuple[x509.Certificate, str]]:
    """All certificates of a bundle whose end matters here."""
    own = bundle.identity
    if own is not None:
        yield from ((one, own.place) for one in own.certificates)
    yield from ((one.certificate, one.place) for one in bundle.parts.trust)


def _no_remake() -> NoReturn:
    raise UsageError(
        "this TLS context cannot go to another process",
        hint="make it there: give the server a function of a module that returns it",
    )


_lives: "weakref.WeakSet[Live]" = weakref.WeakSet()


def _after_fork() -> None:
    for one in list(_lives):
        one.renew_lock()


def reload_all() -> None:
    """Let every context of this process read its files at its next use."""
    for one in list(_lives):
        one.look_soon()


def reload_on_signal(number: int = signal.SIGHUP) -> None:
    """Call `reload_all` when a signal comes, and then whatever handled it before.

    Args:
        number: which signal; SIGHUP is what certbot hooks and `systemctl reload` send.

    Raises:
        ValueError: this is not the main thread.
    """
    before = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        reload_all()
        if callable(before):
            before(received, frame)

    signal.signal(number, handle)


after_fork(_after_fork)
