"""The client against a server that follows a script: deadlines, retries, connections, redirects, headers."""

import faulthandler
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from tests._http.scripted import answer, hang_up, scripted, silence
from wellkept._http import names, pool
from wellkept._http.address import Address, parse_address
from wellkept._http.client import Client
from wellkept._http.message import Failure, Request, Response
from wellkept.errors import Malformed, TimedOut, Unreachable
from wellkept.secret import Secret

READ = Request("GET", ("v1", "secret"))
WRITE = Request("POST", ("v1", "secret"), body={"a": 1})
TOKEN: Secret[str] = Secret("CANARY-token")


def client(address: str, **options: object) -> Client:
    settings = {"timeout_s": 5.0, **options}
    return Client(parse_address(address, what="test"), **settings)  # type: ignore[arg-type]  # what a test gives is right


def failure(made: Client, request: Request = READ) -> Failure:
    found = made.send(request)
    assert isinstance(found, Failure), found
    assert "CANARY" not in f"{found}"
    return found


def test_an_answer_is_its_status_and_its_json() -> None:
    with scripted(answer(200, b'{"a": [1]}')) as server:
        got = client(server.address).send(READ)
        assert got == Response(200, {"a": [1]})
        assert "1" not in repr(got).removeprefix("Response(status=200")


def test_segments_are_encoded_so_that_none_can_leave_its_place() -> None:
    request = Request("GET", ("v1", "a b", "c/d", "é?#"), query={"version": "3", "list": "a&b"})
    with scripted(answer()) as server:
        client(f"{server.address}/behind").send(request)
        assert (
            server.heads[0].splitlines()[0] == "GET /behind/v1/a%20b/c%2Fd/%C3%A9%3F%23?version=3&list=a%26b HTTP/1.1"
        )


def test_no_encoding_is_asked_for_and_the_host_is_the_servers() -> None:
    with scripted(answer()) as server:
        client(server.address).send(WRITE)
        lines = server.heads[0].splitlines()
        assert f"Host: 127.0.0.1:{server.port}" in lines
        assert "Accept-Encoding: identity" in lines
        assert "Content-Type: application/json" in lines


@pytest.mark.parametrize("value", ["CANARY\n", "CANARY\r\nX-Other: 1", " CANARY", "CANARY ", "CANARY\0", "CANARYé", ""])
def test_a_header_that_cannot_be_sent_is_refused_before_anything_is_sent(value: str) -> None:
    with scripted(answer()) as server:
        token = Secret(value) if value else value
        found = failure(client(server.address), Request("GET", ("v1",), headers={"X-Vault-Token": token}))
        assert found.error is Malformed
        assert found.fact == "X-Vault-Token: a header cannot hold one of its characters"
        assert not server.heads


def test_a_connection_is_kept_and_used_again() -> None:
    with scripted(answer()) as server:
        made = client(server.address)
        for _ in range(5):
            assert isinstance(made.send(READ), Response)
        assert server.connections == 1


def test_a_request_that_must_not_be_repeated_takes_a_new_connection() -> None:
    with scripted(answer()) as server:
        made = client(server.address)
        made.send(READ)
        made.send(WRITE)
        assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_noticed() -> None:
    with scripted(answer(200, b"{}", "Connection: close"), answer()) as server:
        made = client(server.address)
        assert isinstance(made.send(READ), Response)
        assert isinstance(made.send(READ), Response)
        assert server.connections == 2


def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one() -> None:
    def two(peer: socket.socket) -> None:
        answer(200, b'{"mine": 1}')(peer)
        answer(200, b'{"smuggled": 1}')(peer)

    with scripted(two, answer(200, b'{"mine": 2}')) as server:
        made = client(server.address)
        assert made.send(READ) == Response(200, {"mine": 1})
        time.sleep(0.05)
        assert made.send(READ) == Response(200, {"mine": 2})


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_asked_again(status: int) -> None:
    with scripted(answer(status), answer(200)) as server:
        got = client(server.address).send(READ)
        assert isinstance(got, Response)
        assert got.status == 200
        assert len(server.heads) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_what_will_not_change_is_asked_once(status: int) -> None:
    with scripted(answer(status), answer(200)) as server:
        got = client(server.address).send(READ)
        assert isinstance(got, Response)
        assert got.status == status


def test_a_write_is_repeated_only_where_the_server_says_that_it_did_nothing() -> None:
    with scripted(answer(503), answer(500), answer(200)) as server:
        got = client(server.address).send(WRITE)
        assert isinstance(got, Response)
        assert got.status == 500
        assert len(server.heads) == 2


def test_a_write_that_may_have_arrived_is_not_sent_twice() -> None:
    with scripted(hang_up, answer()) as server:
        found = failure(client(server.address), WRITE)
        assert found.error is Unreachable
        assert len(server.heads) == 1


def test_a_read_that_broke_off_is_sent_again() -> None:
    with scripted(hang_up, answer()) as server:
        assert isinstance(client(server.address).send(READ), Response)


def test_attempts_end() -> None:
    with scripted(answer(503)) as server:
        got = client(server.address).send(READ)
        assert isinstance(got, Response)
        assert got.status == 503
        assert len(server.heads) == 3


def test_retry_after_is_honoured_where_there_is_time_for_it() -> None:
    with scripted(answer(429, b"{}", "Retry-After: 1"), answer()) as server:
        before = time.monotonic()
        assert isinstance(client(server.address).send(READ), Response)
        assert time.monotonic() - before >= 1
    with scripted(answer(429, b"{}", "Retry-After: 60")) as server:
        before = time.monotonic()
        got = client(server.address).send(READ)
        assert isinstance(got, Response)
        assert got.retry_after_s == 60
        assert time.monotonic() - before < 1


@pytest.mark.parametrize("value", ["-1", "soon", "1e400", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT", "\u0663"])
def test_a_retry_after_that_is_no_number_of_seconds_counts_as_none(value: str) -> None:
    with scripted(answer(503, b"{}", f"Retry-After: {value}"), answer()) as server:
        before = time.monotonic()
        assert isinstance(client(server.address).send(READ), Response)
        assert time.monotonic() - before < 1


def test_a_deadline_holds_for_everything_together() -> None:
    with scripted(silence) as server:
        before = time.monotonic()
        found = failure(client(server.address, timeout_s=0.4))
        assert time.monotonic() - before < 0.6
        assert found.error is TimedOut
        assert found.fact == f"unreachable: {server.address} did not answer within 0.4 s"


def test_a_server_that_could_not_be_reached_a_moment_ago_is_not_tried_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[object] = []

    def refuse(_self: object, target: object) -> None:
        tried.append(target)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    made = client("http://127.0.0.1:1", attempts=1)
    first = failure(made)
    assert failure(made) == first
    assert len(tried) == 1
    time.sleep(1.05)
    failure(made)
    assert len(tried) == 2


def test_beside_a_request_without_an_answer_others_wait_for_less_and_may_well_succeed() -> None:
    with scripted(silence, silence, answer()) as server:
        made = client(server.address, timeout_s=1.5)
        failure(made)
        before = time.monotonic()
        assert "within 1 s" in failure(made).fact
        assert time.monotonic() - before < 1.3
        assert isinstance(made.send(READ), Response)


def test_a_hiccup_does_not_feed_on_itself() -> None:
    def slow(peer: socket.socket) -> None:
        time.sleep(1.2)
        answer()(peer)

    with scripted(silence, slow, slow, answer(), slow) as server:
        made = client(server.address, timeout_s=1.5)
        failure(made)
        assert "within 1 s" in failure(made).fact  # cut short, which says nothing of the server
        time.sleep(1.1)
        assert isinstance(made.send(READ), Response)
        assert isinstance(made.send(READ), Response)
        assert isinstance(made.send(READ), Response)


def test_a_port_where_nobody_listens_is_unreachable_at_once() -> None:
    found = failure(client("http://127.0.0.1:1"))
    assert (found.error, found.fact) == (Unreachable, "unreachable: http://127.0.0.1:1 (connection refused)")


def test_a_name_that_is_not_known_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "CANARY")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = failure(client("https://vault.example.com"))
    assert found.fact == "unreachable: vault.example.com is no name that is known"


def test_a_look_up_that_hangs_is_left_behind_and_there_are_only_a_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    release, real = threading.Event(), socket.getaddrinfo

    def stuck(host: bytes, *args: object, flags: int = 0, **options: object) -> object:
        if not flags:
            release.wait(10)
        return real(host, *args, flags=flags, **options)  # type: ignore[arg-type, misc]  # handed on

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    before, threads = time.monotonic(), threading.active_count()
    for number in range(names.MOST_STUCK + 4):
        found = failure(client(f"https://vault{number}.example.com", timeout_s=0.05))
        assert found.error is TimedOut
    assert time.monotonic() - before < 2
    assert threading.active_count() - threads <= names.MOST_STUCK
    release.set()
    while names._on_their_way:  # the next test may want all places
        time.sleep(0.01)


def test_threads_that_want_the_same_name_share_one_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    real = socket.getaddrinfo

    def counted(host: bytes, *args: object, flags: int = 0, **options: object) -> object:
        if not flags:
            asked.append(host)
            time.sleep(0.1)
        return real(host, *args, flags=flags, **options)  # type: ignore[arg-type, misc]  # handed on

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    with scripted(answer()) as server:
        made = client(f"http://localhost:{server.port}")
        threads = [threading.Thread(target=made.send, args=(READ,)) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert asked == [b"localhost"]
    assert len(server.heads) == 8


def test_a_name_for_this_machine_that_leads_elsewhere_gets_no_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 8200))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, flags=0, **_options: elsewhere if not flags else _none())
    before = time.monotonic()
    assert failure(client("http://localhost:8200")).error is Unreachable
    assert time.monotonic() - before < 2


def _none() -> None:
    raise socket.gaierror(socket.EAI_NONAME, "no number")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_to_an_address_that_nobody_listed(status: int) -> None:
    with scripted(answer()) as other, scripted(answer(status, b"", f"Location: {other.address}/v1/x")) as server:
        request = Request("GET", ("v1",), headers={"X-Vault-Token": TOKEN})
        found = failure(client(server.address), request)
        assert found.error is Unreachable
        assert "redirect" in found.fact
        assert not other.heads
        assert not other.connections


def test_a_standbys_redirect_to_a_listed_node_is_followed_once() -> None:
    with scripted(answer(200, b'{"active": 1}')) as active:
        with scripted(answer(307, b"", f"Location: {active.address}/v1/secret")) as standby:
            made = client(standby.address, peers=(parse_address(active.address, what="node"),))
            assert made.send(READ) == Response(200, {"active": 1})
            assert active.heads[0].startswith("GET /v1/secret HTTP/1.1")
        with scripted(answer(302, b"", f"Location: {active.address}/v1/secret")) as standby:
            made = client(standby.address, peers=(parse_address(active.address, what="node"),))
            assert "redirect" in failure(made).fact


def test_a_redirect_in_a_circle_ends() -> None:
    with scripted(answer()) as first:
        with scripted(answer(307, b"", f"Location: {first.address}/")) as second:
            made = client(second.address, peers=(parse_address(first.address, what="node"),))
            assert isinstance(made.send(READ), Response)
        with scripted(answer(307, b"", f"Location: http://127.0.0.1:{first.port}/")) as third:
            assert "redirect" in failure(client(third.address)).fact


def test_a_unix_socket_is_an_address_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        peer, _ = listener.accept()
        head = peer.recv(65536).decode()
        answer(200, b'{"host": "%s"}' % head.split("Host: ")[1].split("\r\n")[0].encode())(peer)
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert client(f"unix://{path}").send(READ) == Response(200, {"host": "localhost"})
    thread.join()
    listener.close()
    assert failure(client(f"unix://{tmp_path}/none.sock")).error is Unreachable


def test_there_are_never_more_connections_than_sixteen() -> None:
    def slow(peer: socket.socket) -> None:
        time.sleep(0.05)
        answer()(peer)

    with scripted(slow) as server:
        made = client(server.address)
        threads = [threading.Thread(target=made.send, args=(READ,)) for _ in range(40)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(server.heads) == 40
        assert server.connections <= pool.CONNECTIONS


def sends_in_a_child(made: Client) -> bool:
    """Whether a forked child gets an answer; whatever happens there, it ends there."""
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(20, exit=True)
        code = 1
        try:
            code = 0 if isinstance(made.send(READ), Response) else 2
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def test_a_forked_child_uses_no_connection_of_its_parent() -> None:
    with scripted(answer()) as server:
        made = client(server.address)
        made.send(READ)
        assert sends_in_a_child(made)
        assert isinstance(made.send(READ), Response)
        assert server.connections == 2  # the parent's own one is still good


def test_a_child_that_is_forked_while_others_talk_is_not_stuck() -> None:
    with scripted(answer()) as server:
        made = client(server.address)
        stop = threading.Event()

        def busy() -> None:
            while not stop.is_set():
                made.send(READ)

        threads = [threading.Thread(target=busy, daemon=True) for _ in range(4)]
        for one in threads:
            one.start()
        try:
            for _ in range(20):
                assert sends_in_a_child(made)
        finally:
            stop.set()
            for one in threads:
                one.join()


def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_header_of_ours() -> None:
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        seen.append(peer.recv(65536))
        peer.sendall(b"HTTP/1.1 403 no\r\n\r\n")
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    through = Address("http", "127.0.0.1", listener.getsockname()[1])
    found = failure(
        client("https://vault.example.com", proxy=through), Request("GET", (), headers={"X-Vault-Token": TOKEN})
    )
    thread.join()
    listener.close()
    assert found.error is Unreachable
    assert "the proxy" in found.fact
    assert seen == [b"CONNECT vault.example.com:443 HTTP/1.1\r\nHost: vault.example.com:443\r\n\r\n"]


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with scripted(answer()) as server:
        assert isinstance(client(server.address).send(READ), Response)
