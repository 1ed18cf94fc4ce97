"""`[wellkept.providers.NAME]`: what a file says of a provider, and how its source is made of it.

NAME is the scheme of references. The table's keys are the fields of the provider's own options
class; `provider = "vault"` says which provider it is, where NAME does not. A table is read
when its scheme is used for the first time; its own references are fetched first.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from wellkept._dataclasses import replace
from wellkept._imports import load_module
from wellkept._names import canonical
from wellkept._patterns import pattern
from wellkept.config.convert.converter import INVALID, Answer, At, Converter
from wellkept.config.extras import Extras
from wellkept.config.fetch import Fetcher, open_safely
from wellkept.config.layers.providers import PROVIDERS
from wellkept.config.layers.say import Say
from wellkept.config.resolve import resolve
from wellkept.config.setting import Setting
from wellkept.config.shapes import as_list, as_table
from wellkept.errors import Denied, Kind, Malformed, Problem, SourceError, Unreachable, UsageError
from wellkept.ports import ProviderTable, Source
from wellkept.registry import BUILT_IN, open_source, options_of

_KIND = "provider"

# An absent credential of a provider is not the absence of what a reference names.
_ERRORS = {Kind.DENIED: Denied, Kind.UNREACHABLE: Unreachable}
_NAME = pattern(r"[A-Za-z][A-Za-z0-9_-]*")


def offer_tables(says: Iterable[tuple[str, Say]], fetcher: Fetcher, environ: Mapping[str, str]) -> list[Problem]:
    """Let a fetcher open what files configure; of two tables of one name the first one counts.

    Returns:
        What is wrong with them at first sight.
    """
    problems: list[Problem] = []
    offered: set[str] = set()
    for name, say in says:
        place = say.origin.place
        if not _NAME.fullmatch(name):
            hint = "name it with letters, digits, _ and -"
            problems.append(Problem(ascii(name), "is no name for a provider", place, hint))
        elif as_table(say.raw) is None:
            problems.append(
                Problem(name, "expected a table", place, f"write [wellkept.providers.{name}] above its keys")
            )
        elif name not in offered:
            offered.add(name)
            fetcher.offer(name, partial(_opened, name, say, fetcher, environ))
    return problems


def _opened(name: str, say: Say, fetcher: Fetcher, environ: Mapping[str, str]) -> Source | SourceError:
    table = dict(as_table(say.raw) or {})
    kind = table.pop(next((key for key in table if canonical(key) == _KIND), _KIND), name)
    if not isinstance(kind, str) or (name in BUILT_IN and kind != name):
        hint = f"leave out provider, or name the table otherwise: [wellkept.providers.my-{name}]"
        return Malformed(f"{name}: is always the provider {name} ({say.origin.place})", hint=hint)
    options = _options_of(kind)
    if isinstance(options, UsageError):
        way_out = f'write provider = "vault" in [wellkept.providers.{name}]'
        return Malformed(f"{options.message} ({say.origin.place})", hint=way_out if kind == name else options.hint)
    made = _converted(name, say, table, options, fetcher)
    if isinstance(made, SourceError):
        return made
    return open_safely(name, partial(open_source, kind, environ, made))


def _options_of(kind: str) -> type | UsageError:
    try:
        return options_of(kind)
    except UsageError as error:
        return error.with_traceback(None)


def _converted(
    name: str, say: Say, table: Mapping[str, object], options: type, fetcher: Fetcher
) -> ProviderTable | SourceError:
    """Fetch what a table refers to, and convert it by the hints of the options class."""
    path = ("wellkept", PROVIDERS, name)
    # By name: most processes use no table, and the converters take 8 ms to load.
    converter: Converter = load_module("wellkept.config.convert.build").converter_for(options)
    names: Sequence[str] = [one.name for one in load_module("wellkept.config.declare").declared(options)]
    setting = Setting(path, path, path, options, converter, Extras())
    outcome = resolve([(setting, (replace(say, raw=table),))], frozenset(), fetcher)[0]
    problems, raw = outcome.problems, outcome.raw
    at = At(setting.name, say.origin, problems, say.place_of, base=say.base)
    made = INVALID if problems else at.apply(converter, raw)
    if problems:
        first = problems[0]
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        return _ERRORS.get(first.kind, Malformed)(f"{first}{more}", hint=first.hint)
    fetcher.tables.append((outcome, made))
    fields = {canonical(one): one for one in names}
    given = {fields[canonical(key)]: value for key, value in (as_table(raw) or {}).items()}
    referred = frozenset(key for key, value in given.items() if _holds_answer(value))
    return ProviderTable(name, say.origin.place, made, frozenset(given), referred)


def _holds_answer(value: object) -> bool:
    """Whether a reference stands anywhere in a value."""
    table, items = as_table(value), as_list(value)
    inner = table.values() if table is not None else items or ()
    return isinstance(value, Answer) or any(map(_holds_answer, inner))
