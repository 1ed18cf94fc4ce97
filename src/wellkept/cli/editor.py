"""A person's editor on a text that stands in memory only, and is gone afterwards, whatever happens.

The text is a file of mode 0600 in a folder of mode 0700 on a file system in memory (tmpfs, ramfs).
While it is there, SIGTERM, SIGHUP and SIGINT end the editor first, and are obeyed when the folder
is gone; at a terminal SIGINT is left to the editor, since ctrl-C goes to both. A folder that SIGKILL
left is removed by the next edit: who is still at work, an editor too, holds a lock on theirs.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from wellkept._dataclasses import dataclass
from wellkept._files import read_file
from wellkept._mounts import Mount, read_mounts
from wellkept._toml.limits import MAX_BYTES
from wellkept.cli import render
from wellkept.errors import UsageError, WellkeptError

PREFIX, KEPT_PREFIX = "wellkept-edit-", "wellkept-kept-"
FILE = "Secrets.toml"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 it is looked at before, and gets a folder that is nobody else's
PATIENCE_S = 5.0  # for an editor that was told to end

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# What vim would leave elsewhere: a swap file, its registers in ~/.viminfo, an undo file, a backup.
_FOR_VIM = ("-n", "-i", "NONE", "-c", "silent! set noundofile nobackup nowritebackup")


class Stopped(WellkeptError):
    """A signal ended the edit."""

    def __init__(self, number: int) -> None:
        super().__init__(f"wellkept edit: was stopped by {_name_of(number)}; nothing was written")
        self.exit_code: int = 128 + number


class _Interrupted(KeyboardInterrupt):
    """A signal came while there was nothing to do but wait."""


class Stops:
    """The signals that come while a text stands in memory: they are noted, and obeyed where it can be removed."""

    def __init__(self) -> None:
        self._number = 0
        self._waits = False
        self._leaves_interrupts = False

    @contextmanager
    def heard(self) -> Generator[None]:
        """Note signals instead of ending; one that is ignored stays so."""
        before = {one: signal.getsignal(one) for one in _SIGNALS}
        heard = [one for one in _SIGNALS if before[one] is not signal.SIG_IGN]
        for one in heard:
            signal.signal(one, self._take)
        try:
            yield
        finally:
            for one in heard:
                signal.signal(one, before[one])

    def obey(self) -> None:
        """Go no further where a signal came.

        Raises:
            Stopped: one did.
        """
        if self._number:
            raise Stopped(self._number)

    @contextmanager
    def waiting(self, *, leaves_interrupts: bool = False) -> Generator[None]:
        """Wait in here, and go no further where a signal comes.

        Args:
            leaves_interrupts: SIGINT is not for us.

        Raises:
            Stopped: one came.
        """
        self._waits, self._leaves_interrupts = True, leaves_interrupts
        try:
            self.obey()
            yield
        except BaseException:
            if not self._number:
                raise
        finally:
            self._waits, self._leaves_interrupts = False, False
        self.obey()

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGINT and self._leaves_interrupts:
            return
        self._number = self._number or number
        if self._waits:
            self._waits = False
            raise _Interrupted


@dataclass(slots=True)
class MemoryFile:
    """A file in memory.

    Attributes:
        folder: the folder that is made for it.
        lock: the descriptor that holds the folder.
    """

    folder: str
    lock: int

    @property
    def path(self) -> str:
        """Where the file is."""
        return f"{self.folder}/{FILE}"

    def write(self, data: bytes) -> None:
        """Write it.

        Raises:
            WellkeptError: there is no room for it.
        """
        refused = _written(self.path, data)
        data = b""  # a traceback may show the locals of this frame
        if refused is not None:
            raise WellkeptError(f"{self.path}: cannot be written ({refused})", hint="make room in memory")

    def read(self) -> bytes:
        """Read what an editor left.

        Raises:
            FileFault: it cannot be read.
        """
        return read_file(self.path, max_bytes=MAX_BYTES)

    def keep(self) -> None:
        """Let it stay where no later edit removes it, and say where."""
        kept = self.folder.replace(PREFIX, KEPT_PREFIX)
        with suppress(OSError):  # then it is removed, and the error that led here is told
            os.chmod(self.path, 0o600)  # noqa: PTH101 an editor may have made a new file
            os.rename(self.folder, kept)  # noqa: PTH104 text in
            render.warn(f"what you typed is kept in memory: {kept}/{FILE}; when you have it, rm -r {kept}")


@contextmanager
def memory_file(environ: Mapping[str, str], mounts: Sequence[Mount] | None = None) -> Generator[MemoryFile]:
    """A file in memory that is removed at the end; there is none yet.

    Args:
        environ: where XDG_RUNTIME_DIR stands.
        mounts: the mounts of this process, if not what Linux says.

    Raises:
        UsageError: there is no file system in memory that can be written.
    """
    mounts = read_mounts() if mounts is None else mounts
    places = [one for one in (environ.get("XDG_RUNTIME_DIR", ""), SHARED_MEMORY) if _is_in_memory(one, mounts)]
    for place in places:
        _sweep(place)
    folder = next(_made(places), None)
    if folder is None:
        raise UsageError(
            "wellkept edit: needs a file system in memory, and neither XDG_RUNTIME_DIR nor /dev/shm is one",
            hint="mount a tmpfs and set XDG_RUNTIME_DIR to a folder there, or use wellkept set KEY",
        )
    lock = -1
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield MemoryFile(folder, lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock >= 0:
            os.close(lock)
        if os.path.lexists(folder):
            render.warn(f"{folder}: could not be removed; it holds secrets: rm -r {folder}")


def editor_words(environ: Mapping[str, str]) -> list[str]:
    """The command line of the editor, without the file.

    Raises:
        UsageError: VISUAL or EDITOR is no command line.
    """
    name = next((one for one in ("VISUAL", "EDITOR") if environ.get(one, "").strip()), None)
    words = None if name is None else _split(environ[name])
    if words is not None and not any(words[:1]):
        raise UsageError(f"{name}: is no command line", hint="write an editor and its options, as in 'code --wait'")
    words = words or ["vi"]
    program = shutil.which(words[0], path=environ.get("PATH"))
    is_vim = program is not None and os.path.basename(os.path.realpath(program)).startswith(("vim", "nvim"))  # noqa: PTH119 text in
    return [*words, *_FOR_VIM] if is_vim else words


def run_editor(words: Sequence[str], file: MemoryFile, stops: Stops) -> None:
    """Let a person edit the file, and wait until the editor ends.

    Raises:
        Stopped: a signal came.
        UsageError: it cannot be started.
        WellkeptError: it ended with another exit code than 0.
    """
    code = _waited(words, file, stops)
    if code is None:
        raise UsageError(f"{words[0]}: cannot be started", hint="set VISUAL or EDITOR to your editor")
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was ended by {_name_of(-code)}"
        raise WellkeptError(
            f"{words[0]}: {how}; nothing was written", hint="save, and leave the editor without an error"
        )


def is_at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _waited(words: Sequence[str], file: MemoryFile, stops: Stops) -> int | None:
    try:
        child = subprocess.Popen([*words, file.path], pass_fds=(file.lock,))  # noqa: S603 the person's own editor
    except OSError:
        return None
    try:
        with stops.waiting(leaves_interrupts=is_at_terminal()):
            child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE_S)
            child.kill()
            child.wait()
    return child.returncode


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _is_in_memory(place: str, mounts: Iterable[Mount]) -> bool:
    try:
        device = os.stat(place).st_dev  # noqa: PTH116 text in
    except (OSError, ValueError):
        return False
    return os.path.isabs(place) and any(  # noqa: PTH117 text in
        one.device == device and one.filesystem in _IN_MEMORY for one in mounts
    )


def _made(places: Iterable[str]) -> Generator[str]:
    for place in places:
        folder = f"{place.rstrip('/')}/{PREFIX}{os.urandom(8).hex()}"
        with suppress(OSError):  # the next place may do
            os.mkdir(folder, 0o700)  # noqa: PTH102 text in
            yield folder


def _sweep(place: str) -> None:
    """Remove the folders of edits that were killed; an empty one may be of an edit that just begins."""
    with suppress(OSError), os.scandir(place) as found:
        for entry in found:
            is_ours = entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False)
            if is_ours and entry.stat(follow_symlinks=False).st_uid == os.geteuid() and os.listdir(entry.path):  # noqa: PTH208 text in
                _remove_left(entry.path)


def _remove_left(folder: str) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(BlockingIOError):  # somebody is at work there
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _written(path: str, data: bytes) -> str | None:
    """Write a new file of this user; why it cannot be written, or None."""
    try:
        with open(os.open(path, _WRITE, 0o600), "wb") as file:  # noqa: PTH123 a descriptor comes in
            file.write(data)
    except OSError as error:
        return os.strerror(error.errno or 0).lower()
    return None


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
