"""PKCS#12 (RFC 7292): all the keys and certificates of a keystore, with their aliases. No I/O here.

`cryptography` reads one key of a file and no more, and does not tell a trusted certificate of
Java from others. So the structure is walked here, and it opens the keys.
"""

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12

from wellkept._dataclasses import dataclass, field
from wellkept.secret import Secret
from wellkept.tls.der import (
    BMP_STRING,
    CONTEXT_0,
    CONTEXT_0_PLAIN,
    OCTET_STRING,
    SET,
    Element,
    read_element,
)
from wellkept.tls.pbe import Scheme, Work, decrypt, is_intact, read_scheme, read_seal
from wellkept.tls.stored import (
    GIVE_PASSWORD,
    WRONG_PASSWORD,
    Stored,
    StoredKey,
    Unreadable,
    read_certificate,
)

FORM = "PKCS#12"

_DATA = "1.2.840.113549.1.7.1"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_BAG = "1.2.840.113549.1.12.10.1."
_KEY_BAG, _SEALED_KEY_BAG, _CERTIFICATE_BAG, _NESTED_BAG = f"{_BAG}1", f"{_BAG}2", f"{_BAG}3", f"{_BAG}6"
_X509 = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
_TRUSTED = "2.16.840.1.113894.746875.1.1"  # Oracle's; Java trusts a certificate only with it
_MAX_DEPTH = 4  # of bags in bags, which nobody writes
_MAX_BAGS = 2000  # the JDK's own trust store has 140

NEEDS_PASSWORD = "is protected by a password, and none was given"  # noqa: S105 a message


@dataclass(frozen=True, slots=True)
class _Bag:
    """One thing in a keystore.

    Attributes:
        kind: the OID of what it is.
        value: it.
        name: its alias; empty where it has none.
        key_id: what it has in common with its key or its certificate.
        is_trusted: whether Java takes it as trusted.
    """

    kind: str
    value: Element
    name: str
    key_id: bytes
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class _Certificate:
    """One certificate; see `_Bag`."""

    certificate: x509.Certificate
    name: str
    key_id: bytes = field(default=b"")
    is_trusted: bool = False


def is_pkcs12(data: bytes) -> bool:
    """Whether data begins as such a file does: a sequence with version 3 and a sequence in it."""
    if data[:1] != b"\x30":
        return False
    at = 2 + (data[1] & 0x7F if data[1:2] > b"\x80" else 0)
    return data[at : at + 4] == b"\x02\x01\x03\x30"


def read_pkcs12(data: bytes, password: Secret[str] | None) -> Stored:
    """What a PKCS#12 file holds; its keys stay sealed.

    Raises:
        Unreadable: it is damaged or cut off, the password is not its own, or it holds what is not known.
    """
    work = Work()
    content = _opened(data, password, work)
    bags: list[_Bag] = []
    is_rc2 = False
    for part in read_element(content).parts():
        safe = _safe(part, password, work)
        if isinstance(safe, Scheme):
            is_rc2 = True
        else:
            _collect(safe, bags, 0)
    keys = [bag for bag in bags if bag.kind in {_KEY_BAG, _SEALED_KEY_BAG}]
    certificates = _by_openssl(data, password) if is_rc2 else _certificates(bags)
    return _assembled(keys, certificates)


def _opened(data: bytes, password: Secret[str] | None, work: Work) -> bytes:
    """The content, once its integrity is shown."""
    _version, info, *rest = read_element(data).parts(at_least=2)
    kind, held = info.parts(at_least=2)[:2]
    if kind.oid() != _DATA:
        raise Unreadable("is signed with a key, not protected by a password", hint="make it with a password")
    content = held.only(CONTEXT_0).of(OCTET_STRING)
    if rest and not is_intact(read_seal(rest[0], work), content, password):
        raise _refused(password)
    return content


def _refused(password: Secret[str] | None) -> Unreadable:
    if password is None:
        return Unreadable(NEEDS_PASSWORD, hint=GIVE_PASSWORD)
    return Unreadable(WRONG_PASSWORD, hint=GIVE_PASSWORD)


def _safe(part: Element, password: Secret[str] | None, work: Work) -> bytes | Scheme:
    """The bags of one part, decrypted; its scheme where that is RC2."""
    kind, held = part.parts(at_least=2)[:2]
    if kind.oid() == _DATA:
        return held.only(CONTEXT_0).of(OCTET_STRING)
    if kind.oid() != _ENCRYPTED_DATA:
        raise Unreadable("holds a part that is sealed with a key, not a password", hint="make it with a password")
    _, info, *_ = held.only(CONTEXT_0).parts(at_least=2)
    _, algorithm, sealed, *_ = info.parts(at_least=3)
    scheme = read_scheme(algorithm, work)
    if scheme.is_rc2:
        return scheme
    plain = decrypt(scheme, sealed.of(CONTEXT_0_PLAIN), password)
    if plain is None:
        raise _refused(password)
    return plain


def _collect(safe: bytes, bags: list[_Bag], depth: int) -> None:
    for element in read_element(safe).parts():
        kind, held, *more = element.parts(at_least=2)
        bag = _bag(kind.oid(), held.only(CONTEXT_0), more)
        if bag.kind != _NESTED_BAG:
            bags.append(bag)
        elif depth < _MAX_DEPTH:
            _collect(bag.value.whole, bags, depth + 1)
        else:
            raise Unreadable
        if len(bags) > _MAX_BAGS:
            raise Unreadable(f"holds more than {_MAX_BAGS:,} entries", hint="name the right file")


def _bag(kind: str, value: Element, more: Sequence[Element]) -> _Bag:
    told = dict(_attribute(one) for one in (more[0].parts(SET) if more else ()))
    name, key_id = told.get(_FRIENDLY_NAME), told.get(_LOCAL_KEY_ID)
    return _Bag(
        kind,
        value,
        name.of(BMP_STRING).decode("utf-16-be", "replace") if name is not None else "",
        key_id.of(OCTET_STRING) if key_id is not None else b"",
        _TRUSTED in told,
    )


def _attribute(element: Element) -> tuple[str, Element | None]:
    name, values, *_ = element.parts(at_least=2)
    return name.oid(), next(iter(values.parts(SET)), None)


def _certificates(bags: Sequence[_Bag]) -> list[_Certificate]:
    found: list[_Certificate] = []
    for bag in bags:
        if bag.kind == _CERTIFICATE_BAG:
            kind, held, *_ = bag.value.parts(at_least=2)
            if kind.oid() != _X509:
                raise Unreadable("holds a certificate that is not X.509")
            certificate = read_certificate(held.only(CONTEXT_0).of(OCTET_STRING), bag.name)
            found.append(_Certificate(certificate, bag.name, bag.key_id, bag.is_trusted))
    return found


def _by_openssl(data: bytes, password: Secret[str] | None) -> list[_Certificate]:
    """The certificates under RC2, which only OpenSSL decrypts; it tells names, but not what is trusted.

    By now the integrity is shown and the work is counted.
    """
    held = _loaded(data, password)
    if held is None:
        hint = "write it anew: keytool -importkeystore -srckeystore OLD -destkeystore NEW.p12 -deststoretype PKCS12"
        raise Unreadable("is encrypted with RC2 and cannot be read here", hint=hint)
    first = [] if held.cert is None else [held.cert]
    return [
        _Certificate(one.certificate, (one.friendly_name or b"").decode(errors="replace"))
        for one in (*first, *held.additional_certs)
    ]


def _loaded(data: bytes, password: Secret[str] | None) -> PKCS12KeyAndCertificates | None:
    try:
        return load_pkcs12(data, b"" if password is None else password.reveal().encode(errors="surrogatepass"))
    except Exception:  # noqa: BLE001 ValueError, UnsupportedAlgorithm and its like: told by the caller without its text
        return None


def _assembled(keys: Sequence[_Bag], certificates: Sequence[_Certificate]) -> Stored:
    trusted = [one for one in certificates if one.is_trusted or not keys]
    return Stored(
        FORM,
        tuple(_key(bag, name, certificates) for bag, name in zip(keys, _named(keys), strict=True)),
        tuple(zip(_named(trusted), (one.certificate for one in trusted), strict=True)),
        tuple(one.certificate for one in certificates),
    )


def _named(things: Sequence[_Bag | _Certificate]) -> list[str]:
    """Their aliases; what has none is called by its number, as Java does it."""
    return [one.name or str(number) for number, one in enumerate(things, 1)]


def _key(bag: _Bag, name: str, certificates: Sequence[_Certificate]) -> StoredKey:
    leaf = _leaf(bag, certificates)
    return StoredKey(name, bag.value.whole, () if leaf is None else (leaf,), is_plain=bag.kind == _KEY_BAG)


def _leaf(bag: _Bag, certificates: Sequence[_Certificate]) -> x509.Certificate | None:
    """The certificate of a key: the one with its id, else with its name. Opening the key shows whether it is."""
    tests: tuple[Callable[[_Certificate], bool], ...] = (
        lambda one: bool(bag.key_id) and one.key_id == bag.key_id,
        lambda one: bool(bag.name) and one.name == bag.name,
    )
    return next((one.certificate for is_its in tests for one in certificates if is_its(one)), None)


def unseal(sealed: bytes, password: Secret[str] | None) -> bytes | Scheme | None:
    """The key of a sealed bag, in PKCS#8; None where the password is not its own; its scheme where that is RC2.

    Raises:
        Unreadable: it is sealed in a way that is not known, or takes too much work.
    """
    algorithm, hidden, *_ = read_element(sealed).parts(at_least=2)
    scheme = read_scheme(algorithm, Work())
    return scheme if scheme.is_rc2 else decrypt(scheme, hidden.of(OCTET_STRING), password)
