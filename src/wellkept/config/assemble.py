"""From outcomes to an instance: conversion, defaults, nesting and `validate`. No I/O here."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast

from wellkept._dataclasses import dataclass, replace
from wellkept._names import canonical_path, steps
from wellkept.config.convert.converter import INVALID, At
from wellkept.config.convert.rules import broken_rules
from wellkept.config.declare import Settings, declared
from wellkept.config.extras import MISSING
from wellkept.config.layers.say import Form, Say
from wellkept.config.resolve import Outcome
from wellkept.config.schema import Schema, is_settings
from wellkept.config.setting import Setting
from wellkept.errors import Kind, Problem
from wellkept.origin import Layer
from wellkept.secret import Secret

Values = Mapping[Form, object]

_TOML_TYPES = (str, int, Decimal, datetime, date, time, list, dict)
_SERVICE_LINK_HINT = (
    "Kubernetes set it for a Service of that name: set enableServiceLinks: false in the pod, or rename the setting"
)


def convert_all(
    schema: Schema, outcomes: Sequence[Outcome], spoilt: frozenset[Form], missing_hint: Callable[[Setting], str]
) -> Values:
    """Convert what won, and take defaults where no layer spoke.

    Problems join those of the outcomes; a setting with a problem has the value INVALID.
    """
    values: dict[Form, object] = {}
    for outcome in outcomes:
        setting = outcome.setting
        if setting.form in spoilt or outcome.problems:
            values[setting.form] = INVALID
        elif outcome.say is not None:
            values[setting.form] = _converted(outcome)
        elif setting.extras.default_factory is not None:
            values[setting.form] = setting.extras.default_factory()
        elif setting.extras.default is not MISSING:
            values[setting.form] = copy(setting.extras.default)  # a list would be shared by all loads
        else:
            outcome.problems.append(_missing(schema, setting, missing_hint(setting)))
            values[setting.form] = INVALID
        outcome.raw = None
    return values


def build(schema: Schema, values: Values, outcomes: Sequence[Outcome], problems: list[Problem]) -> Settings | None:
    """Make the instance, or None where a value is missing; `validate` hooks add their problems."""
    places = {one.setting.form: one.say.origin.place for one in outcomes if one.say is not None}
    made = _Builder(values, places, problems).built(schema.cls, (), ())
    return made if isinstance(made, Settings) and not problems else None


def _converted(outcome: Outcome) -> object:
    return None if outcome.say is None else convert(outcome.setting, outcome.say, outcome.raw, outcome.problems)


def convert(setting: Setting, say: Say, raw: object, problems: list[Problem]) -> object:
    """Convert a raw value as its setting is declared; what is wrong with it joins the problems."""
    if say.origin.layer is Layer.OVERRIDE and not _is_toml(raw):
        if setting.is_secret and _is_bare(raw):
            return Secret(raw, name=setting.name, origin=say.origin)
        return raw
    at = At(
        setting.name,
        say.origin,
        problems,
        say.place_of,
        is_strict=say.is_strict,
        base=say.base,
    )
    made = at.apply(setting.converter, raw)
    if made is INVALID and say.origin.layer is Layer.ENVIRONMENT and isinstance(raw, str) and raw.startswith("tcp://"):
        problems[:] = [replace(one, hint=_SERVICE_LINK_HINT) for one in problems]
    return made


def _is_bare(raw: object) -> bool:
    return raw is not None and not isinstance(raw, Secret)


def _is_toml(raw: object) -> bool:
    return isinstance(raw, _TOML_TYPES)


def _missing(schema: Schema, setting: Setting, hint: str) -> Problem:
    # Ballerina's own words, so that what people search for still finds it.
    message = f"value not provided for required configurable variable '{schema.toml_key(setting)}'"
    place = f"declared in {schema.cls.__module__}.{schema.cls.__qualname__}"
    return Problem(setting.name, message, place, hint, Kind.MISSING)


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes instances from the leaves up."""

    values: Values
    places: Mapping[Form, str]
    problems: list[Problem]

    def built(self, cls: type[Settings], path: tuple[str, ...], spelling: tuple[str, ...]) -> object:
        """One instance, or INVALID where one of its values is."""
        fields: dict[str, object] = {}
        for one in declared(cls):
            here, spelt = (*path, one.name), (*spelling, one.spellings[0])
            if is_settings(one.hint):
                fields[one.name] = self.built(cast("type[Settings]", one.hint), here, spelt)
            else:
                fields[one.name] = self.values[canonical_path(spelt)]
        if any(value is INVALID for value in fields.values()):
            return INVALID
        instance = cls(**fields)
        self.problems.extend(_judged(instance, path, self.places))
        return instance


def _judged(instance: Settings, path: tuple[str, ...], places: Mapping[Form, str]) -> list[Problem]:
    """What the class's own `validate` finds wrong, with no secret in it."""
    broken = broken_rules(instance)
    if isinstance(broken, str):
        name = ".".join(path) or type(instance).__qualname__
        return [Problem(name, broken, None, "yield what is wrong instead of raising")]
    return [
        Problem(
            ".".join((*path, name)),
            expected,
            places.get(canonical_path((*path, *steps(name)))),
            f"change {name}, or the setting that it must agree with",
        )
        for name, expected in broken
    ]
