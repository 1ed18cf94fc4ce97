"""Dotenv files as SOPS reads them: `NAME=text` to the end of the line, no quotes. This file does no I/O."""

from wellkept.providers.sops.document import PLAIN, Document, Refusal
from wellkept.providers.sops.flat import unflatten

_PREFIX = "sops_"
_NO_TEXT = Refusal("is no UTF-8 text", "where its name does not tell its format, add ?format=")


def parse_dotenv(data: bytes) -> Document | Refusal:
    """The document of a dotenv file."""
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        return _NO_TEXT
    tree: dict[str, object] = {}
    metadata: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        name, is_given, text = line.partition("=")
        if not is_given:
            return Refusal(f"has no = in line {number}", "write NAME=text, and # before a comment")
        if name in tree or name in metadata:
            return Refusal(f"names the same variable again in line {number}", "remove one of them")
        if name.startswith(_PREFIX):
            metadata[name] = text
        else:
            tree[name] = text.replace("\\n", "\n")
    if not metadata:
        return PLAIN
    return Document(tree, unflatten({name.removeprefix(_PREFIX): text for name, text in metadata.items()}))
