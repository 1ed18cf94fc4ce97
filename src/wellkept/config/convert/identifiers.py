"""UUIDs and IP addresses, found by the names of their classes.

Importing `uuid` and `ipaddress` costs a tenth of our whole import: who declares such a type
has imported its module already, and only then is it used here.
"""

import re
from collections.abc import Callable, Mapping

from wellkept._patterns import pattern
from wellkept.config.convert.converter import INVALID
from wellkept.config.convert.scalars import Scalar

_UUID = pattern(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
_ADDRESS = pattern(r"[0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z._~-]{1,64})?(?:/[0-9.]{1,15})?")

_FACTS: Mapping[str, tuple[str, str, "re.Pattern[str]", Mapping[str, object]]] = {
    "uuid.UUID": ("a UUID", "123e4567-e89b-12d3-a456-426614174000", _UUID, {"format": "uuid"}),
    "ipaddress.IPv4Address": ("an IPv4 address", "192.0.2.1", _ADDRESS, {"format": "ipv4"}),
    "ipaddress.IPv6Address": ("an IPv6 address", "2001:db8::1", _ADDRESS, {"format": "ipv6"}),
    "ipaddress.IPv4Network": ("an IPv4 network (no bits set after its prefix)", "10.0.0.0/8", _ADDRESS, {}),
    "ipaddress.IPv6Network": ("an IPv6 network (no bits set after its prefix)", "2001:db8::/32", _ADDRESS, {}),
    "ipaddress.IPv4Interface": ("an IPv4 address with its network", "192.0.2.1/24", _ADDRESS, {}),
    "ipaddress.IPv6Interface": ("an IPv6 address with its network", "2001:db8::1/64", _ADDRESS, {}),
}


def identifier(cls: type) -> Scalar | None:
    """The converter of a UUID or IP class, or None for any other class."""
    facts = _FACTS.get(f"{cls.__module__}.{cls.__qualname__}")
    if facts is None:
        return None
    expected, example, form, schema = facts
    return Scalar(expected, example, _reader(cls, form), {"type": "string", **schema}, (cls,), is_text=True)


def _reader(cls: Callable[[str], object], form: "re.Pattern[str]") -> Callable[[str], object]:
    def parse(text: str) -> object:
        if not form.fullmatch(text):
            return INVALID
        try:
            return cls(text)
        except ValueError:  # the error quotes the text
            return INVALID

    return parse
