"""Where identity and trust come from, as a person writes it: files, keystores, or PEM itself. No I/O here.

Each field has its other names in `metadata["names"]`; docs/howto/tls.md has the table.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from wellkept.secret import Secret
from wellkept.tls.pem import BEGIN


class _Holds:
    """What a text must hold to be PEM; read by its attribute, as every constraint is."""

    pattern = BEGIN.decode()


# A path, or PEM itself: as the answer of a reference, or written out.
Pem = Annotated[str, _Holds()]
FileOrPem = Secret[Pem] | Path | str


@dataclass(frozen=True)
class CertKey:
    """A certificate and its private key, PEM.

    Attributes:
        cert_file: the certificate, then those of its issuers: a path, or PEM as the answer of a reference.
        key_file: the private key (PKCS#8, PKCS#1 or SEC 1); None where it stands in the same file.
        key_password: its password, where it is encrypted.
    """

    cert_file: FileOrPem = field(metadata={"names": ("certificate",)})
    key_file: FileOrPem | None = field(default=None, metadata={"names": ("private_key",)})
    key_password: Secret[str] | None = None

    def __post_init__(self) -> None:
        """Put PEM that was given as plain text into a secret: a repr must not show a private key."""
        seal_pem(self, "cert_file", "key_file")


@dataclass(frozen=True)
class KeyStore:
    """A keystore with a private key in it: PKCS#12 or JKS.

    Attributes:
        path: where it is.
        password: that of the store.
        alias: which entry, where it holds several.
        key_password: that of the key, where it is another one.
    """

    path: Path | str
    password: Secret[str]
    alias: str | None = None
    key_password: Secret[str] | None = None


@dataclass(frozen=True)
class TrustStore:
    """A keystore with certificates of CAs in it: PKCS#12 or JKS.

    Attributes:
        path: where it is.
        password: that of the store.
    """

    path: Path | str
    password: Secret[str]


TrustFile = Secret[Pem] | TrustStore | Path | str
TrustFiles = TrustFile | tuple[TrustFile, ...]


def seal_pem(settings: object, *names: str) -> None:
    """Put PEM that stands in a field as plain text into a secret."""
    for name in names:
        given = getattr(settings, name)
        if isinstance(given, str) and BEGIN.decode() in given:
            object.__setattr__(settings, name, Secret(given, name=name))


def trust_files(given: TrustFiles | None) -> tuple[TrustFile, ...]:
    """The parts of a trust, however it was given."""
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)
