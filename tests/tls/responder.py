"""An OCSP responder on loopback: what it answers is real and signed, and wrong in the way that a test asks for.

with responder(ca) as server:
    leaf = ca.issue("localhost", ocsp_url=server.url)
    server.revoked.add(leaf.certificate.serial_number)
    server.script = lambda request: Reply(b"garbage")
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.tls.pki import CA, DAY, HOUR, Leaf, new_key

Extensions = Sequence[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True)
class Reply:
    """One answer over HTTP.

    Attributes:
        body: what it holds.
        status: its code.
        kind: its content type; empty leaves it out.
        headers: further ones.
        is_slow: whether it waits until the responder ends.
    """

    body: bytes = b""
    status: int = 200
    kind: str = "application/ocsp-response"
    headers: Sequence[tuple[str, str]] = ()
    is_slow: bool = False


@dataclass
class Responder:
    """A responder that runs.

    Attributes:
        ca: whose certificates it knows.
        url: where it is.
        revoked: the serial numbers that are revoked.
        requests: each question, DER, in order.
        paths: the path of each.
        script: what answers; `signed` of the CA unless a test says otherwise.
    """

    ca: CA
    url: str
    revoked: set[int] = field(default_factory=set)
    requests: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    script: Callable[[bytes], Reply] | None = None

    def reply(self, request: bytes) -> Reply:
        """What is answered to a question."""
        self.requests.append(request)
        if self.script is not None:
            return self.script(request)
        is_revoked = ocsp.load_der_ocsp_request(request).serial_number in self.revoked
        return Reply(signed(request, self.ca, "revoked" if is_revoked else "good"))


def signed(
    request: bytes,
    signer: CA | Leaf,
    status: str = "good",
    *,
    sends: Sequence[x509.Certificate] = (),
    this_update: timedelta = -HOUR,
    next_update: timedelta | None = DAY,
    serial: int | None = None,
    key_hash: bytes | None = None,
    extensions: Extensions = (),
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    has_name: bool = False,
) -> bytes:
    """An answer to a question, DER.

    Args:
        request: the question.
        signer: who signs.
        status: good, revoked or unknown.
        sends: certificates that go with it: the delegate's.
        this_update: as of when it is true, from now.
        next_update: until when, from now; None does not say it.
        serial: another serial number than that of the question.
        key_hash: another issuer than that of the question.
        extensions: of the whole answer, each with whether it is critical.
        reason: why it is revoked.
        hash_algorithm: of the signature; SHA-256.
        has_name: whether the signer is told by its name instead of its key.
    """
    asked, now = ocsp.load_der_ocsp_request(request), datetime.now(UTC)
    is_revoked = status == "revoked"
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        asked.issuer_name_hash,
        key_hash or asked.issuer_key_hash,
        serial or asked.serial_number,
        asked.hash_algorithm,
        ocsp.OCSPCertStatus[status.upper()],
        now + this_update,
        None if next_update is None else now + next_update,
        now - HOUR if is_revoked else None,
        reason if is_revoked else None,
    )
    way = ocsp.OCSPResponderEncoding.NAME if has_name else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(way, signer.certificate)
    if sends:
        builder = builder.certificates(list(sends))
    for one, is_critical in extensions:
        builder = builder.add_extension(one, is_critical)
    has_no_hash = isinstance(signer.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    used = None if has_no_hash else hash_algorithm or hashes.SHA256()
    return builder.sign(signer.key, used).public_bytes(Encoding.DER)


def refused(status: ocsp.OCSPResponseStatus) -> bytes:
    """An answer that is none: try later, unauthorized and their like."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def delegate(
    ca: CA,
    *,
    purposes: Sequence[ObjectIdentifier] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    not_after: timedelta = DAY,
    key: str = "p256",
    signs: bool = True,
    serial: int | None = None,
) -> Leaf:
    """A responder's own certificate, issued by a CA.

    Args:
        ca: who issues it.
        purposes: its extended key usage; empty leaves it out.
        not_after: until when it is valid, from now.
        key: a kind, as `new_key` takes it.
        signs: whether its key usage has digitalSignature.
        serial: its serial number.
    """
    own, now = new_key(key), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OCSP responder")]))
        .issuer_name(ca.certificate.subject)
        .public_key(own.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + not_after)
        .add_extension(_usage(signs=signs), critical=True)
        .add_extension(x509.OCSPNoCheck(), critical=False)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
    return Leaf(builder.sign(ca.key, hashes.SHA256()), own)


@contextmanager
def responder(ca: CA) -> Iterator[Responder]:
    """Run a responder on a free port of loopback."""
    ends = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            made.paths.append(self.path)
            reply = made.reply(request)
            if reply.is_slow:
                ends.wait(10)
                return
            self.send_response(reply.status)
            kind = [("Content-Type", reply.kind)] if reply.kind else []
            for name, value in (*kind, *reply.headers, ("Content-Length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its own name for it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Responder(ca, f"http://127.0.0.1:{server.server_address[1]}")
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    running.start()
    try:
        yield made
    finally:
        ends.set()
        server.shutdown()
        server.server_close()
        running.join(timeout=5)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=not signs,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
