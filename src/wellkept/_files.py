"""Reads files that may be anything, and writes files that only their owner may read.

The rules of this file:

- It never waits: a FIFO, a device or a socket is refused before it is opened.
- It never reads without a bound, however a file grows meanwhile.
- A fault names the path and the fact, never what the file holds. Only the public functions
  raise it, where no local variable holds content: below them it is a `_Refusal` that is returned.
"""

import errno
import os
import stat
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress

from wellkept._dataclasses import dataclass, replace
from wellkept._mounts import read_mounts
from wellkept.errors import Kind, WellkeptError

FilePath = str | os.PathLike[str]

MIB = 1 << 20
MAX_FILE_BYTES = MIB  # Kubernetes lets a whole Secret be no larger
MAX_ENTRIES = 10_000
MAX_DIRECTORY_BYTES = 16 * MIB

STRIPPED = "one final newline stripped"

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK_BYTES = 1 << 16
_CURRENT = "..data"  # the link by which kubelet's AtomicWriter swaps all files of a mount at once
_TRIES = 100  # kubelet swaps once a minute, and a try takes well under a millisecond
_OTHERS = 0o077
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


class FileFault(WellkeptError):
    """A file or directory that cannot be used.

    Attributes:
        path: which one, as it may be printed.
        fact: what is wrong with it, without the path.
        kind: absent, denied, or a matter of the file itself.
    """

    def __init__(self, path: str, fact: str, *, hint: str, kind: Kind = Kind.FILE) -> None:
        self.path = path if path.isprintable() else ascii(path)
        self.fact = fact
        self.kind = kind
        super().__init__(f"{self.path}: {fact}", hint=hint)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why something was not done, on its way to where a fault may be raised."""

    fact: str
    hint: str
    kind: Kind = Kind.FILE
    entry: str | None = None

    def fault(self, path: str) -> FileFault:
        """The fault of that path, or of the entry below it."""
        where = path if self.entry is None else f"{path.rstrip('/')}/{self.entry}"
        return FileFault(where, self.fact, hint=self.hint, kind=self.kind)


_IS_NUL = _Refusal("is a path with a NUL character", "correct the path")
_CHANGES = _Refusal("changes faster than it can be read", "try again")
_TOO_MANY = _Refusal(f"holds more than {MAX_ENTRIES:,} entries", "name a directory with one file a key")
_TOO_MUCH = _Refusal(f"holds more than {MAX_DIRECTORY_BYTES // MIB} MiB", "name a directory with one file a key")
_NO_DIRECTORY = _Refusal("is not a directory", "name a directory, or list it as a file")
_ON_READING = {
    errno.ENOENT: _Refusal("does not exist", "create it, or correct the path", Kind.ABSENT),
    errno.ENOTDIR: _Refusal("does not exist: a part of the path is no directory", "correct the path", Kind.ABSENT),
    errno.EACCES: _Refusal("may not be read by this user", "give this user read access", Kind.DENIED),
    errno.EPERM: _Refusal("may not be read by this user", "give this user read access", Kind.DENIED),
    errno.ELOOP: _Refusal("leads in a circle of symbolic links", "let the link point to a file"),
    errno.ENAMETOOLONG: _Refusal("has a name that is too long", "correct the path"),
}
_ON_WRITING = {
    errno.ENOENT: _Refusal("stands in a directory that does not exist", "create the directory", Kind.ABSENT),
    errno.EACCES: _Refusal("may not be written by this user", "give this user write access", Kind.DENIED),
    errno.EPERM: _Refusal("may not be written by this user", "give this user write access", Kind.DENIED),
    errno.EISDIR: _Refusal("is a directory, not a file", "name a file"),
}
_NOT_FILES = {
    stat.S_IFDIR: _Refusal("is a directory, not a file", "name a file"),
    stat.S_IFIFO: _Refusal("is a FIFO, not a file", "name a regular file"),
    stat.S_IFSOCK: _Refusal("is a socket, not a file", "name a regular file"),
    stat.S_IFCHR: _Refusal("is a device, not a file", "name a regular file"),
    stat.S_IFBLK: _Refusal("is a device, not a file", "name a regular file"),
}


def read_file(path: FilePath, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return what a regular file holds; symbolic links are followed, since Kubernetes mounts are made of them.

    Args:
        path: where the file is.
        max_bytes: how large it may be.

    Raises:
        FileFault: it does not exist, may not be read, is no regular file, or is too large.
    """
    name = os.fspath(path)
    content = _read(name, None, max_bytes)
    if isinstance(content, _Refusal):
        raise content.fault(name)
    return content


def read_entries(directory: FilePath, names: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of a directory by name, in sorted order, all from one version of a mount.

    Entries that are no regular files are left out, and so are names that begin with a dot.

    A mounted Kubernetes Secret changes as a whole: its link `..data` is renamed to lead to a new
    directory, and the old one is removed. So that directory is opened once and its files
    are opened relative to it; where it is removed meanwhile, reading starts again.

    Args:
        directory: where it is.
        names: the entries that are wanted, if not all; one that does not exist is left out.

    Raises:
        FileFault: the directory or one of its files cannot be read, or holds too much.
    """
    path = os.fspath(directory)
    entries = _read_directory(path, names)
    if isinstance(entries, _Refusal):
        raise entries.fault(path)
    return entries


def write_private(path: FilePath, data: bytes) -> None:
    """Write a file of mode 0600; whoever reads it meanwhile sees all of the old one or all of the new one.

    A file of that name is replaced, and so is a symbolic link, which is not followed.

    Raises:
        FileFault: it cannot be written; then no part of it is left behind.
    """
    name = os.fspath(path)
    refusal = _write(name, data)
    if refusal is not None:
        data = b""  # a traceback may show the locals of this frame
        raise refusal.fault(name)


def create_private(path: FilePath, data: bytes) -> bool:
    """Write a new file of mode 0600, whole from its first moment; False where somebody was faster.

    Raises:
        FileFault: it cannot be written; then no part of it is left behind.
    """
    name = os.fspath(path)
    folder, final = os.path.split(name)
    temporary = os.path.join(folder, f".wellkept-{os.urandom(8).hex()}")  # noqa: PTH118 text in
    refusal = _write(temporary, data)
    if refusal is not None:
        data = b""  # a traceback may show the locals of this frame
        raise refusal.fault(name)
    try:
        os.link(temporary, os.path.join(folder, final))  # noqa: PTH118 a link never replaces what is there
    except FileExistsError:
        return False
    except OSError as error:
        refusal = _ON_WRITING.get(error.errno or 0) or _unknown("written", error)
    finally:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108 text in
    if refusal is None:
        with suppress(OSError), _opened(folder or os.curdir, _DIRECTORY) as parent:
            os.fsync(parent)
    if refusal is not None:
        data = b""
        raise refusal.fault(name)
    return True


def replace_file(path: FilePath, data: bytes, *, prefix: str) -> None:
    """Write a file as `write_private` does, but with the mode of the file that is replaced.

    Args:
        path: where it is; a symbolic link is replaced, so give the path of the file itself.
        data: all that it shall hold.
        prefix: how the name of the temporary file begins, by which `sweep` finds what a crash left.

    Raises:
        FileFault: it cannot be written; then no part of it is left behind.
    """
    name = os.fspath(path)
    refusal = _write(name, data, prefix, keeps_mode=True)
    if refusal is not None:
        data = b""  # a traceback may show the locals of this frame
        raise refusal.fault(name)


def sweep(folder: FilePath, prefix: str) -> None:
    """Remove the temporary files of writers that were killed; whoever calls it must be the only writer."""
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith(prefix) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):  # it may belong to another user, and it harms nobody
                    os.unlink(entry.path)  # noqa: PTH108 text in


def read_own(path: FilePath, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return what a file of this user holds that nobody else can read, as a private key is.

    Files of a mount that is read-only are taken as they are: nobody could change their mode.

    Raises:
        FileFault: as in `read_file`, or others can read it, or it belongs to somebody else.
    """
    name = os.fspath(path)
    refusal = _not_own(name)
    if refusal is not None:
        raise refusal.fault(name)
    return read_file(path, max_bytes=max_bytes)


def is_mount(folder: str) -> bool:
    """Whether a directory is a volume of Kubernetes, whose files are swapped all at once."""
    return os.path.lexists(os.path.join(folder, _CURRENT))  # noqa: PTH118 text in: "" is the current one


def stamp(path: str) -> object:
    """What the system says of a file, to be compared with what it says later; None where there is no such file.

    With ctime: a rename within one tick of the clock may leave all else equal.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 hot: pathlib costs ten times as much
    except (OSError, ValueError):
        return None
    return _facts(status)


def _facts(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev, status.st_size


def version_of(path: str) -> str | None:
    """A text that is another one whenever a file may hold something else, or a directory other files.

    None where there is nothing to look at. Of a mount it is that of the version behind `..data`, so that a swap
    is seen by its first file and by its last; of any other directory, its own and those of its entries.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 hot: pathlib costs ten times as much
    except (OSError, ValueError):
        return None
    found = _facts(status)
    if not stat.S_ISDIR(status.st_mode):
        return str(found)
    current = stamp(f"{path}/{_CURRENT}")
    if current is not None:
        return str(current)
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208 text in, text out
    except OSError:
        return None
    return str((found, [stamp(f"{path}/{name}") for name in names[:MAX_ENTRIES]]))


def shown(path: str) -> str:
    """A path as it is shown: relative below the current folder."""
    absolute, here = os.path.abspath(path), os.getcwd()  # noqa: PTH100, PTH109 hot: pathlib costs ten times as much
    return absolute.removeprefix(here.rstrip("/") + "/")


def without_final_newline(value: bytes) -> tuple[bytes, str | None]:
    """Return the value without exactly one final newline (LF or CRLF), and a note where there was one."""
    if value.endswith(b"\n"):
        return value[:-1].removesuffix(b"\r"), STRIPPED
    return value, None


def is_exposed(path: FilePath | int) -> bool:
    """Say whether other users can read a file, or the file behind a descriptor.

    Mounts in memory and read-only mounts do not count: Kubernetes makes the files of a Secret
    volume 0644, and no one could change them. A file that cannot be looked at is not exposed.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 a descriptor may come in
        if not status.st_mode & stat.S_IROTH or os.statvfs(path).f_flag & os.ST_RDONLY:
            return False
    except (OSError, ValueError):
        return False
    return not any(mount.device == status.st_dev and mount.filesystem in _IN_MEMORY for mount in read_mounts())


def is_never_updated(path: FilePath) -> bool:
    """Say whether a file is a mount of its own, as Kubernetes makes it for `subPath`: it never changes."""
    if not os.path.isfile(path):  # noqa: PTH113 text in, text out
        return False
    name = os.path.realpath(path)
    return any(mount.point == name for mount in read_mounts())


def _read(name: str, folder: int | None, max_bytes: int) -> bytes | _Refusal:
    """Read one regular file, relative to a directory where one is given."""
    try:
        # Opening would be noticed by a device or by the writer of a FIFO, so the form is judged before, too.
        refusal = _judge(os.stat(name, dir_fd=folder), max_bytes)
        if refusal is not None:
            return refusal
        with _opened(name, _READ, folder) as descriptor:
            status = os.fstat(descriptor)
            return _judge(status, max_bytes) or _read_bounded(descriptor, status.st_size, max_bytes)
    except OSError as error:
        return _ON_READING.get(error.errno or 0) or _unknown("read", error)
    except ValueError:
        return _IS_NUL


def _judge(status: os.stat_result, max_bytes: int) -> _Refusal | None:
    if not stat.S_ISREG(status.st_mode):
        return _NOT_FILES.get(stat.S_IFMT(status.st_mode), _NOT_FILES[stat.S_IFCHR])
    return _too_large(max_bytes) if status.st_size > max_bytes else None


def _too_large(max_bytes: int) -> _Refusal:
    size = f"{max_bytes:,} bytes" if max_bytes % MIB else f"{max_bytes // MIB} MiB"
    return _Refusal(f"is larger than {size}", "name the right file, or make it smaller")


def _unknown(done: str, error: OSError) -> _Refusal:
    reason = os.strerror(error.errno) if error.errno else "for no reason that the system gives"
    return _Refusal(f"cannot be {done} ({reason})", "look at the disk and the mount")


def _read_bounded(descriptor: int, size: int, max_bytes: int) -> bytes | _Refusal:
    """Read to the end of the file, which may be elsewhere than its size says."""
    parts: list[bytes] = []
    left = max_bytes + 1
    while left > 0:
        part = os.read(descriptor, min(left, max(size + 1, _CHUNK_BYTES)))
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    return _too_large(max_bytes)


@contextmanager
def _opened(name: str, flags: int, folder: int | None = None) -> Generator[int]:
    descriptor = os.open(name, flags, mode=0o600, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_directory(path: str, names: Collection[str]) -> dict[str, bytes] | _Refusal:
    try:
        with _opened(path, _DIRECTORY) as folder:
            for _ in range(_TRIES):
                entries = _read_version(folder, names)
                if entries is not None:
                    return entries
            return _CHANGES
    except NotADirectoryError:
        return _NO_DIRECTORY
    except OSError as error:
        return _ON_READING.get(error.errno or 0) or _unknown("read", error)
    except ValueError:
        return _IS_NUL


def _read_version(folder: int, names: Collection[str]) -> dict[str, bytes] | _Refusal | None:
    """Read the entries of the version that a mount has now; None if it is swapped meanwhile."""
    try:
        with _opened(_CURRENT, _DIRECTORY, folder) as version:
            entries = _read_all(version, names)
            # An old version is removed after the swap: while it is still the current one, no entry is missing.
            return entries if _is_current(version, folder) else None
    except (FileNotFoundError, NotADirectoryError):
        return None if _is_swapped(folder) else _read_all(folder, names)


def _is_current(version: int, folder: int) -> bool:
    return os.path.samestat(os.fstat(version), os.stat(_CURRENT, dir_fd=folder))


def _is_swapped(folder: int) -> bool:
    """Whether this is a mount whose version was removed between two looks, not a plain directory."""
    try:
        return stat.S_ISLNK(os.lstat(_CURRENT, dir_fd=folder).st_mode)
    except FileNotFoundError:
        return False


def _read_all(folder: int, names: Collection[str]) -> dict[str, bytes] | _Refusal:
    """Read the named entries of an open directory, or all."""
    wanted = [name for name in names if "/" not in name] if names else _list(folder)
    if isinstance(wanted, _Refusal):
        return wanted
    entries: dict[str, bytes] = {}
    total = 0
    for name in sorted(set(wanted)):
        content = _read(name, folder, MAX_FILE_BYTES)
        if isinstance(content, bytes):
            entries[name] = content
            total += len(content)
        elif content.kind is not Kind.ABSENT and content not in _NOT_FILES.values():
            return replace(content, entry=name)
        if total > MAX_DIRECTORY_BYTES:
            return _TOO_MUCH
    return entries


def _list(folder: int) -> list[str] | _Refusal:
    names: list[str] = []
    with os.scandir(folder) as found:
        for count, entry in enumerate(found):
            if count == MAX_ENTRIES:
                return _TOO_MANY
            if not entry.name.startswith("."):
                names.append(entry.name)
    return names


def _not_own(name: str) -> _Refusal | None:
    """Why a file is not private; one that cannot be looked at cannot be read either."""
    try:
        status = os.stat(name)  # noqa: PTH116 text in
        if os.statvfs(name).f_flag & os.ST_RDONLY:
            return None
    except (OSError, ValueError):
        return None
    if status.st_mode & _OTHERS:
        return _Refusal("can be read by others", f"chmod 600 {name}", Kind.DENIED)
    if status.st_uid != os.geteuid():
        return _Refusal("belongs to another user", "make a copy that is your own, of mode 600", Kind.DENIED)
    return None


def _write(name: str, data: bytes, prefix: str = ".wellkept-", *, keeps_mode: bool = False) -> _Refusal | None:
    folder, final = os.path.split(name)
    try:
        with _opened(folder or os.curdir, _DIRECTORY) as parent:
            _replace(parent, final, data, prefix, keeps_mode=keeps_mode)
            return _settle(parent)
    except OSError as error:
        return _ON_WRITING.get(error.errno or 0) or _unknown("written", error)
    except ValueError:
        return _IS_NUL


def _settle(parent: int) -> _Refusal | None:
    """Make the new name safe on disk, too."""
    try:
        os.fsync(parent)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        return _Refusal(f"is changed, but may not outlast a power cut ({reason})", "look at the disk, and do it again")
    return None


def _replace(parent: int, final: str, data: bytes, prefix: str, *, keeps_mode: bool) -> None:
    """Write a new file beside the old one, and give it the old one's name when it is safe on disk."""
    temporary = f"{prefix}{os.urandom(8).hex()}"
    with _opened(temporary, _CREATE, parent) as descriptor:
        try:
            if keeps_mode:
                _take_over(descriptor, parent, final)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
            os.rename(temporary, final, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):  # the failure that led here is the one to tell
                os.unlink(temporary, dir_fd=parent)
            raise


def _take_over(descriptor: int, parent: int, name: str) -> None:
    """Give a new file the mode and, where this user may, the owner of the one that it replaces."""
    try:
        status = os.stat(name, dir_fd=parent)
    except FileNotFoundError:  # a new one gets what any program would give it
        mask = os.umask(0o077)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        # Who may not give a file away may still leave it to a group of theirs.
        for owner in (status.st_uid, -1):
            with suppress(OSError):  # not permitted, or in a container a number that means nobody
                os.fchown(descriptor, owner, status.st_gid)
                break
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
