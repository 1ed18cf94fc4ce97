"""`Vault`: the source behind `${vault:…}`, and the same for direct use in code."""

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import overload

from wellkept._http.address import parse_address
from wellkept._http.client import TIMEOUT_S
from wellkept._http.message import Failure
from wellkept._http.tls import Trust
from wellkept.errors import Absent, Malformed, UsageError
from wellkept.model import Reading, Reference, is_fit_step
from wellkept.origin import Layer, Origin
from wellkept.providers.vault.change import remove_key, set_key
from wellkept.providers.vault.connection import Connection, from_environ
from wellkept.providers.vault.kv import Held
from wellkept.providers.vault.login import GivenToken, Login
from wellkept.providers.vault.session import session_of
from wellkept.secret import Secret

FilePath = str | os.PathLike[str]


class Vault:
    """A Vault or OpenBao server.

    As a source of references: `load(Config, providers={"vault": Vault(…)})`. In code:

        vault = Vault("https://vault.example.com", token=config.vault_token)
        vault.get("secret/prod/db", "password").reveal()
    """

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
        held = self._held(_steps(path), None if version is None else str(version))
        if isinstance(held, Failure):
            raise held.about(name)
        number = None if held.version is None else str(held.version)
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
        held = self._held(reference.path, reference.option("version"))
        if isinstance(held, Failure):
            raise held.about(str(reference))
        answer = f"{reference.scheme} {reference.location}"
        version = None if held.version is None else str(held.version)
        return Reading(held.values, answer, version, None if held.lease_s is None else float(held.lease_s))

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
        found = self._session.perform(partial(self._session.kv.names, reference.path))
        if isinstance(found, Failure):
            raise found.about(str(reference))
        return found

    def close(self) -> None:
        """Let go of connections; it can be used again."""
        self._session.close()

    def _held(self, path: tuple[str, ...], version: str | None) -> Held | Failure:
        return self._session.perform(partial(self._session.kv.read, path, version))


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
