"""Regular expressions that are compiled when they are first used.

The house has fifty of them, and compiling one takes a tenth of a millisecond to one: together a
tenth of `from wellkept import load`. Most programs use a few.
"""

import re
from typing import cast


class _Later:
    """Stands in for a compiled pattern; its methods are the real ones from the first use on."""

    __slots__ = ("_flags", "_text", "finditer", "fullmatch", "match", "search", "split", "sub")

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        """Compile: an attribute is missing at the first use only."""
        compiled = re.compile(self._text, self._flags)
        for method in self.__slots__[2:]:
            setattr(self, method, getattr(compiled, method))
        return cast("object", getattr(compiled, name))


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern of a regular expression, compiled later."""
    return cast("re.Pattern[str]", _Later(text, flags))
