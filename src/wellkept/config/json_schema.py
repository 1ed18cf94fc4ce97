"""The JSON Schema (2020-12) of a class's Config.toml, for editors and checks. No I/O here."""

from collections.abc import Mapping, Sequence

from wellkept._names import camel
from wellkept.config.schema import Schema
from wellkept.config.setting import Setting

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_JSON_TYPES = (str, int, float, bool)  # a default of another type cannot be written in JSON
_REFERENCE = {"type": "string", "pattern": r"\$\{[A-Za-z][A-Za-z0-9_-]*:[^{}]+\}"}


def json_schema(schema: Schema) -> dict[str, object]:
    """Describe the file: types, defaults, docs; secrets are `writeOnly`, and text may be a reference."""
    inner = _table([(setting.spelling, setting) for setting in schema.settings])
    inner["description"] = _first_line(schema.cls.__doc__)
    for step in reversed(schema.namespace):
        inner = {"type": "object", "properties": {camel(step): inner}}
    return {"$schema": DIALECT, "title": schema.cls.__qualname__, **inner}


def _table(settings: Sequence[tuple[tuple[str, ...], Setting]]) -> dict[str, object]:
    properties: dict[str, object] = {}
    required: list[str] = []
    for step, members in _grouped(settings).items():
        leaf = next((setting for rest, setting in members if not rest), None)
        inner = _leaf(leaf) if leaf is not None else _table(members)
        properties[camel(step)] = inner
        is_needed = leaf.is_required if leaf is not None else bool(inner.get("required"))
        if is_needed:
            required.append(camel(step))
    table: dict[str, object] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        table["required"] = required
    return table


def _grouped(
    settings: Sequence[tuple[tuple[str, ...], Setting]],
) -> Mapping[str, list[tuple[tuple[str, ...], Setting]]]:
    groups: dict[str, list[tuple[tuple[str, ...], Setting]]] = {}
    for (step, *rest), setting in settings:
        groups.setdefault(step, []).append((tuple(rest), setting))
    return groups


def _leaf(setting: Setting) -> dict[str, object]:
    own = setting.converter.json_schema()
    is_text = own.get("type") == "string" and not own.keys() & {"pattern", "format", "enum", "const"}
    described: dict[str, object] = dict(own) if is_text else {"anyOf": [own, _REFERENCE]}
    if setting.is_secret:
        described["writeOnly"] = True
    if setting.extras.doc:
        described["description"] = setting.extras.doc
    if isinstance(setting.extras.default, _JSON_TYPES):
        described["default"] = setting.extras.default
    return described


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().split("\n", 1)[0]
