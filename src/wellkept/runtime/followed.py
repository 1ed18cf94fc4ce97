"""One setting of a loaded configuration, made anew whenever what it refers to changes."""

import threading
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from wellkept._fittings import Run
from wellkept._forks import after_fork
from wellkept.config.assemble import convert
from wellkept.config.convert.converter import INVALID
from wellkept.config.fetch import Fetcher
from wellkept.config.layers.say import Say
from wellkept.config.resolve import Outcome, refill
from wellkept.config.setting import Setting
from wellkept.errors import Kind, Problem
from wellkept.model import Reading, Reference
from wellkept.refresh.ticket import Taken
from wellkept.runtime.graft import Graft, Standing
from wellkept.secret import State, mark

Fill = Callable[[list[Problem]], object]
"""Makes the raw value of the answers that a fetcher has."""


class Followed:
    """A setting whose secrets follow their place; it keeps none of them alive.

    Attributes:
        name: the setting.
    """

    def __init__(
        self, outcome: Outcome, say: Say, value: object, fetcher: Fetcher, *, file: Reference | None, run: Run
    ) -> None:
        """Follow what won a setting.

        Args:
            outcome: what became of the setting.
            say: the word that won.
            value: what was made of it.
            fetcher: has the answers to its references.
            file: the file that is the word itself, where it is one; its word is then no reference.
            run: carries out callbacks.
        """
        self.name: str = outcome.setting.name
        self._setting: Setting = outcome.setting
        self._say = say
        self._tree = outcome.tree
        self._fetcher = fetcher
        self._file = file
        self._run = run
        self._graft = Graft(value)
        self._turn = threading.Lock()
        _followed.add(self)
        self._last: tuple[str, str | None, datetime] = (say.origin.place, None, datetime.now(UTC))

    @property
    def is_alive(self) -> bool:
        """Whether anybody still holds one of its secrets."""
        return self._graft.is_held

    def take(self, readings: Mapping[Reference, Reading], state: State, until_s: float | None) -> Taken:
        """Make it of new answers; see `refresh.ticket.Follower`."""
        with self._turn:  # two parts may come at one moment, from two sources
            return self._take(readings, state, until_s)

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child."""
        self._turn = threading.Lock()

    def _take(self, readings: Mapping[Reference, Reading], state: State, until_s: float | None) -> Taken:
        self._fetcher.put(readings)
        problems: list[Problem] = []
        value = self._made(problems)
        self._fetcher.drop(readings)
        if problems or value is INVALID:
            first = problems[0] if problems else Problem(self.name, "cannot be used", None, "")
            return Taken(fault=first.message, kind=first.kind)
        if not self._graft.fits(value):
            fact = "has another shape now, which takes a new load: watch() makes one"
            return Taken(fault=fact, kind=Kind.INVALID)
        return Taken(is_new=self._graft.take(value, Standing(state, until_s, self._run)))

    def mark(self, state: State, until_s: float | None) -> None:
        """Say how fresh it is."""
        for one in self._graft.handles:
            mark(one, state, until_s)

    def facts(self) -> tuple[str, str | None, float]:
        """What answered, its version, and how many seconds ago its value was fetched."""
        for one in self._graft.handles[:1]:
            self._last = one.origin.answer or one.origin.place, one.version, one.fetched_at
        answer, version, fetched_at = self._last
        return answer, version, max(0.0, (datetime.now(UTC) - fetched_at).total_seconds())

    def set_refresher(self, refresher: Callable[[], bool]) -> None:
        """Say what `refresh()` of its secrets calls."""
        self._graft.set_refresher(refresher)

    def _made(self, problems: list[Problem]) -> object:
        if self._file is None:
            raw = refill(self._say, self._tree, self.name, self._fetcher, problems)
        else:
            answer = self._fetcher.reading(self._file)
            raw = answer.value if isinstance(answer, Reading) else INVALID
        return INVALID if problems else convert(self._setting, self._say, raw, problems)


_followed: "weakref.WeakSet[Followed]" = weakref.WeakSet()


def _after_fork() -> None:
    for one in list(_followed):
        one.renew_lock()


after_fork(_after_fork)
