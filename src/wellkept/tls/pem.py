"""PEM (RFC 7468) into certificates and keys; what is wrong with a file in words, with its line. No I/O here."""

import re
from base64 import b64decode
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wellkept._dataclasses import dataclass, field
from wellkept.errors import BundleError
from wellkept.secret import Secret
from wellkept.tls.certificates import is_readable
from wellkept.tls.der import read_element
from wellkept.tls.pbe import Work, read_scheme
from wellkept.tls.stored import COPY_AGAIN, Unreadable

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

BEGIN = b"-----BEGIN "
_MARK = b"\xef\xbb\xbf"  # a byte order mark, which editors of Windows put before a text
_BEGINNING = re.compile(rb"^-----BEGIN", re.MULTILINE)
_EDGE = re.compile(rb"^-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----[ \t\r]*$", re.MULTILINE)
_CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_KEYS = frozenset({"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"})
_NAMES = {
    "CERTIFICATE REQUEST": "a certificate signing request",
    "NEW CERTIFICATE REQUEST": "a certificate signing request",
    "X509 CRL": "a revocation list",
    "PUBLIC KEY": "a public key",
    "OPENSSH PRIVATE KEY": "a private key in the format of OpenSSH",
    "PKCS7": "a PKCS#7 chain",
    "DH PARAMETERS": "Diffie-Hellman parameters",
    "EC PARAMETERS": "parameters of an elliptic curve",
}
_MAX_BLOCKS = 1000  # the system's own file of CAs has some 140
_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a PEM file.

    Attributes:
        label: what it says it is: `CERTIFICATE`.
        text: from its first line to its last.
        line: where it begins, from 1.
    """

    label: str
    text: bytes = field(repr=False)
    line: int

    @property
    def is_certificate(self) -> bool:
        """Whether it says that it is a certificate."""
        return self.label in _CERTIFICATES

    @property
    def is_key(self) -> bool:
        """Whether it says that it is a private key."""
        return self.label in _KEYS

    @property
    def is_encrypted(self) -> bool:
        """Whether it is a private key that a password protects."""
        return self.label == "ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in self.text[:200]


def read_blocks(data: bytes, *, place: str) -> tuple[Block, ...]:
    """The blocks of a PEM text; text between them is left out, as OpenSSL does it.

    Args:
        data: the file.
        place: its name, for errors.

    Raises:
        BundleError: a block does not end, or there are too many.
    """
    found = find_blocks(data, place=place)
    data = b""  # a traceback may show the locals of this frame
    if isinstance(found, BundleError):
        raise found
    return found


def read_certificates(data: bytes, *, place: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM text, in its order; there is one at least.

    Raises:
        BundleError: there is none, or one of them cannot be read.
    """
    found = find_certificates(data, place=place)
    data = b""  # a traceback may show the locals of this frame
    if isinstance(found, BundleError):
        raise found
    return found


def read_key(data: bytes, password: Secret[str] | None, *, place: str) -> PrivateKey:
    """The private key of a PEM text; nobody is ever asked for its password.

    Raises:
        BundleError: there is none, or more than one, it cannot be read, or its password is missing or wrong.
    """
    found = find_key(data, password, place=place)
    data = b""  # a traceback may show the locals of this frame
    if isinstance(found, BundleError):
        raise found
    return found


def find_blocks(data: bytes, *, place: str) -> tuple[Block, ...] | BundleError:
    """As `read_blocks`, for callers that hold the text: the error is returned."""
    data = data.removeprefix(_MARK)
    found = list(_blocks(data))
    end = found[-1] if found else None
    if isinstance(end, _Torn):
        return BundleError(
            f"{place}:{end.line}: {end.what} is cut off: its last line -----END … is missing",
            hint=COPY_AGAIN,
        )
    if len(found) > _MAX_BLOCKS:
        return BundleError(f"{place}: holds more than {_MAX_BLOCKS} certificates", hint="name the right file")
    return tuple(one for one in found if isinstance(one, Block))


def find_certificates(data: bytes, *, place: str) -> tuple[x509.Certificate, ...] | BundleError:
    """As `read_certificates`, for callers that hold the text: the error is returned."""
    blocks = find_blocks(data, place=place)
    if isinstance(blocks, BundleError):
        return blocks
    made = [(one.line, _certificate(one)) for one in blocks if one.is_certificate]
    if not made:
        fact = content_of(data)
        return BundleError(f"{place}: holds no certificate in PEM: it {fact}", hint=_way_to_certificate(fact, place))
    damaged = next((line for line, one in made if one is None), None)
    if damaged is not None:
        return BundleError(
            f"{place}:{damaged}: this certificate is damaged or cut off",
            hint=COPY_AGAIN,
        )
    return tuple(one for _line, one in made if one is not None)


def find_key(data: bytes, password: Secret[str] | None, *, place: str) -> PrivateKey | BundleError:
    """As `read_key`, for callers that hold the text: the error is returned."""
    blocks = find_blocks(data, place=place)
    if isinstance(blocks, BundleError):
        return blocks
    keys = [one for one in blocks if one.is_key]
    if len(keys) > 1:
        return BundleError(f"{place}: holds more than one private key", hint="leave one of them in it")
    if not keys:
        fact = content_of(data)
        return BundleError(f"{place}: holds no private key in PEM: it {fact}", hint=_way_to_key(fact, place))
    made = _key(keys[0], password)
    if isinstance(made, tuple):
        fact, hint = made
        return BundleError(f"{place}: {fact}", hint=hint)
    return made


def content_of(data: bytes) -> str:
    """What a file holds, in words that follow its name: `is empty`, `holds a private key`."""
    data = data.removeprefix(_MARK)
    if not data.strip():
        return "is empty"
    labels = dict.fromkeys(found[2].decode("ascii") for found in _EDGE.finditer(data) if found[1] == b"BEGIN")
    if labels:
        return "holds " + " and ".join(dict.fromkeys(map(_named, labels)))
    if data[:4] in {_JKS, _JCEKS}:
        return "is a Java keystore"
    if data[:1] == b"\x30":
        return _der_content(data)
    return "holds something else, perhaps cut off" if BEGIN in data else "holds something else"


def is_pem(data: bytes) -> bool:
    """Whether there is a block of PEM in it."""
    return _EDGE.search(data.removeprefix(_MARK)) is not None


def _named(label: str) -> str:
    if label in _CERTIFICATES:
        return "a certificate"
    return "a private key" if label in _KEYS else _NAMES.get(label, "something else")


def _der_content(data: bytes) -> str:
    """What a DER file is: cheap tries, since it is only for a message."""
    if b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" in data[:64] or b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in data[:64]:
        return "is a PKCS#12 keystore"
    try:
        x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        return "is binary (DER), not PEM"
    return "is a certificate in DER, not PEM"


def _way_to_certificate(fact: str, place: str) -> str:
    if "keystore" in fact:
        return f'name it as a keystore: key = {{ path = "{place}", password = … }}'
    if "DER" in fact:
        return f"wellkept tls convert {place} {place}.pem"
    if "private key" in fact:
        return "name the certificate here, and the private key as keyFile: they look swapped"
    return "name a file that begins with -----BEGIN CERTIFICATE-----"


def _way_to_key(fact: str, place: str) -> str:
    if "keystore" in fact:
        return f'name it as a keystore: key = {{ path = "{place}", password = … }}'
    if "OpenSSH" in fact:
        return f"ssh-keygen -p -m PKCS8 -f {place}, on a copy"
    if "certificate" in fact and "request" not in fact:
        return "name the private key here, and the certificate as certFile: they look swapped"
    return "name a file that begins with -----BEGIN PRIVATE KEY-----, with one key in it"


@dataclass(frozen=True, slots=True)
class _Torn:
    """A block that does not end: what it says it is, and where it begins."""

    what: str
    line: int


def _blocks(data: bytes) -> Iterator[Block | _Torn]:
    """The blocks, up to one that does not end."""
    begin: re.Match[bytes] | None = None
    line, seen = 1, 0
    for found in _EDGE.finditer(data):
        if found[1] == b"END" and begin is None:
            continue
        if begin is not None and (found[1] == b"BEGIN" or found[2] != begin[2]):
            break
        if begin is None:
            begin = found
            line += data.count(b"\n", seen, begin.start())
            seen = begin.start()
        else:
            yield Block(begin[2].decode("ascii"), data[begin.start() : found.end()] + b"\n", line)
            begin = None
    if begin is not None:
        yield _Torn(_named(begin[2].decode("ascii")), line)
        return
    begun = [found.start() for found in _BEGINNING.finditer(data)]
    whole = {found.start() for found in _EDGE.finditer(data)}
    cut = next((at for at in begun if at not in whole), None)
    if cut is not None:  # its own first line is cut off
        yield _Torn("a block", 1 + data.count(b"\n", 0, cut))


def _certificate(block: Block) -> x509.Certificate | None:
    text = block.text
    if block.label != "CERTIFICATE":
        text = text.replace(block.label.encode(), b"CERTIFICATE")
    try:
        made = x509.load_pem_x509_certificate(text)
    except (ValueError, x509.InvalidVersion):
        return None
    return made if is_readable(made) else None


def _unfit_encryption(block: Block) -> tuple[str, str] | None:
    """Why a key cannot be decrypted within a bound of work: the file says how often its password is hashed."""
    try:
        der = b64decode(b"".join(block.text.strip().splitlines()[1:-1]))
        read_scheme(read_element(der).parts(at_least=2)[0], Work())
    except ValueError:  # of the base64
        return "its private key is damaged or cut off", COPY_AGAIN
    except Unreadable as unreadable:
        return (
            f"its private key {unreadable.fact}",
            "write it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW",
        )
    return None


def _key(block: Block, password: Secret[str] | None) -> PrivateKey | tuple[str, str]:
    """The key, or a fact and its fix."""
    unfit = _unfit_encryption(block) if block.label == "ENCRYPTED PRIVATE KEY" else None
    if unfit is not None:
        return unfit
    if block.is_encrypted and password is None:
        return "is an encrypted private key, and no password is given", "give keyPassword, as a reference"
    made: object = None
    fault = "is a private key of a kind that TLS does not use", "use an EC P-256 key, or RSA of 2048 bits or more"
    try:
        made = load_pem_private_key(
            block.text, password.reveal().encode() if block.is_encrypted and password is not None else None
        )
    except (ValueError, TypeError):
        wrong = "is an encrypted private key, and the password is wrong (or the file is damaged)", "correct keyPassword"
        fault = wrong if block.is_encrypted else _DAMAGED_KEY
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # how cryptography fails at an IV of the wrong length
            fault = _DAMAGED_KEY
        elif not isinstance(error, Exception):  # all others: UnsupportedAlgorithm and its like
            raise
    return made if isinstance(made, PrivateKey) else fault


_DAMAGED_KEY = ("its private key is damaged or cut off", COPY_AGAIN)
