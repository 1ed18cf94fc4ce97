"""Where a value came from, as text and as facts. No value ever stands here."""

from enum import StrEnum

from wellkept._dataclasses import dataclass


class Layer(StrEnum):
    """The local place that said something about a setting, strongest first."""

    OVERRIDE = "override"
    ENVIRONMENT = "environment"
    ARGUMENT = "argument"
    FILE = "file"
    DIRECTORY = "directory"
    REFERENCE = "reference"  # `setting(reference=…)`, written in code
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """One place, and what answered there.

    Attributes:
        layer: which layer it is.
        place: the place as a person writes it: `Config.toml:2:14`, `env PAY_PORT`, `-Cport`.
        file: path of the file or directory entry, or None.
        line: line where the value begins, from 1, or None.
        column: column where the value begins, from 1, or None.
        answer: what a reference there was answered by (`vault secret/prod/db#password`), or None.
        version: the answer's version, or None.
        note: one more fact worth knowing (`one final newline stripped`), or None.
    """

    layer: Layer
    place: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    answer: str | None = None
    version: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        if self.answer is None:
            return self.place
        return self.answer if self.version is None else f"{self.answer} v{self.version}"


IN_CODE = Origin(Layer.DEFAULT, "code")
