"""A source with leases and a login, that writes down what is asked of it, and by which process."""

import json
import os
import threading
import time
from pathlib import Path

from tests.refresh.programs.telling import WORD, App
from wellkept import Secret, load
from wellkept.model import Lease, Reading, Reference
from wellkept.ports import Source

LONG_S = 600.0  # nothing of it comes to its end while a test lasts
HANGS_S = 60.0
PULSE = "pulse"


class Ledger:
    """Leases numbers; see `ports.Leases`. Every fetch is another lease, named by the process that has asked for it.

    Attributes:
        hangs: what does not come back when it is asked (`revoke`), or None; the first request always does.
        is_hanging: whether somebody waits for what does not come back.
        takes_s: for how long any answer keeps us waiting.
        asked: what was asked so far in this process.
    """

    is_local = False

    def __init__(self, file: Path, *, duration_s: float = LONG_S, is_renewable: bool = True) -> None:
        """Lease nothing yet.

        Args:
            file: where it is written down.
            duration_s: how long a lease is.
            is_renewable: whether it can be renewed.
        """
        self.hangs: str | None = None
        self.is_hanging: threading.Event = threading.Event()
        self.takes_s: float = 0.0
        self.asked: list[str] = []
        self._file = file
        self._duration_s = duration_s
        self._is_renewable = is_renewable
        self._count = 0

    def fetch(self, reference: Reference) -> Reading:
        """Lease another one; the pulse is none."""
        if reference.path == (PULSE,):
            return Reading(f"{WORD}{PULSE}", "ledger")
        self._count += 1
        lease = Lease(f"lease-{os.getpid()}-{self._count}", self._duration_s, self._is_renewable)
        self._note("fetch", lease.id)
        return Reading(f"{WORD}{self._count}", "ledger", version=lease.id, lease=lease)

    def renew(self, _reference: Reference, lease: Lease) -> Lease:
        """Give it as much time again."""
        self._note("renew", lease.id)
        return lease

    def revoke(self, lease: Lease) -> None:
        """End it."""
        self._note("revoke", lease.id)

    def _note(self, what: str, whose: str | None) -> None:
        line = json.dumps({"did": what, "whose": whose, "by": os.getpid()}) + "\n"
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line.encode())  # in one write: several processes have this file
        os.close(descriptor)
        hangs = self.hangs == what and bool(self.asked)
        takes_s = HANGS_S if hangs else self.takes_s
        self.asked.append(what)
        if hangs:
            self.is_hanging.set()
        time.sleep(takes_s)


class LoginLedger(Ledger):
    """The same with a login; see `ports.LogsIn`. Leases hang on no login, so that each is ended by itself."""

    def __init__(self, file: Path) -> None:
        """Log in."""
        super().__init__(file)
        self._logins = 0
        self._login = self.log_in_beside()

    @property
    def has_own_login(self) -> bool:
        """It has made one."""
        return True

    def login(self) -> Lease:
        """The one in use."""
        self._note("login", self._login.id)
        return self._login

    def renew_login(self) -> Lease:
        """Give it as much time again."""
        return self._login

    def log_in_beside(self) -> Lease:
        """Log in anew; this is also called where the source does so by itself."""
        self._logins += 1
        self._login = Lease(f"login-{os.getpid()}-{self._logins}", LONG_S, is_renewable=True)
        return self._login

    def log_out(self, login: str) -> None:
        """End it."""
        self._note("log_out", login)


class Beating(App):
    """With something that is asked for each second: the engine looks at the login on each of its journeys."""

    pulse: Secret[str]


def load_from(source: Source) -> App:
    """Load the setting from a source."""
    return load(App, files=[], environ=_ENVIRON, providers={"ledger": source}, redact=False)


def load_beating(source: Source) -> Beating:
    """The same, so that the engine goes there each second."""
    environ = {**_ENVIRON, "BAL_CONFIG_VAR_PULSE": f"${{ledger:{PULSE}?ttl=1s}}"}
    return load(Beating, files=[], environ=environ, providers={"ledger": source}, redact=False)


_ENVIRON = {"BAL_CONFIG_VAR_DB_PASSWORD": "${ledger:app/db}"}
