"""Reading files that may be anything, and writing files that only their owner may read."""

import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.frames import shown_by
from wellkept import _files
from wellkept._files import (
    FileFault,
    is_exposed,
    is_never_updated,
    read_entries,
    read_file,
    without_final_newline,
    write_private,
)
from wellkept._mounts import Mount, parse_mounts, read_mounts
from wellkept.errors import Kind, WellkeptError

MIB = 1 << 20
VALUE = b"CANARY-db-pw-7f3a"
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, or read as somebody else")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose files may hold canaries."""
    made = tmp_path / "secrets"
    made.mkdir()
    return made


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.fixture(autouse=True)
def no_descriptor_stays_open() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() == before


# Reading a file


def test_a_file_is_read_as_it_is(folder: Path) -> None:
    (folder / "pw").write_bytes(VALUE + b"\r\n\0\xff")
    assert read_file(folder / "pw") == VALUE + b"\r\n\0\xff"
    assert read_file(str(folder / "pw")) == VALUE + b"\r\n\0\xff"


def test_an_empty_file_is_read(folder: Path) -> None:
    (folder / "pw").touch()
    assert read_file(folder / "pw") == b""


def test_a_file_behind_links_is_read(folder: Path) -> None:
    (folder / "pw").write_bytes(VALUE)
    (folder / "one").symlink_to("pw")
    (folder / "two").symlink_to("one")
    assert read_file(folder / "two") == VALUE


def test_a_file_may_have_the_largest_size_and_no_byte_more(folder: Path) -> None:
    (folder / "pw").write_bytes(bytes(MIB))
    assert len(read_file(folder / "pw")) == MIB
    (folder / "pw").write_bytes(bytes(MIB + 1))
    with pytest.raises(FileFault, match="is larger than 1 MiB"):
        read_file(folder / "pw")


def test_a_smaller_size_may_be_asked_for(folder: Path) -> None:
    (folder / "pw").write_bytes(VALUE)
    with pytest.raises(FileFault, match="is larger than 5 bytes"):
        read_file(folder / "pw", max_bytes=5)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that says that it is empty")
def test_a_file_that_holds_more_than_its_size_says_is_read_to_its_end_and_no_further_than_allowed() -> None:
    assert Path("/proc/self/mountinfo").stat().st_size == 0
    assert b" / " in read_file("/proc/self/mountinfo")
    with pytest.raises(FileFault, match="is larger than 10 bytes"):
        read_file("/proc/self/mountinfo", max_bytes=10)


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may have a hundred characters only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def make_circle(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


def make_nothing(_path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "fact", "kind"),
    [
        pytest.param(make_nothing, "does not exist", Kind.ABSENT, id="nothing"),
        pytest.param(make_link_to_nothing, "does not exist", Kind.ABSENT, id="dangling"),
        pytest.param(Path.mkdir, "is a directory, not a file", Kind.FILE, id="directory"),
        pytest.param(make_fifo, "is a FIFO, not a file", Kind.FILE, id="fifo"),
        pytest.param(make_socket, "is a socket, not a file", Kind.FILE, id="socket"),
        pytest.param(make_link_to_device, "is a device, not a file", Kind.FILE, id="device"),
        pytest.param(make_circle, "leads in a circle of symbolic links", Kind.FILE, id="circle"),
    ],
)
def test_what_is_no_file_is_refused_at_once_by_its_name(
    folder: Path, make: Callable[[Path], None], fact: str, kind: Kind
) -> None:
    make(folder / "pw")
    with pytest.raises(FileFault) as caught:
        read_file(folder / "pw")
    assert caught.value.message == f"{folder}/pw: {fact}"
    assert (caught.value.path, caught.value.fact, caught.value.kind) == (f"{folder}/pw", fact, kind)
    assert caught.value.hint
    assert isinstance(caught.value, WellkeptError)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_path_through_a_file_does_not_exist(folder: Path) -> None:
    (folder / "pw").touch()
    with pytest.raises(FileFault, match="does not exist: a part of the path is no directory") as caught:
        read_file(folder / "pw" / "below")
    assert caught.value.kind is Kind.ABSENT


def test_a_path_that_no_file_can_have_is_refused_on_one_line(folder: Path) -> None:
    with pytest.raises(FileFault, match="is a path with a NUL character") as caught:
        read_file(f"{folder}/a\0b\n")
    assert "\0" not in caught.value.message
    assert "\n" not in caught.value.message
    with pytest.raises(FileFault, match="has a name that is too long"):
        read_file(folder / ("a" * 300))


def test_the_writer_of_a_fifo_does_not_notice_that_it_was_refused(folder: Path) -> None:
    make_fifo(folder / "pw")
    with pytest.raises(FileFault):
        read_file(folder / "pw")
    with pytest.raises(OSError, match="No such device or address"):  # what open() says where nobody reads
        os.open(folder / "pw", os.O_WRONLY | os.O_NONBLOCK)


@contextmanager
def beside(script: str, *arguments: str) -> Iterator[None]:
    """Run a script in a process of its own from the moment that it says so, and end it whatever happens."""
    with subprocess.Popen([sys.executable, "-I", "-c", script, *arguments], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
            assert process.poll() is None
        finally:
            process.kill()


SWAPPER = """
import os, sys
os.chdir(sys.argv[1])
print("ready", flush=True)
while True:
    os.mkfifo("fifo")
    os.rename("fifo", "pw")
    with open("file", "w") as file:
        file.write("content")
    os.rename("file", "pw")
"""


@pytest.mark.timeout(30)
def test_a_file_that_becomes_a_fifo_while_it_is_opened_is_never_waited_for(folder: Path) -> None:
    (folder / "pw").write_bytes(b"content")
    answers = set[bytes | str]()
    with beside(SWAPPER, str(folder)):
        for _ in range(10_000):
            try:
                answers.add(read_file(folder / "pw"))
            except FileFault as fault:
                answers.add(fault.fact)
    assert answers == {b"content", "is a FIFO, not a file"}


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that every user can look into, seen by a user who owns nothing of it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        for name, mode in (("open", 0o644), ("closed", 0o600)):
            (folder / name).touch(mode=mode)
            (folder / name).chmod(mode)
        os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)


@needs_root
def test_a_file_that_this_user_may_not_read_is_denied(nobodys_folder: Path) -> None:
    assert read_file(nobodys_folder / "open") == b""
    with pytest.raises(FileFault, match="may not be read by this user") as caught:
        read_file(nobodys_folder / "closed")
    assert caught.value.kind is Kind.DENIED


@needs_root
def test_an_entry_that_this_user_may_not_read_is_denied_by_its_own_name(nobodys_folder: Path) -> None:
    with pytest.raises(FileFault, match="/closed: may not be read by this user") as caught:
        read_entries(nobodys_folder)
    assert caught.value.kind is Kind.DENIED
    assert read_entries(nobodys_folder, ["open"]) == {"open": b""}


@needs_root
def test_a_file_that_this_user_may_not_write_is_denied(nobodys_folder: Path) -> None:
    with pytest.raises(FileFault, match="may not be written by this user") as caught:
        write_private(nobodys_folder / "open", VALUE)
    assert caught.value.kind is Kind.DENIED
    assert "CANARY" not in shown_by(caught.value)


# Reading a directory


def test_the_files_of_a_directory_are_read_by_name_in_order(folder: Path) -> None:
    for name in ("key", "cert", ".hidden", "..data_tmp"):
        (folder / name).write_bytes(VALUE + name.encode())
    (folder / "nested").mkdir()
    make_fifo(folder / "fifo")
    (folder / "dangling").symlink_to("nothing")
    assert list(read_entries(folder).items()) == [("cert", VALUE + b"cert"), ("key", VALUE + b"key")]


def test_only_the_named_files_are_read_and_only_from_this_directory(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "outside").write_bytes(VALUE)
    for name in ("a", "b", ".c"):
        (folder / "inner" / name).write_bytes(VALUE)
    names = ["b", "b", ".c", "missing", "../outside", "..", ".", ""]
    assert read_entries(folder / "inner", names) == {".c": VALUE, "b": VALUE}
    assert read_entries(folder / "inner", ["../outside"]) == {}


def test_a_large_file_that_is_not_named_does_not_matter(folder: Path) -> None:
    (folder / "large").write_bytes(bytes(MIB + 1))
    (folder / "pw").write_bytes(VALUE)
    assert read_entries(folder, ["pw"]) == {"pw": VALUE}
    with pytest.raises(FileFault, match="/large: is larger than 1 MiB") as caught:
        read_entries(folder)
    assert "CANARY" not in shown_by(caught.value)


@pytest.mark.parametrize(
    ("make", "fact", "kind"),
    [
        pytest.param(make_nothing, "does not exist", Kind.ABSENT, id="nothing"),
        pytest.param(Path.touch, "is not a directory", Kind.FILE, id="file"),
        pytest.param(make_fifo, "is not a directory", Kind.FILE, id="fifo"),
        pytest.param(make_circle, "leads in a circle of symbolic links", Kind.FILE, id="circle"),
    ],
)
def test_what_is_no_directory_is_refused(folder: Path, make: Callable[[Path], None], fact: str, kind: Kind) -> None:
    make(folder / "mount")
    with pytest.raises(FileFault) as caught:
        read_entries(folder / "mount")
    assert caught.value.message == f"{folder}/mount: {fact}"
    assert caught.value.kind is kind
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_directory_with_a_nul_in_its_path_is_refused(folder: Path) -> None:
    with pytest.raises(FileFault, match="is a path with a NUL character"):
        read_entries(f"{folder}\0")


def test_a_directory_may_hold_ten_thousand_entries_and_no_more(folder: Path) -> None:
    for number in range(10_000):
        (folder / f".{number}").touch()
    assert read_entries(folder) == {}
    (folder / "one-more").touch()
    with pytest.raises(FileFault, match="holds more than 10,000 entries"):
        read_entries(folder)


def test_a_directory_may_hold_sixteen_mebibytes_and_no_more(folder: Path) -> None:
    for number in range(16):
        (folder / str(number)).write_bytes(VALUE.ljust(MIB))
    assert len(read_entries(folder)) == 16
    (folder / "more").write_bytes(VALUE)
    with pytest.raises(FileFault, match="holds more than 16 MiB") as caught:
        read_entries(folder)
    assert "CANARY" not in shown_by(caught.value)


# A Kubernetes mount


KUBELET = """
import os, sys, itertools
folder, names = sys.argv[1], sys.argv[2:]
os.chdir(folder)
for number in itertools.count(1):
    version = f"..{number:09d}"
    os.mkdir(version)
    for name in names:
        with open(f"{version}/{name}", "w") as file:
            file.write(str(number))
    old = os.readlink("..data") if number > 1 else None
    os.symlink(version, "..data_tmp")
    os.rename("..data_tmp", "..data")
    if old is None:
        for name in names:
            os.symlink(f"..data/{name}", name)
        print("ready", flush=True)
    else:
        for name in names:
            os.unlink(f"{old}/{name}")
        os.rmdir(old)
"""


@pytest.fixture
def mount(folder: Path) -> Iterator[Path]:
    """A mounted Secret with two keys that another process swaps as often as it can, as kubelet's AtomicWriter does."""
    with beside(KUBELET, str(folder), "tls.crt", "tls.key"):
        before = open_descriptors()
        yield folder
        assert open_descriptors() == before


@pytest.mark.timeout(240)
@pytest.mark.parametrize("names", [(), ("tls.key", "tls.crt")], ids=["all", "named"])
def test_two_keys_of_one_mount_are_never_torn_nor_missing(mount: Path, names: tuple[str, ...]) -> None:
    seen = set[bytes]()
    for _ in range(20_000):
        entries = read_entries(mount, names)
        assert list(entries) == ["tls.crt", "tls.key"]
        assert entries["tls.crt"] == entries["tls.key"]
        seen.add(entries["tls.crt"])
    assert len(seen) > 50  # it was swapped between the reads


def test_a_mount_shows_its_current_version_only(folder: Path) -> None:
    for version in ("..1", "..2"):
        (folder / version).mkdir()
        (folder / version / "pw").write_bytes(VALUE + version.encode())
    (folder / "pw").symlink_to("..data/pw")
    (folder / "..data").symlink_to("..1")
    assert read_entries(folder) == {"pw": VALUE + b"..1"}
    (folder / "..data_tmp").symlink_to("..2")
    (folder / "..data_tmp").rename(folder / "..data")
    assert read_entries(folder) == {"pw": VALUE + b"..2"}


def test_a_mount_whose_version_never_comes_is_a_fault_and_no_endless_wait(folder: Path) -> None:
    (folder / "..data").symlink_to("..removed")
    with pytest.raises(FileFault, match="changes faster than it can be read"):
        read_entries(folder)


def test_a_directory_that_has_no_version_link_may_have_a_file_of_that_name(folder: Path) -> None:
    (folder / "..data").touch()
    (folder / "pw").write_bytes(VALUE)
    assert read_entries(folder) == {"pw": VALUE}


# Final newlines


@pytest.mark.parametrize(
    ("value", "stripped"),
    [
        (b"a\n", b"a"),
        (b"a\r\n", b"a"),
        (b"a\n\n", b"a\n"),
        (b"a\r\n\r\n", b"a\r\n"),
        (b"\n", b""),
    ],
)
def test_exactly_one_final_newline_is_stripped_and_said(value: bytes, stripped: bytes) -> None:
    assert without_final_newline(value) == (stripped, "one final newline stripped")


@pytest.mark.parametrize("value", [b"a", b"", b"\na", b"a\r", b"a\n "])
def test_a_value_without_a_final_newline_stays(value: bytes) -> None:
    assert without_final_newline(value) == (value, None)


# Who can read it, and whether it ever changes


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Say which file system the test's folder is on."""

    def say(filesystem: str) -> None:
        mounts = [Mount(tmp_path.stat().st_dev, "/", filesystem)]
        monkeypatch.setattr(_files, "read_mounts", lambda: mounts)

    return say


@pytest.mark.parametrize(("mode", "expected"), [(0o604, True), (0o644, True), (0o600, False), (0o640, False)])
def test_a_file_is_exposed_when_others_can_read_it(
    folder: Path, on_disk: Callable[[str], None], mode: int, expected: bool
) -> None:
    on_disk("ext4")
    (folder / "pw").touch()
    (folder / "pw").chmod(mode)
    assert is_exposed(folder / "pw") is expected
    with (folder / "pw").open() as file:
        assert is_exposed(file.fileno()) is expected


def test_a_file_on_a_mount_in_memory_is_not_exposed(folder: Path, on_disk: Callable[[str], None]) -> None:
    (folder / "pw").touch()
    (folder / "pw").chmod(0o644)
    on_disk("tmpfs")
    assert not is_exposed(folder / "pw")


def test_a_real_mount_in_memory_is_known_as_such(missing: Callable[[str], NoReturn]) -> None:
    points = [mount.point for mount in read_mounts() if mount.filesystem == "tmpfs" and os.access(mount.point, os.W_OK)]
    if not points:
        missing("a tmpfs to write to")
    with tempfile.NamedTemporaryFile(dir=points[0]) as file:
        os.fchmod(file.fileno(), 0o644)
        assert not is_exposed(file.name)


def test_a_file_that_does_not_exist_is_not_exposed(folder: Path) -> None:
    assert not is_exposed(folder / "pw")
    assert not is_exposed(f"{folder}/\0")


IN_MOUNTS_OF_ITS_OWN = """
import sys
from wellkept._files import is_exposed, is_never_updated
print(*(f"{path.rpartition('/')[2]}:{is_exposed(path)}:{is_never_updated(path)}" for path in sys.argv[1:]))
"""


@needs_root
def test_a_file_that_is_a_mount_of_its_own_is_never_updated_and_a_read_only_one_is_not_exposed(
    folder: Path, missing: Callable[[str], NoReturn]
) -> None:
    for name in ("plain", "sub path", "read-only", "source"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    (folder / "link").symlink_to("sub path")
    script = f"""
        mount --bind source 'sub path' && mount --bind source read-only && mount -o remount,bind,ro read-only &&
        exec '{sys.executable}' -c "$0" "$PWD/plain" "$PWD/sub path" "$PWD/link" "$PWD/read-only"
    """
    command = ["unshare", "--mount", "sh", "-c", script, IN_MOUNTS_OF_ITS_OWN]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        missing("the right to make a mount")
    on_disk = is_exposed(folder / "plain")  # not where the tests run in memory
    assert done.stdout.split(":")[1] == str(on_disk)
    assert done.stdout == (f"plain:{on_disk}:False sub path:{on_disk}:True link:{on_disk}:True read-only:False:True\n")


def test_a_plain_file_and_a_mounted_directory_are_updated(folder: Path) -> None:
    (folder / "pw").touch()
    assert not is_never_updated(folder / "pw")
    assert not is_never_updated("/proc")
    assert not is_never_updated("/\0")


def test_a_mount_table_is_read_as_the_kernel_writes_it() -> None:
    text = (
        "36 35 98:0 /mnt1 /mnt/a\\040b\\134c rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
        "no mount at all\n"
        "25 24 0:23 / /dev/shm rw shared:1 master:2 - tmpfs tmpfs rw,size=24684084k\n"
    )
    assert list(parse_mounts(text)) == [
        Mount(os.makedev(98, 0), "/mnt/a b\\c", "ext3"),
        Mount(os.makedev(0, 23), "/dev/shm", "tmpfs"),  # noqa: S108 it is compared, not used
    ]


def test_a_system_without_a_mount_table_has_no_mounts(tmp_path: Path) -> None:
    assert read_mounts(str(tmp_path / "mountinfo")) == []


# Writing a file


def test_a_written_file_is_for_its_owner_only_whatever_the_umask(folder: Path) -> None:
    umask = os.umask(0)
    try:
        write_private(folder / "pw", VALUE)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((folder / "pw").stat().st_mode) == 0o600
    assert (folder / "pw").read_bytes() == VALUE


def test_a_file_is_replaced_with_its_mode(folder: Path) -> None:
    (folder / "pw").write_bytes(b"old")
    (folder / "pw").chmod(0o644)
    write_private(folder / "pw", VALUE)
    assert (folder / "pw").read_bytes() == VALUE
    assert stat.S_IMODE((folder / "pw").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["pw"]


def test_a_link_is_replaced_and_not_followed(folder: Path) -> None:
    (folder / "elsewhere").write_bytes(b"old")
    (folder / "pw").symlink_to("elsewhere")
    write_private(folder / "pw", VALUE)
    assert (folder / "elsewhere").read_bytes() == b"old"
    assert not (folder / "pw").is_symlink()


def test_a_file_may_be_written_to_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    write_private("pw", VALUE)
    assert (folder / "pw").read_bytes() == VALUE


def test_a_write_that_fails_halfway_leaves_the_old_file_and_nothing_else(folder: Path) -> None:
    (folder / "pw").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(FileFault, match=r"pw: cannot be written \(File too large\)") as caught:
            write_private(folder / "pw", VALUE * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "CANARY" not in shown_by(caught.value)
    assert (folder / "pw").read_bytes() == b"old"
    assert [file.name for file in folder.iterdir()] == ["pw"]


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("directory", "is a directory, not a file"),
        ("missing/pw", "stands in a directory that does not exist"),
        ("a\0b", "is a path with a NUL character"),
        ("file/pw", r"cannot be written \(Not a directory\)"),
    ],
)
def test_where_no_file_can_be_written_the_fault_says_so_and_nothing_is_left(folder: Path, path: str, fact: str) -> None:
    (folder / "directory").mkdir()
    (folder / "file").touch()
    with pytest.raises(FileFault, match=fact) as caught:
        write_private(f"{folder}/{path}", VALUE)
    assert "CANARY" not in shown_by(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert sorted(file.name for file in folder.iterdir()) == ["directory", "file"]


def test_a_reader_sees_the_whole_old_or_the_whole_new_file(folder: Path) -> None:
    write_private(folder / "pw", b"0" * 5000)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            write_private(folder / "pw", str(number % 10).encode() * 5000)

    writer = threading.Thread(target=write)
    writer.start()
    seen = set[bytes]()
    try:
        for _ in range(5000):
            content = read_file(folder / "pw")
            assert content == content[:1] * 5000
            seen.add(content)
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 1
