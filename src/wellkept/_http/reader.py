"""Reading an answer of HTTP/1.1 (RFC 9112), as strictly as a client of few servers may.

What is not exactly as it should be is refused: bare line feeds, folded headers, two lengths, a
length beside chunks, any encoding, anything without an end. Everything has a limit, so that no
answer costs more than 1 MiB and its deadline. Why not `http.client`: docs/adr/0009.
"""

from collections.abc import Mapping

from wellkept._dataclasses import dataclass, field
from wellkept._http.wire import TooLong, Wire

MAX_BODY_BYTES = 1 << 20

_MAX_LINE_BYTES = 8192  # nginx and Go stop at 8 KiB and 1 MiB for a whole head; a Vault sends 1 KiB
_MAX_HEADERS = 100  # http.client's own limit
_MAX_INTERIM = 4  # answers like 100 Continue, which nobody asks for
_MAX_CHUNKS = 4096  # Go writes chunks of 2 KiB and more
_MAX_CHUNK_LINE_BYTES = 256
_LONGEST_NUMBER = 8  # digits: enough for 1 MiB

_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
_HEX = frozenset(b"0123456789abcdefABCDEF")
_FIRST_FINAL, _LAST = 200, 599
_WITHOUT_BODY = frozenset({204, 304})
_TOO_LARGE = "is larger than 1 MiB"


class Unreadable(Exception):
    """Why an answer is not believed, in words that hold nothing of it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer.

    Attributes:
        status: its code.
        headers: by their names in lower case; not in the repr.
        is_last: whether the connection ends behind it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    is_last: bool

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        return self.headers.get(name, "")


def read_head(wire: Wire) -> Head:
    """Read the head of an answer; a few interim ones before it are passed over.

    Raises:
        Unreadable: it is no HTTP, or there is too much of it.
        EOFError: the other side ended.
    """
    for _ in range(_MAX_INTERIM):
        version, status = _status(_line(wire))
        headers = _headers(wire)
        if status >= _FIRST_FINAL:
            is_last = version == b"HTTP/1.0" or "close" in headers.get("connection", "").lower()
            return Head(status, headers, is_last)
        if status == 101:  # noqa: PLR2004 Switching Protocols: what follows is no HTTP
            break
    raise Unreadable("is no answer")


def read_body(wire: Wire, head: Head) -> tuple[bytes, bool]:
    """Read the body.

    Returns:
        It, and whether the connection can be used again.

    Raises:
        Unreadable: its length is told twice or not at all, it is encoded, or there is too much of it.
        EOFError: the other side ended before it.
    """
    if head.status in _WITHOUT_BODY:
        return b"", not head.is_last
    if head.header("content-encoding").lower() not in {"", "identity"}:
        raise Unreadable("is compressed, which nobody asked for")
    length, coding = head.headers.get("content-length"), head.headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise Unreadable("does not say how long it is")
        return _chunks(wire), not head.is_last
    if length is None:
        body = wire.read_rest(MAX_BODY_BYTES)
        if len(body) > MAX_BODY_BYTES:
            raise Unreadable(_TOO_LARGE)
        return body, False
    if not length.isascii() or not length.isdigit():
        raise Unreadable("does not say how long it is")
    if len(length) > _LONGEST_NUMBER or int(length) > MAX_BODY_BYTES:
        raise Unreadable(_TOO_LARGE)
    return wire.read_bytes(int(length)), not head.is_last


def _line(wire: Wire, most_bytes: int = _MAX_LINE_BYTES) -> bytes:
    too_long = False
    try:
        line = wire.read_line(most_bytes)
    except TooLong:
        line, too_long = b"", True
    if too_long:
        raise Unreadable("has a line that does not end")
    if not line.endswith(b"\r"):
        raise Unreadable("is no HTTP")
    return line[:-1]


def _status(line: bytes) -> tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    is_http = version in {b"HTTP/1.1", b"HTTP/1.0"} and code.isdigit() and rest[3:4] in {b"", b" "}
    if not is_http or not 100 <= int(code) <= _LAST:  # noqa: PLR2004 the first code there is
        raise Unreadable("is no HTTP")
    return version, int(code)


def _headers(wire: Wire) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS + 1):
        line = _line(wire)
        if not line:
            return headers
        raw, colon, rest = line.partition(b":")
        if not colon or not raw or not _TOKEN.issuperset(raw) or b"\0" in rest or b"\r" in rest:
            raise Unreadable("is no HTTP")
        name, value = raw.decode("ascii").lower(), rest.decode("latin-1").strip(" \t")
        known = headers.setdefault(name, value)
        if known != value:
            if name in {"content-length", "transfer-encoding", "content-encoding", "location"}:
                raise Unreadable("says one thing twice, and differently")
            headers[name] = f"{known}, {value}"
    raise Unreadable("has too many headers")


def _chunks(wire: Wire) -> bytes:
    parts: list[memoryview] = []  # not the bytes: a traceback may show this frame while it waits
    total = 0
    for _ in range(_MAX_CHUNKS):
        size = _line(wire, _MAX_CHUNK_LINE_BYTES).partition(b";")[0].strip(b" \t")
        if not 0 < len(size) <= _LONGEST_NUMBER or not _HEX.issuperset(size):
            raise Unreadable("does not say how long it is")
        count = int(size, 16)
        if count == 0:
            _headers(wire)  # trailers, which nobody asked for
            return b"".join(parts)
        total += count
        if total > MAX_BODY_BYTES:
            raise Unreadable(_TOO_LARGE)
        parts.append(memoryview(wire.read_bytes(count)))
        if _line(wire, 2):
            raise Unreadable("does not say how long it is")
    raise Unreadable("comes in too many pieces")
