"""The socket on which a process answers for its status: who may ask, what is said, and what becomes of the file."""

import os
import select
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from tests.refresh.answering import PATIENCE_S, US, Served, left_behind, names, secret, status
from wellkept._files import FileFault
from wellkept.errors import Denied
from wellkept.refresh.served import END, StatusSocket, runtime_folder, runtime_folders
from wellkept.refresh.status import Status
from wellkept.refresh.status_client import ask, processes
from wellkept.secret import State

NOBODY = 65534

# Connects as nobody: from inside the folder, since nobody may not come to it. Prints what it got.
AS_NOBODY = """
import os, socket, sys
os.chdir(sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(20)
try:
    peer.connect(sys.argv[2])
    print(peer.recv(100))
except PermissionError:
    print("not permitted")
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "wellkept")


@pytest.fixture
def served(folder: str) -> Generator[Served]:
    with closing(Served(folder, lambda: status(secret(), secret("api_key", State.STALE, failure="denied")))) as made:
        yield made


def as_nobody(missing: Callable[[str], NoReturn], folder: str) -> str:
    """What another user gets from our socket."""
    if os.geteuid() != 0:
        missing("only root can become another user")
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, folder, f"{US}.sock"], capture_output=True, text=True, check=True, timeout=50
    )
    return done.stdout.strip()


def test_who_asks_gets_the_status(served: Served) -> None:
    assert ask(served.folder, US, PATIENCE_S) == status(secret(), secret("api_key", State.STALE, failure="denied"))


def test_folder_and_socket_are_for_their_owner_only(served: Served) -> None:
    assert stat.S_IMODE(Path(served.folder).stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(served.folder, f"{US}.sock").stat().st_mode) == 0o600


def test_another_user_cannot_open_it(served: Served, missing: Callable[[str], NoReturn]) -> None:
    assert as_nobody(missing, served.folder) == "not permitted"


def test_another_user_gets_nothing_even_where_the_modes_let_it_in(
    served: Served, missing: Callable[[str], NoReturn]
) -> None:
    Path(served.folder).chmod(0o755)
    Path(served.folder, f"{US}.sock").chmod(0o666)
    assert as_nobody(missing, served.folder) == "b''"


def test_a_folder_that_others_may_enter_is_not_used(folder: str) -> None:
    Path(folder).mkdir(mode=0o750)
    Path(folder).chmod(0o750)
    with pytest.raises(FileFault, match="is open to other users"):
        StatusSocket(folder, US)
    with pytest.raises(Denied, match="is open to other users"):
        ask(folder, US)


def test_a_folder_of_another_user_is_not_used(folder: str, missing: Callable[[str], NoReturn]) -> None:
    Path(folder).mkdir(mode=0o700)
    try:
        os.chown(folder, NOBODY, NOBODY)
    except PermissionError:
        missing("only root can give a folder away")
    with pytest.raises(FileFault, match="belongs to another user"):
        StatusSocket(folder, US)
    with pytest.raises(Denied, match="belongs to another user"):
        ask(folder, US)
    with pytest.raises(FileFault, match="belongs to another user"):
        processes(folder)


def test_a_link_is_not_followed_to_a_folder(folder: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    Path(folder).symlink_to("elsewhere")
    with pytest.raises(FileFault, match="is a link or no folder"):
        StatusSocket(folder, US)


def test_a_folder_that_cannot_be_made_is_named(folder: str) -> None:
    with pytest.raises(FileFault, match=r"missing/wellkept: cannot be made \(no such file or directory\)"):
        StatusSocket(f"{Path(folder).parent}/missing/wellkept", US)


def test_a_path_that_is_too_long_for_a_socket_works(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 40)
    deep.mkdir()
    with closing(Served(str(deep / "wellkept"), lambda: status(secret()))) as made:
        assert ask(made.folder, US, PATIENCE_S).secrets == (secret(),)
        assert processes(made.folder) == [US]


def test_closing_removes_the_file(folder: str) -> None:
    made = StatusSocket(folder, US)
    made.close()
    assert names(folder) == []
    assert made.fileno() == -1
    made.close()


def test_closing_leaves_a_file_that_is_not_its_own(folder: str) -> None:
    first = StatusSocket(folder, US)
    Path(folder, f"{US}.sock").unlink()
    second = StatusSocket(folder, US)
    first.close()
    assert names(folder) == [f"{US}.sock"]
    second.close()


def test_what_a_dead_process_of_the_same_number_left_is_replaced(folder: str) -> None:
    left_behind(folder, US)
    with closing(Served(folder, lambda: status(secret()))):
        assert ask(folder, US, PATIENCE_S).secrets == (secret(),)


def test_a_socket_that_answers_is_not_taken_over(served: Served) -> None:
    with pytest.raises(FileFault, match=rf"{US}\.sock: is in use"):
        StatusSocket(served.folder, US)
    assert ask(served.folder, US, PATIENCE_S).pid == US


def test_a_file_in_its_place_is_not_removed(folder: str) -> None:
    Path(folder).mkdir(mode=0o700)
    Path(folder, f"{US}.sock").write_text("mine", encoding="utf-8")
    with pytest.raises(FileFault, match="is in use"):
        StatusSocket(folder, US)
    assert Path(folder, f"{US}.sock").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("lets_go", [StatusSocket.drop, StatusSocket.close])
def test_a_forked_child_neither_answers_nor_removes_the_file(
    folder: str, lets_go: Callable[[StatusSocket], None]
) -> None:
    made = StatusSocket(folder, US)
    child = os.fork()
    if child == 0:  # no assertion here: the child must not come back into pytest
        made.serve(lambda: status(secret("of_the_child")))
        lets_go(made)
        os._exit(0 if made.fileno() == -1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    peers: list[Status] = []
    asker = threading.Thread(target=lambda: peers.append(ask(folder, US, PATIENCE_S)))
    asker.start()
    select.select([made], [], [])
    made.serve(lambda: status(secret("of_the_parent")))
    asker.join()
    assert [one.name for one in peers[0].secrets] == ["of_the_parent"]
    made.close()


def test_a_peer_that_says_nothing_does_not_hold_up_the_next(served: Served) -> None:
    with closing(served.connect()):
        assert ask(served.folder, US, PATIENCE_S).pid == US


def test_a_peer_that_reads_nothing_is_left_after_a_moment(folder: str) -> None:
    many = status(*(secret(f"setting_{number}") for number in range(10_000)))
    with closing(Served(folder, lambda: many)) as made, closing(made.connect()) as slow:
        assert ask(folder, US, PATIENCE_S) == many
        got = b"".join(iter(lambda: slow.recv(1 << 20), b""))
    assert not got.endswith(END)


def test_a_peer_that_goes_away_is_nobodys_trouble(served: Served) -> None:
    for _ in range(20):
        served.connect().close()
    assert ask(served.folder, US, PATIENCE_S).pid == US


def test_nobody_waiting_is_no_trouble_either(folder: str) -> None:
    with closing(StatusSocket(folder, US)) as made:
        made.serve(status)


@pytest.mark.parametrize("count", [0, 1_000, 10_000])
def test_that_many_secrets_fit(folder: str, count: int) -> None:
    many = status(*(secret(f"setting_{number}") for number in range(count)))
    with closing(Served(folder, lambda: many)):
        assert ask(folder, US, PATIENCE_S) == many


def test_the_folder_stands_in_the_runtime_folder_of_the_user(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": "/scratch"}
    assert runtime_folder(environ) == f"{tmp_path}/wellkept"
    assert runtime_folders(environ) == [f"{tmp_path}/wellkept"]


@pytest.mark.parametrize("odd", ["", "relative", "/no/such/folder", "/\0"])
def test_a_runtime_folder_that_is_none_is_passed_over(odd: str) -> None:
    assert runtime_folders({"XDG_RUNTIME_DIR": odd, "TMPDIR": "/scratch"})[-1] == f"/scratch/wellkept-{os.geteuid()}"


def test_a_runtime_folder_of_another_user_is_passed_over(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    try:
        os.chown(tmp_path, NOBODY, NOBODY)
    except PermissionError:
        missing("only root can give a folder away")
    assert f"{tmp_path}/wellkept" not in runtime_folders({"XDG_RUNTIME_DIR": str(tmp_path)})


def test_the_folders_of_another_user_do_not_stand_in_our_environment(tmp_path: Path) -> None:
    folders = runtime_folders({"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": "/scratch"}, NOBODY)
    assert folders[-1] == f"/scratch/wellkept-{NOBODY}"
    assert f"{tmp_path}/wellkept" not in folders


def test_nothing_loads_it_until_it_is_used() -> None:
    code = "import sys, wellkept; wellkept.load; print({'socket', 'wellkept.refresh.served'} & {*sys.modules})"
    environ = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}  # it loads sockets
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Uses up all descriptors, so that no peer can be accepted, and gives them back.
WITHOUT_DESCRIPTORS = """
import os, resource, socket, sys
from wellkept.refresh.served import StatusSocket
from wellkept.refresh.status import Status
os.chdir(sys.argv[1])
served = StatusSocket("wellkept", 7)
peer = socket.socket(socket.AF_UNIX)
peer.connect("wellkept/7.sock")
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (peer.fileno() + 1, hard))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
served.serve(lambda: Status(7))
peer.setblocking(False)
try:
    print(peer.recv(1))
except BlockingIOError:
    print("still waits")
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
served.serve(lambda: Status(7))
peer.setblocking(True)
print(peer.recv(10))
"""


def test_a_process_that_is_out_of_descriptors_answers_when_it_has_some_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert done.stdout.splitlines() == ["still waits", "b'{\"format\":'"]
