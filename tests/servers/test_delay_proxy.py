"""A longer way is as long as it says, for many at once, and carries what it is given."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from tests.servers import answers
from tests.servers.certificates import HOST
from tests.servers.delay_proxy import DelayProxy
from tests.servers.listener import Listener, Visit
from tests.servers.process import PATIENCE_S, free_port


def ask(port: int, times: int) -> list[float]:
    """How long each request took on one connection."""
    connection = HTTPConnection(HOST, port, timeout=PATIENCE_S)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", "/v1/secret/data/prod/db")
        assert b"hostile-CANARY" in connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def test_a_request_takes_a_round_trip_and_the_first_takes_two() -> None:
    with Listener(answers.a_good_answer) as server, DelayProxy(server.port, 0.05) as proxy:
        first, *others = ask(proxy.port, 5)
        while min(others) >= 0.1:  # two round trips: the machine is busy, or the test's own time is up
            others += ask(proxy.port, 5)[1:]
    assert first >= 0.1
    assert min(others) >= 0.05


def test_connections_do_not_wait_for_each_other() -> None:
    all_ask = threading.Barrier(16)

    def answer(visit: Visit) -> None:
        all_ask.wait(PATIENCE_S)  # each is answered when all have asked
        answers.a_good_answer(visit)

    with Listener(answer) as server, DelayProxy(server.port, 0.05) as proxy, ThreadPoolExecutor(16) as pool:
        assert len(list(pool.map(lambda _: ask(proxy.port, 4), range(16)))) == 16


def test_a_large_answer_comes_whole_and_an_end_is_passed_on() -> None:
    body = bytes(range(256)) * 40_000
    with (
        Listener(lambda visit: answers.respond(visit, body, "Connection: close")) as server,
        DelayProxy(server.port, 0.005) as proxy,
    ):
        connection = HTTPConnection(HOST, proxy.port, timeout=PATIENCE_S)
        connection.request("POST", "/", body)
        assert connection.getresponse().read() == body
        connection.close()
    assert server.requests[0].endswith(body)


def test_a_target_that_is_not_there_is_a_connection_that_ends() -> None:
    with DelayProxy(free_port(), 0.005) as proxy, pytest.raises(OSError):  # noqa: PT011 reset or end, as it comes
        ask(proxy.port, 1)
    assert not [thread for thread in threading.enumerate() if thread.name == "delay-proxy"]


def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.servers.delay_proxy", "--listen", "0", "--delay-ms", "5", "--target"]
    with (
        Listener(answers.a_good_answer) as server,
        subprocess.Popen([*command, str(server.port)], stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert min(ask(int(process.stdout.readline()), 5)) >= 0.005
        finally:
            process.terminate()
