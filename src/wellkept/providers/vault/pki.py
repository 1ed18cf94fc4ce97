"""Certificates of a PKI engine: signed for a key of ours, issued with one, or read. Dances; no I/O here.

`sign` is the better way: its private key is made in this process and never leaves it; that of `issue`
is made by the server, and crosses the wire once. No answer is trusted before it has been looked at.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from wellkept._dataclasses import dataclass, field
from wellkept._http.message import Failure, Request, Response
from wellkept._imports import load_module
from wellkept._patterns import pattern
from wellkept.errors import Absent, Malformed, PolicyDenied, Unreachable, WrongPath
from wellkept.providers.vault.answers import denied, is_vaults_own, no_mount
from wellkept.providers.vault.dance import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    OK,
    Dance,
    Faulty,
    data_of,
    is_plain,
    items,
    says,
    table,
    unexpected,
    whole,
)
from wellkept.providers.vault.mounts import Mount

PKI_OPTIONS: Final = frozenset({"common_name", "alt_names", "ip_sans", "uri_sans", "life"})

_EARLY: Final = 2 / 3  # of its life: the agents of Vault begin there
_READ_AGAIN_S: Final = 3600.0  # a CA lives for years, and whoever changes it lets both stand for days

_LIFE: Final = pattern(r"([0-9]{1,9})([smhd]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

_HOST: Final = pattern(r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")

_BODY = r"-----\n[A-Za-z0-9+/=\n]{1,20000}\n-----END "  # RSA of 16,384 bits takes 13,000 characters
_CERTIFICATE: Final = pattern(rf"-----BEGIN CERTIFICATE{_BODY}CERTIFICATE-----\n*")
_KEY: Final = pattern(rf"-----BEGIN ((?:RSA |EC )?PRIVATE KEY){_BODY}\1-----\n*")
_LONGEST_CHAIN: Final = 10

# What the server says with 400, and what it means: words of its text, then the option, or the fact, and the fix.
_DOMAINS: Final = "look at its allowed_domains, allow_bare_domains and allow_subdomains"
_NOT_ALLOWED: Final = (
    ("common name", "common_name", _DOMAINS),
    ("URI Subject", "uri_sans", "look at its allowed_uri_sans"),
    ("IP ", "ip_sans", "look at its allow_ip_sans and allowed_ip_sans_cidr"),
    ("by this role", "alt_names", _DOMAINS),
)
_UNFIT: Final = (
    ("common_name field is required", "it wants a common_name", "write ?common_name=web.internal"),
    ("expiration of the CA", "the CA ends before such a certificate would", "write a shorter life=, or renew the CA"),
    ("ttl", "the life is none that it takes", "write life=24h"),
    ("role key type", "it leaves the kind of key open", "write {mount}/sign/{role}, or set its key_type"),
    ("role requires", "it takes no key of P-256", "set key_type=any, or write {mount}/issue/{role}"),
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, or what a path below the mount holds.

    Attributes:
        values: what was made, as PEM texts: `certificate`, `private_key`, `issuing_ca`, `ca_chain`, `fullchain`
            (the certificate and its issuers, without a root), and `serial`; of a path, what it holds.
        serial: the serial number; of a path, a text that changes with the certificate.
        ttl_s: after how many seconds it is to be asked for again.
    """

    values: Mapping[str, object] = field(repr=False)
    serial: str
    ttl_s: float


@dataclass(frozen=True, slots=True)
class _Certificate:
    """A certificate of an answer.

    Attributes:
        text: PEM, with one newline at its end.
        public_key: DER.
        is_root: whether it names itself as its issuer.
    """

    text: str
    public_key: bytes
    is_root: bool


def issue(
    mount: Mount,
    path: tuple[str, ...],
    options: Mapping[str, str],
    label: str,
    *,
    now: Callable[[], float] = time.time,
) -> Dance[Issued | Failure]:
    """Have a certificate made (`sign/ROLE`, `issue/ROLE`), or read one (`cert/ca` …).

    Args:
        mount: the PKI engine.
        path: the segments of mount and path.
        options: of the reference; those of `PKI_OPTIONS` are used.
        label: what the token is called in errors.
        now: seconds since 1970.
    """
    rest = path[len(mount.path) :]
    wanted = {name: text for name, text in options.items() if name in PKI_OPTIONS}
    if not rest or rest[-1] in {"issue", "sign"}:
        return Failure(WrongPath, "absent: the path names no role", f"write {mount}/sign/ROLE?common_name=web.internal")
    if not _is_made(rest):
        return (yield from _read(mount, path, wanted, label))
    asked = _asked(rest, wanted)
    if isinstance(asked, Failure):
        return asked
    body, key = asked
    try:  # a second certificate does no harm, so the request may be sent again where an answer is lost
        answer = yield Request("POST", ("v1", *path), body=body, is_repeatable=True)
    except Faulty as fault:
        return _down(mount) if fault.is_of_engine else fault.failure
    if answer.status == FORBIDDEN:
        return (yield from denied(label, path, "update"))
    return _issued(answer, key, now()) if answer.status == OK else _refused(mount, rest, answer)


def _is_made(rest: Sequence[str]) -> bool:
    """Whether a path makes a certificate: `sign/ROLE`, or `issuer/REF/sign/ROLE`."""
    is_role = len(rest) == 2 or (len(rest) == 4 and rest[0] == "issuer")  # noqa: PLR2004 see above
    return is_role and rest[-2] in {"issue", "sign"}


def _asked(rest: Sequence[str], wanted: Mapping[str, str]) -> tuple[Mapping[str, object], Any] | Failure:
    """What is sent, and the key that it is for; None where the server makes one."""
    x509: Any = load_module("cryptography.x509")
    texts = {option: _texts(option, wanted[option]) for option in _KINDS if option in wanted}
    names: dict[str, list[object]] = {}
    for option, ones in texts.items():
        kind, example = _KINDS[option]
        made = _made(kind, x509, ones)
        if made is None:
            return Failure(Malformed, f"{option}= holds something else", f"write {example}")
        names[option] = made
    body: dict[str, object] = {option: ",".join(ones) for option, ones in texts.items()}
    if "life" in wanted:
        found = _LIFE.fullmatch(wanted["life"])
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not seconds:
            return Failure(Malformed, "life= is no time", "write life=24h, 90m or 3600s")
        body["ttl"] = f"{seconds}s"
    if rest[-2] == "issue":
        return body, None
    curves: Any = load_module("cryptography.hazmat.primitives.asymmetric.ec")
    key: Any = curves.generate_private_key(curves.SECP256R1())
    # A role takes the names from the request, or from beside it: they stand in both.
    common = names.pop("common_name", [])
    return {**body, "csr": _request_of(key, x509, common, [one for ones in names.values() for one in ones])}, key


def _texts(option: str, given: str) -> Sequence[str]:
    """The parts of a list; OpenBao drops a name with a space before it, and says nothing."""
    return [given] if option == "common_name" else [one for one in map(str.strip, given.split(",")) if one]


def _request_of(key: Any, x509: Any, common: Sequence[object], alternatives: Sequence[object]) -> str:  # noqa: ANN401 of modules that are imported late
    """A signing request, PEM."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(common))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    sha256: Any = load_module("cryptography.hazmat.primitives.hashes").SHA256()
    pem: Any = load_module("cryptography.hazmat.primitives.serialization").Encoding.PEM
    text: str = builder.sign(key, sha256).public_bytes(pem).decode()
    return text


def _made(kind: Callable[[Any, str], object], x509: object, texts: Iterable[str]) -> list[object] | None:
    try:
        return [kind(x509, text) for text in texts]
    except ValueError:
        return None


def _alternative(x509: Any, text: str) -> object:  # noqa: ANN401 a module that is imported late
    if "@" not in text and not _HOST.fullmatch(text):
        raise ValueError  # the server would leave it out, and say nothing
    return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)


# How the text of an option becomes a name, which refuses what is none; and what to write.
_KINDS: Final[Mapping[str, tuple[Callable[[Any, str], object], str]]] = {
    "common_name": (
        lambda x509, text: x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text),
        "common_name=web.internal, up to 64 characters, and longer names as alt_names=",
    ),
    "alt_names": (_alternative, "alt_names=a.internal,b.internal, in ASCII (xn--…)"),
    "ip_sans": (
        lambda x509, text: x509.IPAddress(load_module("ipaddress").ip_address(text)),
        "ip_sans=10.0.0.1,10.0.0.2",
    ),
    "uri_sans": (
        lambda x509, text: x509.UniformResourceIdentifier(text),
        "uri_sans=spiffe://example.org/web, in ASCII",
    ),
}


def _issued(answer: Response, key: Any, now: float) -> Issued | Failure:  # noqa: ANN401 a key of a package that is imported late
    """What was made, once all of it has been looked at."""
    told = data_of(answer)
    leaf, issuer = _certificate(told.get("certificate")), _certificate(told.get("issuing_ca"))
    chain = [_certificate(one) for one in items(told.get("ca_chain"))[: _LONGEST_CHAIN + 1]] or [issuer]
    known = [one for one in chain if one is not None]
    serial, end_at = told.get("serial_number"), whole(told.get("expiration"))
    if leaf is None or issuer is None or end_at is None or not isinstance(serial, str) or not is_plain(serial):
        return unexpected(answer)
    if len(known) != len(chain) or len(chain) > _LONGEST_CHAIN:
        return unexpected(answer)
    if end_at <= now:
        hint = "set the clock, or write a longer life="
        return Failure(Malformed, "its certificate is over already, by the clock of this machine", hint)
    private_key = _key_of(told.get("private_key")) if key is None else _own_key(key, leaf)
    if private_key is None:
        return unexpected(answer)
    values = {
        "certificate": leaf.text,
        "private_key": private_key,
        "issuing_ca": issuer.text,
        "ca_chain": "".join(one.text for one in known),
        "fullchain": "".join(one.text for one in (leaf, *known) if one is leaf or not one.is_root),
        "serial": serial,
    }
    return Issued(values, serial, (end_at - now) * _EARLY)


def _certificate(given: object) -> _Certificate | None:
    """A certificate that is one, and nothing else beside it."""
    if not isinstance(given, str) or not _CERTIFICATE.fullmatch(given):
        return None
    forms: Any = load_module("cryptography.hazmat.primitives.serialization")
    unsupported: type[Exception] = load_module("cryptography.exceptions").UnsupportedAlgorithm
    try:
        made: Any = load_module("cryptography.x509").load_pem_x509_certificate(given.encode())
        public: bytes = made.public_key().public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
        return _Certificate(given.strip() + "\n", public, is_root=bool(made.issuer == made.subject))
    except (ValueError, TypeError, unsupported):
        return None


def _key_of(given: object) -> str | None:
    return given.strip() + "\n" if isinstance(given, str) and _KEY.fullmatch(given) else None


def _own_key(key: Any, leaf: _Certificate) -> str | None:  # noqa: ANN401 a key of a package that is imported late
    """Our key as PKCS#8, if the certificate is for it."""
    forms: Any = load_module("cryptography.hazmat.primitives.serialization")
    public = key.public_key().public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
    if public != leaf.public_key:
        return None
    text: str = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode()
    return text


def _refused(mount: Mount, rest: Sequence[str], answer: Response) -> Failure:
    """Why there is no certificate; the server's own text goes nowhere."""
    role, look = rest[-1], f"look at the options, and at the role: read {mount}/roles/{rest[-1]}"
    if answer.status == NOT_FOUND and is_vaults_own(answer):
        return _no_path(mount, answer)
    if answer.status != BAD_REQUEST:
        return unexpected(answer)
    if says(answer, "unknown role"):
        hint = f"see which there are: wellkept list vault:{mount}/{rest[-2]}"
        return Failure(Absent, f"absent: there is no role {role} in the mount {mount}/", hint)
    is_denied = says(answer, "not allowed") or says(answer, "not valid for this role")
    for word, option, hint in _NOT_ALLOWED:
        if is_denied and says(answer, word):
            return Failure(PolicyDenied, f"denied: the role {role} does not allow this {option}", hint)
    for word, fact, hint in _UNFIT:
        if says(answer, word):
            told = f"the role {role} does not take this request: {fact}"
            return Failure(Malformed, told, hint.format(role=role, mount=mount))
    return Failure(Malformed, f"the role {role} does not take this request (status {answer.status})", look)


def _down(mount: Mount) -> Failure:
    fact = f"unreachable: the mount {mount}/ fails (500)"
    return Failure(Unreachable, fact, f"look whether it has a CA: {mount}/cert/ca; then at the log of the server")


def _no_path(mount: Mount, answer: Response) -> Failure:
    if says(answer, "no handler for route"):
        return no_mount(str(mount))
    fact = f"absent: the mount {mount}/ has no such path"
    return Failure(WrongPath, fact, f"write {mount}/sign/ROLE?common_name=web.internal, or {mount}/cert/ca")


def _read(mount: Mount, path: tuple[str, ...], wanted: Mapping[str, str], label: str) -> Dance[Issued | Failure]:
    """Read what stands at a path: the CA, its chain, a certificate by its serial number."""
    rest = path[len(mount.path) :]
    if wanted:
        fact = f"{min(wanted)}= is for a certificate that is made, and this path is read"
        return Failure(Malformed, fact, f"leave it out, or write {mount}/sign/ROLE")
    instead = _with_json(rest)
    if instead is not None:
        return Failure(Malformed, "its answer is no JSON", f"write {mount}/{instead}#certificate")
    answer = yield Request("GET", ("v1", *path))
    if answer.status == FORBIDDEN:
        return (yield from denied(label, path, "read"))
    values = data_of(answer)
    certificate = values.get("certificate")
    if answer.status != OK or not isinstance(certificate, str) or not certificate:
        return _nothing(mount, rest, answer)
    mark: str = load_module("hashlib").sha256(certificate.encode()).hexdigest()[:16]
    return Issued(values, mark, _READ_AGAIN_S)


def _nothing(mount: Mount, rest: Sequence[str], answer: Response) -> Failure:
    """Why a path gives no certificate."""
    if answer.status == NOT_FOUND and is_vaults_own(answer):
        if table(answer.data).get("errors") or table(answer.data).get("warnings"):
            return _no_path(mount, answer)
        fact = f"absent: there is no {'/'.join(rest)} in the mount {mount}/"
        return Failure(Absent, fact, f"the CA is {mount}/cert/ca#certificate")
    fact = f"there is no certificate at {mount}/{'/'.join(rest)} (status {answer.status})"
    return Failure(Malformed, fact, f"read {mount}/cert/ca, or have one made: {mount}/sign/ROLE?common_name=…")


def _with_json(rest: Sequence[str]) -> str | None:
    """The path that answers with JSON, for one that answers with a file."""
    if rest[0] in {"ca", "crl"} and rest[1:] in {(), ("pem",)}:
        return f"cert/{rest[0]}"
    if rest == ("ca_chain",):
        return "cert/ca_chain"
    if rest[0] == "cert" and "raw" in rest[2:]:
        return f"cert/{rest[1]}"
    return f"issuer/{rest[1]}" if rest[0] == "issuer" and rest[2:] in {("pem",), ("der",)} else None
