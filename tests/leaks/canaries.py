"""The values that the leak matrix looks for, the secrets that hold them, and the search.

Every value carries the marker, or is one: a search for the marker also finds a value that was cut,
and each encoding of a whole value holds the same encoding of the marker.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wellkept.config.declare import Settings
from wellkept.secret import Secret

MARKER = "CANARY"
NUMBER = 7030614285917  # a secret number has no room for the marker

TEXTS: Mapping[str, str] = {
    "letters and digits": "CANARYx7Qp29ZtR4mK8vW3",
    "8 characters": "CANARY7f",
    "URL's special characters": "CANARY:p@ss/w?rd#1&a=b+c%20d",
    "quotes and backslashes": "CANARY\"double\" 'single' \\n \\\\ `$(tick)`",
    "not ASCII": "CANARY-pässwörd-密码-🔑",
    "lines": "CANARY-first-7f3a\nCANARY-second-9c1e",
    "PEM": "-----BEGIN PRIVATE KEY-----\nMIIEvCANARYQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggCANARYSjAgEAAoIBAQD\n"
    "-----END PRIVATE KEY-----\n",
    "JSON": '{"user": "CANARY-user", "password": "CANARY-\\"quoted\\"-7f3a", "port": 5432}',
    "64 KiB": "CANARY9f" * 8192,
}
ALL_AT_ONCE = "\n".join(text for kind, text in TEXTS.items() if kind != "64 KiB")


class Login(Settings):
    """A structure that is secret as a whole."""

    username: str
    password: str


@dataclass
class Account:
    """A structure that is secret as a whole, and no Settings class."""

    username: str
    password: str


def _of_text(kind: str) -> Callable[[], Secret[object]]:
    return lambda: Secret(TEXTS[kind], name="db_password")


# Callables: a secret lives no longer than the test that uses it.
SECRETS: Mapping[str, Callable[[], Secret[object]]] = {
    **{kind: _of_text(kind) for kind in TEXTS},
    "bytes": lambda: Secret(TEXTS["quotes and backslashes"].encode(), name="db_password"),
    "bytes that are no text": lambda: Secret(b"\xff\x00CANARY\xfe\x80", name="db_password"),
    "a number": lambda: Secret(NUMBER, name="db_password"),
    "a list": lambda: Secret(list(TEXTS.values()), name="db_password"),
    "a tuple of bytes": lambda: Secret((b"CANARY-bytes-7f3a", b"CANARY-bytes-9c1e"), name="db_password"),
    "a dict": lambda: Secret({"one": {"two": [TEXTS["JSON"]]}}, name="db_password"),
    "a Settings": lambda: Secret(Login(username="CANARY-user", password="CANARY-pw-7f3a"), name="db_password"),
    "a dataclass": lambda: Secret(Account("CANARY-user", "CANARY-pw-7f3a"), name="db_password"),
    "map()": lambda: Secret(TEXTS["JSON"], name="db_password").map(str.swapcase).map(str.swapcase),
    "header()": lambda: Secret(TEXTS["letters and digits"], name="db_password").header("Bearer"),
    "dsn()": lambda: Secret(TEXTS["not ASCII"], name="db_password").dsn("postgresql://app:{}@db/app"),
}


def shows(output: str | bytes) -> bool:
    """Whether a canary, or a part of one, stands in the output."""
    data = output if isinstance(output, bytes) else output.encode("utf-8", "surrogatepass")
    return _TRACES.search(data.replace(b"\0", b"")) is not None  # without NUL, UTF-16 reads like ASCII


def _in_base64(word: bytes, offset: int) -> bytes:
    """The characters that a word makes in base64 when it stands at this offset, modulo three."""
    encoded = b64encode(bytes(offset) + word)
    return encoded[-(-offset * 8 // 6) : (offset + len(word)) * 8 // 6]


def _traces(word: bytes) -> list[bytes]:
    return [word, word.hex().encode(), word.hex().upper().encode(), *(_in_base64(word, at) for at in range(3))]


_TRACES = re.compile(b"|".join(trace for word in (MARKER, str(NUMBER)) for trace in _traces(word.encode())))
