"""Makes certificates for tests, good ones and bad ones; nothing of it is ever stored.

The defaults pass VERIFY_X509_STRICT: P-256, critical basic constraints, key usage, both key
identifiers, a subject alternative name. What is bad about one is said where it is made:

    ca = CA()
    server = ca.issue("localhost", ips=["127.0.0.1"]).write(tmp_path, "server")
    expired = ca.issue("localhost", not_after=-DAY)

`CASES` holds the bad server certificates of the matrix by their names, `CLIENT_CASES` those of clients.
SHA-1 signatures, which `cryptography` refuses to make, are made by the openssl program: `signed_with_sha1`.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
When = datetime | timedelta | None  # a timedelta counts from now

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def new_key(kind: str = "p256") -> Key:
    """A private key: p256, p384, ed25519, ed448, or rsa with its bits: rsa2048, rsa1024."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    makers: Mapping[str, Callable[[], Key]] = {
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
    }
    return makers[kind]()


@dataclass(frozen=True)
class Files:
    """Where a leaf was written.

    Attributes:
        cert_file: the leaf and its intermediates, PEM, 0644.
        key_file: PKCS#8 in PEM, 0600.
    """

    cert_file: Path
    key_file: Path

    @property
    def pair(self) -> tuple[str, str]:
        """What `load_cert_chain` takes."""
        return str(self.cert_file), str(self.key_file)


@dataclass(frozen=True)
class Leaf:
    """A certificate with its private key.

    Attributes:
        certificate: the leaf.
        key: its private key.
        chain: its intermediates, the nearest first, without the root.
    """

    certificate: x509.Certificate
    key: Key = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """The leaf alone."""
        return pem_of(self.certificate)

    @property
    def cert_pem(self) -> bytes:
        """The leaf and its intermediates."""
        return pem_of(self.certificate, *self.chain)

    @property
    def key_pem(self) -> bytes:
        """The private key, PKCS#8."""
        return self.key_pem_as("pkcs8")

    def key_pem_as(self, kind: str = "pkcs8", password: str | None = None) -> bytes:
        """The private key: pkcs8, pkcs1 or sec1 (the same of RSA and EC), der (PKCS#8); with a password encrypted."""
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
        form = PrivateFormat.PKCS8 if kind in {"pkcs8", "der"} else PrivateFormat.TraditionalOpenSSL
        return self.key.private_bytes(Encoding.DER if kind == "der" else Encoding.PEM, form, encryption)

    def p12(self, password: str, alias: str = "server", *, trust: Sequence[x509.Certificate] = ()) -> bytes:
        """A PKCS#12 keystore of leaf, key and chain."""
        encryption = BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(
            alias.encode(), self.key, self.certificate, [*self.chain, *trust], encryption
        )

    def with_chain(self, *chain: x509.Certificate) -> "Leaf":
        """The same leaf that sends other intermediates, or none."""
        return Leaf(self.certificate, self.key, chain)

    def with_key(self, key: Key | None = None) -> "Leaf":
        """The same certificate with a key that is not its own."""
        return Leaf(self.certificate, key or new_key(), self.chain)

    def write(self, folder: Path, name: str = "server") -> Files:
        """Write NAME.crt and NAME.key into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(folder / f"{name}.crt", folder / f"{name}.key")
        files.cert_file.write_bytes(self.cert_pem)
        files.key_file.touch(0o600)
        files.key_file.chmod(0o600)
        files.key_file.write_bytes(self.key_pem)
        return files


class CA:
    """A certificate authority: a root, or with `parent` an intermediate.

    Attributes:
        certificate: its certificate.
        key: its private key.
        chain: what a leaf of it sends behind itself: this certificate and so on up to the root, without the root.
    """

    def __init__(
        self,
        name: str = "Test CA",
        *,
        key: str | Key = "p256",
        parent: "CA | None" = None,
        days: int = 365,
        not_before: When = None,
        not_after: When = None,
        path_length: int | None = None,
        constraints: x509.NameConstraints | None = None,
        without_ski: bool = False,
        aki: bool = True,
        bc_critical: bool = True,
        key_usage: bool = True,
        is_ca: bool = True,
        basic_constraints: bool = True,
        eku: Sequence[ObjectIdentifier] = (),
        serial: int | None = None,
    ) -> None:
        """Make one; every argument but the first six makes it worse.

        Args:
            name: its common name; two CAs of one name are told apart by their keys only.
            key: a kind as `new_key` takes it, or a key to use again.
            parent: the CA above it; None makes a root.
            days: how long it is valid, where `not_after` does not say it.
            not_before: a moment, or how far from now; an hour ago.
            not_after: a moment, or how far from now.
            path_length: how many CAs may follow below it.
            constraints: names that it may sign for, see `permitting`.
            without_ski: leave out the subject key identifier.
            aki: False leaves out the authority key identifier.
            bc_critical: False makes the basic constraints not critical.
            key_usage: False leaves it out, as `openssl req -x509` does.
            is_ca: False says CA:FALSE, and goes on signing.
            basic_constraints: False leaves them out.
            eku: extended key usages; most CAs have none.
            serial: its serial number.
        """
        self.key = new_key(key) if isinstance(key, str) else key
        signer = self.key if parent is None else parent.key
        subject = _name(name)
        start, end = _dates(not_before, not_after, timedelta(days=days))
        builder = _builder(subject, subject if parent is None else parent.certificate.subject, self.key, serial)
        builder = builder.not_valid_before(start).not_valid_after(end)
        if basic_constraints:
            builder = builder.add_extension(
                x509.BasicConstraints(ca=is_ca, path_length=path_length if is_ca else None), critical=bc_critical
            )
        if key_usage:
            builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        if not without_ski:
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        if aki and parent is not None:
            builder = builder.add_extension(_authority(parent), critical=False)
        if constraints is not None:
            builder = builder.add_extension(constraints, critical=True)
        if eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(eku)), critical=False)
        self.certificate: x509.Certificate = builder.sign(signer, _hash(signer))
        self.chain: tuple[x509.Certificate, ...] = () if parent is None else (self.certificate, *parent.chain)

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return pem_of(self.certificate)

    def write(self, folder: Path, name: str = "ca") -> Path:
        """Write its certificate to NAME.crt in a folder, without the key."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.crt"
        file.write_bytes(self.pem)
        return file

    def issue(
        self,
        *dns: str,
        uris: Sequence[str] = (),
        ips: Sequence[str] = (),
        cn: str = "",
        client: bool = True,
        server: bool = True,
        eku: bool = True,
        not_before: When = None,
        not_after: When = None,
        key: str | Key = "p256",
        ca: bool = False,
        aki: bool = True,
        ski: bool = True,
        key_usage: bool = True,
        san: bool = True,
        serial: int | None = None,
        ocsp_url: str | None = None,
        crl_url: str | None = None,
    ) -> Leaf:
        """Issue a certificate.

        Args:
            dns: host names.
            uris: URIs, as a SPIFFE id.
            ips: addresses.
            cn: the common name; the first of the names where it is empty.
            client: whether its extended key usage has clientAuth.
            server: whether its extended key usage has serverAuth.
            eku: False leaves the extended key usage out.
            not_before: a moment, or how far from now; an hour ago.
            not_after: a moment, or how far from now; in 30 days.
            key: a kind as `new_key` takes it, or a key to use again.
            ca: whether it says that it is a CA.
            aki: False leaves out the authority key identifier.
            ski: False leaves out the subject key identifier.
            key_usage: False leaves it out.
            san: False leaves out the subject alternative names, as certificates of old did.
            serial: its serial number.
            ocsp_url: where its state can be asked for.
            crl_url: where its revocation list is.
        """
        own = new_key(key) if isinstance(key, str) else key
        start, end = _dates(not_before, not_after, 30 * DAY)
        names = _names(dns, uris, ips)
        subject = _name(cn or next(iter((*dns, *uris, *ips)), "leaf"))
        builder = _builder(subject, self.certificate.subject, own, serial)
        builder = builder.not_valid_before(start).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        wanted = [
            (key_usage, _usage(signs_certificates=ca), True),
            (ski, x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False),
            (aki, _authority(self), False),
            (san and bool(names), x509.SubjectAlternativeName(names), False),
            (ocsp_url is not None, _access(ocsp_url or ""), False),
            (crl_url is not None, _distribution(crl_url or ""), False),
        ]
        purposes = [oid for oid, is_on in ((_SERVER, server), (_CLIENT, client)) if is_on] if eku else []
        if purposes:
            wanted.append((True, x509.ExtendedKeyUsage(purposes), False))
        for is_wanted, extension, is_critical in wanted:
            if is_wanted:
                builder = builder.add_extension(extension, is_critical)
        return Leaf(builder.sign(self.key, _hash(self.key)), own, self.chain)

    def crl(
        self,
        *revoked: Leaf,
        last_update: When = None,
        next_update: When = None,
        number: int = 1,
        reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
    ) -> bytes:
        """A revocation list, PEM.

        Args:
            revoked: what it revokes.
            last_update: a moment, or how far from now; an hour ago.
            next_update: a moment, or how far from now; in a day.
            number: its CRL number.
            reason: why all of them are revoked.
        """
        start, end = _dates(last_update, next_update, DAY)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(start).next_update(end)
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        builder = builder.add_extension(_authority(self), critical=False)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            entry = entry.revocation_date(start).add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, _hash(self.key)).public_bytes(Encoding.PEM)

    def ocsp(
        self,
        leaf: Leaf,
        *,
        revoked: bool = False,
        this_update: When = None,
        next_update: When = None,
        responder: "CA | Leaf | None" = None,
    ) -> bytes:
        """An OCSP answer about a leaf, DER; signed by the CA itself unless a responder is named."""
        signer = responder or self
        start, end = _dates(this_update, next_update, DAY)
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response(
            leaf.certificate,
            self.certificate,
            hashes.SHA1(),  # noqa: S303 OCSP's own way to name a certificate (RFC 6960 §4.1.1)
            status,
            start,
            end,
            start if revoked else None,
            x509.ReasonFlags.key_compromise if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if responder is not None:
            builder = builder.certificates([signer.certificate])
        return builder.sign(signer.key, _hash(signer.key)).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class Case:
    """A certificate that is presented, and who shall believe it.

    Attributes:
        leaf: what the peer sends.
        trust: what the other side trusts, PEM.
        crl: a revocation list, PEM, or None.
        host: the name that a client asks for.
    """

    leaf: Leaf
    trust: bytes
    crl: bytes | None = None
    host: str = "localhost"

    @classmethod
    def of(cls, ca: CA, leaf: Leaf, trust: CA | None = None, *, crl: bytes | None = None) -> Self:
        """A case whose trust is the CA itself, unless another one is named."""
        return cls(leaf, (trust or ca).pem, crl)


def self_signed(*dns: str, not_after: When = None, key: str | Key = "p256") -> Leaf:
    """A server certificate that signed itself and is no CA."""
    own = new_key(key) if isinstance(key, str) else key
    issuer = CA(dns[0], key=own, is_ca=False)
    return issuer.issue(*dns, key=own, not_after=not_after, client=False)


def chain_of(*names: str, path_lengths: Sequence[int | None] = ()) -> tuple[CA, ...]:
    """A root and the CAs below it, one after the other."""
    made: list[CA] = []
    for index, name in enumerate(names):
        length = path_lengths[index] if index < len(path_lengths) else None
        made.append(CA(name, parent=made[-1] if made else None, path_length=length))
    return tuple(made)


def permitting(*dns: str, networks: Sequence[str] = ()) -> x509.NameConstraints:
    """Name constraints that permit host names and all below them, and networks."""
    return x509.NameConstraints([*map(x509.DNSName, dns), *(x509.IPAddress(ip_network(one)) for one in networks)], None)


def pem_of(*certificates: x509.Certificate) -> bytes:
    """Certificates in PEM, one behind the other."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def signed_with_sha1(ca: CA, folder: Path, name: str = "localhost") -> Leaf:
    """A certificate signed with SHA-1 by the openssl program, which must be there."""
    own = new_key()
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(name)).sign(own, hashes.SHA256())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sha1.csr").write_bytes(request.public_bytes(Encoding.PEM))
    (folder / "sha1.cnf").write_text(
        f"basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nsubjectAltName=DNS:{name}\n"
        "extendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
        encoding="ascii",
    )
    Leaf(ca.certificate, ca.key).write(folder, "sha1-ca")
    subprocess.run(
        [
            "openssl",
            "x509",
            "-req",
            "-sha1",
            "-days",
            "30",
            "-set_serial",
            "7",
            "-in",
            "sha1.csr",
            "-CA",
            "sha1-ca.crt",
            "-CAkey",
            "sha1-ca.key",
            "-extfile",
            "sha1.cnf",
            "-out",
            "sha1.crt",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return Leaf(x509.load_pem_x509_certificate((folder / "sha1.crt").read_bytes()), own, ca.chain)


def _incomplete() -> Case:
    root, below = chain_of("Root", "Intermediate")
    return Case.of(root, below.issue("localhost").with_chain())


def _misordered() -> Case:
    root, first, second = chain_of("Root", "First", "Second")
    return Case.of(root, second.issue("localhost").with_chain(first.certificate, second.certificate))


def _root_first() -> Case:
    root, below = chain_of("Root", "Intermediate")
    leaf = below.issue("localhost")
    return Case.of(root, leaf.with_chain(root.certificate, below.certificate))


def _extra() -> Case:
    root, below = chain_of("Root", "Intermediate")
    return Case.of(root, below.issue("localhost").with_chain(below.certificate, CA("Somebody else").certificate))


def _pathlen() -> Case:
    root, _, last = chain_of("Root", "First", "Second", path_lengths=(0,))
    return Case.of(root, last.issue("localhost"))


def _issuer_not_ca() -> Case:
    root = CA()
    return Case.of(root, CA("No CA", parent=root, is_ca=False).issue("localhost"))


def _issuer_is_leaf() -> Case:
    root = CA()
    above = root.issue("localhost")
    false_ca = CA("False CA", key=above.key)
    false_ca.certificate, false_ca.chain = above.certificate, (above.certificate,)
    return Case.of(root, false_ca.issue("localhost"))


def _trust_is_intermediate() -> Case:
    _, below = chain_of("Root", "Intermediate")
    return Case.of(below, below.issue("localhost"))


def _ip_san_missing() -> Case:
    ca = CA()
    return Case(ca.issue("localhost"), ca.pem, host="127.0.0.1")


def _self_signed() -> Case:
    return Case(self_signed("localhost"), CA().pem)


def _revoked() -> Case:
    ca = CA()
    leaf = ca.issue("localhost")
    return Case.of(ca, leaf, crl=ca.crl(leaf))


def _crl_expired() -> Case:
    ca = CA()
    return Case.of(ca, ca.issue("localhost"), crl=ca.crl(last_update=-2 * DAY, next_update=-DAY))


def _crl_wrong_issuer() -> Case:
    ca = CA()
    return Case.of(ca, ca.issue("localhost"), crl=CA().crl())  # the same name, another key


def _crl_other_ca() -> Case:
    ca = CA()
    return Case.of(ca, ca.issue("localhost"), crl=CA("Other CA").crl())


def _with(ca: CA, leaf: Callable[[CA], Leaf] = lambda ca: ca.issue("localhost")) -> Case:
    return Case.of(ca, leaf(ca))


_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

CASES: Mapping[str, Callable[[], Case]] = {
    "good": lambda: _with(CA()),
    "expired": lambda: _with(CA(), lambda ca: ca.issue("localhost", not_after=-DAY)),
    "not-yet-valid": lambda: _with(CA(), lambda ca: ca.issue("localhost", not_before=DAY)),
    "wrong-host": lambda: _with(CA(), lambda ca: ca.issue("other.test")),
    "ip-san-missing": _ip_san_missing,
    "cn-only": lambda: _with(CA(), lambda ca: ca.issue(cn="localhost")),
    "self-signed": _self_signed,
    "untrusted-root": lambda: Case.of(CA("Other CA"), CA().issue("localhost")),
    "same-name-root": lambda: Case.of(CA(), CA().issue("localhost")),
    "expired-root": lambda: _with(CA(not_after=-DAY)),
    "incomplete-chain": _incomplete,
    "misordered-chain": _misordered,
    "root-first-chain": _root_first,
    "extra-chain-cert": _extra,
    "trust-is-intermediate": _trust_is_intermediate,
    "wrong-eku": lambda: _with(CA(), lambda ca: ca.issue("localhost", server=False)),
    "no-eku": lambda: _with(CA(), lambda ca: ca.issue("localhost", eku=False)),
    "name-constraint": lambda: _with(CA(constraints=permitting("allowed.test"))),
    "pathlen": _pathlen,
    "issuer-not-ca": _issuer_not_ca,
    "issuer-is-leaf": _issuer_is_leaf,
    "leaf-is-ca": lambda: _with(CA(), lambda ca: ca.issue("localhost", ca=True)),
    "no-aki": lambda: _with(CA(), lambda ca: ca.issue("localhost", aki=False)),
    "no-ski": lambda: _with(CA(without_ski=True)),
    "bc-not-critical": lambda: _with(CA(bc_critical=False)),
    "openssl-recipe": lambda: _with(CA(key_usage=False)),
    "rsa1024": lambda: _with(CA(), lambda ca: ca.issue("localhost", key="rsa1024")),
    "revoked-crl": _revoked,
    "crl-expired": _crl_expired,
    "crl-wrong-issuer": _crl_wrong_issuer,
    "crl-missing": _crl_other_ca,
}
CLIENT_CASES: Mapping[str, Callable[[], Case]] = {
    "good": lambda: _with(CA(), lambda ca: ca.issue(uris=["spiffe://prod/ns/pay/sa/orders"], server=False)),
    "client-wrong-ca": CASES["untrusted-root"],
    "client-expired": CASES["expired"],
    "client-not-yet-valid": CASES["not-yet-valid"],
    "client-serverAuth-only": lambda: _with(CA(), lambda ca: ca.issue("orders.test", client=False)),
    "client-no-eku": CASES["no-eku"],
    "client-incomplete-chain": _incomplete,
    "client-self-signed": _self_signed,
    "client-revoked": _revoked,
}


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])  # RFC 5280's ub-common-name


def _names(dns: Sequence[str], uris: Sequence[str], ips: Sequence[str]) -> list[x509.GeneralName]:
    return [
        *map(x509.DNSName, dns),
        *map(x509.UniformResourceIdentifier, uris),
        *(x509.IPAddress(ip_address(one)) for one in ips),
    ]


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, serial: int | None) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    return builder.public_key(key.public_key()).serial_number(serial or x509.random_serial_number())


def _dates(start: When, end: When, lifetime: timedelta) -> tuple[datetime, datetime]:
    """From when until when; the side that is not said keeps to the right side of the other."""
    now = datetime.now(UTC)

    def moment(one: When) -> datetime | None:
        return now + one if isinstance(one, timedelta) else one

    first, last = moment(start), moment(end)
    if first is None:
        first = now - HOUR if last is None or last > now - HOUR else last - DAY
    return first, last or max(first, now) + lifetime


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(ca: CA) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.certificate.public_key())  # type: ignore[arg-type]  # keys that sign


def _access(url: str) -> x509.AuthorityInformationAccess:
    place = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)])


def _distribution(url: str) -> x509.CRLDistributionPoints:
    place = x509.UniformResourceIdentifier(url)
    return x509.CRLDistributionPoints([x509.DistributionPoint([place], None, None, None)])


def _hash(key: Key) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
