"""Why something of Secrets.toml cannot be used: returned from where values are at hand, raised where none is."""

from collections.abc import Mapping
from typing import Final

from wellkept._dataclasses import dataclass
from wellkept.errors import Absent, Denied, Kind, Malformed, SourceError

_ERRORS: Final[Mapping[Kind, type[SourceError]]] = {Kind.ABSENT: Absent, Kind.DENIED: Denied}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fact.

    Attributes:
        fact: what is wrong, in words that follow the name of the thing.
        hint: what to do.
        kind: absent, denied, or a matter of the thing itself.
    """

    fact: str
    hint: str
    kind: Kind = Kind.INVALID

    def error(self, name: str) -> SourceError:
        """The error, to be raised for the thing of that name."""
        return _ERRORS.get(self.kind, Malformed)(f"{name}: {self.fact}", hint=self.hint)
