"""Who calls the service of the demo: over mutual TLS, anew each time and on one open connection; or plainly."""

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Self

from wellkept.tls import CertKey, ClientTLS

PATIENCE_S = 15.0
NAME = "localhost"


@dataclass
class Told:
    """What the callers saw.

    Attributes:
        calls: how many there were.
        errors: how many failed.
        kept_errors: how many failed on the connection that stays open.
        serials: of the certificates that the service has shown.
    """

    calls: int = 0
    errors: int = 0
    kept_errors: int = 0
    serials: set[str] = field(default_factory=set)

    @property
    def certificates(self) -> int:
        """How many certificates the service has shown."""
        return len(self.serials)

    @property
    def text(self) -> str:
        """It in one line."""
        kept = "was never cut" if not self.kept_errors else f"failed {self.kept_errors} times"
        return (
            f"{self.calls} calls, {self.errors} errors; {self.certificates} certificates seen; "
            f"the connection that stayed open {kept}"
        )


class Callers:
    """Two threads that call until they are stopped."""

    def __init__(self, port: int, certs: Path, ca_file: Path) -> None:
        """Call nobody yet."""
        key = CertKey(certs / "orders.internal.crt", certs / "orders.internal.key")
        self._context = ClientTLS(trust=ca_file, key=key).context()
        self._port = port
        self._told = Told()
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._call_anew, self._call_on)]

    def start(self) -> None:
        """Begin to call."""
        for thread in self._threads:
            thread.start()

    def wait_for_a_new_certificate(self) -> None:
        """Wait until the service shows a certificate that it has not shown before."""
        known, end_at = self._told.certificates, time.monotonic() + PATIENCE_S
        while self._told.certificates == known and time.monotonic() < end_at:
            time.sleep(0.02)

    def stop(self) -> Told:
        """Call 300 times at the least, then end; what was seen."""
        end_at = time.monotonic() + PATIENCE_S
        while self._told.calls < 300 and time.monotonic() < end_at:  # noqa: PLR2004 what the demo says
            time.sleep(0.02)
        self._ends.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        return self._told

    def _call_anew(self) -> None:
        while not self._ends.is_set():
            connection = HTTPSConnection(NAME, self._port, context=self._context, timeout=PATIENCE_S)
            try:
                self._told.errors += not self._is_served(connection)
            except (OSError, HTTPException):
                self._told.errors += 1
            finally:
                connection.close()
            self._told.calls += 1
            time.sleep(0.002)

    def _call_on(self) -> None:
        """Read from one open connection: HTTP/1.0 ends after one answer, so it only stays open here."""
        connection = HTTPSConnection(NAME, self._port, context=self._context, timeout=PATIENCE_S)
        connection.connect()
        self._ends.wait()
        try:
            self._told.kept_errors += not self._is_served(connection)
        except (OSError, HTTPException):
            self._told.kept_errors += 1
        finally:
            connection.close()

    def _is_served(self, connection: HTTPSConnection) -> bool:
        connection.request("GET", "/pay")
        held = connection.sock
        if isinstance(held, ssl.SSLSocket):
            self._told.serials.add(str((held.getpeercert() or {}).get("serialNumber")))
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200  # noqa: PLR2004 OK


class Calling:
    """A thread that calls the service over plain HTTP, as long as it is entered.

    Attributes:
        count: how often.
        errors: how many of these failed.
    """

    def __init__(self, port: int) -> None:
        """Call nobody yet."""
        self.count = 0
        self.errors = 0
        self._port = port
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._call, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ends.set()
        self._thread.join(PATIENCE_S)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Call on until something is so."""
        end_at = time.monotonic() + PATIENCE_S
        while not is_so() and time.monotonic() < end_at:
            time.sleep(0.02)

    def _call(self) -> None:
        while not self._ends.is_set():
            connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            try:
                connection.request("GET", "/pay")
                self.errors += connection.getresponse().status != 200  # noqa: PLR2004 OK
            except (OSError, HTTPException):
                self.errors += 1
            finally:
                connection.close()
            self.count += 1
            time.sleep(0.005)


def refusal(port: int, ca_file: Path) -> str:
    """What becomes of a caller who shows no certificate."""
    connection = HTTPSConnection(NAME, port, context=ClientTLS(trust=ca_file).context(), timeout=PATIENCE_S)
    try:
        connection.request("GET", "/pay")
        return f"answered with {connection.getresponse().status}"
    except ssl.SSLError as error:
        return f"refused ({(error.reason or 'the connection ends').lower().replace('_', ' ')})"
    except (OSError, HTTPException) as error:
        return f"refused ({type(error).__name__})"
    finally:
        connection.close()
