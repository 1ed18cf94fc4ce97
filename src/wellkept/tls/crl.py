"""Revocation lists (RFC 5280 §5): reading them, and naming one that is missing or outdated in time. No I/O here.

OpenSSL is strict: where a context checks lists, a handshake fails for every certificate whose CA has no
list, or only one that has expired. So a list is judged at the start, and again while it ages.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from wellkept._dataclasses import dataclass
from wellkept.errors import BundleError
from wellkept.tls.certificates import day, extension, is_ca, is_issued_by, label
from wellkept.tls.names import printable
from wellkept.tls.pem import content_of, read_blocks

_LABEL = "X509 CRL"  # RFC 7468 §6
_SOON = 3  # less than a third of its period is left: CAs publish the next list at half of it or earlier
_DER = b"\x30"
_UNDERSTOOD = (x509.IssuingDistributionPoint, x509.AuthorityKeyIdentifier, x509.CRLNumber)


@dataclass(frozen=True, slots=True)
class Crl:
    """One revocation list.

    Attributes:
        place: the file or reference that it came from.
        crl: the list itself.
    """

    place: str
    crl: x509.CertificateRevocationList

    @property
    def issuer(self) -> x509.Name:
        """Whose list it says it is."""
        return self.crl.issuer

    @property
    def last_update(self) -> datetime:
        """When it was made."""
        return self.crl.last_update_utc

    @property
    def next_update(self) -> datetime | None:
        """When it expires; None for a list that does not say so, which OpenSSL takes for ever."""
        return self.crl.next_update_utc

    @property
    def pem(self) -> bytes:
        """The list in PEM, as a context loads it."""
        return self.crl.public_bytes(Encoding.PEM)

    def is_current(self, moment: datetime) -> bool:
        """Whether a moment lies within its dates."""
        return self.last_update <= moment and (self.next_update is None or moment <= self.next_update)

    def ends_soon(self, moment: datetime) -> bool:
        """Whether less than a third of its period is left."""
        end = self.next_update
        return end is not None and end - moment < (end - self.last_update) / _SOON

    def is_of(self, ca: x509.Certificate) -> bool:
        """Whether it has a CA's name and its signature."""
        return self.issuer == ca.subject and _is_signed_by(self.crl, ca)


class CrlProblem(StrEnum):
    """What is wrong with a list."""

    MISSING = "missing"  # a CA is trusted, and has no list
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    WRONG_SIGNATURE = "wrong signature"  # it has a CA's name, and is not signed by its key
    MAY_NOT_SIGN = "may not sign"  # the CA's certificate does not allow it to sign lists
    PARTIAL = "partial"  # a list that OpenSSL does not use for every certificate of its CA
    FOREIGN = "foreign"  # no CA that is trusted has this name
    SOON = "soon"


@dataclass(frozen=True, slots=True)
class CrlFault:
    """One thing that is wrong with the lists.

    Attributes:
        kind: what.
        place: the file or reference of the list; `crl` where a list is missing among several files.
        message: the fact, in words that follow the place.
        hint: the fix.
    """

    kind: CrlProblem
    place: str
    message: str
    hint: str

    @property
    def is_fatal(self) -> bool:
        """Whether a context that checks lists refuses somebody good because of it."""
        return self.kind not in {CrlProblem.FOREIGN, CrlProblem.SOON, CrlProblem.PARTIAL}


def read_crls(data: bytes, *, place: str) -> tuple[Crl, ...]:
    """The revocation lists of a file: PEM with one or several, or one in DER.

    Args:
        data: the file.
        place: its name, for errors.

    Raises:
        BundleError: it holds none, or one that cannot be read.
    """
    blocks = [one for one in read_blocks(data, place=place) if one.label == _LABEL]
    if blocks:
        data = b""  # a traceback may show the locals of this frame, and the file may hold a private key
        return tuple(_crl(_loaded(one.text, Encoding.PEM), place, f"{place}:{one.line}") for one in blocks)
    made = _loaded(data, Encoding.DER) if data.startswith(_DER) else None
    fact = content_of(data) if made is None else ""
    data = b""
    if made is None:
        fact = "is binary, and damaged or something else" if "binary" in fact else fact
        raise BundleError(f"{place}: holds no revocation list: it {fact}", hint=_NAME_A_LIST)
    return (_crl(made, place, place),)


def judge(crls: Sequence[Crl], cas: Sequence[x509.Certificate], *, now: datetime) -> list[CrlFault]:
    """What is wrong with the lists, the worst first.

    Args:
        crls: all lists of a bundle.
        cas: the CAs that are trusted. The list of an intermediate that is not among them cannot be
            verified here, and is told of as foreign.
        now: the time of day.
    """
    faults = [fault for one in cas for fault in _of_ca(one, cas, crls, now)]
    faults += [fault for one in crls for fault in _of_list(one, cas)]
    return sorted(faults, key=lambda fault: not fault.is_fatal)


def is_revoked(certificate: x509.Certificate, crls: Iterable[Crl]) -> bool:
    """Whether one of the lists, which `judge` has found good, names a certificate."""
    return any(
        one.issuer == certificate.issuer
        and not _has_other_key(one.crl, certificate)
        and one.crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        for one in crls
    )


_NAME_A_LIST = "name a file that begins with -----BEGIN X509 CRL-----, or a list in DER, as the CA publishes it"


def _crl(made: x509.CertificateRevocationList | None, place: str, where: str) -> Crl:
    if made is None:
        raise BundleError(
            f"{where}: this revocation list is damaged or cut off",
            hint="fetch it again from the CA, and compare its size with the original",
        )
    if any(isinstance(one.value, x509.DeltaCRLIndicator) for one in made.extensions):
        # OpenSSL takes it for the whole list, and for the newer one: all that the full list revokes would get in.
        raise BundleError(
            f"{where}: is a delta: a list of changes, which does not say who else is revoked",
            hint="name the CA's full list instead, and only that",
        )
    return Crl(place, made)


def _of_ca(
    ca: x509.Certificate, cas: Sequence[x509.Certificate], crls: Sequence[Crl], now: datetime
) -> Iterator[CrlFault]:
    name = label(ca)
    if not is_ca(ca) and ca.subject != ca.issuer:
        if all(one.issuer != ca.issuer for one in crls):
            what = f"holds no revocation list of the issuer of {name}: though it is trusted itself, OpenSSL refuses it"
            yield CrlFault(CrlProblem.MISSING, _place_of(crls), what, "add the current list of the CA that signed it")
        return
    own = [one for one in crls if one.is_of(ca) and not _is_partial(one.crl)]
    usage = extension(ca, x509.KeyUsage)
    if own and usage is not None and not usage.crl_sign:
        what = (
            f"the CA {name} may not sign revocation lists: its key usage lacks cRLSign, so this one counts for nothing"
        )
        yield CrlFault(
            CrlProblem.MAY_NOT_SIGN, own[0].place, what, "let the CA's certificate be made anew with cRLSign"
        )
    if not own and any(other is not ca and is_ca(other) and is_issued_by(other, ca) for other in cas):
        return  # a root whose intermediate is trusted, too: only the list of a leaf's own issuer is looked at
    if not own:
        what = f"holds no revocation list of the CA {name}: without one OpenSSL refuses every certificate of it"
        fix = "add the CA's current list; a CA that publishes none needs one that is empty"
        yield CrlFault(CrlProblem.MISSING, _place_of(crls), what, fix)
        return
    # OpenSSL takes the best one that it has: an old list beside a current one does no harm.
    best = max(own, key=lambda one: (one.is_current(now), one.last_update))
    yield from _dates(best, name, now)


def _dates(crl: Crl, name: str, now: datetime) -> Iterator[CrlFault]:
    begin, end = crl.last_update, crl.next_update
    refused = "OpenSSL refuses every certificate of it"
    if now < begin:
        what = f"the revocation list of the CA {name} is not yet valid: it begins {day(begin)}, so {refused}"
        yield CrlFault(CrlProblem.NOT_YET_VALID, crl.place, what, "look at the clock of this machine, or wait")
    elif end is not None and now > end:
        what = f"the revocation list of the CA {name} has expired: it was valid until {day(end)}, so {refused}"
        yield CrlFault(CrlProblem.EXPIRED, crl.place, what, _FETCH)
    elif end is not None and crl.ends_soon(now):
        what = f"the revocation list of the CA {name} ends soon: {day(end)}; after that {refused}"
        yield CrlFault(CrlProblem.SOON, crl.place, what, _FETCH)


_FETCH = "fetch the CA's current list, and let a timer fetch it from now on"


def _of_list(crl: Crl, cas: Sequence[x509.Certificate]) -> Iterator[CrlFault]:
    """What is wrong with a list that is no CA's, or not all of it."""
    named = [one for one in cas if one.subject == crl.issuer]
    if not named:
        what = f"is a revocation list of {_shown(crl.issuer)}, which is none of the trusted CAs"
        fix = "name the lists of the CAs that are trusted; one of an intermediate CA needs its certificate in the trust"
        yield CrlFault(CrlProblem.FOREIGN, crl.place, what, fix)
    elif not any(_is_signed_by(crl.crl, one) for one in named):
        what = f"is a revocation list in the name of the CA {label(named[0])}, and not signed by its key"
        yield CrlFault(
            CrlProblem.WRONG_SIGNATURE, crl.place, what, "fetch it again from the CA, which may have a new key"
        )
    elif _is_partial(crl.crl):
        what = f"is a list of a part of what the CA {label(named[0])} revokes, so it does not count for all of it"
        yield CrlFault(CrlProblem.PARTIAL, crl.place, what, "name the CA's full list")


def _place_of(crls: Sequence[Crl]) -> str:
    """The one place of all lists; with several it is the setting that names them."""
    places = {one.place for one in crls}
    return places.pop() if len(places) == 1 else "crl"


def _loaded(data: bytes, encoding: Encoding) -> x509.CertificateRevocationList | None:
    load = x509.load_pem_x509_crl if encoding is Encoding.PEM else x509.load_der_x509_crl
    try:
        made = load(data)
        # They are read late: what is wrong with them must come out here, where the file's name is known.
        _ = made.extensions, made.issuer, made.next_update_utc, made.last_update_utc
    except ValueError:
        return None
    return made


def _is_signed_by(crl: x509.CertificateRevocationList, ca: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(ca.public_key())  # type: ignore[arg-type]  # any other kind of key raises TypeError
    except Exception:  # noqa: BLE001 a key or a signature that cannot be used signs nothing
        return False


def _is_partial(crl: x509.CertificateRevocationList) -> bool:
    """Whether OpenSSL does not use it for a certificate of a server or client (measured with 3.0)."""
    for one in crl.extensions:
        point = one.value
        if one.critical and not isinstance(point, _UNDERSTOOD):
            return True
        if isinstance(point, x509.IssuingDistributionPoint):
            is_of_others = point.only_contains_attribute_certs or point.only_contains_ca_certs
            return is_of_others or point.indirect_crl or point.only_some_reasons is not None
    return False


def _has_other_key(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list and a certificate say that two keys of one CA signed them."""
    signed = extension(certificate, x509.AuthorityKeyIdentifier)
    listed = next((one.value for one in crl.extensions if isinstance(one.value, x509.AuthorityKeyIdentifier)), None)
    ids = {one.key_identifier for one in (signed, listed) if one is not None and one.key_identifier is not None}
    return len(ids) > 1


def _shown(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return printable(str(common[0].value) if common else name.rfc4514_string())
