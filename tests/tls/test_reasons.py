"""What an error of a handshake means: by its numbers, on both sides, met in real handshakes."""

import ssl
from pathlib import Path

import pytest

from tests.tls.exposed import in_memory, serving, wants_client
from tests.tls.pki import CA, CASES, CLIENT_CASES, Case
from wellkept.tls.faults import Fault, fault_of
from wellkept.tls.reasons import Reason, reason_for, reason_of

STRICT = ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN

REFUSED_BY_CLIENTS = {
    "expired": Fault.EXPIRED,
    "not-yet-valid": Fault.NOT_YET_VALID,
    "wrong-host": Fault.NAME,
    "ip-san-missing": Fault.ADDRESS,
    "cn-only": Fault.NAME,
    "self-signed": Fault.SELF_SIGNED,
    "untrusted-root": Fault.UNTRUSTED,
    "expired-root": Fault.EXPIRED,
    "incomplete-chain": Fault.UNTRUSTED,
    "wrong-eku": Fault.PURPOSE,
    "name-constraint": Fault.CONSTRAINT,
    "pathlen": Fault.PATH_LENGTH,
    "issuer-not-ca": Fault.NO_CA,
    "no-aki": Fault.NO_AUTHORITY_KEY_ID,
    "no-ski": Fault.NO_SUBJECT_KEY_ID,
    "bc-not-critical": Fault.NOT_CRITICAL,
    "openssl-recipe": Fault.NO_KEY_USAGE,
    "rsa1024": Fault.WEAK,
    "revoked-crl": Fault.REVOKED,
    "crl-expired": Fault.CRL_EXPIRED,
    "crl-wrong-issuer": Fault.CRL_MISSING,  # its key identifier is another's, so it is not taken for a list of this CA
    "crl-missing": Fault.CRL_MISSING,
}
REFUSED_BY_SERVERS = {
    "client-wrong-ca": "unverified",
    "client-expired": "expired",
    "client-not-yet-valid": "not-yet-valid",
    "client-serverAuth-only": "unverified",
    "client-incomplete-chain": "unverified",
    "client-self-signed": "unverified",
    "client-revoked": "revoked",
}
ALERTS = {  # what the server then tells the client
    "client-wrong-ca": Fault.OURS_UNTRUSTED,
    "client-expired": Fault.OURS_EXPIRED,
    "client-serverAuth-only": Fault.OURS_PURPOSE,
    "client-revoked": Fault.OURS_REVOKED,
}


def trusting(case: Case, folder: Path, *, is_strict: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    context.load_verify_locations(cadata=case.trust.decode())
    check(context, case, folder)
    if is_strict:
        context.verify_flags |= STRICT
    return context


def check(context: ssl.SSLContext, case: Case, folder: Path) -> None:
    if case.crl is not None:
        (folder / "list.pem").write_bytes(case.crl)
        context.load_verify_locations(folder / "list.pem")
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


def mutual(case: Case, folder: Path, version: ssl.TLSVersion) -> tuple[OSError | None, OSError | None]:
    """A client that shows a bad certificate, and a server that verifies."""
    ca = CA("Server CA")
    server = wants_client(serving(ca.issue("localhost"), folder / "server"), case.trust)
    server.minimum_version = server.maximum_version = version
    server.verify_flags |= STRICT
    check(server, case, folder)
    client = ssl.create_default_context(cadata=ca.pem.decode())
    client.load_cert_chain(*case.leaf.write(folder, "client").pair)
    return in_memory(client, server)


@pytest.mark.parametrize(("name", "fault"), REFUSED_BY_CLIENTS.items())
def test_a_client_knows_why_it_refuses_a_server(name: str, fault: Fault, tmp_path: Path) -> None:
    case = CASES[name]()
    error, _ = in_memory(trusting(case, tmp_path), serving(case.leaf, tmp_path), case.host)
    assert isinstance(error, ssl.SSLCertVerificationError)
    assert reason_of(error).fault is fault
    assert "server" in reason_of(error).fact or reason_of(error).code == "crl"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("name", "code"), REFUSED_BY_SERVERS.items())
def test_a_server_knows_why_it_refuses_a_client(name: str, code: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    error = mutual(CLIENT_CASES[name](), tmp_path, version)[1]
    assert error is not None
    reason = reason_of(error, server_side=True)
    assert reason.code == code
    assert "client" in reason.fact


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("name", "fault"), ALERTS.items())
def test_a_client_knows_what_the_server_says_of_it(
    name: str, fault: Fault, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    error = mutual(CLIENT_CASES[name](), tmp_path, version)[0]
    assert error is not None
    assert fault_of(error) is fault
    assert reason_of(error).code == "refused"
    assert "our certificate" in reason_of(error).fact


@pytest.mark.parametrize(
    ("version", "told"),
    [(ssl.TLSVersion.TLSv1_3, Fault.WANTED), (ssl.TLSVersion.TLSv1_2, Fault.NOTHING_IN_COMMON)],
)
def test_a_missing_client_certificate_is_known_on_both_sides(
    version: ssl.TLSVersion, told: Fault, tmp_path: Path
) -> None:
    ca = CA()
    server = wants_client(serving(ca.issue("localhost"), tmp_path), ca.pem)
    server.maximum_version = version
    at_client, at_server = in_memory(ssl.create_default_context(cadata=ca.pem.decode()), server)
    assert at_client is not None
    assert at_server is not None
    assert fault_of(at_client) is told
    assert reason_of(at_server, server_side=True).code == "no-certificate"
    assert reason_of(at_server, server_side=True).fact == "the client has sent no certificate"


def test_an_intermediate_that_is_trusted_alone_is_named_where_openssl_refuses_it(tmp_path: Path) -> None:
    case = CASES["trust-is-intermediate"]()
    error, _ = in_memory(trusting(case, tmp_path, is_strict=False), serving(case.leaf, tmp_path))
    assert error is not None
    assert fault_of(error) is Fault.TRUST_INCOMPLETE


def test_two_that_have_no_version_in_common_know_it(tmp_path: Path) -> None:
    ca = CA()
    server = serving(ca.issue("localhost"), tmp_path)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    client = ssl.create_default_context(cadata=ca.pem.decode())
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    at_client, at_server = in_memory(client, server)
    assert at_client is not None
    assert at_server is not None
    assert (reason_of(at_client).code, reason_of(at_server, server_side=True).code) == ("protocol", "protocol")
    assert (fault_of(at_client), fault_of(at_server)) == (Fault.VERSION, Fault.VERSION)


def test_plain_http_is_known_on_both_sides(tmp_path: Path) -> None:
    arrived, leaves = ssl.MemoryBIO(), ssl.MemoryBIO()
    arrived.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError) as at_client:
        ssl.create_default_context().wrap_bio(arrived, leaves, server_hostname="localhost").do_handshake()
    arrived.read()
    arrived.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ssl.SSLError) as at_server:
        serving(CA().issue("localhost"), tmp_path).wrap_bio(arrived, leaves, server_side=True).do_handshake()
    assert reason_of(at_client.value).code == reason_of(at_server.value, server_side=True).code == "plain-text"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ssl.SSLEOFError(8, "EOF"), Fault.HUNG_UP),
        (ssl.SSLZeroReturnError(6, "closed"), Fault.HUNG_UP),
        (ConnectionResetError(104, "reset"), Fault.HUNG_UP),
        (BrokenPipeError(32, "pipe"), Fault.HUNG_UP),
        (TimeoutError(), Fault.TIMED_OUT),
        (ConnectionRefusedError(111, "refused"), Fault.UNREACHABLE),
        (OSError(113, "no route"), Fault.UNREACHABLE),
        (ssl.SSLError("made by Python, without a reason"), Fault.UNKNOWN),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] a text alone says nothing"), Fault.UNKNOWN),
        (ssl.SSLCertVerificationError("made by Python, without a code"), Fault.UNKNOWN),
    ],
)
def test_an_error_is_known_by_its_type_and_numbers_and_never_by_its_text(error: OSError, fault: Fault) -> None:
    assert fault_of(error) is fault


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("server_side", [False, True])
def test_every_fault_has_words_for_both_sides(fault: Fault, server_side: bool) -> None:
    reason = reason_for(fault, server_side=server_side)
    for text in (reason.fact, reason.hint):
        assert text
        assert "{" not in text
        assert not text.endswith(".")
        assert "\n" not in text
    assert reason.fact[0].islower()
    assert reason.fault is fault


def test_a_reason_of_somebody_else_has_no_fault() -> None:
    assert Reason("not-allowed", "the client may not call", "ask").fault is Fault.UNKNOWN


def test_the_words_differ_by_the_side() -> None:
    assert reason_for(Fault.EXPIRED).fact.startswith("the server's certificate")
    assert reason_for(Fault.EXPIRED, server_side=True).fact.startswith("the client's certificate")
    assert "serverAuth" in reason_for(Fault.PURPOSE).hint
    assert "clientAuth" in reason_for(Fault.PURPOSE, server_side=True).hint
