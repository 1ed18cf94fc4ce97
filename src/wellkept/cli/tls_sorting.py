"""What a heap of files is: certificates, keys, chains, CAs, revocation lists, keystores; and which belong together.

What a file cannot be used for becomes a finding, not an error: the others are looked at all the same.
"""

import os
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from wellkept._dataclasses import dataclass, field
from wellkept._files import FileFault, is_exposed, shown
from wellkept.cli.tls_material import read_material
from wellkept.errors import BundleError, UsageError
from wellkept.model import Finding, Severity
from wellkept.secret import Secret
from wellkept.tls.bundle import Anchor, Identity
from wellkept.tls.certificates import is_ca, is_issued_by, label
from wellkept.tls.crl import Crl, read_crls
from wellkept.tls.keystore import is_keystore, read_identity, read_stored
from wellkept.tls.pem import PrivateKey, content_of, find_blocks, find_certificates, find_key, is_pem

_GIVE_PASSWORD = "--password-file FILE, with the password and nothing else in it"  # noqa: S105 a hint


@dataclass(frozen=True, slots=True)
class Chain:
    """Certificates without a private key.

    Attributes:
        certificates: as they stand in the file.
        place: the file.
    """

    certificates: tuple[x509.Certificate, ...]
    place: str


@dataclass(slots=True)
class Heap:
    """What files hold.

    Attributes:
        identities: certificates with their keys.
        chains: certificates of servers or clients whose key is not among the files.
        roots: CAs that signed themselves: they are trusted.
        between: CAs that another CA signed.
        crls: revocation lists.
        findings: what cannot be used, and why.
    """

    identities: list[Identity] = field(default_factory=list[Identity])
    chains: list[Chain] = field(default_factory=list[Chain])
    roots: list[Anchor] = field(default_factory=list[Anchor])
    between: list[Anchor] = field(default_factory=list[Anchor])
    crls: list[Crl] = field(default_factory=list[Crl])
    findings: list[Finding] = field(default_factory=list[Finding])


@dataclass(frozen=True, slots=True)
class _Key:
    """A private key that looks for its certificate."""

    key: PrivateKey = field(repr=False)
    path: str

    @property
    def place(self) -> str:
        return shown(self.path)


def sort_files(files: Sequence[str], trust: Sequence[str], lists: Sequence[str], password: Secret[str] | None) -> Heap:
    """Look into all files, and put together what belongs together.

    Args:
        files: any of them.
        trust: those whose certificates are trusted, whatever they are.
        lists: revocation lists, or folders of them.
        password: of keystores and encrypted keys; None opens neither.

    Raises:
        UsageError: one of them cannot be read at all.
    """
    heap, keys = Heap(), list[_Key]()
    for path in files:
        _sort(path, _read(path), password, heap, keys)
    found = heap.chains
    heap.chains = []
    _pair(found, keys, heap)
    for path in trust:
        trusted, spare = Heap(), list[_Key]()
        _sort(path, _read(path), password, trusted, spare)
        heap.findings += trusted.findings
        heap.roots += trusted.roots + trusted.between
        heap.roots += [Anchor(one, chain.place) for chain in trusted.chains for one in chain.certificates]
    for path in lists:
        _take_lists(path, heap)
    return heap


def told(error: BundleError) -> Finding:
    """The finding that an error is."""
    place, _, fact = error.message.partition(": ")
    code = "TLS041" if "encrypted" in fact or "password" in fact else "TLS040"
    fix = _GIVE_PASSWORD if "no password is given" in fact or "none was given" in fact else error.hint or ""
    return Finding(code, Severity.ERROR, place, fact, fix)


def _read(path: str) -> bytes:
    fault: FileFault | None = None
    try:
        return read_material(path)
    except FileFault as refused:
        fault = refused
    raise UsageError(fault.message, hint=fault.hint)


def _sort(path: str, data: bytes, password: Secret[str] | None, heap: Heap, keys: list[_Key]) -> None:
    if is_keystore(data):
        _take_keystore(path, data, password, heap)
    elif is_pem(data):
        _take_pem(path, data, password, heap, keys)
    else:
        _take_der(path, data, heap, keys)


def _take_keystore(path: str, data: bytes, password: Secret[str] | None, heap: Heap) -> None:
    place = shown(path)
    try:
        stored = read_stored(data, password, place=place)
        heap.roots += [Anchor(one, place) for _, one in stored.trusted]
        for one in stored.keys:
            entry = read_identity(data, password, place=place, alias=one.alias)
            chain = (entry.certificate, *entry.chain)
            heap.identities.append(Identity(chain, entry.key, place, place, is_exposed(path)))
    except BundleError as error:
        heap.findings.append(told(error))


def _take_pem(path: str, data: bytes, password: Secret[str] | None, heap: Heap, keys: list[_Key]) -> None:
    place = shown(path)
    blocks = find_blocks(data, place=place)
    if isinstance(blocks, BundleError):
        heap.findings.append(told(blocks))
        return
    is_used = False
    if any(one.is_certificate for one in blocks):
        is_used = True
        certificates = find_certificates(data, place=place)
        if isinstance(certificates, BundleError):
            heap.findings.append(told(certificates))
        else:
            heap.chains.append(Chain(certificates, place))
    if any(one.is_key for one in blocks):
        is_used = True
        key = find_key(data, password, place=place)
        if isinstance(key, BundleError):
            heap.findings.append(told(key))
        else:
            keys.append(_Key(key, path))
    if any(one.label == "X509 CRL" for one in blocks):
        is_used = True
        _take_list(data, place, heap)
    if not is_used:
        heap.findings.append(_useless(place, data))


def _take_der(path: str, data: bytes, heap: Heap, keys: list[_Key]) -> None:
    place = shown(path)
    made = _from_der(data)
    if isinstance(made, x509.CertificateRevocationList):
        _take_list(data, place, heap)  # these may be DER
        return
    if made is None:
        heap.findings.append(_useless(place, data))
        return
    what = "a certificate" if isinstance(made, x509.Certificate) else "a private key"
    fix = f"wellkept tls convert {place} {place}.pem"
    heap.findings.append(
        Finding("TLS042", Severity.ERROR, place, f"is {what} in DER, and servers and clients take PEM", fix)
    )
    if isinstance(made, x509.Certificate):
        heap.chains.append(Chain((made,), place))
    else:
        keys.append(_Key(made, path))


def _from_der(data: bytes) -> x509.Certificate | x509.CertificateRevocationList | PrivateKey | None:
    for load in (x509.load_der_x509_certificate, x509.load_der_x509_crl, _load_key):
        try:
            return load(data)
        except Exception:  # noqa: BLE001, S112 ValueError, InvalidVersion and their like: it is something else
            continue
    return None


def _load_key(data: bytes) -> PrivateKey:
    made = load_der_private_key(data, None)
    if isinstance(made, PrivateKey):
        return made
    raise TypeError


def _useless(place: str, data: bytes) -> Finding:
    fact = f"holds nothing that can be checked: it {content_of(data)}"
    return Finding("TLS040", Severity.ERROR, place, fact, "name certificates, keys, revocation lists or keystores")


def _take_lists(path: str, heap: Heap) -> None:
    if not os.path.isdir(path):  # noqa: PTH112 text in, text out
        _take_list(_read(path), shown(path), heap)
        return
    for name in sorted(os.listdir(path)):  # noqa: PTH208 text in, text out
        file = os.path.join(path, name)  # noqa: PTH118 text in, text out
        if not name.startswith(".") and os.path.isfile(file):  # noqa: PTH113 text in, text out
            _take_list(_read(file), shown(file), heap)


def _take_list(data: bytes, place: str, heap: Heap) -> None:
    try:
        heap.crls += read_crls(data, place=place)
    except BundleError as error:
        heap.findings.append(told(error))


def _pair(chains: Sequence[Chain], keys: Sequence[_Key], heap: Heap) -> None:
    """Give each key its certificate; of one key and one certificate that are left over, one is the wrong one."""
    left, alone = list(chains), list[_Key]()
    for key in keys:
        public = key.key.public_key()
        own = next((one for one in left if any(_key_of(made) == public for made in one.certificates)), None)
        if own is None:
            alone.append(key)
        else:
            left.remove(own)
            heap.identities.append(_identity(own, key))
    leaves = [one for one in left if not all(map(_is_ca, one.certificates))]
    if len(alone) == len(leaves) == 1:
        heap.identities.append(_identity(leaves[0], alone[0]))
        left.remove(leaves[0])
        alone = []
    for key in alone:
        fact = "this private key belongs to none of the certificates"
        heap.findings.append(Finding("TLS043", Severity.ERROR, key.place, fact, "name its certificate, too"))
    for chain in left:
        if chain in leaves:
            heap.chains.append(chain)
        else:
            for one in chain.certificates:
                (heap.roots if one.subject == one.issuer else heap.between).append(Anchor(one, chain.place))


def _identity(chain: Chain, key: _Key) -> Identity:
    return Identity(chain.certificates, key.key, chain.place, key.place, is_exposed(key.path))


def _key_of(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except Exception:  # noqa: BLE001 ValueError, UnsupportedAlgorithm and its like: it is then nobody's
        return None


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return is_ca(certificate)
    except ValueError:  # an extension that cannot be read
        return False


def missing_issuer(chain: Sequence[x509.Certificate], heap: Heap) -> tuple[str, str] | None:
    """Why a chain does not lead to a trusted CA, and the fix; None where it does, or nothing is trusted.

    Args:
        chain: ours first, then what is sent behind it.
        heap: with the CAs.
    """
    trusted = [one.certificate for one in heap.roots]
    if not trusted:
        return None
    last, seen = chain[0], [chain[0]]
    while last not in trusted and not any(is_issued_by(last, one) for one in trusted):
        above = next((one for one in chain if one not in seen and is_issued_by(last, one)), None)
        if above is None:
            return _why(last, heap)
        last = above
        seen.append(last)
    return None


def _why(last: x509.Certificate, heap: Heap) -> tuple[str, str]:
    beside = next((one for one in heap.between if is_issued_by(last, one.certificate)), None)
    if beside is not None:
        fact = f"the chain is not complete: {label(beside.certificate)}, which signed {label(last)}, is not in the file"
        return fact, f"put it behind the certificate: it stands in {beside.place}"
    if last.subject == last.issuer:
        return f"the chain ends at {label(last)}, which is not trusted", "name that CA with --trust, if it is yours"
    fact = f"the certificate that signed {label(last)} is neither in the file nor trusted"
    return fact, "put the intermediate certificates behind your own, or name the CA with --trust"
