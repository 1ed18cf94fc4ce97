"""JSON, and the JSON around a binary file, as trees. This file does no I/O."""

import json
from typing import cast

from wellkept.providers.sops.document import Document, Refusal, split

_NO_JSON = Refusal("is no JSON", "where its name does not tell its format, add ?format=yaml, dotenv, ini or json")
_NOT_CLEAR = Refusal("says something twice, or has NaN or Infinity, which JSON does not have", "write each key once")
_NO_BINARY = Refusal("is no binary file that SOPS encrypted", "add ?format=json")


def parse_json(data: bytes) -> Document | Refusal:
    """The document of a JSON file."""
    twice: list[str] = []

    def table(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.append("key")
        return made

    try:
        tree = json.loads(data.decode(), object_pairs_hook=table, parse_int=_whole, parse_constant=twice.append)
    except (ValueError, RecursionError):
        return _NO_JSON
    if twice:
        return _NOT_CLEAR
    return split(cast("dict[str, object]", tree)) if isinstance(tree, dict) else _NO_JSON


def parse_binary(data: bytes) -> Document | Refusal:
    """The document of a file that SOPS encrypted as a whole."""
    document = parse_json(data)
    if isinstance(document, Document):
        is_whole = list(document.tree) == ["data"] and isinstance(document.tree["data"], str)
        return document if is_whole else _NO_BINARY
    return document


def _whole(text: str) -> float:
    return float(text) if text == "-0" else int(text)  # SOPS hashes what Go reads: a float
