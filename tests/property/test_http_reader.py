"""Reading answers of HTTP: any bytes end in an answer or in words of ours, and cuts anywhere change nothing."""

import socket
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellkept._http.deadline import Deadline
from wellkept._http.reader import MAX_BODY_BYTES, Head, Unreadable, read_body, read_head
from wellkept._http.wire import Wire

BODY = b'{"data": {"data": {"password": "CANARY"}}}'
NAMES = st.sampled_from(
    [b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"Connection", b"X-Other", b" X"]
)
VALUES = st.sampled_from(
    [b"0", b"42", b"-1", b"+3", b"1e3", b"99999999999", b"chunked", b"gzip", b"close", b"", b"a\0b"]
)


class Pieces:
    """A socket that gives its bytes in the pieces that it is told."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def settimeout(self, _seconds: float) -> None:
        """Never wait."""

    def recv(self, count: int) -> bytes:
        """The next piece, or the end."""
        piece = self._pieces.pop(0) if self._pieces else b""
        if len(piece) > count:
            self._pieces.insert(0, piece[count:])
        return piece[:count]


def read(pieces: list[bytes]) -> tuple[Head, bytes] | str:
    wire = Wire(cast("socket.socket", Pieces(pieces)), Deadline(5))
    try:
        head = read_head(wire)
        body, _keeps = read_body(wire, head)
    except Unreadable as unreadable:
        return str(unreadable)
    except EOFError:
        return "ended"
    return head, body


def answer(*headers: bytes, body: bytes = BODY, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *headers, b"", b""]) + body


@given(st.binary(max_size=400))
def test_any_bytes_end_in_an_answer_or_in_words_of_ours(data: bytes) -> None:
    assert read([data]) is not None


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.binary(max_size=80))
def test_any_headers_end_so_too_and_no_body_is_larger_than_it_may_be(
    headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    found = read([answer(*(b"%s: %s" % pair for pair in headers), body=body)])
    assert isinstance(found, str) or len(found[1]) <= MAX_BODY_BYTES


@given(st.lists(st.integers(0, 200), max_size=8), st.sampled_from(["length", "chunks"]))
def test_where_the_pieces_are_cut_changes_nothing(cuts: list[int], kind: str) -> None:
    half = len(BODY) // 2
    chunked = (
        b"".join(b"%x;a=b\r\n%s\r\n" % (len(one), one) for one in (BODY[:half], BODY[half:])) + b"0\r\nT: x\r\n\r\n"
    )
    whole = (
        answer(b"Content-Length: %d" % len(BODY))
        if kind == "length"
        else answer(b"Transfer-Encoding: chunked", body=chunked)
    )
    edges = [0, *sorted(cuts), len(whole)]
    found = read([whole[start:end] for start, end in pairwise(edges)])
    assert not isinstance(found, str)
    assert found[1] == BODY


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"HTTP/2 200 OK\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 99 OK\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 200OK\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 200 OK\n\n", "is no HTTP"),
        (answer(b"Content-Length : 2"), "is no HTTP"),
        (answer(b" folded: yes"), "is no HTTP"),
        (answer(b"Content-Length: 2", b"Content-Length: 3"), "says one thing twice, and differently"),
        (answer(b"Content-Length: 2", b"Transfer-Encoding: chunked"), "does not say how long it is"),
        (answer(b"Transfer-Encoding: gzip, chunked"), "does not say how long it is"),
        (answer(b"Content-Length: 0x10"), "does not say how long it is"),
        (answer(b"Content-Length: 1048577"), "is larger than 1 MiB"),
        (answer(b"Content-Length: 99999999999999999999"), "is larger than 1 MiB"),
        (answer(b"Content-Encoding: gzip", b"Content-Length: 2"), "is compressed, which nobody asked for"),
        (answer(b"Transfer-Encoding: chunked", body=b"-5\r\n"), "does not say how long it is"),
        (answer(b"Transfer-Encoding: chunked", body=b"2\r\nabc\r\n0\r\n\r\n"), "does not say how long it is"),
        (answer(b"Transfer-Encoding: chunked", body=b"1\r\na\r\n" * 5000), "comes in too many pieces"),
        (answer(b"Transfer-Encoding: chunked", body=b"ffffffff\r\n"), "is larger than 1 MiB"),
        (answer(*(b"X-%d: a" % number for number in range(200))), "has too many headers"),
        (answer(b"X: " + b"a" * 9000), "has a line that does not end"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10, "is no answer"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "is no answer"),
        (answer(b"Content-Length: 100"), "ended"),
        (b"", "ended"),
    ],
    ids=map(str, range(23)),
)
def test_what_is_not_exactly_as_it_should_be_is_refused(text: bytes, fault: str) -> None:
    assert read([text]) == fault


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    found = read([answer(status=b"HTTP/1.0 200 OK")])
    assert not isinstance(found, str)
    assert (found[0].is_last, found[1]) == (True, BODY)


def test_an_interim_answer_is_passed_over() -> None:
    found = read([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", answer(b"Content-Length: 0", body=b"")])
    assert not isinstance(found, str)
    assert found[0].status == 200
