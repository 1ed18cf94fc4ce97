"""The CAs that a whole machine trusts, on Debian and its like: one of ours goes in and out again."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from wellkept._dataclasses import dataclass
from wellkept._files import FileFault, replace_file
from wellkept.errors import Denied, Kind, UsageError, WellkeptError
from wellkept.tls.certificates import fingerprint

_FOLDER = "usr/local/share/ca-certificates"  # update-ca-certificates(8)
_PROGRAM = "usr/sbin/update-ca-certificates"
_FEDORA = "etc/pki/ca-trust/source/anchors"  # update-ca-trust(8)
_MACOS = "System/Library/Keychains"
_TIMEOUT_S = 60


def _start(program: Path) -> int:
    done = subprocess.run(  # noqa: S603 a fixed path, no argument
        [str(program)], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT_S
    )
    return done.returncode


@dataclass(frozen=True, slots=True)
class SystemTrust:
    """The trust of a machine.

    Attributes:
        root: where its file system begins.
        run: runs a program, and returns its exit code.
    """

    root: Path = Path("/")
    run: Callable[[Path], int] = _start

    def file_of(self, certificate: x509.Certificate) -> Path:
        """Where a CA stands; named by its fingerprint, so that two users do not take each other's."""
        return self.root / _FOLDER / f"wellkept-dev-ca-{fingerprint(certificate)[:16]}.crt"

    def has(self, certificate: x509.Certificate) -> bool:
        """Whether a CA was put here."""
        return self.file_of(certificate).exists()

    def add(self, certificate: x509.Certificate, ca_file: str, again: str) -> Path:
        """Make the machine trust a CA.

        Args:
            certificate: the CA.
            ca_file: where it is kept, for hints.
            again: the command line that does this, for hints.

        Raises:
            UsageError: the trust of this machine is kept in another way.
            Denied: this user may not change it.
            WellkeptError: it cannot be changed; then nothing is.
        """
        self._judge(ca_file)
        file = self.file_of(certificate)
        _put(file, certificate.public_bytes(Encoding.PEM), again)
        if self._run():
            file.unlink(missing_ok=True)
            raise _failed(self.root / _PROGRAM)
        return file

    def remove(self, certificate: x509.Certificate, again: str) -> bool:
        """Take a CA off again; False where it was not there.

        Raises:
            Denied: this user may not change it.
            WellkeptError: the program failed.
        """
        file = self.file_of(certificate)
        is_denied = False
        try:
            file.unlink()
        except FileNotFoundError:
            return False
        except OSError:
            is_denied = True
        if is_denied:
            raise _denied(file, again)
        if self._run():
            raise _failed(self.root / _PROGRAM)
        return True

    def _run(self) -> int:
        run = self.run
        return run(self.root / _PROGRAM)

    def _judge(self, ca_file: str) -> None:
        """Refuse a machine that is not like Debian.

        Raises:
            UsageError: it is not; the hint says what to do there.
        """
        if (self.root / _FOLDER).is_dir() and (self.root / _PROGRAM).is_file():
            return
        ca = quote(ca_file)
        hint = "the manual of the system says where a CA goes; or name it where it is needed, without --system"
        if (self.root / _FEDORA).is_dir():
            hint = f"sudo cp {ca} /{_FEDORA}/ && sudo update-ca-trust"
        elif (self.root / _MACOS).is_dir():
            hint = f"sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain {ca}"
        raise UsageError("--system: this system has no update-ca-certificates", hint=hint)


def _put(file: Path, data: bytes, again: str) -> None:
    """Write a file that everybody may read.

    Raises:
        Denied: this user may not.
        FileFault: it cannot be written.
    """
    try:
        replace_file(file, data, prefix=".wellkept-")
        file.chmod(0o644)
    except FileFault as fault:
        if fault.kind is not Kind.DENIED:
            raise
    else:
        return
    raise _denied(file, again)


def _denied(file: Path, again: str) -> Denied:
    return Denied(f"{file}: may not be changed by this user", hint=f"as root: sudo {again}")


def _failed(program: Path) -> WellkeptError:
    return WellkeptError(f"{program}: failed", hint="run it by hand to see why, and try again")
