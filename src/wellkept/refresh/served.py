"""Serves what a process says of itself, on a unix socket that only its own user may open.

The rules of this file:

- The folder has mode 0700, the socket 0600, and each peer is asked for its user besides.
- A peer is never waited for longer than 0.2 s, and is asked for nothing: it connects, and gets one document.
- It is imported where `[wellkept] status = true` stands, and nowhere else: it loads `socket`.
"""

import errno
import json
import os
import socket
import stat
import struct
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress

from wellkept._files import FileFault
from wellkept.errors import Kind
from wellkept.refresh.status import Status
from wellkept.refresh.status_json import status_to_json

PATIENCE_S = 0.2  # the engine's one thread does the sending, and renewals come first
MAX_BYTES = 16 << 20  # 1,600 bytes for each of 10,000 secrets; one takes 250
END = b"\n"  # what has no such end was cut short

_WAITING = 16  # that may wait to be served: a few commands and a monitor at once
_PAUSE_S = 0.05  # out of descriptors: the peer still waits, and select would come back at once, for ever
_LONGEST = 103  # bytes of a path that every system takes: sun_path has 108 with its NUL, 104 on macOS
_OTHERS = 0o077
_CREDENTIALS = struct.Struct("3i")  # struct ucred of unix(7): process, user, group
ROOT = 0


def runtime_folder(environ: Mapping[str, str]) -> str:
    """Where this process puts its socket: the first of `runtime_folders`."""
    return runtime_folders(environ)[0]


def runtime_folders(environ: Mapping[str, str], user: int | None = None) -> list[str]:
    """Where sockets of a user may stand, the likeliest first.

    A service may have been started where nobody had logged in yet, so who looks for its socket looks in all. A folder
    that somebody chose is the only one.

    Args:
        environ: the variables; what they say is said of our own user only.
        user: the number of the user, or None for our own.
    """
    owner = os.geteuid() if user is None else user
    login = f"/run/user/{owner}"
    chosen = environ.get("XDG_RUNTIME_DIR", "").rstrip("/") if owner == os.geteuid() else ""
    # One of another user is not taken: `sudo -E` keeps the variable, and root would make a folder there.
    if chosen != login and os.path.isabs(chosen) and _owner_of(chosen) == owner:  # noqa: PTH117 text in, text out
        return [f"{chosen}/wellkept"]
    scratch = f"{environ.get('TMPDIR') or '/tmp'}/wellkept-{owner}"  # noqa: S108 it is checked whose it is, see opened_folder
    return [f"{login}/wellkept", scratch] if _owner_of(login) == owner else [scratch]


class StatusSocket:
    """The socket of one process; its one thread selects on `fileno()`, and calls `serve`."""

    def __init__(self, folder: str, pid: int) -> None:
        """Open it.

        Args:
            folder: where, see `runtime_folder`; it is made.
            pid: of which process.

        Raises:
            FileFault: the folder is not ours alone, or the socket cannot be made there.
        """
        self._path = os.path.join(folder, socket_name(pid))  # noqa: PTH118 text in, text out
        self._maker = os.getpid()
        self._listener, self._file = _listen(folder, socket_name(pid))

    def fileno(self) -> int:
        """The descriptor on which a peer is noticed; -1 when it is closed."""
        return self._listener.fileno()

    def serve(self, status: Callable[[], Status]) -> None:
        """Answer one peer that waits, if there is one. What goes wrong with it is nobody's trouble.

        Args:
            status: what to tell.
        """
        if os.getpid() != self._maker:
            return
        try:
            peer, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # it did not wait
            return
        except OSError:
            time.sleep(_PAUSE_S)
            return
        with peer, suppress(OSError):
            peer.settimeout(PATIENCE_S)  # of sendall as a whole
            if user_of(peer) in {os.geteuid(), ROOT}:
                peer.sendall(json.dumps(status_to_json(status()), separators=(",", ":")).encode() + END)

    def drop(self) -> None:
        """Let go of it in a forked child: the parent goes on answering."""
        self._listener.close()

    def close(self) -> None:
        """Close it, and remove its file; in a forked child it is only dropped."""
        if os.getpid() == self._maker:
            with suppress(OSError):  # somebody tidied up
                if _identity(os.lstat(self._path)) == self._file:
                    os.unlink(self._path)  # noqa: PTH108 text in
        self._listener.close()


def socket_name(pid: int) -> str:
    """How the socket of a process is called in its folder."""
    return f"{pid}.sock"


@contextmanager
def opened_folder(path: str, owner: int) -> Generator[int]:
    """Open a folder of sockets that belongs to this user alone.

    Raises:
        FileFault: it is not there, or it is not such a folder.
    """
    descriptor = _open(path, owner)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def connect(folder: str, opened: int, name: str, timeout_s: float) -> socket.socket:
    """Connect to a socket of an open folder.

    Raises:
        OSError: nobody listens there.
    """
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        peer.settimeout(timeout_s)
        peer.connect(_address(folder, opened, name))
    except BaseException:
        peer.close()
        raise
    return peer


def user_of(peer: socket.socket) -> int:
    """The number of the user at the other end; for who connected, that of who listens."""
    option: int | None = getattr(socket, "SO_PEERCRED", None)
    if option is None:  # macOS: there the modes of folder and socket alone keep others out
        return os.geteuid()
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return int(user)


def _listen(folder: str, name: str) -> tuple[socket.socket, tuple[int, int]]:
    """Listen in a folder under a name; say which file that is."""
    path = os.path.join(folder, name)  # noqa: PTH118 text in, text out
    _make(folder)
    with opened_folder(folder, os.geteuid()) as opened:
        try:
            if _is_free(folder, opened, name):
                return _bind(folder, opened, name)
            fault = FileFault(path, "is in use", hint="give each container an XDG_RUNTIME_DIR of its own")
        except OSError as error:
            fault = _unknown(path, "made", error)
    raise fault


def _bind(folder: str, opened: int, name: str) -> tuple[socket.socket, tuple[int, int]]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(_address(folder, opened, name))
        os.chmod(name, 0o600, dir_fd=opened)  # nobody can connect before listen
        listener.listen(_WAITING)
        listener.setblocking(False)
        return listener, _identity(os.stat(name, dir_fd=opened, follow_symlinks=False))
    except BaseException:
        listener.close()
        raise


def _is_free(folder: str, opened: int, name: str) -> bool:
    """Whether the name can be taken; what a dead process of our number left is removed."""
    try:
        is_socket = stat.S_ISSOCK(os.stat(name, dir_fd=opened, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return True
    if not is_socket:
        return False
    try:
        connect(folder, opened, name, PATIENCE_S).close()
    except ConnectionRefusedError:
        os.unlink(name, dir_fd=opened)
        return True
    except OSError:  # it is busy, so it is alive
        pass
    return False


def _make(folder: str) -> None:
    """Make the folder; whether it is fit is seen when it is opened."""
    fault: FileFault | None = None
    try:
        os.mkdir(folder, 0o700)  # noqa: PTH102 text in
    except FileExistsError:
        return
    except OSError as error:
        fault = _unknown(folder, "made", error)
    if fault is not None:
        raise fault


def _open(path: str, owner: int) -> int:
    fault: FileFault | None = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        fault = FileFault(
            path, "does not exist", hint="start a process with [wellkept] status = true", kind=Kind.ABSENT
        )
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:
            fault = FileFault(path, "is a link or no folder", hint="look whose it is, and remove it", kind=Kind.DENIED)
        else:
            fault = _unknown(path, "opened", error)
    else:
        fault = _judge(path, os.fstat(descriptor), owner)
        if fault is None:
            return descriptor
        os.close(descriptor)
    raise fault


def _judge(path: str, status: os.stat_result, owner: int) -> FileFault | None:
    if status.st_uid != owner:
        return FileFault(
            path, "belongs to another user", hint="set XDG_RUNTIME_DIR to a folder of your own", kind=Kind.DENIED
        )
    if status.st_mode & _OTHERS:
        return FileFault(
            path, "is open to other users", hint=f"look what is in it, then chmod 700 {path}", kind=Kind.DENIED
        )
    return None


def _unknown(path: str, done: str, error: OSError) -> FileFault:
    kind = Kind.DENIED if isinstance(error, PermissionError) else Kind.FILE
    reason = os.strerror(error.errno or 0).lower()
    return FileFault(
        path, f"cannot be {done} ({reason})", hint="set XDG_RUNTIME_DIR to a folder of your own", kind=kind
    )


def _address(folder: str, opened: int, name: str) -> str:
    """The path for `bind` and `connect`: where it is too long for them, by way of the open folder."""
    path = os.path.join(folder, name)  # noqa: PTH118 text in, text out
    return path if len(os.fsencode(path)) <= _LONGEST else f"/proc/self/fd/{opened}/{name}"


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _owner_of(path: str) -> int | None:
    try:
        return os.stat(path).st_uid  # noqa: PTH116 text in
    except (OSError, ValueError):
        return None
