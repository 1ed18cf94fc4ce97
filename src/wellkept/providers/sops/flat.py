"""Metadata of formats that know texts only: `age__list_0__map_enc` for `age[0].enc`. This file does no I/O."""

from collections.abc import Mapping

from wellkept._patterns import pattern

_STEP = pattern(r"__(?:list|map)_")


def unflatten(flat: Mapping[str, str]) -> dict[str, object]:
    """The metadata as it stands in YAML: lists of tables, as deep as it is read here; newlines unescaped."""
    plain: dict[str, object] = {}
    lists: dict[str, dict[str, dict[str, str]]] = {}
    for name, text in flat.items():
        head, *steps = _STEP.split(name)
        value = text.replace("\\n", "\n")
        if steps:
            lists.setdefault(head, {}).setdefault(steps[0], {})["__".join(steps[1:])] = value
        else:
            plain[head] = value
    return plain | {name: list(entries.values()) for name, entries in lists.items()}
