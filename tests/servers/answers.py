"""What a server that means harm says, one function an answer; `hostile.py` names them.

Answers without an end go on until the client hangs up or the server is closed.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NoReturn

from tests.servers.certificates import HOST
from tests.servers.listener import Answer, Visit

OTHER_HOST: Final = "localhost"  # another name, and so another host to a client
DRIP_S: Final = 0.3

_BLOCK: Final = b" " * (1 << 16)
_NEXT_S: Final = 0.05  # bytes that come so much later are received by themselves
_GIGABYTE: Final = 1 << 30
_GOOD: Final = {"password": "hostile-CANARY"}


def respond(visit: Visit, body: bytes, *headers: str, status: str = "200 OK") -> None:
    """A response as it should be; headers may be anything."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    visit.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def begin(visit: Visit, *headers: str, status: str = "200 OK") -> None:
    """The head of a response that says nothing about its length, unless a header does."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    visit.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))


def json_answer(body: bytes) -> Answer:
    """An answer with this body, in a response that is otherwise good."""
    return lambda visit: respond(visit, body)


def reading(data: Any = _GOOD) -> bytes:  # noqa: ANN401 JSON
    """What a Vault says of a secret of KV version 2."""
    return json.dumps({"data": {"data": data, "metadata": {"version": 1}}, "lease_duration": 0}).encode()


def a_good_answer(visit: Visit) -> None:
    """What a Vault says."""
    respond(visit, reading())


def silence(visit: Visit) -> None:
    visit.stay()


def slow_header(visit: Visit) -> None:
    visit.sendall(b"HTTP/1.1 200 OK\r\n")
    _drip(visit, b"X-Slow: ", b"a")


def slow_status(visit: Visit) -> None:
    _drip(visit, b"HTTP/1.1 200 ", b"O")


def dripping_body(visit: Visit) -> None:
    begin(visit, f"Content-Length: {len(reading()) + 10_000}")
    _drip(visit, reading(), b" ")


def _drip(visit: Visit, text: bytes, then: bytes) -> NoReturn:
    """One byte at a time, without an end."""
    for byte in text:
        visit.sendall(bytes([byte]))
        visit.pause(DRIP_S)
    while True:
        visit.sendall(then)
        visit.pause(DRIP_S)


def gigabyte(visit: Visit) -> None:
    begin(visit, f"Content-Length: {_GIGABYTE}")
    for _ in range(_GIGABYTE // len(_BLOCK)):
        visit.sendall(_BLOCK)


def no_length_no_end(visit: Visit) -> None:
    begin(visit, "Connection: close")
    _flood(visit, _BLOCK)


def endless_chunks(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    _flood(visit, b"%x\r\n%s\r\n" % (len(_BLOCK), _BLOCK))


def tiny_chunks(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    _flood(visit, b"1\r\n \r\n" * 1000)


def bad_chunk_size(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    visit.sendall(b"-5\r\n" + reading() + b"\r\n0\r\n\r\n")
    visit.hang_up()


def endless_chunk_size(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    _flood(visit, b"0" * len(_BLOCK))


def endless_trailers(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    visit.sendall(b"%x\r\n%s\r\n0\r\n" % (len(reading()), reading()))
    _flood(visit, b"X-Trailer: a\r\n" * 1000)


def short_body(visit: Visit) -> None:
    begin(visit, f"Content-Length: {len(reading()) + 100}")
    visit.sendall(reading())
    visit.hang_up()


def cut_chunk(visit: Visit) -> None:
    begin(visit, "Transfer-Encoding: chunked")
    visit.sendall(b"%x\r\n%s" % (len(reading()) + 100, reading()))
    visit.hang_up()


def negative_length(visit: Visit) -> None:
    begin(visit, "Content-Length: -1")
    visit.sendall(reading())
    visit.stay()


def odd_length(visit: Visit) -> None:
    begin(visit, "Content-Length: +1_0")
    visit.sendall(reading())
    visit.stay()


def two_lengths(visit: Visit) -> None:
    begin(visit, f"Content-Length: {len(reading())}", "Content-Length: 2")
    visit.sendall(reading())
    visit.stay()


def length_and_chunks(visit: Visit) -> None:
    begin(visit, f"Content-Length: {len(reading())}", "Transfer-Encoding: chunked")
    visit.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(reading()), reading()))
    visit.stay()


def gzip_bomb(visit: Visit) -> None:
    respond(visit, bomb(), "Content-Encoding: gzip")


@cache
def bomb() -> bytes:
    """200 KB that gzip makes 200 MB of: an empty JSON object with many spaces in it."""
    spaces, times = b" " * (1 << 20), 200
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = packer.compress(b"{") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(spaces) + packer.flush(zlib.Z_FULL_FLUSH)  # it knows nothing of what was before
    last = packer.compress(b"}") + packer.flush()
    check = zlib.crc32(b"{")
    for _ in range(times):
        check = zlib.crc32(spaces, check)
    check = zlib.crc32(b"}", check)
    length = 2 + times * len(spaces)
    head = gzip.compress(b"")[:10]
    return head + first + block * times + last + check.to_bytes(4, "little") + length.to_bytes(4, "little")


def unknown_encoding(visit: Visit) -> None:
    respond(visit, b"\x28\xb5\x2f\xfd" + reading(), "Content-Encoding: zstd")


def many_headers(visit: Visit) -> None:
    visit.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Many: a\r\n" * 100_000)
    visit.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(reading()), reading()))


def long_header(visit: Visit) -> None:
    visit.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000_000 + b"\r\n")
    visit.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(reading()), reading()))


def long_status(visit: Visit) -> None:
    visit.sendall(b"HTTP/1.1 200 " + b"a" * 10_000_000 + b"\r\n\r\n")
    visit.stay()


def broken_headers(visit: Visit) -> None:
    visit.sendall(b"HTTP/1.1 200 OK\r\n: no name\r\nno colon\r\nX-Nul: \0\r\n")
    visit.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(reading()), reading()))


def redirect(where: Callable[[Visit], str], status: str = "307 Temporary Redirect") -> Answer:
    return lambda visit: respond(visit, b"", f"Location: {where(visit)}", status=status)


def other_host(visit: Visit) -> str:
    return f"{visit.scheme}://{OTHER_HOST}:{visit.elsewhere}{visit.target}"


def plain_http(visit: Visit) -> str:
    return f"http://{HOST}:{visit.elsewhere}{visit.target}"


def itself(visit: Visit) -> str:
    return f"{visit.scheme}://{HOST}:{visit.port}{visit.target}"


def login_page(visit: Visit) -> None:
    page = b"<!DOCTYPE html><html><title>Sign in</title><form action='/login'><input name='password'></form></html>"
    visit.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)


def json_as_html(visit: Visit) -> None:
    text = reading()
    visit.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


def no_content(visit: Visit) -> None:
    begin(visit, status="204 No Content")


def junk(visit: Visit) -> None:
    visit.sendall(b"-ERR unknown command 'GET'\r\n" + reading() + b"\r\n")
    visit.hang_up()


def absurd_status(visit: Visit) -> None:
    respond(visit, reading(), status="999 Whatever")


def continue_flood(visit: Visit) -> None:
    _flood(visit, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def switching(visit: Visit) -> None:
    begin(visit, "Upgrade: websocket", "Connection: Upgrade", status="101 Switching Protocols")
    visit.stay()


def tls_record(visit: Visit) -> None:
    visit.sendall(b"\x15\x03\x03\x00\x02\x02\x46")  # an alert: fatal, protocol version
    visit.hang_up()


def unasked_response(visit: Visit) -> None:
    forged = reading({"password": "forged-CANARY"})
    respond(visit, reading())
    visit.pause(_NEXT_S)  # what comes along with the first response is lost in the buffer of many a client
    respond(visit, forged)


def reset(visit: Visit) -> None:
    begin(visit, f"Content-Length: {len(reading()) + 100}")
    visit.sendall(reading())
    visit.pause(_NEXT_S)  # the reset would overtake the bytes
    visit.reset()


def hang_up(visit: Visit) -> None:
    visit.hang_up()


def _flood(visit: Visit, data: bytes) -> NoReturn:
    while True:
        visit.sendall(data)
