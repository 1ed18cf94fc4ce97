"""The carrier of OCSP against servers that follow a script: what is sent, where to, and how much is taken."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests._http.scripted import Script, Scripted, answer, hang_up, scripted, silence
from tests.tls.pki import CA
from wellkept._http import names
from wellkept._http import ocsp as carrier
from wellkept._http.ocsp import MAX_ANSWER_BYTES, fetch_ocsp, is_off_limits
from wellkept.tls.ocsp import Unanswered

KIND = "Content-Type: application/ocsp-response"


def reply(body: bytes = b"answer", status: int = 200, *headers: str, kind: str = KIND) -> Script:
    lines = [f"HTTP/1.1 {status} X", *([kind] if kind else []), f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda peer: peer.sendall("\r\n".join(lines).encode() + body)


def raw(data: bytes) -> Script:
    def send(peer: socket.socket) -> None:
        peer.sendall(data)
        raise ConnectionError

    return send


def fact(url: str, *, timeout_s: float = 5) -> str:
    with pytest.raises(Unanswered) as caught:
        fetch_ocsp(url, b"CANARY-question", timeout_s=timeout_s)
    assert isinstance(caught.value, OSError)
    assert "CANARY" not in f"{caught.value!r}"
    return caught.value.fact


def test_a_question_goes_out_as_rfc_6960_says_and_the_answer_comes_back_as_it_is() -> None:
    with scripted(reply(b"\x30\x00\xff")) as server:
        assert fetch_ocsp(f"{server.address}/ocsp", b"question") == b"\x30\x00\xff"
        lines = server.heads[0].splitlines()
    assert lines[0] == "POST /ocsp HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "Content-Type: application/ocsp-request" in lines
    assert "Content-Length: 8" in lines
    assert "Accept: application/ocsp-response" in lines
    assert not any(line.lower().startswith(("authorization", "cookie", "user-agent")) for line in lines)


@pytest.mark.parametrize(
    ("path", "sent"), [("", "/"), ("/", "/"), ("/ca/", "/ca/"), ("/ca", "/ca"), ("/a/b.c", "/a/b.c")]
)
def test_a_path_is_sent_as_it_stands_in_the_certificate(path: str, sent: str) -> None:
    with scripted(reply()) as server:
        fetch_ocsp(server.address + path, b"question")
        assert server.heads[0].split()[1] == sent


def test_a_name_is_looked_up_and_stays_in_the_host_header() -> None:
    with scripted(reply()) as server:
        assert fetch_ocsp(f"http://localhost:{server.port}", b"question") == b"answer"
        assert f"Host: localhost:{server.port}" in server.heads[0].splitlines()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with scripted(reply()) as other, scripted(reply(b"", status, f"Location: {other.address}")) as server:
        assert fact(server.address) == "answers with a redirect, which is not followed"
        assert not other.heads


@pytest.mark.parametrize("status", [204, 400, 404, 429, 500, 503])
def test_any_other_status_is_no_answer_and_is_not_tried_again(status: int) -> None:
    with scripted(reply(b"answer", status)) as server:
        assert fact(server.address) == f"answers with status {status}"
        assert len(server.heads) == 1


@pytest.mark.parametrize("kind", ["Content-Type: text/html", "Content-Type: application/ocsp-response-x", ""])
def test_another_content_type_is_no_answer(kind: str) -> None:
    with scripted(reply(kind=kind)) as server:
        assert fact(server.address) == "gave an answer that is none of OCSP"


def test_a_content_type_may_have_parameters_and_capitals() -> None:
    with scripted(reply(kind="Content-Type: Application/OCSP-Response; charset=binary")) as server:
        assert fetch_ocsp(server.address, b"question") == b"answer"


def test_an_answer_of_64_kib_is_taken_and_a_larger_one_is_not() -> None:
    most = bytes(MAX_ANSWER_BYTES)
    with scripted(reply(most), reply(most + b"x"), answer(200, most * 20, KIND)) as server:
        assert fetch_ocsp(server.address, b"question") == most
        assert fact(server.address) == "gave an answer that is larger than 64 KiB"


@pytest.mark.parametrize(
    "body",
    [
        f"HTTP/1.1 200 X\r\n{KIND}\r\nContent-Length: 999999999\r\n\r\n".encode(),
        f"HTTP/1.1 200 X\r\n{KIND}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + b"8000\r\n%s\r\n" % bytes(0x8000) * 3
        + b"0\r\n\r\n",
        f"HTTP/1.1 200 X\r\n{KIND}\r\n\r\n".encode() + bytes(MAX_ANSWER_BYTES + 1),
    ],
)
def test_no_way_to_tell_the_length_brings_more(body: bytes) -> None:
    with scripted(raw(body)) as server:
        assert fact(server.address) == "gave an answer that is larger than 64 KiB"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), "gave an answer that is no HTTP"),
        (
            raw(f"HTTP/1.1 200 X\r\n{KIND}\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx".encode()),
            "compressed",
        ),
        (raw(f"HTTP/1.1 200 X\r\n{KIND}\r\nContent-Length: 9\r\n\r\nx".encode()), "hung up"),
        (hang_up, "hung up"),
        (reply(b""), "gave an empty answer"),
    ],
)
def test_what_is_no_answer_is_told_in_words(script: Script, said: str) -> None:
    with scripted(script) as server:
        assert said in fact(server.address)


def test_a_responder_that_says_nothing_costs_its_deadline_and_no_more() -> None:
    with scripted(silence) as server:
        began = time.monotonic()
        assert fact(server.address, timeout_s=0.3) == "did not answer within 0.3 s"
        assert time.monotonic() - began < 2


def test_a_responder_that_answers_byte_by_byte_does_not_get_more_time() -> None:
    def drip(peer: socket.socket) -> None:
        for _ in range(100):
            peer.sendall(b"H")
            time.sleep(0.05)

    with scripted(drip) as server:
        began = time.monotonic()
        assert fact(server.address, timeout_s=0.3) == "did not answer within 0.3 s"
        assert time.monotonic() - began < 2


def test_a_port_where_nobody_listens_is_told() -> None:
    with scripted(reply()) as server:
        gone = server.address
    assert fact(gone) == "cannot be reached"


def test_a_name_that_nobody_knows_is_told() -> None:
    assert fact("http://no-such-host.invalid") == "has a name that cannot be looked up"


def test_a_name_server_that_says_nothing_costs_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()
    real = names._ask

    def ask(host: str, port: int, flags: int) -> list[names.Target]:
        return real(host, port, flags) if flags or ends.wait(10) else []

    monkeypatch.setattr(names, "_ask", ask)
    try:
        assert fact("http://ocsp.test", timeout_s=0.2) == "did not answer within 0.2 s"
    finally:
        ends.set()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://ocsp.test",
        "unix:///run/agent.sock",
        "http://user:CANARY@ocsp.test",
        "http://ocsp.test/?CANARY",
        "http://ocsp.test/a/../b",
        "http://ocsp.test/a b",
        "http://ocsp.test/\r\nX: 1",
        "http://",
        "CANARY",
        "",
    ],
)
def test_a_url_that_cannot_be_is_never_asked(url: str) -> None:
    assert fact(url).startswith("cannot be asked: its URL ")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "0.0.0.0",  # noqa: S104 it is refused
        "224.0.0.1",
        "fe80::1",
        "fe80::1%lo",
        "::",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_addresses_that_only_this_network_can_mean_are_off_limits(host: str) -> None:
    assert is_off_limits(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "93.184.216.34", "2606:4700::1", "fd12::1"]
)
def test_loopback_private_and_public_addresses_may_be_asked(host: str) -> None:
    assert not is_off_limits(host)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0.0.0.0", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"],  # noqa: S104 refused
)
def test_no_spelling_of_such_an_address_is_asked(host: str) -> None:
    assert fact(f"http://{host}/latest/meta-data", timeout_s=1) == (
        "is at an address that is never asked: link-local, multicast or none"
    )


def test_the_address_that_was_judged_is_the_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = names._ask

    def ask(host: str, port: int, flags: int) -> list[names.Target]:
        if host != "ocsp.test" or flags:
            return real(host, port, flags)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port, flags)

    monkeypatch.setattr(names, "_ask", ask)
    with scripted(reply()) as server:
        assert fetch_ocsp(f"http://ocsp.test:{server.port}", b"question") == b"answer"
        assert f"Host: ocsp.test:{server.port}" in server.heads[0].splitlines()
        assert asked == ["ocsp.test"]
        assert fact(f"http://ocsp.test:{server.port}").startswith("is at an address that is never asked")


def test_of_several_addresses_the_next_is_tried_and_those_off_limits_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    real = names._ask

    def ask(host: str, port: int, flags: int) -> list[names.Target]:
        if host != "ocsp.test" or flags:
            return real(host, port, flags)
        return [one for each in ("169.254.169.254", "127.0.0.2", "127.0.0.1") for one in real(each, port, flags)]

    monkeypatch.setattr(names, "_ask", ask)
    with scripted(reply()) as server:  # it listens on 127.0.0.1 only
        assert fetch_ocsp(f"http://ocsp.test:{server.port}", b"question") == b"answer"
        assert server.connections == 1


@pytest.fixture
def https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A responder over TLS whose CA the system trusts."""
    ca = CA()
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.write(tmp_path)))
    carrier._keeper.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ca.issue("localhost").write(tmp_path / "secrets").pair)
    with scripted(reply(), tls=context) as server:
        yield server
    carrier._keeper.cache_clear()


def test_over_tls_the_certificate_must_be_that_of_the_name(https: Scripted) -> None:
    assert fetch_ocsp(f"https://localhost:{https.port}/ocsp", b"question") == b"answer"
    assert fact(f"https://127.0.0.1:{https.port}") == "cannot be reached over a connection that can be trusted"


def test_over_tls_a_ca_that_the_system_does_not_know_is_refused(
    https: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CA().write(tmp_path, "other")))
    assert fact(f"https://localhost:{https.port}") == "cannot be reached over a connection that can be trusted"


def test_a_forked_child_can_ask_over_tls(https: Scripted) -> None:
    fetch_ocsp(f"https://localhost:{https.port}", b"question")
    keeper = carrier._keeper()
    with keeper._lock:  # type: ignore[attr-defined]  # that of the context
        child = os.fork()
        if child == 0:
            keeper._built = None  # type: ignore[attr-defined]  # the lock is taken where a context is built
            try:
                good = fetch_ocsp(f"https://localhost:{https.port}", b"question") == b"answer"
            except OSError:
                good = False
            os._exit(0 if good else 1)
        for _ in range(100):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            time.sleep(0.05)
        else:
            os.kill(child, 9)
            _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
