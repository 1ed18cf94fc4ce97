"""The hostile answers are what their names say, and none outlives its server."""

import gzip
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import pytest

from tests.servers import answers
from tests.servers.certificates import HOST, Authority
from tests.servers.hostile import HOSTILE, HostileServer
from tests.servers.process import PATIENCE_S, wait_until

ASKED = b"GET /v1/secret/data/prod/db HTTP/1.1\r\nHost: vault\r\nX-Vault-Token: token-CANARY\r\n\r\n"
ENDLESS = [
    *("continue-flood", "endless-chunks", "tiny-chunks", "endless-chunk-size", "endless-trailers"),
    *("no-length-no-end", "gigabyte"),
]
SLOW = ["slow-status", "slow-header", "dripping-body"]
BODIES = sorted(name for name in HOSTILE if name.startswith("json-") and name != "json-as-html")

Start = Callable[..., HostileServer]


def connected(server: HostileServer) -> socket.socket:
    connection = socket.create_connection((HOST, server.port), timeout=PATIENCE_S)
    connection.sendall(ASKED)
    return connection


def heard(
    server: HostileServer, *, until: bytes | None = None, most: int = 1 << 20, for_s: float = PATIENCE_S
) -> bytes:
    """What the server says, until it hangs up, has said enough, or the time is over."""
    received = bytearray()
    end_at = time.monotonic() + for_s
    with connected(server) as connection:
        while len(received) < most and (left := end_at - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                data = connection.recv(1 << 16)
            except TimeoutError:
                break
            if not data:
                break
            received += data
            if until and until in received[-len(data) - len(until) :]:
                break
    return bytes(received)


def body_of(server: HostileServer) -> bytes:
    connection = HTTPConnection(HOST, server.port, timeout=PATIENCE_S)
    connection.request("GET", "/v1/secret/data/prod/db")
    body = connection.getresponse().read()
    connection.close()
    return body


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "listener connection"]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_ends_when_the_client_hangs_up(hostile: Start, name: str) -> None:
    server = hostile(name)
    with connected(server) as connection:
        if name != "silence":
            connection.recv(10)
    wait_until(lambda: server.requests == [ASKED] and not threads(), "its threads have ended")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_ends_when_the_server_is_closed(name: str) -> None:
    with HostileServer(HOSTILE[name]) as server:
        connection = connected(server)
        time.sleep(0.02)
        closed_at = time.monotonic()
    connection.close()
    assert time.monotonic() - closed_at < PATIENCE_S  # none ends by itself
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("listener")]


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_answer_goes_on(hostile: Start, name: str) -> None:
    assert len(heard(hostile(name), most=4 << 20)) >= 4 << 20


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_answer_is_slow(hostile: Start, name: str) -> None:
    text = heard(hostile(name), for_s=1)
    assert text.startswith(b"HTTP/1"[: len(text)])
    assert len(text.rpartition(b"\r\n")[2]) <= 6


def test_silence_is_silent(hostile: Start) -> None:
    server = hostile("silence")
    assert heard(server, for_s=0.3) == b""
    wait_until(lambda: server.requests == [ASKED], "it was asked")


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("gigabyte", b"Content-Length: 1073741824\r\n"),
        ("negative-length", b"Content-Length: -1\r\n"),
        ("odd-length", b"Content-Length: +1_0\r\n"),
        ("two-lengths", b"\r\nContent-Length: 2\r\n"),
        ("length-and-chunks", b"\r\nTransfer-Encoding: chunked\r\n"),
        ("bad-chunk-size", b"\r\n\r\n-5\r\n"),
        ("gzip-bomb", b"\r\nContent-Encoding: gzip\r\n"),
        ("unknown-encoding", b"\r\nContent-Encoding: zstd\r\n"),
        ("login-page", b"\r\nContent-Type: text/html\r\n"),
        ("no-content", b"HTTP/1.1 204 No Content\r\n"),
        ("absurd-status", b"HTTP/1.1 999 "),
        ("switching-protocols", b"HTTP/1.1 101 "),
        ("broken-headers", b"\r\nX-Nul: \0\r\n"),
        ("junk", b"-ERR"),
        ("tls-record", b"\x15\x03\x03\x00\x02\x02\x46"),
        ("hang-up", b""),
    ],
)
def test_an_answer_says_what_its_name_says(hostile: Start, name: str, fragment: bytes) -> None:
    assert fragment in heard(hostile(name), until=fragment, most=2000)


def test_headers_are_many_or_long(hostile: Start) -> None:
    end = answers.reading()
    assert heard(hostile("many-headers"), until=end, most=2 << 20).count(b"\r\nX-Many: a") == 100_000
    assert len(max(heard(hostile("long-header"), until=end, most=11 << 20).split(b"\r\n"), key=len)) > 10_000_000


def test_a_short_body_is_shorter_than_it_says(hostile: Start) -> None:
    head, _, body = heard(hostile("short-body")).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body) + 100}".encode() in head


def test_a_gzip_bomb_unpacks_to_a_thousand_times_its_size() -> None:
    length = 0
    with gzip.open(io.BytesIO(answers.bomb())) as opened:
        while block := opened.read(1 << 20):
            length += len(block)
    assert length > 200_000_000
    assert length > 900 * len(answers.bomb())


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_whole_and_its_json_is_odd(hostile: Start, name: str) -> None:
    body = body_of(hostile(name))
    if name in {"json-truncated", "json-and-more", "json-long-number"}:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|Extra data|Exceeds the limit"):
            json.loads(body)
    elif name.startswith("json-deep"):
        with pytest.raises(RecursionError):
            json.loads(body)
    else:
        assert repr(json.loads(body)) != repr(json.loads(answers.reading()))


def open_url(server: HostileServer, ca: Authority | None = None) -> bytes:
    """What a client gets that follows redirects and takes its headers along."""
    handlers = [HTTPSHandler(context=ca.client_context())] if ca else []
    asked = Request(f"{server.address}/v1/secret/data/prod/db", headers={"X-Vault-Token": "token-CANARY"})  # noqa: S310 it is ours
    with build_opener(ProxyHandler({}), *handlers).open(asked, timeout=PATIENCE_S) as answer:
        body: bytes = answer.read()
    return body


@pytest.mark.parametrize("name", ["redirect-to-another-host", "redirect-302-to-another-host", "redirect-to-plain-http"])
@pytest.mark.parametrize("uses_tls", [False, True])
def test_a_client_that_follows_takes_its_token_elsewhere(
    hostile: Start, ca: Authority, name: str, uses_tls: bool
) -> None:
    server = hostile(name, ca.server().server_context() if uses_tls else None)
    assert b"hostile-CANARY" in open_url(server, ca)
    assert [b"token-CANARY" in request for request in server.elsewhere.requests] == [True]


def test_a_client_that_stays_takes_its_token_nowhere(hostile: Start) -> None:
    server = hostile("redirect-to-another-host")
    assert body_of(server) == b""
    assert server.elsewhere.connections == 0


def test_a_redirect_to_itself_leads_on_and_on(hostile: Start) -> None:
    server = hostile("redirect-to-itself")
    with pytest.raises(HTTPError, match="infinite loop") as raised:
        open_url(server)
    raised.value.close()
    assert len(server.requests) > 3


def test_an_unasked_response_is_there_before_the_next_request(hostile: Start) -> None:
    server = hostile("unasked-response")
    said = heard(server, until=b"forged-CANARY")
    assert said.index(b"hostile-CANARY") < said.index(b"forged-CANARY")
    assert server.requests == [ASKED]


def test_a_reset_is_a_reset(hostile: Start) -> None:
    with connected(hostile("reset-in-the-body")) as connection:
        received = b""
        while b"hostile-CANARY" not in received:
            received += connection.recv(1000)
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: connection.recv(1000), b""))


def test_an_answer_of_one_s_own_needs_a_socket_only(hostile: Start) -> None:
    server = hostile(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
    assert body_of(server) == b"{}"


def test_silence_and_floods_end_with_tls_too(ca: Authority) -> None:
    context = ca.server().server_context()
    for name in ("silence", "endless-chunks", "dripping-body"):
        with HostileServer(HOSTILE[name], context) as server:
            raw = socket.create_connection((HOST, server.port), timeout=PATIENCE_S)
            connection = ca.client_context().wrap_socket(raw, server_hostname=HOST)
            connection.sendall(ASKED)
            time.sleep(0.05)
        with suppress(ssl.SSLEOFError):  # an end without a goodbye
            while connection.recv(1 << 20):
                pass
        connection.close()
    assert not threads()


def test_a_client_that_does_not_trust_is_no_problem(hostile: Start, ca: Authority) -> None:
    server = hostile("empty", ca.server().server_context())
    strict = ssl.create_default_context()
    with socket.create_connection((HOST, server.port), timeout=PATIENCE_S) as raw, pytest.raises(ssl.SSLError):
        strict.wrap_socket(raw, server_hostname=HOST)
    wait_until(lambda: not threads(), "its thread has ended")
    assert server.requests == []
