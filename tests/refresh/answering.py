"""A process of its own that answers for a status, as the thread of the engine does; and a status to answer."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from wellkept.refresh.served import StatusSocket
from wellkept.refresh.status import SecretStatus, SourceStatus, Status
from wellkept.refresh.status_json import status_from_json, status_to_json
from wellkept.secret import State

US = os.getpid()
PATIENCE_S = 40.0  # whoever answers here may be held up for seconds by other work of the machine

# Reads a status a line from its stdin and answers for the newest, until its stdin ends.
PROGRAM = """
import json, os, select, sys

from wellkept._dataclasses import replace
from wellkept.refresh.served import StatusSocket
from wellkept.refresh.status_json import status_from_json

for become in (os.setgid, os.setuid):
    become(int(sys.argv[2]))
served = StatusSocket(sys.argv[1], os.getpid())
line = sys.stdin.readline()
print("ready", flush=True)
while line:
    ready, _, _ = select.select([served, sys.stdin], [], [])
    if served in ready:
        served.serve(lambda: replace(status_from_json(json.loads(line)), pid=os.getpid()))
    if sys.stdin in ready:
        line = sys.stdin.readline()
        print("ready", flush=True)
served.close()
"""


def secret(name: str = "db_password", state: State = State.FRESH, **facts: object) -> SecretStatus:
    """The status of one secret, fresh where nothing else is said."""
    given = {
        "name": name,
        "origin": "vault secret/prod/db#password",
        "version": "3",
        "state": str(state),
        "age_s": 90.25,
        "checked_s": 4.5,
        "next_s": 5.5,
        "expires_s": None,
        "failure": None,
        "source": "vault",
        **facts,
    }
    document = status_to_json(Status(1)) | {"secrets": [given]}
    return status_from_json(document).secrets[0]


def status(*secrets: SecretStatus) -> Status:
    """The status of a process with these secrets, and one source."""
    return Status(os.getpid(), secrets, (SourceStatus("vault", requests=12, failures=1, login_s=2_700.0),))


class Answering:
    """A process that answers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid

    def change(self, status: Status) -> None:
        """Let it answer with another status from now on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(status_to_json(status)), file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        """Stop it, and wait until it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Let it end by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_S)


@contextmanager
def answering(folder: str, status: Status, *, cwd: Path | None = None, user: int | None = None) -> Generator[Answering]:
    """Start a process that answers on its socket in a folder, as that user."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder, str(os.geteuid() if user is None else user)],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        made = Answering(process)
        try:
            made.change(status)
            yield made
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


class Served:
    """A socket of this process, answered by a thread as the engine's does it."""

    def __init__(self, folder: str, told: Callable[[], Status]) -> None:
        self.folder = folder
        self.socket = StatusSocket(folder, US)
        self._wake, self._end = os.pipe()
        self._thread = threading.Thread(target=self._loop, args=(told,))
        self._thread.start()

    def _loop(self, told: Callable[[], Status]) -> None:
        sockets: list[StatusSocket | int] = [self.socket, self._wake]
        while self._wake not in select.select(sockets, [], [])[0]:
            self.socket.serve(told)

    def close(self) -> None:
        """Answer nobody any more."""
        os.close(self._end)
        self._thread.join()
        os.close(self._wake)
        self.socket.close()

    def connect(self) -> socket.socket:
        """A peer that says nothing, and reads nothing yet."""
        peer = socket.socket(socket.AF_UNIX)
        with opened(self.folder) as descriptor:
            peer.connect(f"/proc/self/fd/{descriptor}/{US}.sock")
        peer.settimeout(PATIENCE_S)
        return peer


def left_behind(folder: str, pid: int) -> None:
    """The socket of a process that was killed."""
    Path(folder).mkdir(mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as listener, opened(folder) as descriptor:
        listener.bind(f"/proc/self/fd/{descriptor}/{pid}.sock")


@contextmanager
def opened(folder: str) -> Generator[int]:
    """A folder, open for a moment: a path by way of it is never too long for a socket."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def names(folder: str) -> list[str]:
    """What stands in a folder."""
    return sorted(one.name for one in Path(folder).iterdir())
