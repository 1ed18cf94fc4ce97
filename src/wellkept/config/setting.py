"""One setting: its names, its type, its converter. No I/O here.

It knows nothing of classes or types: what resolves settings that no class declares needs neither.
"""

from wellkept._dataclasses import dataclass
from wellkept.config.convert.converter import Converter
from wellkept.config.extras import Extras


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that the program declares.

    Attributes:
        path: the Python names from the root class down (`("db", "host")`).
        spelling: the preferred names outside Python, same length.
        form: the canonical names, by which layers find it.
        hint: its declared type.
        converter: what turns a raw value into that type.
        extras: default, doc, reference and the like.
        is_secret: whether its value is a Secret.
        holds_secret: whether its value is a Secret, or has one inside.
    """

    path: tuple[str, ...]
    spelling: tuple[str, ...]
    form: tuple[str, ...]
    hint: object
    converter: Converter
    extras: Extras
    is_secret: bool = False
    holds_secret: bool = False

    @property
    def name(self) -> str:
        """The dotted Python name: `db.host`."""
        return ".".join(self.path)

    @property
    def is_required(self) -> bool:
        """Whether a layer must speak: the code gives neither a default nor a reference."""
        return not self.extras.has_default and self.extras.reference is None

    def is_named_by(self, name: str) -> bool:
        """Whether a problem's name means this setting, or a step inside its value."""
        return name == self.name or name.startswith((f"{self.name}.", f"{self.name}["))
