"""Types for hints that Python has no name for: `Byte`, `Size`, `URL`, `Pattern`.

    class Config(Settings):
        api: URL
        upload_limit: Size = Size("10 MiB")
        user: Annotated[str, Pattern(r"[a-z][a-z0-9]*")]

Errors of this file never quote the text that they refuse.
"""

import re
from typing import Annotated, Self, TypeAlias

from wellkept._dataclasses import dataclass
from wellkept._patterns import pattern
from wellkept._revealed import RevealedText
from wellkept.errors import DeclarationError, UsageError

_KINDS = "kmgtp"
_UNITS = (
    {"": 1, "b": 1}
    | {f"{kind}b": 1000**power for power, kind in enumerate(_KINDS, 1)}
    | {f"{kind}ib": 1024**power for power, kind in enumerate(_KINDS, 1)}
    | {f"{kind}i": 1024**power for power, kind in enumerate(_KINDS, 1)}  # Kubernetes: 512Mi
)
SIZE_FORM = r"([0-9]{1,30})(?:\.([0-9]{1,30}))? ?([A-Za-z]{0,3})"
_SIZE = pattern(SIZE_FORM)

MAX_URL = 8192  # characters; RFC 9110 §4.1 asks for 8000
# RFC 3986 §3, a little wider: an `@` in a password is common. urllib would keep each text in a cache.
_URL = pattern(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<username>[^/?#@:]*)(?::(?P<password>[^/?#]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]+)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?[^#]*)?(?:#.*)?"
)
_NO_URL = pattern(r"[\x00-\x20\x7f\\]")  # spaces, control characters, backslashes
MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed range of numbers, for `Annotated`; read by its attributes, as annotated-types' are.

    Attributes:
        ge: the least value.
        le: the greatest value.
    """

    ge: int
    le: int


Byte: TypeAlias = Annotated[int, Bounds(0, 255)]
"""A whole number from 0 to 255, Ballerina's `byte`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The form that a text must have as a whole, for `Annotated[str, Pattern(…)]`.

    Attributes:
        pattern: a regular expression; it is matched against all of the text, not a part.
    """

    pattern: str

    def __post_init__(self) -> None:
        """Refuse what is no regular expression.

        Raises:
            DeclarationError: it cannot be compiled.
        """
        if not _compiles(self.pattern):
            raise DeclarationError(f"Pattern: {self.pattern} is no regular expression", hint="see Python's re")


class Size(int):
    """A number of bytes: an `int` that may be written with a unit.

    kB, MB, GB, TB, PB are powers of 1000; KiB, MiB, GiB, TiB, PiB (and Ki, Mi …) of 1024, in
    any case. A lone `k` or `M` is refused, because half of the world means 1000 by it and the
    other half 1024. A fraction of a byte is cut off.
    """

    __slots__ = ()

    def __new__(cls, value: int | str) -> Self:
        """Make a size of a number of bytes or of text such as `10 MiB`.

        Raises:
            UsageError: it is no size.
        """
        made = cls.parse(value) if isinstance(value, str) else cls.of(value)
        if made is None:
            del value
            raise UsageError("Size: expected a number of bytes, or text with a unit", hint="write 10 MiB")
        return made

    @classmethod
    def of(cls, count: int) -> Self | None:
        """The size of a number of bytes, or None where it is below zero."""
        return None if count < 0 else int.__new__(cls, count)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The size that a text means, or None."""
        found = _SIZE.fullmatch(text)
        factor = None if found is None else _UNITS.get(found[3].lower())
        if found is None or factor is None:
            return None
        fraction = found[2] or ""
        return int.__new__(cls, int(found[1] + fraction) * factor // 10 ** len(fraction))


class URL(str):
    """An absolute URL with a host: a `str` that was checked, with its parts as attributes."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check a text.

        Raises:
            UsageError: it is no absolute URL with a host.
        """
        made = cls.parse(text)
        if made is None:
            del text
            raise UsageError("URL: expected a scheme and a host", hint="write https://api.example.com/path")
        return made

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The URL that a text is, or None."""
        found = None if len(text) > MAX_URL or _NO_URL.search(text) else _URL.fullmatch(text)
        if found is None or int(found["port"] or 0) > MAX_PORT:
            return None
        return str.__new__(cls, text)

    @property
    def scheme(self) -> str:
        """The scheme, in small letters: `https`."""
        return _part(self, "scheme").lower()

    @property
    def host(self) -> str:
        """The host, in small letters, an IPv6 address without its brackets."""
        return _part(self, "host").strip("[]").lower()

    @property
    def port(self) -> int | None:
        """The port that stands in it, or None."""
        port = _part(self, "port")
        return int(port) if port else None

    @property
    def path(self) -> str:
        """The path with its leading slash, or nothing; percent-encoding stays."""
        return _part(self, "path")

    @property
    def username(self) -> str | None:
        """The user name that stands in it, or None; percent-encoding stays."""
        return _part(self, "username") or None

    @property
    def has_password(self) -> bool:
        """Whether a password stands in it: then it belongs into a `Secret[URL]`."""
        return bool(_part(self, "password"))

    def _wellkept_seal(self) -> "URL":
        """A twin with a masked repr, for the inside of a Secret."""
        return str.__new__(_RevealedURL, self)


class _RevealedURL(RevealedText, URL):
    """A URL that came out of a Secret: its repr is masked, and it cannot be pickled."""

    __slots__ = ()


def _part(url: str, name: str) -> str:
    found = _URL.fullmatch(url)
    return "" if found is None else found[name] or ""


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
