"""`Vault`: the source behind `${vault:…}`, and the same for direct use in code."""

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar, TypeVar, overload

from wellkept._dataclasses import replace
from wellkept._http.address import parse_address
from wellkept._http.client import TIMEOUT_S
from wellkept._http.message import Failure
from wellkept._http.tls import Trust
from wellkept.errors import Absent, Malformed, SourceError, TokenRefused, UsageError
from wellkept.model import Lease, Reading, Reference, is_fit_step
from wellkept.origin import Layer, Origin
from wellkept.providers.vault import ask
from wellkept.providers.vault.change import remove_key, set_key
from wellkept.providers.vault.connection import Connection, from_environ
from wellkept.providers.vault.dance import Dance
from wellkept.providers.vault.engine import Given
from wellkept.providers.vault.kv import Held
from wellkept.providers.vault.lease import renew, revoke
from wellkept.providers.vault.login import GivenToken, Login
from wellkept.providers.vault.logins import LoggedIn
from wellkept.providers.vault.pki import PKI_OPTIONS, Issued
from wellkept.providers.vault.session import Session, session_of
from wellkept.secret import Secret

T = TypeVar("T")

FilePath = str | os.PathLike[str]


class Vault:
    """A Vault or OpenBao server.

    As a source of references: `load(Config, providers={"vault": Vault(…)})`. In code:

        vault = Vault("https://vault.example.com", token=config.vault_token)
        vault.get("secret/prod/db", "password").reveal()

    Two of the same configuration are equal: they share one login, and what is leased under it.

    Attributes:
        options: the options of its references beside the common ones.
    """

    options: ClassVar[frozenset[str]] = PKI_OPTIONS

    _session: Session

    def __init__(
        self,
        address: str,
        *,
        token: Secret[str] | str | None = None,
        login: Login | None = None,
        namespace: str | None = None,
        ca: FilePath | None = None,
        client_cert: FilePath | None = None,
        client_key: FilePath | None = None,
        timeout: timedelta | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            address: `https://vault.example.com:8200`; plain `http://` only on this machine.
            token: a token; or give `login`.
            login: another way to log in: `AppRole(…)`, `Kubernetes(…)` …
            namespace: the namespace of all paths.
            ca: path of the PEM certificates of its CA, instead of those of the system.
            client_cert: path of our own certificate, PEM.
            client_key: path of its key, PEM.
            timeout: how long one request may take with all that it needs; None for 10 s.

        Raises:
            UsageError: the address cannot be, or there is neither a token nor a login.
        """
        if (token is None) == (login is None):
            token = None  # a traceback may show this frame
            raise UsageError("Vault: needs either a token or a login", hint="write token=…, or login=AppRole(…)")
        if token is not None:
            login = GivenToken(token if isinstance(token, Secret) else Secret(token, name="vault token"))
        token = None  # a traceback may show this frame
        trust = Trust(_path(ca), None, _path(client_cert), _path(client_key))
        timeout_s = TIMEOUT_S if timeout is None else timeout.total_seconds()
        where = parse_address(address, what="Vault")
        if login is not None:
            self._session = session_of(Connection(where, login, namespace, trust, timeout_s=timeout_s))

    @classmethod
    def of(cls, connection: Connection) -> "Vault":
        """The Vault of a configuration."""
        made = cls.__new__(cls)
        made._session = session_of(connection)  # noqa: SLF001 it is our own: a second constructor
        return made

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Vault":
        """The Vault of VAULT_ADDR, VAULT_TOKEN and their like.

        Raises:
            UsageError: they name no address, or something in them cannot work.
        """
        return cls.of(from_environ(os.environ if environ is None else environ))

    @overload
    def get(self, path: str, key: str, *, version: int | None = None) -> Secret[str]: ...
    @overload
    def get(self, path: str, key: None = None, *, version: int | None = None) -> Secret[Mapping[str, object]]: ...
    def get(
        self, path: str, key: str | None = None, *, version: int | None = None
    ) -> Secret[str] | Secret[Mapping[str, object]]:
        """Read a secret now.

        Args:
            path: mount and secret: `secret/prod/db`.
            key: one key of it, or None for all of it.
            version: which version, or None for the newest.

        Raises:
            Absent: there is no such secret or key; Deleted, Destroyed and WrongPath are kinds of it.
            Denied: the token or its policies do not give it; LoginRefused, TokenRefused, PolicyDenied.
            Unreachable: no answer; TimedOut, TLSFailed, Sealed, RateLimited.
            Malformed: an answer that cannot be used.
        """
        name = f"vault:{path}" if key is None else f"vault:{path}#{key}"
        held = self._read(_steps(path), {} if version is None else {ask.VERSION: str(version)})[0]
        if isinstance(held, Failure):
            raise held.about(name)
        number = _version_of(held)
        origin = Origin(Layer.REFERENCE, "code", answer=name.replace("vault:", "vault ", 1), version=number)
        if key is None:
            return Secret(held.values, name=path, origin=origin, version=number)
        if key not in held.values:
            del held
            raise Absent(f"{name}: no such key", hint="look at what is there: wellkept list")
        text = _text(held.values[key])
        del held
        if text is None:
            raise Malformed(f"{name}: is no text", hint="leave out the key, and take it from the whole")
        return Secret(text, name=key, origin=origin, version=number)

    def fetch(self, reference: Reference) -> Reading:
        """Answer a reference with a secret, whole; see `ports.Source`."""
        found, login = self._read(reference.path, dict(reference.options))
        if isinstance(found, Failure):
            raise found.about(str(reference))
        answer, ttl_s, lease = f"{reference.scheme} {reference.location}", None, None
        if not isinstance(found, Held):
            ttl_s = found.ttl_s
        elif found.lease_s is not None:
            ttl_s = float(found.lease_s)
        if isinstance(found, Given) and found.lease is not None and login is not None:
            lease = self._session.lease(found.lease, login)
        return Reading(found.values, answer, _version_of(found), ttl_s, lease=lease)

    def versions(self, references: Sequence[Reference]) -> Sequence[str | SourceError | None]:
        """Say which version of each is there now; see `ports.Watches`."""
        pinned = [one.option(ask.VERSION) for one in references]
        asked = [one for one, version in zip(references, pinned, strict=True) if version is None]
        found = self._session.perform(partial(_versions, self._session, asked)) if asked else ()
        told = iter([found] * len(asked) if isinstance(found, Failure) else found)
        answers = [next(told) if version is None else version for version in pinned]
        return [
            one.about(str(reference)) if isinstance(one, Failure) else one
            for reference, one in zip(references, answers, strict=True)
        ]

    def renew(self, reference: Reference, lease: Lease) -> Lease:
        """Ask for more time; see `ports.Leases`."""
        held = None if lease.login is None else self._session.find_login(lease.login)
        if lease.id is None or (held is None and lease.login is not None):
            raise Absent(f"{reference}: absent: its lease went with its login", hint="read it anew")
        made = self._session.perform(partial(renew, lease.id, self._session.kv.label))
        if isinstance(made, Failure):
            raise made.about(str(reference))
        if held is None:
            return replace(lease, id=made.id, duration_s=made.duration_s, is_renewable=made.is_renewable)
        return self._session.lease(made, held)  # whoever renewed it: it lives as long as the login of its beginning

    def revoke(self, lease: Lease) -> None:
        """End it now; see `ports.Leases`."""
        if lease.id is not None:
            _made(self._session.perform(partial(revoke, lease.id, self._session.kv.label)))

    @property
    def has_own_login(self) -> bool:
        """Whether this process has made a login, and not only taken one that it was given."""
        return self._session.has_own_login

    def login(self) -> Lease | None:
        """The login in use, with the time that it has left; see `ports.LogsIn`."""
        return _made(self._session.login())

    def renew_login(self) -> Lease:
        """Ask for more time for the token; see `ports.LogsIn`."""
        return _made(self._session.renew_login())

    def log_in_beside(self) -> Lease:
        """Log in anew, and leave the old token as it is; see `ports.LogsIn`."""
        return _made(self._session.log_in_beside())

    def log_out(self, login: str) -> None:
        """End a login that this process made; see `ports.LogsIn`."""
        _made(self._session.log_out(login))

    def write(self, reference: Reference, value: str | None, *, expected_version: str | None = None) -> str | None:
        """Set or remove one key with check-and-set, or delete the whole; see `ports.Writes`."""
        place = self._session.kv, reference.path, reference.key
        held = None if value is None else Secret(value, name=str(reference))
        value = None  # a traceback may show this frame
        if held is None:
            done = self._session.perform(partial(remove_key, *place, expected_version))
        else:
            done = self._session.perform(partial(set_key, *place, held, expected_version))
        if isinstance(done, Failure):
            raise done.about(str(reference))
        return None if done is None else str(done)

    def names(self, reference: Reference) -> Sequence[str]:
        """Name what stands below a path, or the keys of a secret as `#key`; see `ports.Lists`."""
        found = self._session.perform(partial(ask.names, self._session.kv, reference.path))
        if isinstance(found, Failure):
            raise found.about(str(reference))
        return found

    def close(self) -> None:
        """Let go of connections; it can be used again."""
        self._session.close()

    def __eq__(self, other: object) -> bool:
        """Whether both share a session."""
        return self._session is other._session if isinstance(other, Vault) else NotImplemented

    def __hash__(self) -> int:
        """As `==` goes."""
        return hash(id(self._session))

    def _read(
        self, path: tuple[str, ...], options: Mapping[str, str]
    ) -> tuple[Held | Given | Issued | Failure, LoggedIn | None]:
        return self._session.perform_as(partial(ask.read, self._session.kv, path, options))


def _versions(session: Session, references: Sequence[Reference]) -> Dance[Sequence[str | Failure | None] | Failure]:
    found = yield from session.watching.versions(session.kv, [one.path for one in references])
    # One for all: with another token there may be answers.
    return next((one for one in found if isinstance(one, Failure) and one.error is TokenRefused), found)


def _version_of(found: Held | Given | Issued) -> str | None:
    if isinstance(found, Issued):
        return found.serial
    return str(found.version) if isinstance(found, Held) and found.version is not None else None


def _made(made: T | Failure) -> T:
    if isinstance(made, Failure):
        raise made.about("vault")
    return made


def _steps(path: str) -> tuple[str, ...]:
    steps = tuple(path.split("/"))
    if not all(map(is_fit_step, steps)):
        raise UsageError("Vault: the path has a segment that no path may have", hint="write secret/prod/db")
    return steps


def _path(given: FilePath | None) -> str | None:
    return None if given is None else os.fspath(given)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, (dict, list)) else str(value)
