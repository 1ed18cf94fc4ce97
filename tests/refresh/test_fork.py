"""Secrets stay fresh in every child, however it comes about; and no process ends what another one uses."""

import http.client
import json
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.refresh.programs.run import SEEN_S, Fact, Running, grouped, rotate, running
from tests.servers.kubelet import Mount
from tests.servers.process import wait_until

pytestmark = pytest.mark.timeout(180)

CHILDREN = 50
WORKERS = 4


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "db.secret"
    rotate(path, 1)
    return path


def all_saw(facts: list[Fact]) -> bool:
    return all(fact["is_there"] and fact["took_s"] <= SEEN_S for fact in facts)


# What a thread holds that is not there in the child


@pytest.mark.parametrize("held", ["engine", "runner", "callbacks", "process", "waiters"])
def test_fifty_of_fifty_children_live_that_were_forked_while_a_lock_was_held(
    held: str, file: Path, tmp_path: Path
) -> None:
    with running("forking", file, held, CHILDREN, errors=tmp_path / "errors") as program:
        program.wait_told("listens", CHILDREN)
        rotate(file, 2)
        assert program.wait() == 0
        children = program.told("loads")
        assert all_saw(program.told("is_there"))
        for fact in ("is_called", "refreshes", "loads"):
            assert Counter(child[fact] for child in children) == {True: CHILDREN}, fact
        assert program.told("codes")[0]["codes"] == [0] * CHILDREN
        assert program.errors == ""


def test_fifty_of_fifty_children_see_a_change_in_whose_midst_they_were_forked(tmp_path: Path) -> None:
    """Each by one thread: what is due at once must not start a second one beside the first."""
    with running("midway", CHILDREN, errors=tmp_path / "errors") as program:
        assert program.wait(120) == 0
        assert Counter(fact["is_there"] for fact in program.told("is_there")) == {True: CHILDREN + 1}
        assert Counter(fact["threads"] for fact in program.told("threads")) == {1: CHILDREN}
        assert program.errors == ""


def test_a_child_sees_a_change_that_was_forked_while_a_module_was_imported(file: Path, tmp_path: Path) -> None:
    """Its lock of that module would stay closed for ever."""
    with running("importing", file, errors=tmp_path / "errors") as program:
        program.wait_told("ready")
        rotate(file, 2)
        assert program.wait() == 0
        assert [fact["is_under_way"] for fact in program.told("is_under_way")] == [True]
        assert [fact["is_there"] for fact in program.told("is_there")] == [True, True]
        assert program.told("code")[0]["code"] == 0
        assert program.errors == ""


# How a child comes about


@pytest.mark.parametrize("ends_by", ["exit", "_exit"])
def test_children_of_children_see_a_change(ends_by: str, file: Path, tmp_path: Path) -> None:
    with running("nesting", file, 4, ends_by, errors=tmp_path / "errors") as program:
        program.wait_told("forked")
        rotate(file, 2)
        assert program.wait() == 7  # the code of the innermost, handed on by each
        assert len(program.told("is_there")) == 5
        assert all_saw(program.told("is_there"))
        assert program.errors == ""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver", "preloaded"])
def test_processes_of_multiprocessing_see_a_change(method: str, file: Path, tmp_path: Path) -> None:
    with running("processing", file, method, errors=tmp_path / "errors") as program:
        started = program.wait_told("started", WORKERS)
        rotate(file, 2)
        assert program.wait() == 0
        assert {fact["inherits"] for fact in started} == {method in {"fork", "preloaded"}}
        assert len(program.told("is_there")) == WORKERS + 1
        assert all_saw(program.told("is_there"))
        assert program.told("codes")[0]["codes"] == [0] * WORKERS


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_secret_is_not_handed_to_a_process_that_inherits_nothing(method: str, file: Path, tmp_path: Path) -> None:
    with running("processing", file, method, errors=tmp_path / "errors") as program:
        assert program.wait_told("refused")[0]["refused"] == "SecretLeak"


# Descriptors, and other programs


def test_two_hundred_forks_leave_the_descriptors_of_the_parent_as_they_are(file: Path, tmp_path: Path) -> None:
    with running("counting", file, errors=tmp_path / "errors") as program:
        assert program.wait() == 0
        (parent,), children = program.told("before"), program.told("own_pipe")
        assert (parent["after"], parent["codes"], parent["same_pipe"]) == (parent["before"], [0], True)
        assert len(children) == 200
        assert {fact["has"] for fact in children} == {parent["before"]}
        assert all(fact["own_pipe"] for fact in children)
        assert program.errors == ""


def test_another_program_inherits_nothing_and_only_preexec_fn_is_a_fork(file: Path, tmp_path: Path) -> None:
    with running("counting", file, errors=tmp_path / "errors") as program:
        assert program.wait() == 0
        (plain,), (hooked,) = program.told("leaks"), program.told("leaks_with_preexec")
        assert (plain["leaks"], plain["hooks"]) == (0, 0)
        assert (hooked["leaks_with_preexec"], hooked["hooks"]) == (0, 1)
        assert hooked["after"] == program.told("before")[0]["before"]
        assert program.errors == ""


def test_a_child_that_becomes_another_program_leaves_no_socket_behind(file: Path, tmp_path: Path) -> None:
    sockets = tmp_path / "run"
    sockets.mkdir(mode=0o700)
    config = tmp_path / "Config.toml"
    config.touch(mode=0o600)
    config.write_text(f'dbPassword = "${{file:{file}?ttl=1s}}"\n[wellkept]\nstatus = true\n', encoding="utf-8")
    environ = {"XDG_RUNTIME_DIR": str(sockets)}
    with running("executing", config, errors=tmp_path / "errors", environ=environ) as program:
        (ready,) = program.wait_told("ready")
        rotate(file, 2)
        assert program.wait() == 0
        assert ready["strays"] == 0
        assert all(fact["is_there"] for fact in program.told("is_there"))
        assert program.errors == ""


def test_a_program_that_becomes_a_daemon_is_followed_and_its_own_files_are_left_alone(
    file: Path, tmp_path: Path
) -> None:
    with running("daemonizing", file, errors=tmp_path / "errors") as program:
        wait_until((tmp_path / "own").exists, "it has closed all descriptors", timeout_s=60)
        rotate(file, 2)
        assert program.wait() == 0
        facts = program.told("is_there")
        assert len(facts) == 2
        assert all(fact["is_there"] and fact["are_open"] for fact in facts)
        assert all(fact["is_unread"] and fact["is_unwritten"] for fact in facts)
        assert program.errors == ""


# No room for a thread


def test_a_child_in_which_no_thread_starts_follows_when_one_does(file: Path, tmp_path: Path) -> None:
    with running("starving", file, "fork", errors=tmp_path / "errors") as program:
        program.wait_told("ready")
        rotate(file, 2)
        assert program.wait() == 0
        assert [fact["is_there"] for fact in program.told("is_there")] == [True]
        assert program.errors == ""


def test_a_load_without_room_for_a_thread_is_followed_when_there_is_some(file: Path, tmp_path: Path) -> None:
    with running("starving", file, "load", errors=tmp_path / "errors") as program:
        program.wait_told("ready")
        rotate(file, 2)
        assert program.wait() == 0
        assert [(fact["is_there"], fact["again"]) for fact in program.told("is_there")] == [(True, True)]
        assert program.errors == ""


def test_who_hears_that_there_is_no_room_for_a_thread_may_load(file: Path, tmp_path: Path) -> None:
    with running("starving", file, "hearing", errors=tmp_path / "errors") as program:
        program.wait_told("ready")
        rotate(file, 2)
        assert program.wait() == 0
        assert program.told("heard")[0]["heard"] == 1
        assert program.errors == ""


def test_a_change_without_room_for_a_thread_is_seen_and_callbacks_come_later(file: Path, tmp_path: Path) -> None:
    with running("starving", file, "later", errors=tmp_path / "errors") as program:
        program.wait_told("ready")
        rotate(file, 2)
        program.wait_told("ready", 2)
        rotate(file, 3)
        assert program.wait() == 0
        assert [fact["is_there"] for fact in program.told("is_there")] == [True, True]
        assert program.told("is_called")[0]["is_called"]
        assert program.errors == ""


# What each obtained itself, it ends; the rest ends by itself


def owned(how: str, tmp_path: Path) -> tuple[list[Fact], list[Fact], Running]:
    """What a parent ended, and what its child ended; each has obtained two leases and a login since the fork."""
    ledger = tmp_path / "ledger"
    with running("owning", ledger, how, errors=tmp_path / "errors") as program:
        assert program.wait() == 3
        assert program.told("runs")[0]["runs"]
        assert program.errors == ""
    ends = [one for one in map(json.loads, ledger.read_text().splitlines()) if one["did"] in {"revoke", "log_out"}]
    parent = program.process.pid
    return [one for one in ends if one["by"] == parent], [one for one in ends if one["by"] != parent], program


def names(ends: list[Fact]) -> set[str]:
    return {one["whose"] for one in ends}


@pytest.mark.parametrize("how", ["exit", "_exit", "process", "preexec"])
def test_a_parent_ends_what_it_obtained_after_the_fork_and_nothing_before(how: str, tmp_path: Path) -> None:
    ends, _, program = owned(how, tmp_path)
    pid = program.process.pid
    assert names(ends) == {f"lease-{pid}-2", f"lease-{pid}-3", f"login-{pid}-2"}


@pytest.mark.parametrize("how", ["exit", "process"])
def test_a_child_that_exits_ends_what_it_obtained_and_nothing_of_its_parent(how: str, tmp_path: Path) -> None:
    _, ends, program = owned(how, tmp_path)
    pid = program.told("child")[0]["pid"]
    assert names(ends) == {f"lease-{pid}-2", f"lease-{pid}-3", f"login-{pid}-2"}


def test_a_child_that_leaves_at_once_leaves_all_to_its_own_end(tmp_path: Path) -> None:
    _, ends, _ = owned("_exit", tmp_path)
    assert ends == []


# Gunicorn


@contextmanager
def gunicorn(worker: str, mount: Mount, folder: Path) -> Generator[int]:
    """Four workers of an application that was loaded before they were forked; on which port.

    It inherits the socket: a port that was free a moment ago may be another program's by the time that it listens.
    """
    application = "asgi" if "uvicorn" in worker else "wsgi"
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--preload", "-w", str(WORKERS), "-k", worker]
    if worker == "gthread":
        command += ["--threads", "2"]
    environ = {"TESTS_REFRESH_MOUNT": str(mount.folder)}
    with ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
            command += ["-b", f"fd://{listener.fileno()}", f"tests.refresh.programs.serving:{application}"]
            inherits = [listener.fileno()]
            started = grouped(command, errors=folder / "errors", environ=environ, descriptors=inherits)
            process = stack.enter_context(started)
        wait_until(lambda: process.poll() is None and _answers(port), "gunicorn answers", timeout_s=60)
        yield port


def _answers(port: int) -> bool:
    try:
        ask(port)
    except OSError:
        return False
    return True


def ask(port: int) -> Fact:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert answer.status == 200
        fact: Fact = json.loads(answer.read())
        return fact
    finally:
        connection.close()


def ask_all(port: int, is_enough: Callable[[dict[int, int]], bool], timeout_s: float = 60.0) -> dict[int, int]:
    """Ask until the last answers of all workers, by their process, are such; every request is answered."""
    last: dict[int, int] = {}
    end_at = time.monotonic() + timeout_s
    while not is_enough(last):
        assert time.monotonic() < end_at, f"{last} after {timeout_s} s"
        fact = ask(port)
        assert fact["pid"] != fact["loaded_by"]
        last[fact["pid"]] = fact["number"]
        time.sleep(0.01)
    return last


@pytest.mark.parametrize("worker", ["sync", "gthread", "uvicorn.workers.UvicornWorker"])
def test_every_worker_of_gunicorn_answers_the_new_value(worker: str, tmp_path: Path) -> None:
    mount = Mount(tmp_path / "mount")
    mount.publish(dbPassword="CANARY-1")
    with gunicorn(worker, mount, tmp_path) as port:
        workers = ask_all(port, lambda last: len(last) == WORKERS)
        for number in (2, 3):
            mount.publish(dbPassword=f"CANARY-{number}")
            wanted = dict.fromkeys(workers, number)
            ask_all(port, lambda last, wanted=wanted: last == wanted)  # type: ignore[misc]  # bound now
        (killed, *_rest) = workers
        _kill(killed)
        workers = ask_all(port, lambda last: len(last) == WORKERS)
        assert killed not in workers
        mount.publish(dbPassword="CANARY-4")
        wanted = dict.fromkeys(workers, 4)
        ask_all(port, lambda last: last == wanted)
    assert "Traceback" not in (tmp_path / "errors").read_text()


def _kill(worker: int) -> None:
    """Kill a worker of the gunicorn that this test has started."""
    os.kill(worker, signal.SIGKILL)
