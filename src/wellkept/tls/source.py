"""Where a bundle's parts come from: files that may change at any moment, or a callable.

The files of one folder are read through one look at it: a Kubernetes mount that is swapped meanwhile never
gives a certificate of one version and a key of another (facts: 1,557 of 265,500 reads by path did).
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from cryptography import x509

from wellkept._files import MAX_FILE_BYTES, MIB, FileFault, is_exposed, is_mount, read_entries, read_file, shown, stamp
from wellkept.errors import BundleError, Kind, SecretExpired
from wellkept.secret import Secret
from wellkept.tls.bundle import Anchor, Identity, Parts
from wellkept.tls.crl import Crl, read_crls
from wellkept.tls.keystore import is_keystore, read_identity, read_trust
from wellkept.tls.material import CertKey, FileOrPem, KeyStore, TrustFile, TrustStore
from wellkept.tls.pem import content_of, find_blocks, find_certificates, find_key
from wellkept.tls.settings import CertValidation

_LOOKS = 3  # files that change while they are read are read again, at once
_MAX_LISTED = 6
_MAX_CRL_BYTES = 16 * MIB  # a CA that has revoked a hundred thousand publishes some 4 MiB


class BundleSource(Protocol):
    """Something that has parts of a bundle."""

    def stamp(self) -> object:
        """Something that stays equal as long as nothing has changed; cheap, and never raises."""
        ...

    def read(self) -> Parts:
        """The parts as they are now.

        Raises:
            BundleError: one of them cannot be used.
        """
        ...


class CallableSource:
    """The answers of a callable, which is asked once at each look: it must be quick."""

    def __init__(self, answer: Callable[[], Parts]) -> None:
        """Ask nothing yet."""
        self._answer = answer
        self._held: Parts | BundleError | None = None
        self._last: Parts | None = None
        self._count = 0

    def stamp(self) -> object:
        """Ask, and say how many answers there were: another object is another bundle."""
        found = self._held = self._asked()
        if isinstance(found, BundleError):
            return None
        if found is not self._last:
            self._last = found
            self._count += 1
        return self._count

    def read(self) -> Parts:
        """The answer of the last look.

        Raises:
            BundleError: it raised; its own error may hold anything.
        """
        found = self._asked() if self._held is None else self._held
        if isinstance(found, BundleError):
            raise found
        return found

    def _asked(self) -> Parts | BundleError:
        try:
            return self._answer()
        except BundleError as error:
            return error.with_traceback(None)
        except Exception as error:  # noqa: BLE001 somebody else's code
            fault = type(error).__name__
        return BundleError(
            f"bundle: its source raised {fault}", hint="let it raise BundleError, or keep its last answer"
        )


def read_parts(
    *,
    certificate: str | bytes | None = None,
    key: str | bytes | None = None,
    key_password: Secret[str] | None = None,
    trust: str | bytes = b"",
    crl: str | bytes = b"",
    place: str = "bundle",
) -> Parts:
    """The parts of a bundle from PEM texts: what a `CallableSource` answers.

    Args:
        certificate: our own, then its issuers, PEM; None for a client that shows none.
        key: its private key, PEM; None where it stands in the same text.
        key_password: the key's password.
        trust: the CAs that are trusted, PEM.
        crl: revocation lists, PEM.
        place: where all of it came from, for errors.

    Raises:
        BundleError: a text cannot be used.
    """
    identity: Identity | None = None
    if certificate is not None:
        both = certificate if key is None else key
        made = find_key(_bytes(both), key_password, place=place)
        own = find_certificates(_bytes(certificate), place=place)
        certificate = key = both = b""  # a traceback may show the locals of this frame
        if isinstance(own, BundleError):
            raise own
        if isinstance(made, BundleError):
            raise made
        identity = Identity(own, made, place, place)
    cas = find_certificates(_bytes(trust), place=place) if trust else ()
    lists = [_bytes(crl)] if crl else []
    trust = crl = b""  # a traceback may show the locals of this frame
    if isinstance(cas, BundleError):
        raise cas
    anchors = tuple(Anchor(one, place) for one in cas)
    return Parts(identity, anchors, read_crls(lists.pop(), place=place) if lists else ())


class FilesSource:
    """Files, keystores, and texts that secrets hold."""

    def __init__(
        self,
        key: CertKey | KeyStore | None,
        trust: Sequence[TrustFile],
        validation: CertValidation | None = None,
    ) -> None:
        """Read nothing yet."""
        self._key = key
        self._trust = trust
        self._crls = () if validation is None else validation.crl_files
        self._files = tuple(dict.fromkeys(os.fspath(one) for one in self._named_files()))
        found = (cast("Secret[str]", one) for one in self._parts() if isinstance(one, Secret))
        self._secrets: tuple[Secret[str], ...] = tuple(found)

    @property
    def files(self) -> tuple[str, ...]:
        """The files and folders that it reads."""
        return self._files

    def stamp(self) -> object:
        """What the system says of each file, and what each secret holds."""
        return tuple(map(_stamp, self._files)), tuple(map(_hash_of, self._secrets))

    def read(self) -> Parts:
        """Read all files.

        Raises:
            BundleError: one of them cannot be used.
        """
        before, parts = self.stamp(), self._read()
        for _ in range(_LOOKS):
            after = self.stamp()
            if after == before:
                break
            before, parts = after, self._read()
        return parts

    def _read(self) -> Parts:
        try:
            return self._read_now()
        except SecretExpired as error:
            fact = error.message
        raise BundleError(fact, hint="refresh() asks for it; status() and the events say what stands in the way")

    def _read_now(self) -> Parts:
        look = _Look(self._files)
        identity = None if self._key is None else _identity(self._key, look)
        trust = tuple(anchor for one in self._trust for anchor in _anchors(one, look))
        crls = tuple(crl for one in self._crls for crl in _crls(os.fspath(one), look))
        return Parts(identity, trust, crls)

    def _parts(self) -> Iterable[object]:
        """All that may name a file or hold a text, passwords too."""
        key = self._key
        if isinstance(key, CertKey):
            yield from (key.cert_file, key.key_file, key.key_password)
        elif key is not None:
            yield from (key.path, key.password, key.key_password)
        for one in self._trust:
            yield from (one.path, one.password) if isinstance(one, TrustStore) else (one,)
        yield from self._crls

    def _named_files(self) -> Iterable[str | Path]:
        for one in self._parts():
            if isinstance(one, (str, Path)):
                yield one


def _hash_of(secret: Secret[str]) -> int | None:
    try:
        return hash(secret.reveal())
    except SecretExpired:
        return None


class _Look:
    """The files as they are at one moment."""

    def __init__(self, files: Iterable[str]) -> None:
        folders: dict[str, list[str]] = {}
        for one in files:
            folder, name = os.path.split(one)
            folders.setdefault(folder, []).append(name)
        self._found: dict[str, bytes] = {}
        for folder, names in folders.items():
            if is_mount(folder):
                self._found |= _mounted(folder, names)

    def read(self, path: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """One file.

        Raises:
            BundleError: it cannot be read.
        """
        known = self._found.get(path)
        if known is not None:
            return known
        fault: BundleError | None = None
        try:
            return read_file(path, max_bytes=max_bytes)
        except FileFault as refused:
            fault = BundleError(f"{shown(path)}: {refused.fact}", hint=_hint(path, refused))
        raise fault


def _mounted(folder: str, names: Sequence[str]) -> Mapping[str, bytes]:
    try:
        entries = read_entries(folder, names)
    except FileFault:  # reading the file that is at fault says it again, and names it
        return {}
    return {os.path.join(folder, name): data for name, data in entries.items()}  # noqa: PTH118 text in, text out


def _hint(path: str, refused: FileFault) -> str:
    """What to do about a file that cannot be read; where there is none, what stands beside it."""
    if refused.kind is not Kind.ABSENT:
        return refused.hint or "look at the file"
    folder = os.path.dirname(path) or os.curdir  # noqa: PTH120 text in, text out
    try:
        beside = sorted(one for one in os.listdir(folder) if not one.startswith("."))  # noqa: PTH208 text in, text out
    except OSError:
        return f"create it, or correct the path: {shown(folder)} cannot be listed"
    more = ", …" if len(beside) > _MAX_LISTED else ""
    return f"correct the path: {shown(folder)} holds {', '.join(beside[:_MAX_LISTED]) or 'nothing'}{more}"


def _identity(key: CertKey | KeyStore, look: _Look) -> Identity:
    if isinstance(key, KeyStore):
        path = os.fspath(key.path)
        entry = read_identity(
            look.read(path), key.password, place=shown(path), alias=key.alias, key_password=key.key_password
        )
        return Identity((entry.certificate, *entry.chain), entry.key, shown(path), shown(path), is_exposed(path))
    place, data = _content(key.cert_file, look, "the certificate")
    certificates = find_certificates(data, place=place)
    both = key.cert_file if key.key_file is None else key.key_file
    key_place, data = _content(both, look, "the private key")
    made = find_key(data, key.key_password, place=key_place)
    if isinstance(made, BundleError) and key.key_file is None and "holds no private key" in made.message:
        made = BundleError(f"{place}: holds no private key, and no keyFile is named", hint='name it: keyFile = "…"')
    data = b""  # a traceback may show the locals of this frame
    is_open = not isinstance(both, Secret) and is_exposed(_path(both))
    if isinstance(certificates, BundleError):
        raise certificates
    if isinstance(made, BundleError):
        raise made
    return Identity(certificates, made, place, key_place, is_open)


def _anchors(given: TrustFile, look: _Look) -> Iterable[Anchor]:
    if isinstance(given, TrustStore):
        path = os.fspath(given.path)
        found = read_trust(look.read(path), given.password, place=shown(path))
        return [Anchor(one, shown(path)) for one in found]
    place, data = _content(given, look, "the CA")
    held = _find_anchors(data, place)
    data = b""  # a traceback may show the locals of this frame
    if isinstance(held, BundleError):
        raise held
    return [Anchor(one, place) for one in held]


def _find_anchors(data: bytes, place: str) -> tuple[x509.Certificate, ...] | BundleError:
    if is_keystore(data):
        return BundleError(
            f"{place}: {content_of(data)}", hint=f'write it as cert = {{ path = "{place}", password = … }}'
        )
    blocks = find_blocks(data, place=place)
    if not isinstance(blocks, BundleError) and any(one.is_key for one in blocks):
        return BundleError(
            f"{place}: holds a private key, and is given as a CA to trust",
            hint="name the CA's certificate alone: a private key belongs to nobody else's configuration",
        )
    return find_certificates(data, place=place)


def _crls(path: str, look: _Look) -> Iterable[Crl]:
    if not os.path.isdir(path):  # noqa: PTH112 text in, text out
        return read_crls(look.read(path, max_bytes=_MAX_CRL_BYTES), place=shown(path))
    fault: BundleError | None = None
    entries: Mapping[str, bytes] = {}
    try:
        entries = read_entries(path)
    except FileFault as refused:
        fault = BundleError(f"{shown(path)}: {refused.fact}", hint=refused.hint)
    if fault is not None:
        raise fault
    if not entries:
        raise BundleError(f"{shown(path)}: holds no revocation list", hint="put one there, or name another folder")
    return [one for name, data in entries.items() for one in read_crls(data, place=f"{shown(path)}/{name}")]


def _content(given: FileOrPem, look: _Look, what: str) -> tuple[str, bytes]:
    """The name of a file or text, and what it holds."""
    if isinstance(given, Secret):
        return f"{what} ({given.origin})", given.reveal().encode()
    path = _path(given)
    return shown(path), look.read(path)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _path(given: object) -> str:
    return os.fspath(cast("str | Path", given))


def _stamp(path: str) -> object:
    """What changes when a file does, or one in a folder: a file written anew in place leaves its folder as it was."""
    own = stamp(path)
    return (own, _stamps_in(path)) if own is not None and os.path.isdir(path) else own  # noqa: PTH112 text in, text out


def _stamps_in(folder: str) -> object:
    """What the system says of the files of a folder."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 hot: pathlib costs ten times as much
    except OSError:
        return None
    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118 text in, text out
    return [(one, stamp(one)) for one in paths if not os.path.isdir(one)]  # noqa: PTH112 text in, text out
