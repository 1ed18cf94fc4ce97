"""What each layer said of each setting, for people and for programs. No value stands here."""

from collections.abc import Sequence
from enum import StrEnum

from wellkept._dataclasses import dataclass
from wellkept.errors import Problem
from wellkept.origin import Origin


class Verdict(StrEnum):
    """What became of one layer's word."""

    WINNER = "winner"
    SHADOWED = "shadowed"
    ABSENT = "absent"  # an optional reference whose target is not there
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """One layer's word on a setting.

    Attributes:
        origin: where it stands, and what answered there.
        verdict: what became of it.
        references: the references in it, as text.
    """

    origin: Origin
    verdict: Verdict
    references: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = ", ".join(f"${{{one}}}" for one in self.references) or "a value"
        if self.references and all(one.startswith("enc:") for one in self.references):
            what = "an encrypted value"
        elif self.origin.answer is not None:
            what += f" → {self.origin}"
        note = "" if self.origin.note is None else f" ({self.origin.note})"
        return f"{self.verdict:<9} {self.origin.place}: {what}{note}"


@dataclass(frozen=True, slots=True)
class SettingExplanation:
    """Where one setting got its value.

    Attributes:
        name: the dotted Python name.
        type: the declared type as text.
        is_secret: whether it is a Secret.
        has_default: whether the code has a default for it.
        lines: each layer's word, strongest first.
        problems: why it has no value.
        note: one more fact: that its file is never updated, say.
    """

    name: str
    type: str
    is_secret: bool
    has_default: bool
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...] = ()
    note: str | None = None

    @property
    def winner(self) -> Line | None:
        """The word that won, or None: then the default counts."""
        return next((line for line in self.lines if line.verdict is Verdict.WINNER), None)

    @property
    def place(self) -> str:
        """Where the value came from, in a few words."""
        if self.problems:
            return "–"
        if self.winner is not None:
            return str(self.winner.origin)
        return "default" if self.has_default else "–"

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.type}"]
        lines += [f"  {line}" for line in self.lines]
        if self.has_default:
            lines.append(f"  {Verdict.SHADOWED if self.winner else Verdict.WINNER:<9} default")
        lines += [f"  problem   {problem.message}\n      hint: {problem.hint}" for problem in self.problems]
        if self.note is not None:
            lines.append(f"  note      {self.note}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where every setting of one class got its value.

    Attributes:
        subject: the name of the class.
        settings: one explanation a setting, in the order of the declaration.
    """

    subject: str
    settings: Sequence[SettingExplanation]

    def __getitem__(self, name: str) -> SettingExplanation:
        """The explanation of one setting, by its dotted Python name."""
        return {one.name: one for one in self.settings}[name]

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.settings)
