"""A commented Config.toml for a class, with no secret in it. No I/O here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import cast, get_args

from wellkept._names import camel, toml_key
from wellkept.config.declare import declared, is_record
from wellkept.config.extras import MISSING
from wellkept.config.schema import Schema, type_text
from wellkept.config.setting import Setting
from wellkept.secret import Secret

_MAX_KEYS = 4  # of a table that asks for none: the rest stands in the schema


def template(schema: Schema) -> str:
    """Write every setting as a line: required ones to fill in, others commented out."""
    lines = [
        f"# Config.toml of {schema.cls.__qualname__}. Never commit it with a secret in it:",
        '# write a reference instead, as "${vault:secret/prod/db#password}".',
    ]
    # Keys of the root must stand before the first table, or TOML gives them to it.
    tables: dict[tuple[str, ...], list[Setting]] = {(): []}
    for setting in schema.settings:
        tables.setdefault(setting.spelling[:-1], []).append(setting)
    for table, settings in tables.items():
        if schema.namespace or table:
            lines += ["", f"[{toml_key((*schema.namespace, *table))}]"]
        for setting in settings:
            lines += ["", *_lines(schema, setting)]
    return "\n".join(lines) + "\n"


def _lines(schema: Schema, setting: Setting) -> Iterator[str]:
    if setting.extras.doc:
        yield f"# {setting.extras.doc}"
    key = toml_key(setting.spelling[-1:])
    default = setting.extras.default
    yield f"# {type_text(setting.hint)}{', required' if setting.is_required else ''}; or {schema.variable(setting)}"
    record = _record_of(setting.hint)
    if record is not None:
        yield f"# {key} = {_shape(record)}"
    elif setting.is_secret:
        yield f'# {key} = "${{file:/etc/secrets/{key}}}"'
    elif setting.is_required:
        yield f"# {key} = "
    else:
        yield f"# {key} = {_written(default)}"


def _record_of(hint: object) -> type | None:
    """The class with fields of its own that a hint means, alone or beside None."""
    return next((cast("type", one) for one in (hint, *get_args(hint)) if is_record(one)), None)


def _shape(record: type) -> str:
    """The keys of a table, to fill in: those that are required, else the first few."""
    fields = declared(record)
    chosen = [one for one in fields if one.is_required] or fields[:_MAX_KEYS]
    more = ", …" if len(chosen) < len(fields) else ""
    return f"{{ {', '.join(f'{camel(one.spellings[0])} = …' for one in chosen)}{more} }}"


def _written(default: object) -> str:
    """A default as TOML, where TOML has its type."""
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, (int, float, Decimal)):
        return str(default)
    if isinstance(default, dict):
        table = cast("Mapping[object, object]", default)
        return f"{{ {', '.join(f'{toml_key((str(key),))} = {_written(one)}' for key, one in table.items())} }}"
    if isinstance(default, (list, tuple, set, frozenset)):
        items = cast("Sequence[object] | frozenset[object]", default)
        ordered = sorted(items, key=str) if isinstance(default, (set, frozenset)) else items
        return f"[{', '.join(map(_written, ordered))}]"
    if default is MISSING or default is None or isinstance(default, Secret):
        return ""
    return json.dumps(_text(default), ensure_ascii=False)


def _text(default: object) -> str:
    if isinstance(default, timedelta):
        return f"{default.total_seconds():g}s"
    return str(default.value if isinstance(default, Enum) else default)
