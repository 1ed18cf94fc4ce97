"""What a message of any program means; the texts are those that the programs really wrote."""

import ssl
from pathlib import Path

import pytest

from tests.tls.exposed import in_memory, serving
from tests.tls.pki import CA, CASES, new_key
from tests.tls.test_reasons import REFUSED_BY_CLIENTS, trusting
from wellkept.tls.explain import EXPLANATIONS, MAX_CHARS, explain
from wellkept.tls.faults import REASONS, Fault
from wellkept.tls.phrases import GENERAL, PHRASES
from wellkept.tls.reasons import reason_for

PYTHON = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
GRPC = (
    "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:46429: Tls handshake failed "
    "(TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:1000007d:SSL routines:OPENSSL_internal:"
)
PKIX = "javax.net.ssl.SSLHandshakeException: PKIX path "
PSQL = 'psql: error: connection to server at "localhost" (127.0.0.1), port 5432 failed: '
NGINX = "2026/11/24 19:14:22 [error] 31#31: *1 SSL_do_handshake() failed (SSL: error:"

MESSAGES = [
    # Python, and what is built upon it.
    (PYTHON + "unable to get local issuer certificate (_ssl.c:1006)", "untrusted"),
    (PYTHON + "self-signed certificate (_ssl.c:1006)", "self-signed"),
    (PYTHON + "self signed certificate (_ssl.c:997)", "self-signed"),
    (PYTHON + "self-signed certificate in certificate chain (_ssl.c:1006)", "untrusted-root"),
    (PYTHON + "certificate has expired (_ssl.c:1006)", "expired"),
    (PYTHON + "certificate is not yet valid (_ssl.c:1006)", "not-yet-valid"),
    (PYTHON + "Hostname mismatch, certificate is not valid for 'localhost'. (_ssl.c:1006)", "wrong-name"),
    (PYTHON + "IP address mismatch, certificate is not valid for '127.0.0.1'. (_ssl.c:1006)", "wrong-address"),
    (PYTHON + "Missing Authority Key Identifier (_ssl.c:1028)", "no-authority-key-id"),
    (PYTHON + "Missing Subject Key Identifier (_ssl.c:1028)", "no-subject-key-id"),
    (PYTHON + "CA cert does not include key usage extension (_ssl.c:1028)", "ca-without-key-usage"),
    (PYTHON + "Basic Constraints of CA cert not marked critical (_ssl.c:1028)", "basic-constraints-not-critical"),
    (PYTHON + "EE certificate key too weak (_ssl.c:1006)", "weak"),
    (PYTHON + "unsuitable certificate purpose (_ssl.c:1006)", "wrong-purpose"),
    (PYTHON + "CRL has expired (_ssl.c:1006)", "crl-expired"),
    (PYTHON + "certificate revoked (_ssl.c:1006)", "revoked"),
    (
        "HTTPSConnectionPool(host='localhost', port=46429): Max retries exceeded with url: / (Caused by SSLError("
        "SSLCertVerificationError(1, '" + PYTHON + "certificate has expired (_ssl.c:1006)')))",
        "expired",
    ),
    (
        "ClientConnectorCertificateError(ConnectionKey(host='localhost', port=43165, is_ssl=True), "
        "SSLCertVerificationError(1, '" + PYTHON + "self-signed certificate (_ssl.c:1006)'))",
        "self-signed",
    ),
    ("httpx.ConnectError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "plain-text"),
    ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)", "certificate-wanted"),
    ("[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (_ssl.c:1006)", "nothing-in-common"),
    ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)", "ours-untrusted"),
    ("[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate (_ssl.c:1006)", "no-certificate"),
    ("[SSL: HTTP_REQUEST] http request (_ssl.c:1006)", "plain-to-tls"),
    ("ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:2427)", "hung-up"),
    ("TimeoutError: _ssl.c:983: The handshake operation timed out", "timed-out"),
    ("ValueError: Cannot set verify_mode to CERT_NONE when check_hostname is enabled.", "weakened"),
    ("ValueError: check_hostname requires server_hostname", "no-server-name"),
    ("[SSL] PEM lib (_ssl.c:3905)", "pem-unreadable"),
    ("[X509: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3926)", "mismatch"),
    ("[PEM: BAD_END_LINE] bad end line (_ssl.c:3905)", "bad-end-line"),
    ("[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c:4154)", "no-certificate-in-file"),
    ("no start line: cadata does not contain a certificate (_ssl.c:4020)", "no-pem"),
    ("[SSL: EE_KEY_TOO_SMALL] ee key too small (_ssl.c:3905)", "weak"),
    ("ssl.SSLError: ('No cipher can be selected.',)", "unknown-cipher"),
    ("FileNotFoundError: [Errno 2] No such file or directory", "file-missing"),
    ("TypeError: Password was not given but private key is encrypted", "password-missing"),
    ("TypeError: Password was given but private key is not encrypted.", "password-not-needed"),
    ("ValueError: Incorrect password, could not decrypt key", "wrong-password"),
    ("ValueError: Invalid password or PKCS12 data", "keystore-password"),
    ("OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /etc/ca.pem", "file-missing"),
    # OpenSSL's own program, curl, nginx.
    ("verify error:num=20:unable to get local issuer certificate", "untrusted"),
    ("    Verify return code: 21 (unable to verify the first certificate)", "incomplete-chain"),
    ("error 92 at 1 depth lookup: CA cert does not include key usage extension", "ca-without-key-usage"),
    (
        (
            "40C77802397F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:"
            "../ssl/record/ssl3_record.c:350:"
        ),
        "plain-text",
    ),
    (
        (
            "40A798BDBF7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:"
            "../ssl/record/rec_layer_s3.c:1601:SSL alert number 116"
        ),
        "certificate-wanted",
    ),
    ("Mac verify error: invalid password?", "keystore-password"),
    ("curl: (60) SSL certificate problem: self-signed certificate", "self-signed"),
    (
        "curl: (60) SSL: no alternative certificate subject name matches target host name 'localhost'",
        "wrong-name",
    ),
    ("curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number", "plain-text"),
    ("curl: (35) OpenSSL/3.0.19: error:0A000410:SSL routines::sslv3 alert handshake failure", "nothing-in-common"),
    ("curl: (77) error setting certificate verify locations:  CAfile: /etc/ca.pem", "file-missing"),
    (NGINX + "0A000086:SSL routines::certificate verify failed) while SSL handshaking to upstream", "unverified"),
    (NGINX + "0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48)", "ours-untrusted"),
    (NGINX + "0A00009C:SSL routines::http request) while SSL handshaking", "plain-to-tls"),
    (
        (
            'nginx: [emerg] SSL_CTX_use_PrivateKey("/certs/tls.key") failed (SSL: error:05800074:x509 certificate '
            "routines::key values mismatch)"
        ),
        "mismatch",
    ),
    ("<center>The plain HTTP request was sent to HTTPS port</center>", "plain-to-tls"),
    ("<center>No required SSL certificate was sent</center>", "certificate-wanted"),
    ("client SSL certificate verify error: (21:unable to verify the first certificate)", "incomplete-chain"),
    # Java, keytool, Ballerina.
    (
        PKIX + "building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid "
        "certification path to requested target",
        "untrusted",
    ),
    (
        PKIX + "validation failed: java.security.cert.CertPathValidatorException: validity check failed",
        "expired",
    ),
    (
        PKIX + "validation failed: java.security.cert.CertPathValidatorException: validity check failed\n"
        "java.security.cert.CertificateNotYetValidException: NotBefore: Wed Nov 25 19:14:34 UTC 2026",
        "not-yet-valid",
    ),
    ("javax.net.ssl.SSLHandshakeException: No name matching localhost found", "wrong-name"),
    ("CertificateException: No subject alternative DNS name matching localhost found.", "wrong-name"),
    ("CertificateException: No subject alternative names matching IP address 127.0.0.1 found", "wrong-address"),
    ("Extended key usage does not permit use for TLS server authentication", "wrong-purpose"),
    ("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", "plain-text"),
    ("javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version", "version"),
    ("javax.net.ssl.SSLHandshakeException: Received fatal alert: bad_certificate", "ours-refused"),
    ("javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_required", "certificate-wanted"),
    ("javax.net.ssl.SSLHandshakeException: Empty client certificate chain", "no-certificate"),
    ("InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty", "empty-trust"),
    ("keytool error: java.io.IOException: keystore password was incorrect", "keystore-password"),
    (
        "keytool error: java.io.IOException: Keystore was tampered with, or password was incorrect",
        "keystore-password",
    ),
    ("java.security.UnrecoverableKeyException: Cannot recover key", "key-password-differs"),
    ("KeyStoreException: Unrecognized keystore format. Please load it with a specified type", "keystore-format"),
    ("keytool error: java.lang.Exception: Keystore file does not exist: /nope.jks", "file-missing"),
    ("keytool error: java.lang.Exception: Alias <nope> does not exist", "alias"),
    (
        "keytool error: java.lang.Exception: Public keys in reply and keystore don't match",
        "reply-mismatch",
    ),
    ("keytool error: java.lang.Exception: Failed to establish chain from reply", "reply-chain"),
    ("keytool error: java.lang.Exception: Input not an X.509 certificate", "no-pem"),
    ("error: KeyStore file location must be provided for secure connection", "not-configured"),
    ("error: SSL connection failed:PKIX path building failed: null backend:9443", "untrusted"),
    # Go.
    ("x509: certificate signed by unknown authority", "untrusted"),
    (
        (
            'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" '
            'while trying to verify candidate authority certificate "Test CA")'
        ),
        "bad-signature",
    ),
    ("x509: certificate relies on legacy Common Name field, use SANs instead", "common-name"),
    ("tls: failed to verify certificate: x509: certificate is valid for a.test, not b.test", "wrong-name"),
    ("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", "wrong-address"),
    (
        (
            "x509: certificate has expired or is not yet valid: current time 2026-11-24T19:14:22Z is after "
            "2026-11-23T19:14:22Z"
        ),
        "expired",
    ),
    (
        (
            "x509: certificate has expired or is not yet valid: current time 2026-11-24T19:14:22Z is before "
            "2026-11-25T19:14:22Z"
        ),
        "not-yet-valid",
    ),
    ("x509: certificate specifies an incompatible key usage", "wrong-purpose"),
    ("remote error: tls: bad certificate", "ours-refused"),
    ("remote error: tls: unknown certificate authority", "ours-untrusted"),
    ("remote error: tls: certificate required", "certificate-wanted"),
    ("remote error: tls: expired certificate", "ours-expired"),
    ("remote error: tls: handshake failure", "nothing-in-common"),
    ("http: TLS handshake error from 10.0.0.1:42: tls: client didn't provide a certificate", "no-certificate"),
    ("tls: first record does not look like a TLS handshake", "plain-text"),
    ("http: server gave HTTP response to HTTPS client", "plain-text"),
    ("tls: private key does not match public key", "mismatch"),
    (
        (
            'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the '
            "following types: [PRIVATE KEY]"
        ),
        "swapped",
    ),
    # Node.
    ("UNABLE_TO_VERIFY_LEAF_SIGNATURE unable to verify the first certificate", "incomplete-chain"),
    ("Error: self-signed certificate in certificate chain code: 'SELF_SIGNED_CERT_IN_CHAIN'", "untrusted-root"),
    ("{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }", "self-signed"),
    ("{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }", "untrusted"),
    ("{ code: 'CERT_HAS_EXPIRED' }", "expired"),
    (
        (
            "ERR_TLS_CERT_ALTNAME_INVALID Hostname/IP does not match certificate's altnames: "
            "Host: localhost. is not in the cert's altnames: DNS:other.test"
        ),
        "wrong-name",
    ),
    (
        (
            "ERR_TLS_CERT_ALTNAME_INVALID Hostname/IP does not match certificate's altnames: "
            "IP: 127.0.0.1 is not in the cert's list: "
        ),
        "wrong-address",
    ),
    ("{ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }", "certificate-wanted"),
    ("{ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }", "plain-text"),
    ("Error: error:1C800064:Provider routines::bad decrypt", "wrong-password"),
    ("Error: error:0480006C:PEM routines::no start line", "no-pem"),
    # Databases, gRPC, rustls, browsers.
    (PSQL + "SSL error: certificate verify failed", "unverified"),
    (PSQL + 'server certificate for "other.test" does not match host name "localhost"', "wrong-name"),
    (PSQL + 'root certificate file "/nope" does not exist', "file-missing"),
    (PSQL + "server does not support SSL, but SSL was required", "tls-not-offered"),
    (PSQL + 'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x", database "x", no encryption', "tls-demanded"),
    (PSQL + 'private key file "/c.key" has group or world access; file must have permissions u=rw', "key-exposed"),
    (PSQL + "FATAL:  connection requires a valid client certificate", "certificate-wanted"),
    ("ERROR 2026 (HY000): SSL connection error: SSL is required but the server doesn't support it", "tls-not-offered"),
    ("ERROR 2026 (HY000): SSL connection error: error:0A000086:SSL routines::certificate verify failed", "unverified"),
    (
        "ERROR 3159 (HY000): Connections using insecure transport are prohibited while --require_secure_transport=ON.",
        "tls-demanded",
    ),
    (GRPC + "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate: OK", "untrusted"),
    (GRPC + "WRONG_VERSION_NUMBER: Invalid certificate verification context: OK", "plain-text"),
    (GRPC + "SSLV3_ALERT_HANDSHAKE_FAILURE: OK", "nothing-in-common"),
    ("UNKNOWN: ipv4:127.0.0.1:46429: Cannot check peer: missing selected ALPN property.", "alpn"),
    ("invalid peer certificate: UnknownIssuer", "untrusted"),
    ("received fatal alert: BadCertificate", "ours-refused"),
    ("NET::ERR_CERT_AUTHORITY_INVALID", "untrusted"),
    # Ours.
    ("unreachable: TLS failed at https://vault:8200: its CA is not trusted", "untrusted"),
    ("handshake-refused: not-allowed: orders.test is not allowed", "not-allowed"),
]


@pytest.mark.parametrize(("message", "name"), MESSAGES)
def test_a_message_is_explained(message: str, name: str) -> None:
    found = explain(message)
    assert found is not None
    assert found[0] == name


@pytest.mark.parametrize(("case", "fault"), REFUSED_BY_CLIENTS.items())
def test_what_this_python_says_is_explained_as_what_it_is(case: str, fault: Fault, tmp_path: Path) -> None:
    made = CASES[case]()
    error, _ = in_memory(trusting(made, tmp_path), serving(made.leaf, tmp_path), made.host)
    found = explain(f"Traceback (most recent call last):\n  File …\nssl.SSLCertVerificationError: {error}")
    assert found is not None
    assert found[0] == fault


def test_what_this_python_says_of_files_is_explained(tmp_path: Path) -> None:
    leaf = CA().issue("localhost")
    good, other = leaf.write(tmp_path), leaf.with_key(new_key()).write(tmp_path, "other")
    locked = tmp_path / "locked.secret"
    locked.write_bytes(leaf.key_pem_as(password="CANARY of a key"))
    cut = tmp_path / "cut.crt"
    cut.write_bytes(leaf.pem + leaf.pem[:-40])
    tries = {
        "mismatch": (good.cert_file, other.key_file),
        "pem-unreadable": (good.cert_file, locked),
        "bad-end-line": (cut, good.key_file),
        "file-missing": (tmp_path / "nothing.crt", good.key_file),
    }
    for name, files in tries.items():
        with pytest.raises(OSError) as error:  # noqa: PT011 each of the four is another one
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files, password=lambda: "")
        found = explain(str(error.value))
        assert found is not None
        assert found[0] == name


@pytest.mark.parametrize("message", ["", "hello", "the disk is full", "KeyError: 'ssl'", "verify return code: 0 (ok)"])
def test_a_message_that_nobody_knows_is_not_guessed_at(message: str) -> None:
    assert explain(message) is None


def test_a_message_that_a_terminal_broke_into_lines_is_known() -> None:
    found = explain("certificate verify failed: unable to get\n    local issuer\n certificate")
    assert found is not None
    assert found[0] == "untrusted"


def test_of_a_very_long_text_the_end_counts() -> None:
    found = explain("certificate has expired\n" + "x" * MAX_CHARS + "\nwrong version number")
    assert found is not None
    assert found[0] == "plain-text"


def test_every_name_that_is_found_has_an_explanation() -> None:
    assert {name for name, *_ in (*PHRASES, *GENERAL)} <= EXPLANATIONS.keys()
    assert {fault for fault in REASONS.values() if fault is not Fault.UNVERIFIED} <= EXPLANATIONS.keys()


def test_words_that_are_looked_for_can_be_found() -> None:
    for name, *words in (*PHRASES, *GENERAL):
        assert name
        assert words
        assert all(word == word.lower() and "  " not in word for word in words)


@pytest.mark.parametrize("fault", [one for one in Fault if one in EXPLANATIONS])
def test_what_wellkept_says_of_a_fault_is_explained(fault: Fault) -> None:
    for side in (False, True):
        assert explain(reason_for(fault, server_side=side).fact) is not None


@pytest.mark.parametrize("name", sorted(EXPLANATIONS))
def test_an_explanation_has_causes_and_fixes(name: str) -> None:
    one = EXPLANATIONS[name]
    texts = (one.meaning, *one.causes, *one.fixes)
    assert one.causes
    assert one.fixes
    assert all(text and not text.endswith(".") and "\n" not in text for text in texts)
