"""A commented Config.toml for a class, with no secret in it. No I/O here."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import cast

from wellkept._names import toml_key
from wellkept.config.extras import MISSING
from wellkept.config.schema import Schema, type_text
from wellkept.config.setting import Setting
from wellkept.secret import Secret


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
    if setting.is_secret:
        yield f'# {key} = "${{file:/etc/secrets/{key}}}"'
    elif setting.is_required:
        yield f"# {key} = "
    else:
        yield f"# {key} = {_written(default)}"


def _written(default: object) -> str:
    """A default as TOML, where TOML has its type."""
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, (int, float, Decimal)):
        return str(default)
    if isinstance(default, (list, tuple)):
        return f"[{', '.join(map(_written, cast('Sequence[object]', default)))}]"
    if default is MISSING or default is None or isinstance(default, Secret):
        return ""
    return json.dumps(_text(default), ensure_ascii=False)


def _text(default: object) -> str:
    if isinstance(default, timedelta):
        return f"{default.total_seconds():g}s"
    return str(default.value if isinstance(default, Enum) else default)
