"""Redactor: knows every live value, and masks it in any text.

It learns a value before anybody can reveal it. Readers take no lock. A released value stays
masked for a day, or until sixteen newer ones of its name were released: what was logged with
it may still be written.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping

from wellkept._clock import SYSTEM_CLOCK, Clock
from wellkept._dataclasses import dataclass, field
from wellkept.events import BUS, Event, Topic
from wellkept.leaks.forms import SHORTEST, forms_of
from wellkept.leaks.matcher import LOOP_LIMIT, GramMatcher, LoopMatcher, Matcher
from wellkept.secret import leaves

WITHHELD = "[message withheld: masking failed]"
KEPT_S = 24 * 3600.0
KEPT_VERSIONS = 16

_LOGIN = ("USER", "LOGNAME", "USERNAME")
_COMMON = frozenset(
    {"password", "passw0rd", "changeme", "changeit", "localhost", "postgres", "postgresql", "username", "testtest"}
    | {"12345678", "123456789", "1234567890", "00000000", "administrator", "default", "example", "example.com"}
    | {"production", "development", "undefined", "anonymous", "disabled", "enabled", "Password", "https://", "http://"}
    | {"database", "internal", "external", "secret", "secrets", "redacted", "<secret>", "[secret]"}
)


@dataclass(slots=True)
class _Known:
    """A value that is masked."""

    name: str | None
    forms: frozenset[str] = field(repr=False)
    handles: int = 1
    released_at: float | None = None


class Redactor:
    """Masks known values in texts; it is the observer of `wellkept.secret`.

    Attributes:
        not_maskable: names of secrets that are not masked, and why.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        """Know nothing yet.

        Args:
            environ: the environment, whose login names are never masked.
            clock: tells how long a value has been released.
        """
        self.not_maskable: dict[str, str] = {}
        self._clock = clock
        self._exempt: dict[str | bytes, str] = dict.fromkeys(_COMMON, "it is a common word")
        logins = (environ or {}).get
        self._exempt |= {login: "it is a user name" for login in map(logins, _LOGIN) if login}
        self._known: dict[str | bytes, _Known] = {}
        self._lengths: set[int] = set()  # of known values; one that is left over only costs a look
        self._released: deque[tuple[str | None, object]] = deque()
        self._matcher: Matcher | None = LoopMatcher({})
        self._lock = threading.RLock()

    def learn(self, name: str | None, payload: object) -> None:
        """Mask every value inside a payload from now on."""
        with self._lock:
            self._drain()
            for value in leaves(payload):
                self._learn_one(name, value)

    def release(self, name: str | None, payload: object) -> None:
        """Note that a payload is not held any more; takes no lock, see `wellkept.secret.Observer`."""
        self._released.append((name, payload))

    def exempt(self, values: Iterable[str]) -> None:
        """Stop masking values that stand in plain settings: their masks would hide those, too."""
        with self._lock:
            for value in values:
                self._exempt.setdefault(value, "a plain setting has the same value")
                known = self._known.pop(value, None)
                if known is not None:
                    self._matcher = None
                    self._report(known.name, self._exempt[value])

    def mask(self, text: str) -> str:
        """Return the text with each known value replaced by `<secret NAME>`."""
        return (self._matcher or self._rebuilt()).mask(text)

    def safe_mask(self, text: str) -> str:
        """Mask, or withhold the text where masking fails."""
        try:
            return self.mask(text)
        except Exception:  # noqa: BLE001 whatever it is: a text that may hold a value is not shown
            return WITHHELD

    def after_fork(self) -> None:
        """Take a new lock in a child: another thread may have held the old one when the process forked."""
        self._lock = threading.RLock()
        self._matcher = None

    def _learn_one(self, name: str | None, value: str | bytes) -> None:
        known = self._known.get(value)
        if known is not None:
            known.handles += 1
            known.released_at = None
            return
        reason = "it is shorter than 8 characters" if len(value) < SHORTEST else self._exempt.get(value)
        if reason is not None:
            self._report(name, reason)
            return
        known = self._known[value] = _Known(name, forms_of(value))
        self._lengths.add(len(value))
        if isinstance(self._matcher, GramMatcher):
            mask = self._mask_of(name)
            for form in known.forms:
                self._matcher.add(form, mask)
        else:
            self._matcher = None

    def _report(self, name: str | None, reason: str) -> None:
        subject = name or "a secret"
        if self.not_maskable.get(subject) != reason:
            self.not_maskable[subject] = reason
            BUS.publish(Event(Topic.NOT_MASKABLE, subject, f"is not masked: {reason}"))

    def _drain(self) -> None:
        """Do what `release` noted, and forget what was released long ago."""
        if not self._released:
            return
        now = self._clock.seconds()
        while self._released:
            for value in leaves(self._released.popleft()[1]):
                known = self._known.get(value)
                if known is not None:
                    known.handles -= 1
                    known.released_at = now if known.handles <= 0 else None
        self._forget(now)

    def _forget(self, now: float) -> None:
        newest: dict[str | None, int] = {}
        gone: list[str | bytes] = []
        for value, known in reversed(self._known.items()):
            if known.released_at is not None:
                newest[known.name] = newest.get(known.name, 0) + 1
                if now - known.released_at > KEPT_S or newest[known.name] > KEPT_VERSIONS:
                    gone.append(value)
        for value in gone:
            del self._known[value]
        if gone:
            self._matcher = None

    def _rebuilt(self) -> Matcher:
        with self._lock:
            self._lengths = {len(value) for value in self._known}
            by_name = {name: self._mask_of(name) for name in {known.name for known in self._known.values()}}
            masks = {form: by_name[known.name] for known in self._known.values() for form in known.forms}
            self._matcher = LoopMatcher(masks) if len(masks) <= LOOP_LIMIT else GramMatcher(masks)
            return self._matcher

    def _mask_of(self, name: str | None) -> str:
        """`<secret NAME>`, or without the name where that holds a value itself."""
        mask = f"<secret {name}>"
        ends = ((start, start + length) for length in self._lengths for start in range(len(mask) - length + 1))
        if name is None or any(mask[start:end] in self._known for start, end in ends):
            return "<secret>"
        return mask
