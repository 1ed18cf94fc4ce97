"""What the house asks of an outside system: one required method, and optional powers.

A source is any object with `fetch`. Extra powers are protocols of one method each,
looked for with `isinstance`; there is nothing to inherit.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from wellkept._dataclasses import dataclass
from wellkept.errors import SourceError
from wellkept.model import Lease, Reading, Reference


@runtime_checkable
class Source(Protocol):
    """Answers references.

    What it may say of itself by attributes, all optional:

    - `is_secret_store = False`: its answers are no secrets; without it every answer is one.
    - `is_local = True`: it is this machine itself, and is looked at every 2 s; without it, every 10 s.
    - `never_changes = True`: its answers stay what they are as long as the process lives.
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


@runtime_checkable
class Writes(Protocol):
    """A source that can be written."""

    def write(self, reference: Reference, value: str | None, *, expected_version: str | None = None) -> str | None:
        """Set what a reference names, or remove it; other keys of the same secret stay.

        Args:
            reference: what to write; without a key it is the whole, which can only be removed.
            value: the text, or None to remove it.
            expected_version: the version that must be the newest one, or None for whichever is read.

        Returns:
            The version that was written, or None where the source has none.

        Raises:
            Conflict: it changed meanwhile; nothing was written.
            Absent: there is nothing to remove.
            SourceError: as in `Source.fetch`.
        """
        ...


@runtime_checkable
class Watches(Protocol):
    """A source that can tell whether an answer is still the newest, for less than fetching it."""

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        """Say which version of each is there now, without any value; one answer each, in their order.

        Returns:
            For each a text that is another one whenever `fetch` would answer otherwise: the `Reading.version`,
            where the source has versions. None where only a fetch can tell. Or why there is no answer.
        """
        ...


@runtime_checkable
class Leases(Protocol):
    """A source whose answers may be leased: `Reading.lease`."""

    def renew(self, reference: Reference, lease: Lease) -> Lease:
        """Ask for more time; what is granted may be less than it was before.

        Raises:
            Absent: there is no such lease any more.
            SourceError: as in `Source.fetch`.
        """
        ...

    def revoke(self, lease: Lease) -> None:
        """End it now; ending what has ended already is fine.

        Raises:
            SourceError: as in `Source.fetch`.
        """
        ...


@runtime_checkable
class LogsIn(Protocol):
    """A source with a login that comes to an end, and with it all that was leased under it."""

    @property
    def has_own_login(self) -> bool:
        """Whether this process has made a login, and not only taken one that it was given."""
        ...

    def login(self) -> Lease | None:
        """The login in use, with the time that it has left; None for one that does not end, or where there is none.

        Raises:
            SourceError: as in `Source.fetch`.
        """
        ...

    def renew_login(self) -> Lease:
        """Ask for more time for it; what is granted may be less than it was before.

        Raises:
            SourceError: as in `Source.fetch`.
        """
        ...

    def log_in_beside(self) -> Lease:
        """Log in anew and use that from now on; the old login stays good until `log_out`.

        Raises:
            SourceError: as in `Source.fetch`; the old login is used on.
        """
        ...

    def log_out(self, login: str) -> None:
        """End a login that this source made; one that it was given stays as it is.

        Raises:
            SourceError: as in `Source.fetch`.
        """
        ...


@runtime_checkable
class Lists(Protocol):
    """A source that can say what it holds."""

    def names(self, reference: Reference) -> Sequence[str]:
        """Name what stands directly below a path, sorted; a name that ends in `/` has more below it.

        Raises:
            SourceError: as in `Source.fetch`.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProviderTable:
    """What `[wellkept.providers.NAME]` of a file says, converted.

    Attributes:
        name: NAME, the scheme.
        place: where it stands (`Config.toml:3:1`).
        options: an instance of the provider's own options class.
        given: the options that the table gives.
        referred: those of them whose text came from elsewhere, by a reference.
    """

    name: str
    place: str
    options: object
    given: frozenset[str]
    referred: frozenset[str]


class OpensSource(Protocol):
    """What a provider's package offers the registry: `open_source`."""

    def __call__(self, environ: Mapping[str, str], /) -> Source:
        """Make the source; read nothing but `environ`, and fetch nothing yet.

        Raises:
            SourceError: what it is given cannot work.
        """
        ...


@runtime_checkable
class OpensConfigured(Protocol):
    """The same, of a provider that a table `[wellkept.providers.NAME]` can configure.

    Attributes:
        options: a frozen dataclass, whose fields are the keys of such a table.
    """

    options: type

    def __call__(self, environ: Mapping[str, str], table: ProviderTable | None = None, /) -> Source:
        """Make the source, as the table says where there is one."""
        ...
