"""Asks a running process of its status, on the socket that served.py describes."""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from socket import socket
from typing import Final

from wellkept._files import FileFault
from wellkept._patterns import pattern
from wellkept.errors import Denied, Kind, Malformed, TimedOut, Unreachable, WellkeptError
from wellkept.refresh.served import END, MAX_BYTES, PATIENCE_S, ROOT, connect, opened_folder, socket_name, user_of
from wellkept.refresh.status import Status
from wellkept.refresh.status_json import status_from_json

TIMEOUT_S = 5.0  # a process that is busy to the last core still answers within one

_NAME = pattern(r"([1-9][0-9]{0,9})\.sock")
_PART_BYTES = 1 << 16
_PAUSE_S = 0.02
_SWITCH: Final = "[wellkept] status = true in its Config.toml switches it on, from its next start"


def ask(folder: str, pid: int, timeout_s: float = TIMEOUT_S, *, user: int | None = None) -> Status:
    """Ask one process.

    Args:
        folder: where its socket stands, see `runtime_folders`.
        pid: which process.
        timeout_s: seconds that it may take.
        user: the number of the user whose it is, or None for our own.

    Raises:
        Unreachable: it does not answer: it is not there, or its status is not switched on.
        Denied: it belongs to somebody else.
        Malformed: it answered with something else.
    """
    answer = _answer(folder, pid, timeout_s, os.geteuid() if user is None else user)
    if isinstance(answer, WellkeptError):
        raise answer
    return status_from_json(_parsed(answer))


def processes(folder: str, *, user: int | None = None) -> list[int]:
    """The processes that have a socket there and are alive; what dead ones left is removed.

    Raises:
        FileFault: the folder is not ours alone.
    """
    if not os.path.lexists(folder):
        return []
    owner = os.geteuid() if user is None else user
    with opened_folder(folder, owner) as opened:
        return sorted(pid for pid in _named(opened) if _is_alive(folder, opened, pid))


def has_socket(folder: str, pid: int) -> bool:
    """Whether a socket of that process stands there, dead or alive."""
    return os.path.lexists(os.path.join(folder, socket_name(pid)))  # noqa: PTH118 text in


def owner_of(pid: int) -> int | None:
    """The number of the user whom a process belongs to, or None where that cannot be seen."""
    try:
        # /proc/PID itself belongs to root for a process that may not be dumped.
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 text in
            found = next((line for line in lines if line.startswith("Uid:")), "")
        return int(found.split()[2])
    except (OSError, IndexError, ValueError):
        return None


def _answer(folder: str, pid: int, timeout_s: float, owner: int) -> bytes | WellkeptError:
    """The bytes that it sent, or why there are none."""
    until = time.monotonic() + timeout_s
    try:
        with opened_folder(folder, owner) as opened:
            while True:
                answer = _fetch(folder, opened, pid, until, owner)
                if isinstance(answer, WellkeptError) or answer.endswith(END):
                    return answer
                # It is too busy to take one more peer, or we were held up for longer than it waits for one.
                if time.monotonic() >= until - PATIENCE_S:
                    return TimedOut(f"process {pid}: its answer was cut short", hint="ask again when it is less busy")
                time.sleep(_PAUSE_S)
    except FileFault as fault:
        if fault.kind is Kind.ABSENT:
            return _not_served(pid)
        made = Denied if fault.kind is Kind.DENIED else Unreachable
        return made(fault.message, hint=fault.hint)


def _fetch(folder: str, opened: int, pid: int, until: float, owner: int) -> bytes | WellkeptError:
    try:
        with connect(folder, opened, socket_name(pid), _left(until)) as peer:
            if user_of(peer) in {owner, ROOT}:
                return _read(peer, pid, until)
            return Denied(f"process {pid}: its socket is served by another user", hint=f"look at {folder}")
    except BlockingIOError:  # others wait already
        return b""
    except TimeoutError:
        return TimedOut(f"process {pid}: did not answer in time", hint="it is stopped, or has too much to do")
    except PermissionError:
        return Denied(f"process {pid}: its socket may not be opened", hint="ask as the user whose process it is")
    except OSError:
        return _not_served(pid)


def _read(peer: socket, pid: int, until: float) -> bytes | Malformed:
    answer = bytearray()
    while len(answer) <= MAX_BYTES:
        peer.settimeout(_left(until))
        part = peer.recv(_PART_BYTES)
        if not part:
            return bytes(answer)
        answer += part
    return Malformed(f"process {pid}: answered with more than {MAX_BYTES >> 20} MiB", hint="look what listens there")


def _not_served(pid: int) -> Unreachable:
    if not _exists(pid):
        return Unreachable(f"process {pid}: is not there", hint="wellkept status lists the processes that answer")
    return Unreachable(f"process {pid}: gives no status", hint=_SWITCH)


def _parsed(answer: bytes) -> object:
    """What the answer holds; None for what is no JSON, which no status is."""
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None


def _named(opened: int) -> Iterator[int]:
    with os.scandir(opened) as entries:
        for entry in entries:
            found = _NAME.fullmatch(entry.name)
            if found is not None and stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
                yield int(found[1])


def _is_alive(folder: str, opened: int, pid: int) -> bool:
    try:
        connect(folder, opened, socket_name(pid), PATIENCE_S).close()
    except ConnectionRefusedError:
        # One that is only starting is not listening yet, so the process itself must be gone, too.
        if not _exists(pid):
            with suppress(OSError):  # somebody else was faster
                os.unlink(socket_name(pid), dir_fd=opened)
        return False
    except OSError as error:
        return isinstance(error, (TimeoutError, BlockingIOError))  # too busy to take one more, so it is alive
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)  # 0 would mean not to wait at all
