"""Which format a file has, and what parses it. This file does no I/O."""

from collections.abc import Callable, Mapping
from typing import Final

from wellkept.providers.sops.document import Document, Refusal
from wellkept.providers.sops.from_dotenv import parse_dotenv
from wellkept.providers.sops.from_ini import parse_ini
from wellkept.providers.sops.from_json import parse_binary, parse_json
from wellkept.providers.sops.from_yaml import parse_yaml

BINARY: Final = "binary"

# The names are those of `sops --input-type`.
PARSERS: Final[Mapping[str, Callable[[bytes], Document | Refusal]]] = {
    "yaml": parse_yaml,
    "json": parse_json,
    "dotenv": parse_dotenv,
    "ini": parse_ini,
    BINARY: parse_binary,
}
_ENDINGS = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".env": "dotenv", ".ini": "ini"}


def format_of(path: str) -> str:
    """The format that a name tells; SOPS goes by the ending, and takes everything else for binary."""
    return next((name for ending, name in _ENDINGS.items() if path.endswith(ending)), BINARY)
