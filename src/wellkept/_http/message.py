"""What goes out and what comes back: a request, a response, a failure. No I/O here."""

from collections.abc import Mapping

from wellkept._dataclasses import dataclass, field
from wellkept.errors import RateLimited, SourceError
from wellkept.secret import Secret

_SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a server.

    Attributes:
        method: `GET`, `POST` …
        path: the segments of the path, decoded; each is percent-encoded when it is sent.
        query: parameters; never a secret.
        body: what is sent as JSON, or None; not in the repr.
        headers: further headers; not in the repr.
        is_repeatable: whether it may be sent twice; None for what its method says.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, Secret[str] | str] = field(default_factory=dict[str, Secret[str] | str], repr=False)
    is_repeatable: bool | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether a second sending does no harm."""
        return self.method in _SAFE_METHODS if self.is_repeatable is None else self.is_repeatable


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Attributes:
        status: the code.
        data: the body as JSON, or None where it is empty or an error that is no JSON; not in the repr.
        retry_after_s: after how many seconds it wants to be asked again, or None.
    """

    status: int
    data: object = field(default=None, repr=False)
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer that can be used.

    Attributes:
        error: the class of the error that it becomes.
        fact: what happened, in words that follow the name of the thing.
        hint: what to do.
        is_passing: whether it may go well a moment later.
        was_sent: whether the server may have acted on the request.
        retry_after_s: when the server wants to be asked again, where it says so.
    """

    error: type[SourceError]
    fact: str
    hint: str
    is_passing: bool = False
    was_sent: bool = False
    retry_after_s: float | None = None

    def about(self, name: str) -> SourceError:
        """The error that it is for one thing."""
        message = f"{name}: {self.fact}"
        if self.error is RateLimited:
            return RateLimited(message, hint=self.hint, retry_after_s=self.retry_after_s)
        return self.error(message, hint=self.hint)
