"""The files of the development CA: its own folder, and where the certificates go that it issues."""

import os
from datetime import datetime
from pathlib import Path
from shlex import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from wellkept._dataclasses import dataclass
from wellkept._files import FileFault, create_private, read_file, read_own, replace_file, write_private
from wellkept._home import make_user_folder
from wellkept.errors import BundleError, Kind, UsageError
from wellkept.tls.devca import Authority, Issued, fault_of_dates, is_development, new_authority
from wellkept.tls.pem import read_certificates, read_key

_PREFIX = ".wellkept-"  # of temporary files


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a development CA is kept.

    Attributes:
        path: the folder.
        is_named: whether a person named it, so that hints must name it too.
    """

    path: str
    is_named: bool = False

    @property
    def ca_file(self) -> str:
        """Its certificate."""
        return str(Path(self.path, "ca.crt"))

    @property
    def key_file(self) -> str:
        """Its private key."""
        return str(Path(self.path, "ca.key"))

    def command(self, words: str) -> str:
        """A command line about this folder, for hints."""
        return f"wellkept tls dev-ca {words}" + (f" --folder {quote(self.path)}" if self.is_named else "")


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate and its key were written.

    Attributes:
        cert_file: the certificate, PEM.
        key_file: its private key, PKCS#8 in PEM, mode 0600.
    """

    cert_file: Path
    key_file: Path


def make_authority(folder: Folder, now: datetime) -> bool:
    """Make a CA and write it; False, and nothing is changed, where there is one.

    Raises:
        FileFault: it cannot be written.
    """
    if os.path.lexists(folder.key_file) or os.path.lexists(folder.ca_file):
        return False
    _make_folder(folder)
    made = new_authority(now=now, is_local=True).own
    if not create_private(folder.key_file, made.key_pem()):
        return False  # somebody was faster
    replace_file(folder.ca_file, made.cert_pem, prefix=_PREFIX)
    return True


def renew_authority(folder: Folder, now: datetime) -> None:
    """Put a new CA with a new key in the place of the one that is there; what that one signed is worth nothing then.

    Raises:
        FileFault: it cannot be written.
    """
    _make_folder(folder)
    write_pair(new_authority(now=now, is_local=True).own, Pair(Path(folder.ca_file), Path(folder.key_file)))


def read_authority(folder: Folder) -> x509.Certificate:
    """The certificate of the CA of a folder, of whatever age.

    Raises:
        BundleError: there is none, or it is damaged.
        FileFault: it cannot be read.
    """
    data = _read(folder.ca_file)
    if data is None:
        is_half = os.path.lexists(folder.key_file)  # a power cut between the two files
        fact = "is missing, although its key is there" if is_half else "there is no development CA"
        raise BundleError(f"{folder.ca_file}: {fact}", hint=folder.command("init --renew" if is_half else "init"))
    return read_certificates(data, place=folder.ca_file)[0]


def open_authority(folder: Folder, now: datetime) -> Authority:
    """The CA of a folder, ready to sign.

    Raises:
        BundleError: there is none, it cannot be used, or its time is over.
        FileFault: a file of it cannot be read, or others can read the key.
    """
    certificate = read_authority(folder)
    fault = fault_of_dates(certificate, now)
    if fault is not None:
        raise BundleError(f"{folder.ca_file}: {fault}", hint=folder.command("init --renew"))
    key = read_key(read_own(folder.key_file), None, place=folder.key_file)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key():
        return Authority(Issued(certificate, key))
    del key  # a traceback may show the locals of this frame
    raise BundleError(f"{folder.key_file}: is not the key of {folder.ca_file}", hint=folder.command("init --renew"))


def write_issued(issued: Issued, folder: Path, stem: str) -> Pair:
    """Write a certificate and its key as STEM.crt and STEM.key; only those of a development CA are replaced.

    Raises:
        UsageError: a file of that name is there, and may be needed.
        BundleError: what is there cannot be read as a certificate.
        FileFault: they cannot be written.
    """
    pair = Pair(folder / f"{stem}.crt", folder / f"{stem}.key")
    old = _read(str(pair.cert_file))
    if old is not None:
        is_ours = is_development(read_certificates(old, place=str(pair.cert_file))[0])
    else:
        is_ours = not os.path.lexists(pair.key_file)
    if not is_ours:
        taken = pair.key_file if old is None else pair.cert_file
        raise UsageError(f"{taken}: exists already, and is not of a development CA", hint="choose another folder")
    write_pair(issued, pair)
    return pair


def write_pair(issued: Issued, pair: Pair) -> None:
    """Write a certificate and its key, each whole from its first moment, the key first.

    Whoever reads between the two finds a key that does not match: a reader that keeps its last good pair waits.

    Raises:
        FileFault: they cannot be written.
    """
    write_private(pair.key_file, issued.key_pem())
    replace_file(pair.cert_file, issued.cert_pem, prefix=_PREFIX)


def _make_folder(folder: Folder) -> None:
    """Make the folder of the CA.

    Raises:
        FileFault: it cannot be made.
    """
    if folder.is_named and Path(folder.path).is_dir():
        return  # a folder that was there before is not ours to hide from git
    for inside in (folder.path, folder.ca_file)[folder.is_named :]:
        make_user_folder(inside)  # the folder that it stands in


def _read(path: str) -> bytes | None:
    """What a file holds, or None where there is none.

    Raises:
        FileFault: it cannot be read.
    """
    try:
        return read_file(path)
    except FileFault as fault:
        if fault.kind is Kind.ABSENT:
            return None
        raise
