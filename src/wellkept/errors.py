"""Every error that wellkept raises: the tree, its exit codes and its hints.

    WellkeptError            1   base; carries a hint, never a value
    ├── ConfigError          *   every problem of one load; its code follows from them
    ├── DeclarationError     2   a Settings class that cannot work (also a TypeError)
    ├── UsageError           2   a call or a command line that cannot work
    ├── SecretLeak           1   an operation that would show a secret (also a TypeError)
    ├── SecretExpired        1   a leased value whose time is over
    ├── BundleError          1   a certificate, key, keystore or trust that cannot be used
    ├── TLSWeakened          1   an attempt to make a TLS context verify less (also a ValueError)
    └── SourceError          1   a reference was not answered
        ├── Absent           1   the source answered: there is no such thing
        │   ├── Deleted      1   there was, and it can be brought back
        │   ├── Destroyed    1   there was, and it is gone for good
        │   └── WrongPath    1   the path cannot exist in that source
        ├── Denied          77   the source answered: not for you
        │   ├── LoginRefused 77  the credentials of the login are not accepted
        │   ├── TokenRefused 77  the token is expired, revoked or unknown
        │   └── PolicyDenied 77  the token is good, and its policy does not give this
        ├── Unreachable     69   the source did not answer
        │   ├── TimedOut    69   not within the deadline
        │   ├── TLSFailed   69   not over a connection that can be trusted
        │   ├── Sealed      69   it is there, and locked
        │   └── RateLimited 69   it is there, and asks to come back later
        ├── Malformed        1   the source answered with something that cannot be used
        └── Conflict         1   nothing was written: somebody else changed it meanwhile

Absent, denied and unreachable are three answers and never stand in for each other.
A message starts with the name of the thing, then the fact; no message holds a value.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from wellkept._dataclasses import dataclass

EXIT_FINE = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_DENIED = 77  # EX_NOPERM of sysexits.h
EXIT_RUN_FAILED = 125  # what env(1), nohup(1) and docker run give for their own failures


class WellkeptError(Exception):
    """The base of every error here.

    Attributes:
        hint: what to do next, one line, or None.
    """

    exit_code: int = EXIT_FINDINGS

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        """The fact, without the hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class Kind(StrEnum):
    """What a problem is about; exit codes and `check` tell them apart."""

    MISSING = "missing"
    INVALID = "invalid"
    UNKNOWN = "unknown"
    FILE = "file"
    ABSENT = "absent"
    DENIED = "denied"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration.

    Attributes:
        setting: the setting, variable, key or file that it concerns.
        message: the fact: what was expected, or what is missing. Never a value.
        place: where (`Config.toml:14:9`, `env BAL_CONFIG_VAR_PORT`), or None.
        hint: the fix, one line.
        kind: what sort of problem.
    """

    setting: str
    message: str
    place: str | None
    hint: str
    kind: Kind = Kind.INVALID

    def __str__(self) -> str:
        where = "" if self.place is None else f" ({self.place})"
        return f"{self.setting}: {self.message}{where}"


_EXIT_CODES = {Kind.DENIED: EXIT_DENIED, Kind.UNREACHABLE: EXIT_UNREACHABLE}


class ConfigError(WellkeptError):
    """A configuration that cannot be used, with all of its problems.

    Attributes:
        problems: every problem, in the order of the declaration.
        exit_code: 69 if all is only unreachable, 77 if all is only denied, else 1.
    """

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(f"{subject}: {count}")
        self._subject = subject
        self.problems: tuple[Problem, ...] = tuple(problems)
        codes = {_EXIT_CODES.get(problem.kind, EXIT_FINDINGS) for problem in problems}
        self.exit_code: int = codes.pop() if len(codes) == 1 else EXIT_FINDINGS

    def __reduce__(self) -> tuple[object, ...]:
        """Let it come back whole from another process."""
        return type(self), (self._subject, self.problems)

    def __str__(self) -> str:
        lines = [self.message]
        for problem in self.problems:
            lines += [f"  {problem}", f"      hint: {problem.hint}"]
        return "\n".join(lines)


class DeclarationError(WellkeptError, TypeError):
    """A Settings class that cannot work; raised when it is made or first loaded."""

    exit_code = EXIT_USAGE


class UsageError(WellkeptError):
    """A call or a command line that cannot work."""

    exit_code = EXIT_USAGE


class SecretLeak(WellkeptError, TypeError):
    """An operation that would have shown a secret, or used its mask as if it were the value."""


class SecretExpired(WellkeptError):
    """A leased secret whose time is over: it is not served any more."""


class BundleError(WellkeptError):
    """A certificate, a key, a keystore or a trust that cannot be used; it names the file, the fact and the fix."""


class TLSWeakened(WellkeptError, ValueError):
    """An attempt to make a TLS context verify less, or trust more, than its settings say."""


class SourceError(WellkeptError):
    """A reference that was not answered; see the three answers below it."""

    kind: ClassVar[Kind] = Kind.INVALID


class Absent(SourceError):
    """The source answered that there is no such thing."""

    kind = Kind.ABSENT


class Deleted(Absent):
    """There was such a thing, and it can be brought back."""


class Destroyed(Absent):
    """There was such a thing, and it is gone for good."""


class WrongPath(Absent):
    """A path that cannot exist in that source."""


class Denied(SourceError):
    """The source answered that this caller may not have it."""

    exit_code = EXIT_DENIED
    kind = Kind.DENIED


class LoginRefused(Denied):
    """The credentials of the login are not accepted."""


class TokenRefused(Denied):
    """The token is expired, revoked or unknown."""


class PolicyDenied(Denied):
    """The token is good, and its policy does not give this."""


class Unreachable(SourceError):
    """The source did not answer."""

    exit_code = EXIT_UNREACHABLE
    kind = Kind.UNREACHABLE


class TimedOut(Unreachable):
    """The source did not answer within the deadline."""


class TLSFailed(Unreachable):
    """The source did not answer over a connection that can be trusted."""


class Sealed(Unreachable):
    """The source is there, and locked."""


class RateLimited(Unreachable):
    """The source is there, and asks to come back later.

    Attributes:
        retry_after_s: after how many seconds, or None where it does not say.
    """

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class Malformed(SourceError):
    """The source answered with something that cannot be used."""


class Conflict(SourceError):
    """Nothing was written: somebody else changed it meanwhile."""


class InsecurePermissions(UserWarning):
    """A file with secrets in it that other users of the machine can read."""
