"""Whether a raw value gives a secret by itself: a literal where a Secret is declared, not a reference. No I/O here."""

from collections.abc import Iterable, Mapping

from wellkept._names import canonical
from wellkept.config.convert.collections import DictConverter, ListConverter, TupleConverter
from wellkept.config.convert.constraints import ConstrainedConverter
from wellkept.config.convert.converter import Converter
from wellkept.config.convert.records import DefaultedConverter, RecordConverter
from wellkept.config.convert.secrets import SecretConverter
from wellkept.config.convert.unions import UnionConverter
from wellkept.config.shapes import as_list, as_table


def gives_secret(converter: Converter, raw: object) -> bool:
    """Whether a raw value holds a literal at a place where its converter makes a Secret."""
    if isinstance(converter, SecretConverter):
        return not _refers(raw) and _fits(converter.inner, raw)
    return any(gives_secret(one, below) for one, below in _below(converter, raw))


def _below(converter: Converter, raw: object) -> Iterable[tuple[Converter, object]]:
    """What stands below, each part with its converter."""
    table, items = as_table(raw), as_list(raw)
    if isinstance(converter, UnionConverter):
        return [(one, raw) for one in converter.members]
    if isinstance(converter, ConstrainedConverter):
        return [(converter.inner, raw)]
    if isinstance(converter, (RecordConverter, DefaultedConverter)):
        record = converter.record if isinstance(converter, DefaultedConverter) else converter
        return _fields(record, table or {})
    if isinstance(converter, DictConverter):
        return [(converter.item, one) for one in (table or {}).values()]
    if isinstance(converter, ListConverter):
        return [(converter.item, one) for one in items or ()]
    return zip(converter.items, items or (), strict=False) if isinstance(converter, TupleConverter) else ()


def _fields(record: RecordConverter, table: Mapping[str, object]) -> Iterable[tuple[Converter, object]]:
    for key, one in table.items():
        field = record.forms.get(canonical(key))
        if field is not None:
            yield field.converter, one


def _fits(inner: Converter, raw: object) -> bool:
    """Whether a constraint, if there is one, takes it for the secret: of `Secret[Pem] | Path` a path is none."""
    return not isinstance(inner, ConstrainedConverter) or (isinstance(raw, str) and inner.takes(raw))


def _refers(raw: object) -> bool:
    """Whether a text gets what is secret in it from elsewhere; `$${` is plain text."""
    return isinstance(raw, str) and "${" in raw.replace("$${", "")
