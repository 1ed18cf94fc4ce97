"""The generator of test certificates: what it calls good passes the strict rules, what it calls bad is refused."""

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from tests.tls.pki import CA, CASES, CLIENT_CASES, DAY, Case, chain_of, pem_of, signed_with_sha1

STRICT = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN

# What OpenSSL 3.0 says with the strict flags of Python 3.13; "" where it lets the certificate pass.
REASONS = {
    "good": "",
    "expired": "certificate has expired",
    "not-yet-valid": "certificate is not yet valid",
    "wrong-host": "Hostname mismatch",
    "ip-san-missing": "IP address mismatch",
    "cn-only": "",
    "self-signed": "self-signed certificate",
    "untrusted-root": "unable to get local issuer certificate",
    "same-name-root": "unable to get local issuer certificate",
    "expired-root": "certificate has expired",
    "incomplete-chain": "unable to get local issuer certificate",
    "misordered-chain": "",
    "root-first-chain": "",
    "extra-chain-cert": "",
    "trust-is-intermediate": "",
    "wrong-eku": "unsuitable certificate purpose",
    "no-eku": "",
    "name-constraint": "permitted subtree violation",
    "pathlen": "path length constraint exceeded",
    "issuer-not-ca": "invalid CA certificate",
    "issuer-is-leaf": "invalid CA certificate",
    "leaf-is-ca": "",
    "no-aki": "Missing Authority Key Identifier",
    "no-ski": "Missing Subject Key Identifier",
    "bc-not-critical": "not marked critical",
    "openssl-recipe": "does not include key usage",
    "rsa1024": "key too weak|key too small",
    "revoked-crl": "certificate revoked",
    "crl-expired": "CRL has expired",
    "crl-wrong-issuer": "unable to get certificate CRL",
    "crl-missing": "unable to get certificate CRL",
}
CLIENT_REASONS = {
    "good": "",
    "client-wrong-ca": "unable to get local issuer certificate",
    "client-expired": "certificate has expired",
    "client-not-yet-valid": "certificate is not yet valid",
    "client-serverAuth-only": "unsuitable certificate purpose",
    "client-no-eku": "",
    "client-incomplete-chain": "unable to get local issuer certificate",
    "client-self-signed": "self-signed certificate",
    "client-revoked": "certificate revoked",
}


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """One handshake in memory; raises what either side says."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):  # a handshake takes two flights each
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)
    assert sides == []


def verifying(protocol: int, case: Case, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= STRICT
    context.load_verify_locations(cadata=case.trust.decode())
    if case.crl is not None:
        (folder / "ca.crl").write_bytes(case.crl)
        context.load_verify_locations(folder / "ca.crl")
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def outcome(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except ssl.SSLError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", CASES)
def test_a_client_says_this_of_each_server_certificate(tmp_path: Path, name: str) -> None:
    case = CASES[name]()
    files = case.leaf.write(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that a weak certificate is sent at all
    server.load_cert_chain(*files.pair)
    said = outcome(lambda: shake_hands(server, verifying(ssl.PROTOCOL_TLS_CLIENT, case, tmp_path), case.host))
    assert any(one in said for one in REASONS[name].split("|"))
    assert bool(said) is bool(REASONS[name])


@pytest.mark.parametrize("name", CLIENT_CASES)
def test_a_server_says_this_of_each_client_certificate(tmp_path: Path, name: str) -> None:
    case = CLIENT_CASES[name]()
    own = CA("Server CA")
    server = verifying(ssl.PROTOCOL_TLS_SERVER, case, tmp_path)
    server.load_cert_chain(*own.issue("localhost").write(tmp_path, "own").pair)
    client = ssl.create_default_context(cadata=own.pem.decode())
    client.load_cert_chain(*case.leaf.write(tmp_path, "client").pair)
    said = outcome(lambda: shake_hands(server, client, "localhost"))
    assert CLIENT_REASONS[name] in said
    assert bool(said) is bool(CLIENT_REASONS[name])


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "rsa2048"])
def test_openssl_verifies_a_chain_strictly(tmp_path: Path, kind: str, missing: Callable[[str], NoReturn]) -> None:
    if shutil.which("openssl") is None:
        missing("no openssl program")
    root = CA("Root", key=kind)
    below = CA("Below", key=kind, parent=root)
    leaf = below.issue("localhost", uris=["spiffe://prod/a"], ips=["127.0.0.1", "::1"], key=kind)
    (tmp_path / "root.crt").write_bytes(root.pem)
    (tmp_path / "chain.crt").write_bytes(pem_of(*leaf.chain))
    (tmp_path / "leaf.crt").write_bytes(leaf.pem)
    words = ["openssl", "verify", "-x509_strict", "-CAfile", "root.crt", "-untrusted", "chain.crt", "leaf.crt"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("leaf.crt: OK\n", 0)


def test_a_sha1_signature_is_made_by_openssl(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    if shutil.which("openssl") is None:
        missing("no openssl program")
    algorithm = signed_with_sha1(CA(), tmp_path).certificate.signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == "sha1"


def test_a_private_key_is_written_for_its_owner_only_and_in_every_format(tmp_path: Path) -> None:
    root, below = chain_of("Root", "Below")
    leaf = below.issue("localhost", key="rsa2048")
    files = leaf.write(tmp_path)
    assert files.key_file.stat().st_mode & 0o777 == 0o600
    assert files.cert_file.read_bytes() == leaf.pem + below.pem
    password = "CANARY-password"
    assert leaf.key_pem_as("pkcs1").startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert below.issue("a.test").key_pem_as("sec1").startswith(b"-----BEGIN EC PRIVATE KEY-----")
    for kind in ("pkcs8", "pkcs1"):
        read = load_pem_private_key(leaf.key_pem_as(kind, password), password.encode())
        assert read.public_key() == leaf.certificate.public_key()
    assert load_der_private_key(leaf.key_pem_as("der"), None).public_key() == leaf.certificate.public_key()
    store = pkcs12.load_pkcs12(leaf.p12(password, trust=[root.certificate]), password.encode())
    assert [one.certificate for one in store.additional_certs] == [below.certificate, root.certificate]


def test_a_key_that_is_not_its_own_does_not_match(tmp_path: Path) -> None:
    files = CA().issue("localhost").with_key().write(tmp_path)
    said = outcome(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files.pair))
    assert "KEY_VALUES_MISMATCH" in said


def test_dates_may_be_said_from_either_side() -> None:
    ca = CA(days=3)
    old, new = ca.issue("a.test", not_after=-DAY).certificate, ca.issue("a.test", not_before=DAY).certificate
    assert old.not_valid_before_utc < old.not_valid_after_utc < new.not_valid_before_utc < new.not_valid_after_utc
