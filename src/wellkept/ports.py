"""What the house asks of an outside system: one required method, and optional powers.

A source is any object with `fetch`. Extra powers are protocols of one method each,
looked for with `isinstance`; there is nothing to inherit.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from wellkept.errors import SourceError
from wellkept.model import Reading, Reference


@runtime_checkable
class Source(Protocol):
    """Answers references.

    What it may say of itself by attributes, all optional:

    - `is_secret_store = False`: its answers are no secrets; without it every answer is one.
    - `options`: the names of options that it has beside the common ones.
    - `starts_at_base = True`: a relative path of its references starts at `Reference.base`.
    """

    def fetch(self, reference: Reference) -> Reading:
        """Fetch what a reference without its key names; the caller picks the key.

        Raises:
            Absent: there is no such thing.
            Denied: this caller may not have it.
            Unreachable: no answer.
            Malformed: an answer that cannot be used.
        """
        ...


@runtime_checkable
class FetchesMany(Protocol):
    """A source that answers several references better together than one by one."""

    def fetch_many(self, references: Sequence[Reference]) -> Sequence[Reading | SourceError]:
        """Fetch all; one answer or one error for each reference, in their order."""
        ...


@runtime_checkable
class Closes(Protocol):
    """A source that holds something open."""

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        ...


class OpensSource(Protocol):
    """What a provider's package offers the registry: `open_source`."""

    def __call__(self, environ: Mapping[str, str]) -> Source:
        """Make the source; read nothing but `environ`, and fetch nothing yet."""
        ...
