"""Conversion of one value of a setting `x` that stands in a Config.toml."""

from collections.abc import Callable

import pytest

from wellkept.config.convert.build import converter_for
from wellkept.config.convert.converter import INVALID, At, Step
from wellkept.errors import Problem
from wellkept.origin import Layer, Origin


def _place(path: tuple[Step, ...]) -> Origin:
    return Origin(Layer.FILE, "/".join(["Config.toml", *map(str, path)]))


def _converted(
    hint: object, value: object, *, lax: bool = False, base: str | None = None, key: str | None = None
) -> tuple[object, list[Problem]]:
    problems: list[Problem] = []
    at = At("x", _place(()), problems, _place, is_strict=not lax, base=base)
    return at.apply(converter_for(hint, key=key), value), problems


@pytest.fixture
def convert() -> Callable[..., object]:
    """Convert a good value: `convert(int, 5)`, `convert(int, "5", lax=True)`."""

    def converted(hint: object, value: object, **options: object) -> object:
        made, problems = _converted(hint, value, **options)  # type: ignore[arg-type]  # checked by the tests that use it
        assert [str(problem) for problem in problems] == []
        assert made is not INVALID
        return made

    return converted


@pytest.fixture
def refuse() -> Callable[..., list[Problem]]:
    """Convert a bad value and give its problems."""

    def refused(hint: object, value: object, **options: object) -> list[Problem]:
        made, problems = _converted(hint, value, **options)  # type: ignore[arg-type]  # as above
        assert made is INVALID
        assert problems
        return problems

    return refused
