"""What TLS is to the rest of the package: whom to trust, and a handshake; context.py does it, where it is needed."""

from socket import socket
from typing import Protocol

from wellkept._dataclasses import dataclass
from wellkept._http.message import Failure


class Tls(Protocol):
    """TLS towards a server; see context.py, which is loaded where an address needs it."""

    def wrap(self, connected: socket, host: str) -> socket | Failure:
        """Shake hands; the certificate must be that of the host.

        Raises:
            OSError: the handshake failed; `failure` says why.
        """
        ...

    def failure(self, error: OSError, server: str) -> Failure | None:
        """What an error means where it is one of TLS; None for any other."""
        ...

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to trust, and who we are.

    Attributes:
        ca_file: path of PEM certificates that replace the system's, or None.
        ca_folder: path of a folder of such files (hashed names), or None.
        certificate: path of our own certificate with its chain, PEM, or None.
        key: path of its key, PEM without a passphrase; None where it stands in the same file.
        server_name: the name that the server's certificate must have, or None for its host.
    """

    ca_file: str | None = None
    ca_folder: str | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it reads."""
        return tuple(one for one in (self.ca_file, self.certificate, self.key) if one is not None)
