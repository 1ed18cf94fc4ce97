"""Addresses that a person has accepted with `wellkept trust`: rule 9 of the design.

A repository that somebody clones may name any server in its Config.toml. A credential of the
environment or of the home folder goes to such an address only when it stands in this list.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from wellkept._files import FileFault, read_file, write_private
from wellkept._home import make_user_folder, user_file
from wellkept._http.address import find_address
from wellkept.errors import UsageError

_HEAD = "# Addresses that wellkept may send credentials of this user to; see wellkept trust --help.\n"
_WRITABLE_BY_OTHERS = 0o022


class TrustedAddresses:
    """The list of one user."""

    def __init__(self, path: str | None) -> None:
        """Read nothing yet.

        Args:
            path: the file, or None where there is no home folder: then nothing is trusted.
        """
        self._path = path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "TrustedAddresses":
        """The list of the user whose environment it is: below XDG_CONFIG_HOME, or ~/.config."""
        return cls(user_file(environ, "trusted"))

    @property
    def path(self) -> str:
        """Where the list is kept.

        Raises:
            UsageError: there is no home folder.
        """
        if self._path is None:
            raise UsageError("trust: there is no home folder to keep the list in", hint="set HOME")
        return self._path

    def addresses(self) -> tuple[str, ...]:
        """The origins that are trusted, sorted.

        Raises:
            FileFault: the list cannot be read, or others may write it.
        """
        if self._path is None or not os.path.lexists(self._path):
            return ()
        if os.stat(self._path).st_mode & _WRITABLE_BY_OTHERS:  # noqa: PTH116 text in, text out
            raise FileFault(
                self._path, "may be written by others", hint=f"chmod 600 {self._path}, and look at what stands in it"
            )
        lines = read_file(self._path).decode("utf-8", "replace").splitlines()
        return tuple(sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")}))

    def has(self, origin: str) -> bool:
        """Whether an origin is trusted; a list that cannot be used trusts nobody."""
        with suppress(FileFault, OSError):
            return origin in self.addresses()
        return False

    def add(self, url: str) -> str:
        """Trust the origin of a URL from now on, and return it.

        Raises:
            UsageError: it is no address.
            FileFault: the list cannot be written.
        """
        origin = _origin(url)
        self._write({*self.addresses(), origin})
        return origin

    def remove(self, url: str) -> bool:
        """Trust it no more; whether it was trusted.

        Raises:
            UsageError: it is no address.
            FileFault: the list cannot be written.
        """
        origin, known = _origin(url), set(self.addresses())
        if origin not in known:
            return False
        self._write(known - {origin})
        return True

    def _write(self, origins: set[str]) -> None:
        make_user_folder(self.path)
        write_private(self.path, (_HEAD + "".join(f"{one}\n" for one in sorted(origins))).encode())


def _origin(url: str) -> str:
    address = find_address(url)
    if isinstance(address, str):
        raise UsageError(f"trust: the URL {address}", hint="write https://HOST:PORT")
    return address.origin
