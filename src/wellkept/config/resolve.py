"""Resolving: precedence first, then every reference of a load together.

An overridden reference costs no request. References to one path are one request; a source
that answers many at once is asked once; the others are asked side by side. Only an absent
target of a reference that says `?optional=true` lets the next layer speak.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from wellkept._dataclasses import dataclass, field, replace
from wellkept.config.convert.converter import Answer, Step
from wellkept.config.explain import Line, Verdict
from wellkept.config.fetch import COMMON_OPTIONS, Fetcher
from wellkept.config.layers.say import Form, Refers, Say
from wellkept.config.pick import pick
from wellkept.config.reference import Refusal, Template, parse_lenient, parse_sealed, parse_strict
from wellkept.config.setting import Setting
from wellkept.config.shapes import as_list, as_table
from wellkept.errors import Absent, Malformed, Problem, SourceError
from wellkept.model import Reading, Reference
from wellkept.origin import Origin
from wellkept.registry import Schemes


@dataclass(slots=True)
class Outcome:
    """What became of one setting.

    Attributes:
        setting: which one.
        say: the word that won, or None: then the default counts.
        absent: the references of stronger words whose targets are not there, and need not be.
        tree: what it says, with a template for each text that holds references; for `refill`.
        raw: its raw value, with answers in the place of references; not in the repr.
        problems: why it cannot be used.
        lines: what each layer said, strongest first, for `explain`.
    """

    setting: Setting
    say: Say | None = None
    absent: tuple[Reference, ...] = ()
    tree: object = field(default=None, repr=False)
    raw: object = field(default=None, repr=False)
    problems: list[Problem] = field(default_factory=list[Problem])
    lines: list[Line] = field(default_factory=list[Line])


@dataclass(slots=True)
class _Open:
    """A setting that is being resolved."""

    outcome: Outcome
    says: Iterator[Say]
    say: Say | None = None
    tree: object = None
    references: tuple[Reference, ...] = ()


def resolve(said: Iterable[tuple[Setting, Sequence[Say]]], spoilt: frozenset[Form], fetcher: Fetcher) -> list[Outcome]:
    """Find the winning word of each setting and fetch what it refers to.

    Args:
        said: for each setting the words on it, strongest first.
        spoilt: settings with a problem already; their references are not fetched.
        fetcher: asks the sources, each path once; it knows the schemes that references may name.
    """
    schemes = fetcher.schemes
    opened = [_Open(Outcome(setting), iter(says)) for setting, says in said]
    waiting = [one for one in opened if one.outcome.setting.form not in spoilt and _next(one, schemes)]
    while waiting:
        fetcher.fetch([reference for one in waiting for reference in one.references])
        waiting = [one for one in waiting if not _settle(one, fetcher) and _next(one, schemes)]
    for one in opened:
        for say in one.says:
            shadowed = _references(_parsed(say, "", schemes, []))
            one.outcome.lines.append(_line(say, Verdict.SHADOWED, shadowed))
    return [one.outcome for one in opened]


def refill(say: Say, tree: object, name: str, fetcher: Fetcher, problems: list[Problem]) -> object:
    """The raw value of a word that has won before, with the answers that the fetcher has by now.

    Args:
        say: the word.
        tree: `Outcome.tree`.
        name: the setting.
        fetcher: it has an answer to each reference.
        problems: the list that problems join.
    """
    return _filled(say, tree, name, fetcher, problems)


def references_of(outcome: Outcome) -> tuple[Reference, ...]:
    """The references in the word that won."""
    return _references(outcome.tree)


def _next(one: _Open, schemes: Schemes) -> bool:
    """Let the next layer speak; whether there are references to wait for."""
    say = next(one.says, None)
    if say is None:
        return False
    one.say = say
    problems: list[Problem] = []
    one.tree = _parsed(say, one.outcome.setting.name, schemes, problems)
    one.references = _references(one.tree) if _may_refer(say) else ()
    if problems:
        one.outcome.problems += problems
        one.outcome.lines.append(_line(say, Verdict.FAILED, one.references))
        return False
    if not one.references:
        _win(one, say, one.tree)
        return False
    return True


def _settle(one: _Open, fetcher: Fetcher) -> bool:
    """Put the answers in place; False where the target is absent and may be."""
    say = one.say
    if say is None:  # pragma: no cover - _next set it
        return True
    answers = {reference: _answer(reference, fetcher) for reference in one.references}
    failed = {reference: answer for reference, answer in answers.items() if isinstance(answer, SourceError)}
    # All that failed is absent and may be: one that is denied beside it is an error all the same.
    if failed and all(other.is_optional and isinstance(answer, Absent) for other, answer in failed.items()):
        one.outcome.lines.append(_line(say, Verdict.ABSENT, one.references))
        one.outcome.absent += one.references
        return False
    problems: list[Problem] = []
    raw = _filled(say, one.tree, one.outcome.setting.name, fetcher, problems)
    if problems:
        one.outcome.problems += problems
        one.outcome.lines.append(_line(say, Verdict.FAILED, one.references))
    else:
        _win(one, say, raw)
    return True


def _win(one: _Open, say: Say, raw: object) -> None:
    one.outcome.say, one.outcome.raw = say, raw
    one.outcome.tree = one.tree if one.references else None
    line = _line(say, Verdict.WINNER, one.references)
    one.outcome.lines.append(replace(line, origin=raw.origin) if isinstance(raw, Answer) else line)


def _line(say: Say, verdict: Verdict, references: Iterable[Reference]) -> Line:
    return Line(say.origin, verdict, tuple(map(str, references)))


def _parsed(say: Say, name: str, schemes: Schemes, problems: list[Problem]) -> object:
    """The raw value with a template for each text that holds references."""
    parse = parse_strict if say.refers is Refers.STRICT else parse_lenient

    def leaf(raw: object, path: tuple[Step, ...]) -> object:
        is_sealed = say.refers is Refers.SEALED
        if not is_sealed and (not isinstance(raw, str) or "${" not in raw):
            return raw
        template = parse_sealed(raw, (*say.path, *path), say.base) if is_sealed else parse(str(raw), schemes, say.base)
        if isinstance(template, Refusal):
            problems.append(Problem(name, template.message, say.place_of(path).place, template.hint))
            return None
        return template if template.references else str(template)

    return _walked(say.raw, leaf) if _may_refer(say) else say.raw


def _may_refer(say: Say) -> bool:
    """Whether it is worth a look: most values are numbers, or text without an opening."""
    raw = say.raw
    if say.refers is Refers.SEALED:
        return True
    if say.refers is Refers.NEVER or isinstance(raw, (bool, int)):
        return False
    return not isinstance(raw, str) or "${" in raw


def _walked(tree: object, leaf: Callable[[object, tuple[Step, ...]], object], path: tuple[Step, ...] = ()) -> object:
    """The same tree of tables and lists with other leaves."""
    table, items = as_table(tree), as_list(tree)
    if table is not None:
        return {key: _walked(one, leaf, (*path, key)) for key, one in table.items()}
    if items is not None:
        return [_walked(one, leaf, (*path, index)) for index, one in enumerate(items)]
    return leaf(tree, path)


def _references(tree: object) -> tuple[Reference, ...]:
    """The references of a parsed value, in order."""
    if isinstance(tree, Template):
        return tree.references
    table, items = as_table(tree), as_list(tree)
    inner = table.values() if table is not None else items or ()
    return tuple(reference for one in inner for reference in _references(one))


def _filled(say: Say, tree: object, name: str, fetcher: Fetcher, problems: list[Problem]) -> object:
    """The raw value with an answer in the place of each template."""

    def leaf(template: object, path: tuple[Step, ...]) -> object:
        if not isinstance(template, Template):
            return template
        origin = say.place_of(path)
        answers: dict[Reference, Reading] = {}
        for reference in dict.fromkeys(template.references):
            answer = _answer(reference, fetcher)
            if isinstance(answer, SourceError):
                hint = answer.hint or f"correct the reference in {origin.place}"
                problems.append(Problem(name, answer.message, origin.place, hint, answer.kind))
            elif template.alone is None and _text(answer.value) is None:
                problems.append(Problem(name, f"{reference}: is no text to stand in a text", origin.place, _NO_TEXT))
            else:
                answers[reference] = answer
        return None if problems else _joined(template, answers, origin, fetcher)

    return _walked(tree, leaf)


def _joined(template: Template, answers: Mapping[Reference, Reading], origin: Origin, fetcher: Fetcher) -> Answer:
    is_secret = any(fetcher.is_secret(reference) for reference in answers)
    names = ", ".join(f"{answer.answer}{reference.fragment}" for reference, answer in answers.items())
    only = template.alone
    if only is not None:
        reading = answers[only]
        there = replace(origin, answer=names, version=reading.version, note=reading.note)
        return Answer(reading.value, there, is_secret)
    texts = [one if isinstance(one, str) else _text(answers[one].value) or "" for one in template.pieces]
    return Answer("".join(texts), replace(origin, answer=names), is_secret)


_NO_TEXT = "name a key of it with #key, or let the reference stand alone"


def _text(value: object) -> str | None:
    """The text of an answer that stands inside a text; None for a table, a list, or bytes that are none."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    is_text = isinstance(value, (str, int)) and not isinstance(value, bool)
    return str(value) if is_text else None


def _answer(reference: Reference, fetcher: Fetcher) -> Reading | SourceError:
    """The part of an answer that a reference means."""
    reading = fetcher.reading(reference)
    unknown = [name for name, _value in reference.options if name not in COMMON_OPTIONS | fetcher.options(reference)]
    if unknown:
        return Malformed(f"{reference}: {reference.scheme} has no option {unknown[0]}", hint="leave it out")
    return pick(reading, reference) if isinstance(reading, Reading) else reading
