"""Unions: the first member that takes the value, in the order of the declaration.

A number, a truth value or a date that has a member of exactly its type goes there first:
`float | int` makes 5 an int, as TOML wrote it. Text goes by the order alone, so that
`timedelta | str` means the same in Config.toml and in a variable.
"""

from collections.abc import Iterator
from datetime import date, time

from wellkept._dataclasses import dataclass
from wellkept.config.convert.converter import INVALID, Answer, At, Converter
from wellkept.errors import Problem

_EXACT = (bool, int, date, time)


@dataclass(frozen=True, slots=True)
class UnionConverter:
    """A value of one of several types.

    Attributes:
        members: their converters, in the order of the declaration.
    """

    members: tuple[Converter, ...]

    @property
    def expected(self) -> str:
        """What it accepts, in words."""
        return " or ".join(dict.fromkeys(member.expected for member in self.members))

    @property
    def passes_raw(self) -> bool:
        """Whether one of its members wants answers and bytes as they are."""
        return any(member.passes_raw for member in self.members)

    def convert(self, value: object, at: At) -> object:
        """Return what the first fitting member makes, or report to `at` and return `INVALID`."""
        plain = value.value if isinstance(value, Answer) else value
        if isinstance(plain, _EXACT):
            for made, _problems in self._tried(value, at):
                if type(made) is type(plain):
                    return made
        failures: list[list[Problem]] = []
        for made, problems in self._tried(value, at):
            if made is not INVALID and not problems:
                return made
            failures.append(problems)
        return self._refuse(failures, at)

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema of the members."""
        return {"anyOf": [member.json_schema() for member in self.members]}

    def _tried(self, value: object, at: At) -> Iterator[tuple[object, list[Problem]]]:
        for member in self.members:
            trial = at.trial()
            yield trial.apply(member, value), trial.problems

    def _refuse(self, failures: list[list[Problem]], at: At) -> object:
        """Report one member's problems where they are plainly the ones meant, else all in one."""
        deeper = [problems for problems in failures if any(one.setting != at.setting for one in problems)]
        is_one_fact = len({tuple(one.message for one in problems) for problems in failures}) == 1
        if len(deeper) == 1 or is_one_fact:
            at.problems.extend(deeper[0] if deeper else failures[0])
            return INVALID
        return at.refuse(f"expected {self.expected}")
