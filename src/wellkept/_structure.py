"""What stands inside a value: the parts of tables, lists and classes with fields."""

from collections.abc import Iterable, Mapping
from typing import cast

from wellkept._dataclasses import standard_fields


def parts_of(payload: object) -> Iterable[object] | None:
    """The values inside a structure, or None for a value that is one by itself."""
    if isinstance(payload, Mapping):
        return cast("Mapping[object, object]", payload).values()
    if isinstance(payload, (list, tuple, set, frozenset)):
        return cast("Iterable[object]", payload)
    fields = standard_fields(payload)
    if fields is not None:
        return [getattr(payload, field.name) for field in fields]
    return vars(payload).values() if hasattr(type(payload), "_wellkept_seal") else None


def field_of(payload: object, name: str) -> object:
    if isinstance(payload, Mapping):
        return cast("Mapping[object, object]", payload).get(name)
    if hasattr(type(payload), "_wellkept_seal") or standard_fields(payload) is not None:
        return getattr(payload, name, None)
    return None
