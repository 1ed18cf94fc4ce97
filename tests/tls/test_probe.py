"""Looking at a server from outside: what it offers, what it sends, why it is refused; also one that means harm."""

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtensionOID

from tests.servers.process import free_port
from tests.tls.exposed import Exposed, exposed, serving, wants_client
from tests.tls.pki import CA, CASES, DAY, Case, Leaf, chain_of
from wellkept.errors import TimedOut, Unreachable
from wellkept.model import Severity
from wellkept.tls.bundle import Anchor, Identity, Parts
from wellkept.tls.pem import read_certificates
from wellkept.tls.probe import Report, Target, probe

NOBODY = Parts()
CHUNK = b"\x16\x03\x03\x40\x00" + b"x" * 16_384


def trusting(trust: bytes, leaf: Leaf | None = None) -> Parts:
    """Whom to trust, and who we are."""
    anchors = tuple(Anchor(one, "ca.crt") for one in read_certificates(trust, place="ca.crt"))
    own = None if leaf is None else Identity((leaf.certificate, *leaf.chain), leaf.key, "client.crt", "client.key")
    return Parts(own, anchors)


def look(
    server: Exposed, parts: Parts, host: str = "localhost", *, timeout_s: float = 40.0, starttls: str | None = None
) -> Report:
    report = probe(Target("127.0.0.1", server.port, host, starttls), parts, None, timeout_s=timeout_s)
    assert not server.received  # nothing but handshakes is ever sent
    return report


def ids(report: Report) -> list[str]:
    return [one.id for one in report.findings]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_good_server_is_described(version: ssl.TLSVersion, tmp_path: Path) -> None:
    root, below = chain_of("Root", "Intermediate")
    context = serving(below.issue("localhost"), tmp_path)
    context.maximum_version = version
    context.set_alpn_protocols(["http/1.1"])
    with exposed(context) as server:
        report = look(server, trusting(root.pem))
    assert not report.findings
    assert report.version == version.name.replace("_", ".")
    assert report.cipher
    assert report.group == "x25519"
    assert report.alpn == "http/1.1"
    assert report.client_certificate == "not asked for"
    assert report.versions == {"TLSv1.3": version is ssl.TLSVersion.TLSv1_3, "TLSv1.2": True, "older": False}
    assert [one.subject.rfc4514_string() for one in report.chain] == ["CN=localhost", "CN=Intermediate"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("expired", "expired"),
        ("not-yet-valid", "not-yet-valid"),
        ("wrong-host", "wrong-name"),
        ("ip-san-missing", "wrong-address"),
        ("cn-only", "common-name"),
        ("self-signed", "self-signed"),
        ("incomplete-chain", "incomplete-chain"),
        ("same-name-root", "bad-signature"),
        ("expired-root", "expired"),
        ("misordered-chain", "misordered-chain"),
        ("extra-chain-cert", "unneeded-certificate"),
        ("wrong-eku", "wrong-purpose"),
        ("name-constraint", "name-constraint"),
        ("pathlen", "path-length"),
        ("issuer-not-ca", "issuer-is-no-ca"),
        ("no-aki", "no-authority-key-id"),
        ("no-ski", "no-subject-key-id"),
        ("bc-not-critical", "basic-constraints-not-critical"),
        ("openssl-recipe", "ca-without-key-usage"),
        ("rsa1024", "weak"),
    ],
)
def test_what_is_wrong_has_a_name_and_a_fix(name: str, found: str, tmp_path: Path) -> None:
    case = CASES[name]()
    with exposed(serving(case.leaf, tmp_path)) as server:
        report = look(server, trusting(case.trust), case.host)
    assert ids(report) == [found]
    assert report.findings[0].place == f"127.0.0.1:{server.port}"
    assert report.findings[0].fix
    assert report.chain
    assert report.version == "TLSv1.3"


@pytest.mark.parametrize("name", ["good", "no-eku", "trust-is-intermediate", "leaf-is-ca"])
def test_what_clients_take_is_fine(name: str, tmp_path: Path) -> None:
    case = CASES[name]()
    with exposed(serving(case.leaf, tmp_path)) as server:
        assert not look(server, trusting(case.trust)).findings


def seen_with(leaf: Leaf, trust: bytes, folder: Path) -> str:
    with exposed(serving(leaf, folder)) as server:
        report = look(server, trusting(trust))
    assert len(report.findings) == 1
    return f"{report.findings[0].id}: {report.findings[0].evidence}"


def test_an_incomplete_chain_is_told_from_an_untrusted_root(tmp_path: Path) -> None:
    """OpenSSL says `unable to get local issuer certificate` of the first, the third and the fourth."""
    root, below = chain_of("Root", "Intermediate")
    leaf, other = below.issue("localhost"), CA("Other").pem
    whole = leaf.with_chain(below.certificate, root.certificate)
    assert seen_with(leaf.with_chain(), root.pem, tmp_path).startswith(
        "incomplete-chain: incomplete chain: localhost is signed by CN=Intermediate, which is neither sent nor trusted"
    )
    assert seen_with(whole, other, tmp_path).startswith(
        "untrusted-root: untrusted root: the chain is complete up to CN=Root, which is not trusted"
    )
    assert seen_with(leaf, other, tmp_path).startswith(
        "untrusted-root: untrusted root: the chain leads up to Intermediate, and its root CN=Root is not trusted"
    )
    assert seen_with(CA("Mine").issue("localhost"), other, tmp_path).startswith("incomplete-chain: ")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("other.test", not_after=-DAY)
    with exposed(serving(leaf, tmp_path)) as server:
        report = look(server, trusting(CA("Other").pem))
    assert ids(report) == ["incomplete-chain", "expired", "wrong-name"]
    assert "other.test" in report.findings[2].evidence


def test_a_certificate_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("localhost", not_before=-80 * DAY, not_after=10 * DAY)
    with exposed(serving(leaf, tmp_path)) as server:
        report = look(server, trusting(ca.pem))
    assert [(one.id, one.severity) for one in report.findings] == [("ends-soon", Severity.WARNING)]


def test_a_star_stands_for_one_label(tmp_path: Path) -> None:
    ca = CA()
    with exposed(serving(ca.issue("*.example.test"), tmp_path)) as server:
        assert not look(server, trusting(ca.pem), "a.example.test").findings
        assert ids(look(server, trusting(ca.pem), "a.b.example.test")) == ["wrong-name"]
        assert ids(look(server, trusting(ca.pem), "example.test")) == ["wrong-name"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_requires_a_client_certificate_is_known(version: ssl.TLSVersion, tmp_path: Path) -> None:
    ca, clients = CA(), CA("Clients")
    context = wants_client(serving(ca.issue("localhost"), tmp_path), clients.pem)
    context.minimum_version = context.maximum_version = version
    with exposed(context) as server:
        without = look(server, trusting(ca.pem))
        good = look(server, trusting(ca.pem, clients.issue("orders.test")))
        bad = look(server, trusting(ca.pem, CA("Strangers").issue("orders.test")))
    assert {one.client_certificate for one in (without, good, bad)} == {"required"}
    assert not without.findings  # that it wants one is no fault of its
    assert without.chain
    assert without.version == version.name.replace("_", ".")
    assert not good.findings
    assert ids(bad) == ["ours-untrusted"]


def test_a_bad_chain_is_known_though_a_client_certificate_is_required(tmp_path: Path) -> None:
    case = CASES["expired"]()
    context = wants_client(serving(case.leaf, tmp_path), case.trust)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with exposed(context) as server:
        report = look(server, trusting(case.trust))
    assert ids(report) == ["expired"]
    assert report.client_certificate == "required"


def test_a_server_that_only_asks_is_told_from_one_that_requires(tmp_path: Path) -> None:
    ca = CA()
    with exposed(wants_client(serving(ca.issue("localhost"), tmp_path), ca.pem, ssl.CERT_OPTIONAL)) as server:
        report = look(server, trusting(ca.pem))
    assert report.client_certificate == "optional"
    assert not report.findings


def test_a_server_that_hangs_up_for_want_of_a_certificate_requires_one(tmp_path: Path) -> None:
    """As asyncio servers before 3.15 do: no alert, only the end."""
    ca = CA()
    context = wants_client(serving(ca.issue("localhost"), tmp_path), ca.pem, ssl.CERT_OPTIONAL)
    context.num_tickets = 0

    def speak(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            if wrapped.getpeercert() is not None:
                wrapped.recv(1)

    with exposed(speak) as server:
        assert look(server, trusting(ca.pem)).client_certificate == "required"


def test_old_versions_are_seen_though_no_client_would_take_them(tmp_path: Path) -> None:
    ca = CA()
    context = serving(ca.issue("localhost", key="rsa2048"), tmp_path)
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with exposed(context) as server:
        report = look(server, trusting(ca.pem))
    assert [(one.id, one.severity) for one in report.findings] == [("old-version", Severity.WARNING)]
    assert report.versions == {"TLSv1.3": True, "TLSv1.2": True, "older": True}
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with exposed(context) as server:
        report = look(server, trusting(ca.pem))
    assert ids(report) == ["version", "old-version"]
    assert report.version == "TLSv1.1"
    assert report.chain


def test_weak_suites_are_seen_though_no_client_of_ours_would_take_them(tmp_path: Path) -> None:
    ca = CA()
    context = serving(ca.issue("localhost", key="rsa2048"), tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with exposed(context) as server:
        report = look(server, trusting(ca.pem))
    assert ids(report) == ["nothing-in-common"]
    assert "AES128-SHA" in report.findings[0].evidence


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer)

    return speak


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "it speaks plain HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it speaks SSH"),
        (b"220 mail.test ESMTP\r\n", "it speaks a mail or file server"),
        (b"something else\r\n", "the server speaks no TLS"),
    ],
)
def test_a_port_without_tls_is_named_for_what_it_speaks(answer: bytes, spoken: str) -> None:
    with exposed(answering(answer)) as server:
        report = look(server, NOBODY)
    assert ids(report) == ["plain-text"]
    assert spoken in report.findings[0].evidence
    assert report.version is None
    assert not report.chain


def test_a_server_that_hangs_up_at_once_is_a_finding() -> None:
    with exposed(lambda connection: connection.close()) as server:
        assert ids(look(server, NOBODY)) == ["hung-up"]


def test_nobody_there_is_unreachable() -> None:
    port = free_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}: cannot be reached: connection refused"):
        probe(Target("127.0.0.1", port, "localhost"), NOBODY, None, timeout_s=40)


def test_an_unknown_name_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"nobody\.invalid:443"):
        probe(Target("nobody.invalid", 443, "nobody.invalid"), NOBODY, None, timeout_s=40)


def silent(connection: socket.socket) -> None:
    while connection.recv(10_000):
        pass


def dripping(connection: socket.socket) -> None:
    """A record that never ends, a byte at a time: each byte comes before any wait is over."""
    connection.recv(10_000)
    for byte in CHUNK:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("speak", [silent, dripping])
def test_a_server_that_takes_its_time_ends_at_the_deadline(speak: Callable[[socket.socket], None]) -> None:
    begun = time.monotonic()
    with exposed(speak) as server, pytest.raises(TimedOut, match=r"did not answer within 0\.5 s"):
        look(server, NOBODY, timeout_s=0.5)
    assert time.monotonic() - begun < 30  # it would go on for minutes


@pytest.mark.parametrize("part", [CHUNK, b"\x16\x03\x03\x00\x01\x00", b"\x15\x03\x03\x00\x02\x01\x00", b"\x00" * 1000])
def test_a_server_that_never_stops_talking_is_cut_off(part: bytes) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(10_000)
        while True:
            connection.sendall(part * 100)

    begun = time.monotonic()
    with exposed(speak) as server:
        report = look(server, NOBODY, timeout_s=50)
    assert report.findings
    assert time.monotonic() - begun < 45


def test_a_certificate_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    """OpenSSL does not look at policies; our parser reads all extensions at once."""
    ca = CA()
    good = ca.issue("localhost")
    builder = x509.CertificateBuilder(ca.certificate.subject, good.certificate.subject, good.key.public_key(), 7)
    builder = builder.not_valid_before(good.certificate.not_valid_before_utc)
    builder = builder.not_valid_after(good.certificate.not_valid_after_utc)
    broken = x509.UnrecognizedExtension(ExtensionOID.CERTIFICATE_POLICIES, b"\x30\x05broken")
    leaf = Leaf(builder.add_extension(broken, critical=False).sign(ca.key, hashes.SHA256()), good.key)
    with exposed(serving(leaf, tmp_path)) as server:
        report = look(server, trusting(ca.pem))
    assert ids(report) == ["not-rfc-5280"]
    assert report.version == "TLSv1.3"


@pytest.mark.parametrize(("answer", "found"), [(b"S", []), (b"N", ["tls-not-offered"]), (b"E", ["plain-text"])])
def test_postgresql_is_asked_for_tls_first(answer: bytes, found: list[str], tmp_path: Path) -> None:
    ca = CA()
    asked: list[bytes] = []

    def before(connection: socket.socket) -> None:
        asked.append(connection.recv(8))
        connection.sendall(answer)
        if answer != b"S":
            connection.close()

    with exposed(serving(ca.issue("localhost"), tmp_path), before=before) as server:
        report = look(server, trusting(ca.pem), starttls="postgres")
    assert ids(report) == found
    assert set(asked) == {b"\x00\x00\x00\x08\x04\xd2\x16\x2f"}


def test_a_hostile_name_moves_no_cursor(tmp_path: Path) -> None:
    ca = CA("\x1b[2J\x07evil")
    case = Case.of(CA("Other"), ca.issue("localhost"))
    with exposed(serving(case.leaf, tmp_path)) as server:
        report = look(server, trusting(case.trust))
    assert report.findings
    assert all(one.evidence.isprintable() and one.fix.isprintable() for one in report.findings)
