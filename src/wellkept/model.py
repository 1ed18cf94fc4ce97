"""Frozen facts that cross the house: a reference, a reading, a finding. No I/O here."""

from enum import StrEnum

from wellkept._dataclasses import dataclass, field
from wellkept._patterns import pattern

_DURATION = pattern(r"[0-9]{1,9}(?:ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RESERVED = pattern(r"[%{}?#]")  # what ends a path or a key, or begins an escape

RESOLVED_VARIABLE = "WELLKEPT_RESOLVED"  # where `run` names the variables whose text is final for `load`


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a value lives, as a person wrote it: `${scheme:path?option=value#key}`, parsed.

    Attributes:
        scheme: which source answers (`vault`).
        path: the decoded segments of the path (`("secret", "prod", "db")`).
        key: the steps to the part of the answer that is meant, decoded; none for all of it.
            `#password` is one step, `#/a/b` is two.
        options: the options in the order written, decoded.
        is_absolute: whether the path began with a slash (only file paths do).
        base: the folder where a relative file path starts, or None for the current one.
    """

    scheme: str
    path: tuple[str, ...]
    key: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    is_absolute: bool = False
    base: str | None = None

    def option(self, name: str) -> str | None:
        """The value of one option, or None."""
        return dict(self.options).get(name)

    @property
    def is_optional(self) -> bool:
        """Whether an absent target falls through to the next layer."""
        return self.option("optional") == "true"

    @property
    def is_plain(self) -> bool:
        """Whether the writer says that the answer is no secret."""
        return self.option("plain") == "true"

    @property
    def ttl_s(self) -> float | None:
        """How many seconds old the answer may grow before it is asked for again, where the writer says so."""
        return _seconds(self.option("ttl"))

    @property
    def max_stale_s(self) -> float | None:
        """For how many seconds it may be served while its source does not answer, where the writer says so."""
        return _seconds(self.option("max_stale"))

    @property
    def location(self) -> str:
        """The path as text, as the writer spelt it but for needless escapes."""
        text = "/".join(map(_spelt, self.path))
        return f"/{text}" if self.is_absolute else text

    @property
    def file_path(self) -> str:
        """The file that it names, where its scheme is one of files; without a base it starts at the current folder."""
        path = "/".join(self.path)
        if self.is_absolute or not self.base:
            return f"/{path}" if self.is_absolute else path
        return f"{self.base.rstrip('/')}/{path}"

    @property
    def fragment(self) -> str:
        """The key as text: `#password`, `#/a/b`, or nothing."""
        if len(self.key) == 1 and not self.key[0].startswith("/"):
            return f"#{_spelt(self.key[0])}"
        return "".join(f"/{_spelt(step).replace('/', '%2F')}" for step in self.key).replace("/", "#/", 1)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.location}{self.fragment}"


def is_duration(text: str) -> bool:
    """Whether a text is a duration: `500ms`, `30s`, `5m`, `1h`, `2d`."""
    return _DURATION.fullmatch(text) is not None


def in_seconds(text: str) -> float:
    """The seconds of a duration."""
    number = text.rstrip("msdh")
    return int(number) * _UNITS[text[len(number) :]]


def _seconds(text: str | None) -> float | None:
    return None if text is None else in_seconds(text)


def is_fit_step(step: str) -> bool:
    """Whether a decoded segment of a path can lead nowhere but down, on any system."""
    return step not in {"", ".", ".."} and "/" not in step and "\\" not in step and step.isprintable()


def _spelt(text: str) -> str:
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", text)


@dataclass(frozen=True, slots=True)
class Lease:
    """For how long something may be used, and by which name its source renews or ends it.

    Attributes:
        id: the name, or None where it can be neither renewed nor revoked. It opens nothing.
        duration_s: seconds from when it was answered, at the most those of the login under which it was given.
        is_renewable: whether asking may make it longer.
        login: the name of that login, or None where it outlives any login.
        is_shared: whether others may have been given the same one, as by an agent that caches: nobody ends it.
    """

    id: str | None
    duration_s: float
    is_renewable: bool = False
    login: str | None = None
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A source's answer.

    Attributes:
        value: text, bytes, or a mapping with such values (JSON's types); not in the repr.
        answer: what answered, as text without the value (`vault secret/prod/db`).
        version: the version that was read, or None where the source has none.
        ttl_s: how many seconds the answer may be used before it is asked for again, or None.
        note: one more fact worth knowing (`one final newline stripped`), or None.
        lease: past which it is not served at all, or None for an answer that stays good.
    """

    value: object = field(repr=False)
    answer: str
    version: str | None = None
    ttl_s: float | None = None
    note: str | None = None
    lease: Lease | None = None


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has to say.

    Attributes:
        id: the stable name of the check (`SEC004`).
        severity: how much it matters.
        place: where it was seen.
        evidence: what was seen, without any value.
        fix: what to do.
    """

    id: str
    severity: Severity
    place: str
    evidence: str
    fix: str
