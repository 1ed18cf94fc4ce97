"""What a declaration says of a setting beside its type: its default, its doc, its reference. No I/O here."""

from collections.abc import Callable
from typing import Final

from wellkept._dataclasses import dataclass, field

RESERVED_TABLE = "wellkept"  # [wellkept] in Config.toml configures wellkept itself


class _Missing:
    """The default of a setting that has none."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Extras:
    """What `setting()` says about a field, beside its type.

    Attributes: as the arguments of `setting`. The default is not in the repr: it may be a secret
    that somebody wrote there by mistake.
    """

    default: object = field(default=MISSING, repr=False)
    default_factory: Callable[[], object] | None = None
    doc: str = ""
    name: str | None = None
    reference: str | None = None
    key: str | None = None
    rotate_every: str | None = None

    @property
    def has_default(self) -> bool:
        """Whether the code gives a value, by itself or by a factory."""
        return self.default is not MISSING or self.default_factory is not None
