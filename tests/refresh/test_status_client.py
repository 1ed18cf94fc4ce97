"""Asking a process: what an answer, a wrong answer and no answer come to; and which processes there are."""

import os
import socket
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.refresh.answering import PATIENCE_S, US, Served, answering, left_behind, names, opened, secret, status
from wellkept.errors import Malformed, TimedOut, Unreachable
from wellkept.refresh.served import MAX_BYTES
from wellkept.refresh.status_client import ask, owner_of, processes

NO_PROCESS = 2**22 + 1  # above the largest number that Linux gives


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "wellkept")


@pytest.fixture
def served(folder: str) -> Generator[Served]:
    with closing(Served(folder, lambda: status(secret()))) as made:
        yield made


class Impostor:
    """Something else that listens where a process should answer."""

    def __init__(self, folder: str, answer: bytes) -> None:
        Path(folder).mkdir(mode=0o700)
        self._listener = socket.socket(socket.AF_UNIX)
        with opened(folder) as descriptor:
            self._listener.bind(f"/proc/self/fd/{descriptor}/{US}.sock")
        self._listener.listen()
        self._answer = answer
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()

    def _loop(self) -> None:
        with suppress(OSError):  # closed
            while True:
                peer, _ = self._listener.accept()
                with peer, suppress(OSError):  # it has heard enough
                    peer.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.mark.parametrize("answer", [b"<html>CANARY</html>\n", b"\xff\n", b"[" * 100_000 + b"\n", b'{"format": NaN}\n'])
def test_an_answer_that_is_no_status_is_malformed_and_not_quoted(folder: str, answer: bytes) -> None:
    with closing(Impostor(folder, answer)), pytest.raises(Malformed) as raised:
        ask(folder, US, PATIENCE_S)
    assert "CANARY" not in str(raised.value)


def test_an_answer_without_end_is_read_up_to_a_bound(folder: str) -> None:
    with closing(Impostor(folder, bytes(MAX_BYTES + 1))), pytest.raises(Malformed, match="more than 16 MiB"):
        ask(folder, US, PATIENCE_S)


def test_an_answer_that_is_cut_short_is_asked_for_again_until_it_is_late(folder: str) -> None:
    def said() -> str:
        with pytest.raises(TimedOut) as raised:
            ask(folder, US, 0.5)
        return raised.value.message

    with closing(Impostor(folder, b'{"format":')):
        # Where the machine holds the impostor up, the last of the answers has not come when it is late.
        assert any("was cut short" in said() for _ in range(50))


def test_a_stopped_process_is_late(folder: str) -> None:
    with answering(folder, status()) as other:
        other.stop()
        with pytest.raises(TimedOut, match=rf"^process {other.pid}: did not answer in time"):
            ask(folder, other.pid, 0.5)
        assert processes(folder) == [other.pid]


def test_a_process_that_is_not_there_is_unreachable(folder: str) -> None:
    with pytest.raises(Unreachable, match=rf"^process {NO_PROCESS}: is not there"):
        ask(folder, NO_PROCESS)


def test_a_process_without_a_socket_gives_no_status_and_the_hint_says_how(served: Served) -> None:
    with pytest.raises(Unreachable, match=rf"^process {os.getppid()}: gives no status\n.*\[wellkept\] status = true"):
        ask(served.folder, os.getppid())


def test_a_process_that_was_killed_is_not_there(folder: str) -> None:
    with answering(folder, status()) as other:
        other.kill()
        with pytest.raises(Unreachable, match="is not there"):
            ask(folder, other.pid)


def test_processes_that_answer_are_listed_and_what_dead_ones_left_is_removed(served: Served) -> None:
    with answering(served.folder, status()) as first, answering(served.folder, status()) as second:
        assert processes(served.folder) == sorted([US, first.pid, second.pid])
        first.kill()
        assert processes(served.folder) == sorted([US, second.pid])
        assert names(served.folder) == sorted(f"{one}.sock" for one in (US, second.pid))
        second.end()
    assert names(served.folder) == [f"{US}.sock"]


def test_other_things_in_the_folder_are_no_processes(served: Served) -> None:
    for name in ("notes.txt", "0.sock", "12.sock", "1e3.sock"):
        Path(served.folder, name).touch()
    assert processes(served.folder) == [US]


def test_a_socket_of_a_living_process_is_never_removed_though_nobody_listens(folder: str) -> None:
    left_behind(folder, US)
    assert processes(folder) == []
    assert names(folder) == [f"{US}.sock"]


def test_where_there_is_no_folder_there_are_no_processes(folder: str) -> None:
    assert processes(folder) == []


def test_whose_a_process_is_can_be_seen() -> None:
    assert owner_of(US) == os.geteuid()
    assert owner_of(NO_PROCESS) is None
