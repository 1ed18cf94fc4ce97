"""Keys and texts as TOML writes them, on one line and with nothing that a terminal would obey. No I/O here."""

from collections.abc import Sequence

from wellkept._patterns import pattern

_BARE_STEP = pattern(r"[A-Za-z0-9_-]+")


def spelt(path: Sequence[str]) -> str:
    """A dotted key as TOML writes it."""
    return ".".join(step if _BARE_STEP.fullmatch(step) else quoted(step) for step in path)


def quoted(text: str) -> str:
    """A text as TOML writes it, on one line."""
    marks = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(marks.get(one) or (one if one.isprintable() else f"\\U{ord(one):08X}") for one in text) + '"'
