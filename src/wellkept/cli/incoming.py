"""What a .env or TOML file brings into Secrets.toml: values with the keys that they get, and what stays there.

A reference stays, since it is no secret; so do values that are empty, and whatever is about wellkept itself.
"""

from collections.abc import Callable, Iterator, Sequence

from wellkept._dataclasses import dataclass, field
from wellkept._names import BALLERINA_PREFIX, NESTING, camel, canonical, canonical_path
from wellkept._toml.document import Document, TomlFault, parse
from wellkept.config.layers.documents import is_sealed
from wellkept.config.reference import Refusal, parse_lenient, parse_strict
from wellkept.config.shapes import as_list, as_table
from wellkept.crypto.dotenv import LineFault, Variable, parse_dotenv
from wellkept.crypto.spelling import spelt
from wellkept.errors import Malformed
from wellkept.registry import Schemes
from wellkept.secret import Secret

ENV, TOML = "env", "toml"
OWN = "wellkept"  # the table about wellkept itself, and how its variables begin

_IS_OWN = "is about wellkept itself"
_IS_EMPTY = "has no value"
_IS_REFERENCE = "is a reference, and no secret"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One value of the file.

    Attributes:
        name: what the file calls it.
        path: the key that it gets.
        value: as the file has it; not in the repr.
        place: where it stands there.
        fills_in: whether a shell would fill something in.
    """

    name: str
    path: tuple[str, ...]
    value: object = field(repr=False)
    place: str
    fills_in: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """One value that comes in."""

    name: str
    path: tuple[str, ...]
    value: Secret[object]
    fills_in: bool = False


@dataclass(frozen=True, slots=True)
class Staying:
    """One value that stays in the file, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a file holds.

    Attributes:
        candidates: its values.
        judge: says what becomes of one.
    """

    candidates: Sequence[Candidate]
    judge: Callable[[Candidate], Incoming | Staying]


def read_content(content: bytes, name: str, form: str) -> Holding:
    """Read a file.

    Args:
        content: all that it holds.
        name: what it is called in messages.
        form: `env` or `toml`.

    Raises:
        Malformed: it is no such file, or holds what no key of Secrets.toml can be.
        TomlFault: it is no TOML.
    """
    holding = _env(content, name) if form == ENV else _toml(content, name)
    content = b""  # a traceback may show the locals of this frame
    if not isinstance(holding, Holding):
        raise holding
    taken: dict[tuple[str, ...], Candidate] = {}
    for one in holding.candidates:
        other = taken.setdefault(canonical_path(one.path), one)
        if other is not one:
            fact = f"{one.name} is the same key as {other.name} ({other.place} and {one.place})"
            raise Malformed(f"{name}: {fact}", hint="keep one of the two")
    return holding


def path_of(variable: str) -> tuple[str, ...] | None:
    """The key of a variable: `DB_PASSWORD` is dbPassword, `BAL_CONFIG_VAR_DB__PASSWORD` db.password; None for none."""
    steps = variable.removeprefix(BALLERINA_PREFIX).split(NESTING)
    return tuple(map(camel, steps)) if all(map(canonical, steps)) else None


def _env(content: bytes, name: str) -> Holding | Malformed:
    try:
        text = content.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return Malformed(f"{name}: is not UTF-8", hint="save it as UTF-8")
    found = parse_dotenv(text)
    if isinstance(found, LineFault):
        return Malformed(f"{name}: line {found.line} {found.fact}", hint=found.hint)
    candidates: list[Candidate] = []
    for one in found:
        candidate = _variable(one, name)
        if candidate is None:
            return Malformed(f"{name}: line {one.line} has a name that makes no key", hint="name it as in DB_PASSWORD")
        candidates.append(candidate)
    return Holding(candidates, _judge_text)


def _variable(one: Variable, name: str) -> Candidate | None:
    path = path_of(one.name)
    return None if path is None else Candidate(one.name, path, one.text, f"{name}:{one.line}", one.fills_in)


def _judge_text(one: Candidate) -> Incoming | Staying:
    if one.name.startswith(f"{OWN.upper()}_") or canonical(one.path[0]) == OWN:
        return Staying(one.name, _IS_OWN)
    if one.value == "":
        return Staying(one.name, _IS_EMPTY)
    if isinstance(one.value, str) and "${" in one.value and parse_lenient(one.value, Schemes()).references:
        return Staying(one.name, _IS_REFERENCE)
    return Incoming(one.name, one.path, Secret(one.value), one.fills_in)


def _toml(content: bytes, name: str) -> Holding | TomlFault | Malformed:
    try:
        document = parse(content, name)
    except TomlFault as fault:
        return fault.with_traceback(None)
    if is_sealed(document):
        hint = "bring its values over with wellkept export --reveal --file … | wellkept import --format toml -"
        return Malformed(f"{name}: is encrypted already", hint=hint)
    candidates: list[Candidate] = []
    for path, value in _leaves(document.data, ()):
        one = Candidate(spelt(path), path, value, _place(document, path))
        if not all(canonical(step) and step.isprintable() for step in path):
            return Malformed(f"{name}: has a key that is empty or cannot be printed ({one.place})", hint="rename it")
        candidates.append(one)
    providers = as_table((as_table(document.data.get(OWN)) or {}).get("providers")) or {}
    schemes = Schemes(list(providers))
    return Holding(candidates, lambda one: _judge_value(one, schemes))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    table = as_table(value)
    if table is None or path == (OWN,):  # that one is told of as a whole
        yield path, value
        return
    for key, one in table.items():
        yield from _leaves(one, (*path, key))


def _place(document: Document, path: Sequence[str]) -> str:
    spot = document.place(tuple(path))
    return document.name if spot is None else f"{document.name}:{spot[0]}:{spot[1]}"


def _judge_value(one: Candidate, schemes: Schemes) -> Incoming | Staying:
    if canonical(one.path[0]) == OWN:
        return Staying(one.name, _IS_OWN)
    if one.value == "":
        return Staying(one.name, _IS_EMPTY)
    value = _plain(one.value, schemes)
    if isinstance(value, Refusal):
        raise Malformed(f"{one.name}: {value.message} ({one.place})", hint=value.hint)
    return Staying(one.name, _IS_REFERENCE) if value is None else Incoming(one.name, one.path, Secret(value))


def _plain(value: object, schemes: Schemes) -> object | Refusal | None:
    """A value as `load` would have it from a file, or why it would not; None where it refers to another place."""
    if isinstance(value, str):
        template = parse_strict(value, schemes)
        if isinstance(template, Refusal):
            return template
        return None if template.references else str(template)
    table, items = as_table(value), as_list(value)
    if table is None and items is None:
        return value
    parts = [_plain(part, schemes) for part in (table.values() if table is not None else items or ())]
    odd = [part for part in parts if part is None or isinstance(part, Refusal)]
    if odd:
        return next((part for part in odd if part is not None), None)
    return dict(zip(table, parts, strict=True)) if table is not None else parts
