"""The layer of one TOML table: which of its keys are settings, which are nobody's.

The same walk serves Config.toml, BAL_CONFIG_DATA, overrides, and a table that stands as a
literal in a variable. This file does no I/O.
"""

from collections.abc import Callable, Iterable, Mapping

from wellkept._dataclasses import dataclass
from wellkept._names import canonical, canonical_path, did_you_mean, steps, toml_key
from wellkept.config.convert.converter import Step
from wellkept.config.extras import RESERVED_TABLE
from wellkept.config.layers.say import Form, Heard, Refers, Say, unknown
from wellkept.config.schema import Schema
from wellkept.config.shapes import as_table
from wellkept.errors import Problem
from wellkept.origin import Origin

Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """How one table is read.

    Attributes:
        schema: whose settings are looked for.
        place_of: the origin of the value at a path of keys.
        key_place_of: the place of the key at a path.
        refers: whether texts in it may refer.
        is_strict: whether its values have TOML's types.
        base: the folder where relative paths start.
        namespaces: other classes' tables, which are left alone.
    """

    schema: Schema
    place_of: Callable[[Path], Origin]
    key_place_of: Callable[[Path], str | None]
    refers: Refers
    is_strict: bool = True
    base: str | None = None
    namespaces: Iterable[str] = ()

    def read_root(self, data: Mapping[str, object], heard: Heard) -> None:
        """Read a whole document: go to the namespace's table, and leave other tables alone."""
        found: list[tuple[Path, Mapping[str, object]]] = [((), data)]
        for step in self.schema.namespace:
            found = [
                ((*path, key), inner)
                for path, table in found
                for key, value in table.items()
                if canonical(key) == canonical(step) and (inner := as_table(value)) is not None
            ]
        others = [canonical_path(steps(namespace)) for namespace in self.namespaces]
        own = canonical_path(self.schema.namespace)
        foreign = {other[len(own) :] for other in others if other[: len(own)] == own and other != own}
        if not own:
            foreign.add((RESERVED_TABLE,))
        for path, table in found:
            self.read(table, heard, (), path, foreign)

    def read(
        self,
        table: Mapping[str, object],
        heard: Heard,
        form: Form,
        path: Path,
        foreign: Iterable[Form] = (),
    ) -> None:
        """Read one table.

        Args:
            table: its keys and values.
            heard: takes the words and problems.
            form: the canonical path of the Settings that it stands for.
            path: its path of keys in the document, for places.
            foreign: canonical paths below the root that are not ours to judge.
        """
        for key, value in table.items():
            here, at = (*form, canonical(key)), (*path, key)
            if here in self.schema.by_form:
                heard.hear(here, self._say(value, at))
            elif here in foreign and here not in self.schema.tables:
                continue
            elif here in self.schema.tables or any(other[: len(here)] == here for other in foreign):
                inner = as_table(value)
                if inner is not None:
                    self.read(inner, heard, here, at, foreign)
                else:
                    place = self.place_of(at).place
                    heard.refuse(Problem(key, "expected a table", place, f"write [{key}] above its keys"), here)
            else:
                heard.refuse(self._unknown(key, form, at, is_guessed=not heard.is_overrun))

    def _say(self, value: object, at: Path) -> Say:
        return Say(
            self.place_of(at),
            value,
            is_strict=self.is_strict,
            refers=self.refers,
            place_of=lambda below: self.place_of((*at, *below)),
            base=self.base,
            path=at,
        )

    def _unknown(self, key: str, form: Form, at: Path, *, is_guessed: bool) -> Problem:
        """One problem for the topmost key that nobody declared."""
        siblings = [one.spelling[-1] for one in self.schema.settings if one.form[:-1] == form]
        siblings += [table[-1] for table in self.schema.tables if table and table[:-1] == form]
        names = {canonical(name): toml_key([name]) for name in siblings}
        elsewhere = [one for one in self.schema.settings if one.form[-1] == canonical(key)]
        hint = did_you_mean(key, names.values()) if is_guessed else None
        if hint is None and elsewhere:
            hint = f"did you mean {self.schema.toml_key(elsewhere[0])}?"
        name = ".".join(str(step) if str(step).isprintable() else ascii(step) for step in at)
        return unknown(
            name,
            f"unused configuration value '{name}'",
            self.key_place_of(at),
            hint or f"{self.schema.cls.__name__} declares no such setting: remove it",
        )
