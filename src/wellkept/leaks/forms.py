"""The forms in which one value may appear in a text: raw, escaped, quoted, encoded. No I/O here.

Single encodings only: a value that is encoded twice, as base64 of its JSON, is not found.
"""

import json
from binascii import b2a_base64
from urllib.parse import quote, quote_plus

from wellkept._patterns import pattern

SHORTEST = 8  # a shorter value stands in too many innocent texts, and so would its mask

_PERCENT = pattern(r"%[0-9A-F]{2}")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}  # what html.escape writes
_URL_SAFE = str.maketrans("+/", "-_")


def forms_of(value: str | bytes) -> frozenset[str]:
    """Every form of a value that is long enough to be looked for.

    Args:
        value: text, or bytes; bytes that are UTF-8 have the forms of their text, too.
    """
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    text = value if isinstance(value, str) else _decoded(value)
    forms = {data.hex(), data.hex().upper(), *_base64(data)}
    if text is not None:
        forms |= {text, *_escaped(text), *_quoted(text), *_lines(text)}
    return frozenset(form for form in forms if len(form) >= SHORTEST)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _base64(data: bytes) -> set[str]:
    """The characters that the bytes decide alone, at each of the three alignments."""
    found: set[str] = set()
    for offset in range(3):
        encoded = b2a_base64(bytes(offset) + data, newline=False).decode()
        first, end = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
        found |= {encoded[first:end], encoded[first:end].translate(_URL_SAFE)}
    return found


def _escaped(text: str) -> set[str]:
    html = "".join(_HTML.get(letter, letter) for letter in text)
    return {
        repr(text)[1:-1],
        repr(text.encode("utf-8", "surrogatepass"))[2:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        html,
        html.replace("&quot;", '"').replace("&#x27;", "'"),
    }


def _quoted(text: str) -> set[str]:
    safe = text.encode("utf-8", "surrogatepass")
    quoted = {quote(safe), quote(safe, safe=""), quote_plus(safe)}
    return quoted | {_PERCENT.sub(lambda found: found[0].lower(), one) for one in quoted}


def _lines(text: str) -> set[str]:
    """The lines of a value with several; the frame of a PEM block is no secret."""
    lines = text.splitlines()
    return {line.strip() for line in lines if not line.startswith("-----")} if len(lines) > 1 else set()
