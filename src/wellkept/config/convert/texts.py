"""Text, bytes, paths and URLs."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import cast

from wellkept._dataclasses import dataclass, field
from wellkept.config.convert.converter import INVALID, Answer, At
from wellkept.config.convert.numbers import WHOLE
from wellkept.config.types import URL

_MAX_BYTE = 255


@dataclass(frozen=True, slots=True)
class TextConverter:
    """Text as it is; it must be Unicode, so that nobody who encodes it later fails."""

    expected: str = field(default="text", init=False)
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the text, or report to `at` and return `INVALID`."""
        if isinstance(value, str):
            if value.isascii() or _encoded(value) is not None:
                return value
            return at.refuse("expected text in UTF-8", "write it in UTF-8, or declare bytes")
        if not at.is_strict and isinstance(value, int) and WHOLE.take(value) is not INVALID:
            return str(value)  # a JSON answer such as {"pin": 1234}
        if not at.is_strict and isinstance(value, Mapping):
            return at.refuse("expected text, found a table", "name one of its keys in the reference: …#key")
        return at.refuse("expected text", "write it in quotes")

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of text."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class BytesConverter:
    """Bytes as they are, text as UTF-8, or a list of numbers as Ballerina's `byte[]`."""

    expected: str = field(default="bytes: text, or a list of numbers from 0 to 255", init=False)
    passes_raw: bool = field(default=True, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the bytes, or report to `at` and return `INVALID`."""
        if isinstance(value, Answer):
            refused = at.refuse_answer(value)
            return refused if refused is not None else at.of_answer(value).apply(self, value.value)
        made = _bytes(value)
        return made if made is not None else at.refuse(f"expected {self.expected}", 'write it as "text" or [1, 255]')

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of text or a list of bytes."""
        number = {"type": "integer", "minimum": 0, "maximum": 255}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": number}]}


@dataclass(frozen=True, slots=True)
class PathConverter:
    """A path; a relative one starts at the folder of the file that names it.

    Attributes:
        cls: `pathlib.Path`, from whoever declared it: importing it costs more than a load.
    """

    cls: Callable[[str], object]
    expected: str = field(default="a path", init=False)
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the path, or report to `at` and return `INVALID`."""
        if isinstance(value, os.PathLike):
            return cast("object", value)
        if not isinstance(value, str):
            return at.refuse("expected a path", 'write it in quotes: "data/file.txt"')
        if not value or "\0" in value:
            return at.refuse("expected a path", "write the name of a file or folder")
        return self.cls(value if at.base is None else os.path.join(at.base, value))  # noqa: PTH118 see `cls`

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of a path."""
        return {"type": "string", "minLength": 1}


def is_path(cls: type) -> bool:
    """Whether a class is `pathlib.Path`, without importing it."""
    return cls is getattr(sys.modules.get("pathlib"), "Path", None)


@dataclass(frozen=True, slots=True)
class URLConverter:
    """An absolute URL; one with a password in it goes into a Secret only."""

    expected: str = field(default="a URL (https://api.example.com/path)", init=False)
    passes_raw: bool = field(default=False, init=False)

    def convert(self, value: object, at: At) -> object:
        """Return the URL, or report to `at` and return `INVALID`."""
        url = URL.parse(value) if isinstance(value, str) else None
        if url is None:
            return at.refuse(f"expected {self.expected}", "write its scheme, ://, and its host")
        if url.has_password and not at.in_secret:
            return at.refuse("holds a password, but is no Secret", "declare Secret[URL]")
        return url

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of a URL."""
        return {"type": "string", "format": "uri"}


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:  # the error holds the text
        return None


def _bytes(value: object) -> bytes | None:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            # A variable's bytes that are no UTF-8 reach us as lone surrogates (PEP 383).
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return None
    if not isinstance(value, list):
        return None
    numbers = [one for one in cast("list[object]", value) if isinstance(one, int) and not isinstance(one, bool)]
    is_fit = len(numbers) == len(cast("list[object]", value)) and all(0 <= one <= _MAX_BYTE for one in numbers)
    return bytes(numbers) if is_fit else None


TEXT, BYTES, ADDRESS = TextConverter(), BytesConverter(), URLConverter()
