"""DER (X.690) as far as a keystore needs it: elements one after another, read within bounds. No I/O here."""

from typing import Final

from wellkept._dataclasses import dataclass, field
from wellkept.tls.stored import Unreadable

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
OID: Final = 0x06
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0  # [0], constructed
CONTEXT_0_PLAIN: Final = 0x80  # [0], primitive

_HIGH_TAG = 0x1F  # such a tag goes on in the next byte; no keystore has one
_LONG = 0x80  # the length stands in the bytes that follow
_MAX_LENGTH_BYTES = 4
_MAX_OID_BYTES = 64
_MAX_INTEGER_BYTES = 8  # iterations and key lengths; none has more


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        tag: its identifier octet.
        body: its contents.
        whole: all of it, with tag and length.
    """

    tag: int
    body: bytes = field(repr=False)
    whole: bytes = field(repr=False)

    def parts(self, tag: int = SEQUENCE, *, at_least: int = 0) -> tuple["Element", ...]:
        """The elements inside one that must have this tag.

        Raises:
            Unreadable: it has another, or holds fewer, or they do not fill it.
        """
        found = read_elements(self.of(tag))
        if len(found) < at_least:
            raise Unreadable
        return found

    def only(self, tag: int) -> "Element":
        """The one element inside one that must have this tag.

        Raises:
            Unreadable: there is none, or more.
        """
        found = self.parts(tag)
        if len(found) != 1:
            raise Unreadable
        return found[0]

    def of(self, tag: int) -> bytes:
        """The contents of an element that must have this tag.

        Raises:
            Unreadable: it has another.
        """
        if self.tag != tag:
            raise Unreadable
        return self.body

    def number(self) -> int:
        """A small whole number that is not negative.

        Raises:
            Unreadable: it is none.
        """
        body = self.of(INTEGER)
        if not 0 < len(body) <= _MAX_INTEGER_BYTES or body[0] & 0x80:
            raise Unreadable
        return int.from_bytes(body)

    def oid(self) -> str:
        """An object identifier, in dots.

        Raises:
            Unreadable: it is none.
        """
        body = self.of(OID)
        if not 0 < len(body) <= _MAX_OID_BYTES or body[-1] & 0x80:
            raise Unreadable
        arcs: list[int] = []
        value = 0
        for byte in body:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)  # X.690 §8.19.4
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_element(data: bytes) -> Element:
    """The one element that data consists of.

    Raises:
        Unreadable: it is cut off, something follows it, or it is not DER.
    """
    found = read_elements(data)
    if len(found) != 1:
        raise Unreadable
    return found[0]


def read_elements(data: bytes) -> tuple[Element, ...]:
    """All elements of data, which they must fill.

    Raises:
        Unreadable: one is cut off, or is not DER.
    """
    found: list[Element] = []
    at = 0
    while at < len(data):
        start, end = _span(data, at)
        found.append(Element(data[at], data[start:end], data[at:end]))
        at = end
    return tuple(found)


def _span(data: bytes, at: int) -> tuple[int, int]:
    """Where the contents of the element at a place begin and end."""
    if at + 2 > len(data) or data[at] & _HIGH_TAG == _HIGH_TAG:
        raise Unreadable
    length, start = data[at + 1], at + 2
    if length == _LONG:
        raise Unreadable(
            "is PKCS#12 in an older encoding (BER) that cannot be read here",
            hint="write it anew with openssl pkcs12 -in OLD -out all.pem, then wellkept tls convert all.pem NEW.p12",
        )
    if length > _LONG:
        size = length - _LONG
        if size > _MAX_LENGTH_BYTES:
            raise Unreadable
        length, start = int.from_bytes(data[start : start + size]), start + size
    if start + length > len(data):
        raise Unreadable
    return start, start + length
