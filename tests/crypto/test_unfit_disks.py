"""A disk or a folder where Secrets.toml cannot be changed: a clear error, the next step, and the file untouched."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from tests.crypto.stores import NAME, VALUES, WELLKEPT, Stores, content_of, names_beside
from tests.crypto.traced import Call, Traced
from tests.secrets_files import environ_of, secrets_file
from wellkept.crypto.store import TEMPORARY

SET = ("set", "db1.key1")
ENVIRON = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **environ_of()}
NOBODY = 65534
AT_ONCE = 2
IN_ROOT = os.geteuid() == 0
DISK = "look at the disk and the mount"
ACCESS = "give this user write access"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store in a folder of its own."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    made = secrets_file(folder / NAME, VALUES)
    made.chmod(0o600)
    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users come by; the one of pytest is for one user only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def run(file: Path, *words: str, command: Sequence[str] = WELLKEPT) -> tuple[int, str]:
    """Run wellkept beside a file, with a value on stdin; its exit code, and its talk."""
    done = subprocess.run(
        [*command, *words],
        cwd=file.parent,
        env=ENVIRON,
        input="CANARY-new\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert "CANARY" not in done.stdout + done.stderr
    return done.returncode, done.stderr


def told(fact: str, hint: str) -> str:
    """How an error is printed."""
    return f"error: {NAME}: {fact}\nhint: {hint}\n"


def snapshot(file: Path) -> tuple[bytes, int, int, Sequence[str]]:
    """What a command that fails leaves as it is: the bytes, mode and owner of a file, and the names beside it."""
    status = file.stat()
    return file.read_bytes(), status.st_mode, status.st_uid, names_beside(file)


# Calls that fail, each at the moment when it matters

FAILING = [
    ("open", "O_CREAT", "EROFS", "cannot be written (Read-only file system)", DISK),
    ("open", "O_CREAT", "EACCES", "may not be written by this user", ACCESS),
    ("open", "O_CREAT", "EPERM", "may not be written by this user", ACCESS),
    ("open", "O_CREAT", "ENOSPC", "cannot be written (No space left on device)", DISK),
    ("open", "O_CREAT", "EMFILE", "cannot be written (Too many open files)", DISK),
    ("fchmod", "FOLDER/*", "EPERM", "may not be written by this user", ACCESS),
    ("write", "FOLDER/*", "ENOSPC", "cannot be written (No space left on device)", DISK),
    ("write", "FOLDER/*", "EDQUOT", "cannot be written (Disk quota exceeded)", DISK),
    ("write", "FOLDER/*", "EIO", "cannot be written (Input/output error)", DISK),
    ("fsync", "FOLDER/*", "EIO", "cannot be written (Input/output error)", DISK),
    ("fsync", "FOLDER/*", "ENOSPC", "cannot be written (No space left on device)", DISK),
    ("rename", NAME, "EROFS", "cannot be written (Read-only file system)", DISK),
    ("rename", NAME, "EACCES", "may not be written by this user", ACCESS),
    ("rename", NAME, "EBUSY", "cannot be written (Device or resource busy)", DISK),  # the file is a mount of its own
]


@pytest.fixture(scope="module")
def made_stores(tmp_path_factory: pytest.TempPathFactory) -> Stores | None:
    return None if shutil.which("strace") is None else Stores(tmp_path_factory.mktemp("stores"), SET)


@pytest.fixture
def stores(made_stores: Stores | None, missing: Callable[[str], NoReturn]) -> Stores:
    return made_stores or missing("strace")


def find(stores: Stores, kind: str, words: str) -> Call:
    """The call of a kind that works on the folder, or on the temporary file in it."""
    calls = (call for call in stores.whole.calls if call.kind == kind)
    return next(call for call in calls if words in call.text.replace(TEMPORARY, ""))


def test_whatever_call_fails_before_the_rename_the_error_is_clear_and_the_file_untouched(stores: Stores) -> None:
    def fail(row: tuple[str, str, str, str, str]) -> tuple[Traced, Path]:
        kind, words, error, _, _ = row
        return stores.run(find(stores, kind, words).failing(error))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (kind, _, error, fact, hint), (done, file) in zip(FAILING, pool.map(fail, FAILING), strict=True):
            assert (done.code, done.said) == (1, told(fact, hint)), (kind, error)
            assert names_beside(file) == [NAME], (kind, error)
            stores.judge_old(file)


def test_where_what_was_begun_cannot_be_taken_away_either_the_next_change_does_it(stores: Stores) -> None:
    write = find(stores, "write", "FOLDER/*").failing("EIO")
    takes_away = stores.run(write)[0].changes[-1]
    assert takes_away.kind == "unlink"
    done, file = stores.run(write, takes_away.failing("EIO"))
    assert (done.code, done.said) == (1, told("cannot be written (Input/output error)", DISK))
    assert len(names_beside(file)) == 2
    stores.judge_old(file)
    stores.judge_next(file)


def test_where_the_folder_cannot_be_synced_the_new_file_stands_and_the_error_says_so(stores: Stores) -> None:
    done, file = stores.run(find(stores, "fsync", "<FOLDER>").failing("EIO"))
    fact = "is changed, but may not outlast a power cut (Input/output error)"
    assert (done.code, done.said) == (1, told(fact, "look at the disk, and do it again"))
    stores.judge_new(file)
    assert names_beside(file) == [NAME]


@pytest.mark.xfail(reason="it says that the file cannot be written, though the new one stands")
def test_no_error_behind_the_rename_says_that_nothing_was_written(stores: Stores) -> None:
    calls = list(stores.whole.calls)
    behind = calls[calls.index(find(stores, "rename", NAME)) :]
    closes = next(call for call in behind if call.kind == "close" and NAME in call.text)
    done, file = stores.run(closes.failing("EIO"))
    stores.judge_new(file)
    assert done.code == 0 or "is changed" in done.said


def test_a_folder_that_cannot_be_locked_is_told_and_nothing_is_changed(stores: Stores) -> None:
    done, file = stores.run(find(stores, "flock", "<FOLDER>").failing("ENOLCK"))
    fact = "cannot be locked: its folder gives the error no locks available"
    assert (done.code, done.said) == (69, told(fact, "keep it on a disk of this machine"))
    stores.judge_old(file)


def test_a_leftover_that_cannot_be_cleared_away_stops_nobody(stores: Stores) -> None:
    done, file = stores.run(find(stores, "unlink", "FOLDER/*").failing("EACCES"))
    assert (done.code, done.said) == (0, "set db1.key1\n")
    stores.judge_new(file)


# Real disks


def test_a_file_that_may_grow_no_further_is_left_as_it_was(file: Path) -> None:
    before = snapshot(file)
    # Python ignores SIGXFSZ, and a limit works everywhere: a block is 512 or 1,024 bytes.
    command = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *WELLKEPT)
    assert run(file, *SET, command=command) == (1, told("cannot be written (File too large)", DISK))
    assert snapshot(file) == before


def run_in_mounts_of_its_own(file: Path, script: str, missing: Callable[[str], NoReturn]) -> tuple[int, str]:
    """Run `set` as the words of a shell script, whose mounts nobody else sees."""
    unshare = ["unshare", "--mount"] if IN_ROOT else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None:
        missing("unshare")
    answer = run(file, *SET, command=[*unshare, "sh", "-c", script, "sh", *WELLKEPT])
    if answer[1].startswith(("unshare:", "mount:", "sh:")):
        missing("the right to make a mount")
    return answer


def test_a_disk_that_is_full_gives_a_clear_error_and_keeps_the_file(
    file: Path, missing: Callable[[str], NoReturn]
) -> None:
    before = snapshot(file)
    (file.parent / "disk").mkdir()
    script = f"""
        mount -t tmpfs -o size=64k none disk && cp -p {NAME} disk/{NAME} || exit 9
        head -c 1000000 /dev/zero > disk/filler 2>&-
        (cd disk && exec "$@"); code=$?
        cmp {NAME} disk/{NAME} >&2 && test "$(ls -A disk | grep -v filler)" = {NAME} && exit $code
    """
    answer = run_in_mounts_of_its_own(file, script, missing)
    assert answer == (1, told("cannot be written (No space left on device)", DISK))
    (file.parent / "disk").rmdir()
    assert snapshot(file) == before


def test_a_mount_that_is_read_only_gives_a_clear_error_and_keeps_the_file(
    file: Path, missing: Callable[[str], NoReturn]
) -> None:
    before = snapshot(file)
    script = 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"'
    answer = run_in_mounts_of_its_own(file, script, missing)
    assert answer == (1, told("cannot be written (Read-only file system)", DISK))
    assert snapshot(file) == before


def test_a_file_that_is_a_mount_of_its_own_is_kept_and_the_error_points_to_the_mount(
    file: Path, missing: Callable[[str], NoReturn]
) -> None:
    before = snapshot(file)
    answer = run_in_mounts_of_its_own(file, f'mount --bind {NAME} {NAME} && exec "$@"', missing)
    assert answer == (1, told("cannot be written (Device or resource busy)", DISK))
    assert snapshot(file) == before


# Folders and files of other users

# It first does the same elsewhere: what it has loaded then it need not read as a user who may not.
AS_ANOTHER = (
    "import os, sys\nfrom wellkept.cli.entry import run\n"
    "user, spare, value, *words = sys.argv[1:]\n"
    "assert run([*words, '--from-file', value, '--file', spare]) == 0\n"
    "if os.geteuid() == 0:\n    os.setgroups([])\n    os.setgid(int(user))\n    os.setuid(int(user))\n"
    "sys.exit(run(words))\n"
)


def run_as_another(file: Path, folder: Path) -> tuple[int, str]:
    """Run `set` as a user whose the file is not; where the tests are not run by root, as this one."""
    spare = secrets_file(folder / NAME, VALUES)
    value = folder / "value.secret"
    value.write_text("CANARY-new", encoding="utf-8")
    command = [sys.executable, "-c", AS_ANOTHER, str(NOBODY), str(spare), str(value)]
    code, said = run(file, *SET, command=command)
    return code, said.removeprefix("set db1.key1\n")


def test_root_leaves_a_file_to_the_user_whose_it_is(file: Path, missing: Callable[[str], NoReturn]) -> None:
    if not IN_ROOT:
        missing("root, to change a file of another user")
    file.chmod(0o640)
    os.chown(file, 1234, 2345)
    assert run(file, *SET)[0] == 0
    status = file.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 2345, 0o640)
    assert content_of(file).values["db1.key1"] == "CANARY-new"


def test_a_folder_that_this_user_may_not_write_to_gives_a_clear_error_and_keeps_the_file(
    open_folder: Path, tmp_path: Path
) -> None:
    file = secrets_file(open_folder / NAME, VALUES)
    file.chmod(0o666)  # it is the folder that a new file goes into
    open_folder.chmod(0o555)
    before = snapshot(file)
    assert run_as_another(file, tmp_path) == (1, told("may not be written by this user", ACCESS))
    assert snapshot(file) == before
    open_folder.chmod(0o755)


def test_a_file_that_this_user_may_not_read_gives_a_clear_error(open_folder: Path, tmp_path: Path) -> None:
    file = secrets_file(open_folder / NAME, VALUES)
    file.chmod(0)
    open_folder.chmod(0o777)
    assert run_as_another(file, tmp_path) == (77, told("may not be read by this user", "give this user read access"))
    assert names_beside(file) == [NAME]


def test_a_user_who_may_write_to_the_folder_changes_the_file_of_another_and_its_mode_stays(
    open_folder: Path, tmp_path: Path
) -> None:
    file = secrets_file(open_folder / NAME, VALUES)
    file.chmod(0o644)
    open_folder.chmod(0o777)
    assert run_as_another(file, tmp_path) == (0, "set db1.key1\n")
    assert file.stat().st_uid == (NOBODY if IN_ROOT else os.geteuid())
    assert file.stat().st_mode & 0o7777 == 0o644
    assert content_of(file).values["db1.key1"] == "CANARY-new"


# A folder that somebody else holds

IMPATIENT = (
    "import sys\nfrom wellkept.cli.entry import run\nfrom wellkept.crypto import lock\n"
    "lock.PATIENCE_S = float(sys.argv[1])\nsys.exit(run(sys.argv[2:]))\n"
)


def impatient(seconds: float) -> Sequence[str]:
    """The command, as it is with less patience."""
    return [sys.executable, "-c", IMPATIENT, str(seconds)]


@pytest.fixture
def held(file: Path) -> Iterator[int]:
    """The lock of the folder, held by this process."""
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("words", [SET, ("unset", "db1.key1"), ("rekey",)], ids=lambda words: words[0])
def test_a_folder_that_somebody_holds_too_long_is_told_and_the_file_untouched(file: Path, words: Sequence[str]) -> None:
    before = snapshot(file)
    code, said = run(file, *words, command=impatient(1))
    assert code == 69
    assert said.startswith(("waiting for Secrets.toml …\n", "encrypting Secrets.toml again …\n"))
    assert said.endswith(told("is held by another process for 1 s", "let that one end, and try again"))
    assert snapshot(file) == before


@pytest.mark.usefixtures("held")
def test_who_only_reads_waits_for_nobody(file: Path) -> None:
    assert run(file, "get", "db1.key1", command=impatient(0))[0] == 0
    assert run(file, "list", command=impatient(0))[0] == 0


def test_a_change_goes_on_as_soon_as_the_folder_is_free(file: Path, held: int) -> None:
    timer = threading.Timer(1, fcntl.flock, (held, fcntl.LOCK_UN))
    timer.start()
    assert run(file, *SET, command=impatient(30))[0] == 0
    timer.join()
    assert content_of(file).values["db1.key1"] == "CANARY-new"


# What is no plain file of its own


def test_a_link_stays_a_link_and_the_file_that_it_leads_to_is_changed(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "project" / NAME
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(file, link.parent))
    for words in (SET, ("set", "db1.fresh"), ("unset", "db2.key2"), ("rekey",)):
        assert run(link, *words)[0] == 0
    assert link.is_symlink()
    assert names_beside(link) == names_beside(file) == [NAME]
    values = {name: value for name, value in VALUES.items() if name != "db2.key2"}
    assert content_of(file).values == {**values, "db1.key1": "CANARY-new", "db1.fresh": "CANARY-new"}
    assert file.stat().st_mode & 0o7777 == 0o600


WRITING = (SET, ("unset", "db1.key1"), ("rekey",), ("init",))


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere.toml")


def make_large(path: Path) -> None:
    path.write_bytes(b"# filled up\n" * 90_000)


@pytest.mark.parametrize(
    ("make", "fact", "hint"),
    [
        (Path.mkdir, "is a directory, not a file", "name a file"),
        (make_fifo, "is a FIFO, not a file", "name a regular file"),
        (make_loop, "leads in a circle of symbolic links", "let the link point to a file"),
        (make_large, "is larger than 1 MiB", "name the right file, or make it smaller"),
    ],
    ids=["directory", "FIFO", "loop", "large"],
)
def test_what_is_no_file_of_secrets_is_named_with_the_next_step_and_stays(
    tmp_path: Path, make: Callable[[Path], None], fact: str, hint: str
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    make(folder / NAME)
    before = (folder / NAME).lstat()
    for words in WRITING:
        assert run(folder / NAME, *words) == (1, told(fact, hint)), words
    assert names_beside(folder / NAME) == [NAME]
    after = (folder / NAME).lstat()
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)


def test_a_link_that_leads_nowhere_is_no_file_yet(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    make_dangling(folder / NAME)
    assert run(folder / NAME, *SET) == (1, told("does not exist", "start one with wellkept init"))
    assert names_beside(folder / NAME) == [NAME]
    assert (folder / NAME).is_symlink()
