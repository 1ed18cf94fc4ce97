"""Where identity and trust come from, as a person writes it: files, keystores, or PEM itself. No I/O here.

Each field has its other names in `metadata["names"]`; docs/howto/tls.md has the table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from wellkept._patterns import pattern
from wellkept.errors import UsageError
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
        seal_paths(self, "cert_file", "key_file")

    def _wellkept_rules(self) -> Iterator[tuple[str, str]]:
        yield from path_rules(self, "cert_file", "key_file")


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

    def __post_init__(self) -> None:
        """Keep what is no path out of every repr."""
        seal_paths(self, "path", "alias")

    def _wellkept_rules(self) -> Iterator[tuple[str, str]]:
        yield from path_rules(self, "path", "alias")


@dataclass(frozen=True)
class TrustStore:
    """A keystore with certificates of CAs in it: PKCS#12 or JKS.

    Attributes:
        path: where it is.
        password: that of the store.
    """

    path: Path | str
    password: Secret[str]

    def __post_init__(self) -> None:
        """Keep what is no path out of every repr."""
        seal_paths(self, "path")

    def _wellkept_rules(self) -> Iterator[tuple[str, str]]:
        yield from path_rules(self, "path")


TrustFile = Secret[Pem] | TrustStore | Path | str
TrustFiles = TrustFile | tuple[TrustFile, ...]


def seal_pem(settings: object, *names: str) -> None:
    """Put PEM that stands in a field as plain text into a secret."""

    def sealed(one: str | Path, name: str) -> object:
        return Secret(one, name=name) if isinstance(one, str) and BEGIN.decode() in one else one

    _change(settings, names, sealed)


def seal_paths(settings: object, *names: str) -> None:
    """Put something else in the place of a text that is no path: it may be a key, and errors show paths."""
    _change(settings, names, lambda one, _name: _NO_PATH if _is_no_path(str(one)) else one)


def _change(settings: object, names: Sequence[str], change: Callable[[str | Path, str], object]) -> None:
    """Change the texts and paths in fields, alone or in a list."""
    for name in names:
        given: object = getattr(settings, name)
        is_many = isinstance(given, (list, tuple))
        items = cast("Sequence[object]", given) if is_many else (given,)
        made = tuple(change(one, name) if isinstance(one, (str, Path)) else one for one in items)
        object.__setattr__(settings, name, made if is_many else made[0])


def path_rules(settings: object, *names: str) -> Iterator[tuple[str, str]]:
    """Say which fields held a text that is no path."""
    for name in names:
        given: object = getattr(settings, name)
        if given == _NO_PATH or (isinstance(given, tuple) and _NO_PATH in given):
            yield name, "holds no path: name the file; what it holds is read from there, or from a reference"


_NO_PATH = "(a text that is no path)"
_KEY_BODY = pattern(r"(?:^|/)MI[A-Za-z0-9+/=]{60,}$")  # DER in base64, as it stands between the lines of PEM


def _is_no_path(text: str) -> bool:
    return "-----BEGIN" in text or "\n" in text or _KEY_BODY.search(text) is not None


def judge_key(key: object) -> None:
    """Refuse an identity that is none of the two kinds, in code.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(key, (CertKey, KeyStore)):
        raise UsageError("key: expected CertKey(…) or KeyStore(…)", hint='write CertKey("server.crt", "server.key")')


def trust_files(given: TrustFiles | None) -> tuple[TrustFile, ...]:
    """The parts of a trust, however it was given."""
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)
