"""TLS towards a server: always verified. Built on first use, shared, and built anew when its files change."""

import os
import socket
import ssl
import threading

from wellkept._files import stamp
from wellkept._http.message import Failure
from wellkept._http.tls import Trust
from wellkept.errors import TLSFailed
from wellkept.tls.faults import Fault, fault_of
from wellkept.tls.hardened import hardened
from wellkept.tls.policy import Policy
from wellkept.tls.reasons import reason_for


class ContextKeeper:
    """The SSL context of one trust; a `tls.Tls`."""

    def __init__(self, trust: Trust) -> None:
        """Build nothing yet: the system's certificates take 20 ms to load."""
        self.trust = trust
        self._lock = threading.Lock()
        self._built: tuple[object, ssl.SSLContext] | None = None

    def current(self) -> ssl.SSLContext | Failure:
        """The context of the files as they are now; the last good one while they are broken."""
        stamps = tuple(map(stamp, self.trust.files))
        built = self._built
        if built is not None and built[0] == stamps:
            return built[1]
        with self._lock:
            made = _build(self.trust)
            if isinstance(made, ssl.SSLContext):
                self._built = stamps, made
                return made
            return made if self._built is None else self._built[1]

    def wrap(self, connected: socket.socket, host: str) -> socket.socket | Failure:
        """Shake hands; see `tls.Tls`."""
        context = self.current()
        if isinstance(context, Failure):
            return context
        name = self.trust.server_name or host
        # As bytes: see names.py on the codec idna.
        return context.wrap_socket(connected, server_hostname=name.encode("ascii", "replace"))

    def failure(self, error: OSError, server: str) -> Failure | None:
        """What an error means; see `tls.Tls`."""
        return _tls_failure(error, server) if isinstance(error, ssl.SSLError) else None

    def renew_lock(self) -> None:
        """Make the lock anew in a forked child."""
        self._lock = threading.Lock()


def _build(trust: Trust) -> ssl.SSLContext | Failure:
    for path in (*trust.files, *([trust.ca_folder] if trust.ca_folder else ())):
        if not os.access(path, os.R_OK):
            fact = "cannot be read" if os.path.lexists(path) else "does not exist"
            return _broken(f"{path} {fact}", "correct the path, or give this user read access")
    try:
        context = hardened(Policy(is_server=False), ssl.SSLContext)
        if trust.ca_file or trust.ca_folder:
            context.load_verify_locations(trust.ca_file, trust.ca_folder)
        else:
            context.load_default_certs()
    except (ssl.SSLError, OSError, ValueError):
        return _broken(f"{trust.ca_file or trust.ca_folder} holds no certificate in PEM", "name a file of certificates")
    if trust.certificate is None:
        return context
    try:
        # Without an answer of ours OpenSSL would ask the terminal for the passphrase, and wait.
        context.load_cert_chain(trust.certificate, trust.key, password=lambda: "-")
    except ssl.SSLError as error:
        reason = error.reason
    except (OSError, ValueError):
        reason = None
    else:
        return context
    if reason == "KEY_VALUES_MISMATCH":
        return _broken(f"the key does not belong to {trust.certificate}", "name the key that it was issued for")
    return _broken(
        f"{trust.certificate} and its key cannot be used", "both must be PEM, and the key without a passphrase"
    )


def _broken(fact: str, hint: str) -> Failure:
    return Failure(TLSFailed, f"unreachable: TLS cannot start: {fact}", hint)


# What is said of a server that answers references: `its` for `the server's`, and how its provider's table names things.
# What OpenSSL's codes mean stands in wellkept.tls.faults alone.
_SAID = {
    Fault.NOT_YET_VALID: ("its certificate is not valid yet", "compare the clocks of both machines"),
    Fault.EXPIRED: ("its certificate has expired", "renew the certificate of the server"),
    Fault.SELF_SIGNED: ("its certificate is self-signed", "name its CA: VAULT_CACERT, or ca = in its provider table"),
    Fault.UNTRUSTED_ROOT: ("its CA is not trusted", "name its CA: VAULT_CACERT, or ca = in its provider table"),
    Fault.UNTRUSTED: ("its CA is not trusted", "name its CA: VAULT_CACERT, or ca = in its provider table"),
    Fault.INCOMPLETE: (
        "its chain of certificates is not complete",
        "let the server send its intermediate certificates",
    ),
    Fault.REVOKED: ("its certificate is revoked", "ask who runs the server"),
    Fault.NAME: ("its certificate is for another name", "use a name that stands in it, or give server_name"),
    Fault.ADDRESS: ("its certificate is for another address", "use a name that stands in it, or give server_name"),
    Fault.PLAIN_TEXT: ("it speaks no TLS", "is it a plain HTTP port?"),
    Fault.VERSION: ("it speaks an old TLS only", "let the server speak TLS 1.2 or 1.3"),
    Fault.WANTED: ("it wants a client certificate", "give client_cert and client_key"),
    Fault.OURS_UNTRUSTED: ("it does not accept our certificate", "use one of a CA that the server knows"),
    Fault.OURS_REFUSED: ("it does not accept our certificate", "use one of a CA that the server knows"),
    Fault.OURS_EXPIRED: ("it does not accept our certificate", "it has expired, the server says: renew it"),
    Fault.OURS_REVOKED: ("it does not accept our certificate", "it is revoked, the server says: get a new one"),
    Fault.OURS_PURPOSE: ("it does not accept our certificate", "let its CA issue it for clients (clientAuth)"),
    Fault.OURS_NOT_ALLOWED: ("it does not accept our certificate", "ask who runs the server to allow its name"),
    Fault.NOTHING_IN_COMMON: (
        "no cipher or certificate suits both",
        "look at the TLS settings of the server",
    ),
    Fault.HUNG_UP: ("it hung up", "look at the log of the server"),
}


def _tls_failure(error: ssl.SSLError, server: str) -> Failure:
    """What an error of OpenSSL means, in words; its own text is not used."""
    fault = fault_of(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        fact, hint = _SAID.get(fault, ("its certificate is not accepted", reason_for(fault).hint))
        return Failure(TLSFailed, f"unreachable: TLS failed at {server}: {fact}", hint)
    fact, hint = _SAID.get(fault, ("the two do not understand each other", "look at it with wellkept tls probe"))
    is_passing = fault is Fault.HUNG_UP
    return Failure(
        TLSFailed, f"unreachable: TLS failed at {server}: {fact}", hint, is_passing=is_passing, was_sent=is_passing
    )
