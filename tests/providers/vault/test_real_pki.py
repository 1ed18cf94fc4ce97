"""Certificates of a real OpenBao: signed and issued, refused in words of ours, and served in a real handshake."""

import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.servers.space import Space
from wellkept import Settings, close, load
from wellkept.errors import (
    Absent,
    Malformed,
    PolicyDenied,
    SourceError,
    Unreachable,
    WrongPath,
)
from wellkept.model import Reading, Reference
from wellkept.providers.vault import Vault
from wellkept.tls import ServerTLS

ROLE = {"allowed_domains": "localhost,internal", "allow_bare_domains": True, "allow_subdomains": True, "max_ttl": "24h"}


@pytest.fixture
def pki(space: Space) -> Space:
    """A space with a root at `pki`, a CA below it at `int`, and roles in both."""
    for mount in ("pki", "int"):
        space.do("POST", f"sys/mounts/{mount}", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
    space.do("POST", "pki/root/generate/internal", {"common_name": "the root", "key_type": "ec", "ttl": "9000h"})
    made = space.do("POST", "int/intermediate/generate/internal", {"common_name": "the CA", "key_type": "ec"})
    signed = space.do(
        "POST", "pki/root/sign-intermediate", {"csr": made["data"]["csr"], "ttl": "8000h", "format": "pem_bundle"}
    )
    space.do("POST", "int/intermediate/set-signed", {"certificate": signed["data"]["certificate"]})
    space.do("POST", "pki/roles/web", {**ROLE, "key_type": "any", "allowed_uri_sans": "spiffe://internal/*"})
    space.do("POST", "int/roles/web", {**ROLE, "key_type": "ec"})
    space.do("POST", "pki/roles/usual", ROLE)  # as `bao write` makes it: keys of RSA only
    space.do("POST", "pki/roles/long", {**ROLE, "max_ttl": "20000h", "key_type": "ec"})
    space.do("POST", "pki/roles/strict", {**ROLE, "key_type": "ec", "allow_ip_sans": False})
    space.do("POST", "pki/roles/near", {**ROLE, "key_type": "ec", "allowed_ip_sans_cidr": ["10.0.0.0/8"]})
    return space


def fetch(space: Space, path: str, token: str | None = None, **options: str) -> Reading:
    reference = Reference("vault", tuple(path.split("/")), options=tuple(options.items()))
    return Vault.from_environ(space.environ(token)).fetch(reference)


def values_of(reading: Reading) -> Mapping[str, Any]:
    assert isinstance(reading.value, Mapping)
    return reading.value


def certificates(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def refused(error: type[SourceError], call: Callable[[], object]) -> SourceError:
    """The error of a call: of that very class, and with nothing to see."""
    with pytest.raises(SourceError) as caught:
        call()
    assert type(caught.value) is error
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame.locals for frame in frames.stack if "/src/wellkept/" in frame.filename]
    assert "CANARY" not in f"{caught.value}{ours}"
    assert "PRIVATE KEY" not in f"{caught.value}{ours}"
    return caught.value


@pytest.mark.parametrize("way", ["sign", "issue"])
def test_a_certificate_and_its_key_and_its_issuers(pki: Space, way: str) -> None:
    reading = fetch(
        pki,
        f"int/{way}/web",
        common_name="web.internal",
        alt_names="a.internal, b.internal",
        ip_sans="127.0.0.1,::1",
        life="90m",
    )
    values = values_of(reading)
    assert set(values) == {"certificate", "private_key", "issuing_ca", "ca_chain", "fullchain", "serial"}
    leaf, issuer, root = *certificates(values["certificate"]), *certificates(values["ca_chain"])
    assert [one.subject.rfc4514_string() for one in (leaf, issuer, root)] == [
        "CN=web.internal",
        "CN=the CA",
        "CN=the root",
    ]
    assert certificates(values["fullchain"]) == [leaf, issuer]
    assert certificates(values["issuing_ca"]) == [issuer]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"web.internal", "a.internal", "b.internal"}
    assert set(map(str, names.get_values_for_type(x509.IPAddress))) == {"127.0.0.1", "::1"}
    key = load_pem_private_key(values["private_key"].encode(), None)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert key.public_key().public_bytes(*form) == leaf.public_key().public_bytes(*form)
    assert int(values["serial"].replace(":", ""), 16) == leaf.serial_number
    assert reading.version == values["serial"]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc < timedelta(minutes=92)
    assert reading.ttl_s is not None
    assert 3500 < reading.ttl_s <= 3600


def test_our_own_key_is_a_new_one_of_p256_in_pkcs8_each_time(pki: Space) -> None:
    first, second = (values_of(fetch(pki, "pki/sign/web", common_name="localhost"))["private_key"] for _ in range(2))
    assert first.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert first != second
    key = load_pem_private_key(first.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"


@pytest.mark.parametrize("in_csr", [True, False])
def test_a_role_takes_the_names_from_the_request_or_from_beside_it(pki: Space, in_csr: bool) -> None:
    pki.do(
        "POST",
        "pki/roles/mine",
        {
            **ROLE,
            "key_type": "ec",
            "use_csr_common_name": in_csr,
            "use_csr_sans": in_csr,
            "allowed_uri_sans": "spiffe://*",
            "cn_validations": "disabled",
        },
    )
    options = {"alt_names": "a.internal", "uri_sans": "spiffe://internal/web"}
    leaf, *_ = certificates(values_of(fetch(pki, "pki/sign/mine", common_name="localhost", **options))["certificate"])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "a.internal"}
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://internal/web"]


def test_a_role_of_one_issuer(pki: Space) -> None:
    values = values_of(fetch(pki, "pki/issuer/default/sign/web", common_name="localhost"))
    assert certificates(values["fullchain"]) == certificates(values["certificate"])  # its issuer is the root


def test_a_ca_is_read(pki: Space) -> None:
    reading = fetch(pki, "int/cert/ca")
    values = values_of(reading)
    assert certificates(values["certificate"])[0].subject.rfc4514_string() == "CN=the CA"
    assert reading.ttl_s == 3600
    assert reading.version == fetch(pki, "int/cert/ca").version != fetch(pki, "pki/cert/ca").version
    assert len(certificates(values_of(fetch(pki, "int/cert/ca_chain"))["certificate"])) == 2


SAYS: tuple[tuple[str, Mapping[str, str], type[SourceError], str], ...] = (
    ("sign/nope", {"common_name": "localhost"}, Absent, "absent: there is no role nope in the mount pki/"),
    ("issue/nope", {"common_name": "localhost"}, Absent, "wellkept list vault:pki/issue"),
    ("sign/web", {"common_name": "evil.test"}, PolicyDenied, "denied: the role web does not allow this common_name"),
    ("issue/usual", {"common_name": "evil.test"}, PolicyDenied, "allowed_domains"),
    ("sign/web", {}, Malformed, "the role web does not take this request: it wants a common_name"),
    ("issue/usual", {}, Malformed, "the role usual does not take this request: it wants a common_name"),
    ("sign/web", {"common_name": "localhost", "alt_names": "evil.test"}, PolicyDenied, "does not allow this alt_names"),
    ("issue/usual", {"common_name": "localhost", "alt_names": "a@evil.test"}, PolicyDenied, "this alt_names"),
    ("sign/strict", {"common_name": "localhost", "ip_sans": "10.0.0.1"}, PolicyDenied, "does not allow this ip_sans"),
    ("issue/strict", {"common_name": "localhost", "ip_sans": "10.0.0.1"}, PolicyDenied, "allow_ip_sans"),
    ("issue/near", {"common_name": "localhost", "ip_sans": "192.0.2.1"}, PolicyDenied, "allowed_ip_sans_cidr"),
    ("issue/usual", {"common_name": "localhost", "ip_sans": "10.0.0.999"}, Malformed, "ip_sans= holds something else"),
    ("sign/web", {"common_name": "localhost", "uri_sans": "spiffe://evil.test/x"}, PolicyDenied, "this uri_sans"),
    ("issue/usual", {"common_name": "localhost", "alt_names": "b c"}, Malformed, "alt_names= holds something else"),
    ("sign/web", {"common_name": "localhost", "alt_names": "bücher.internal"}, Malformed, "xn--"),
    ("issue/usual", {"common_name": "localhost", "life": "99999999h"}, Malformed, "the life is none that it takes"),
    ("issue/usual", {"common_name": "localhost", "uri_sans": "spiffe://x"}, PolicyDenied, "this uri_sans"),
    ("issue/usual", {"common_name": "x" * 64 + ".internal"}, Malformed, "longer names as alt_names="),
    ("sign/long", {"common_name": "localhost", "life": "15000h"}, Malformed, "the CA ends before"),
    ("issue/long", {"common_name": "localhost", "life": "15000h"}, Malformed, "a shorter life="),
    ("sign/usual", {"common_name": "localhost"}, Malformed, "takes no key of P-256"),
    ("issue/web", {"common_name": "localhost"}, Malformed, "write pki/sign/web"),
    ("sign", {"common_name": "localhost"}, WrongPath, "names no role"),
    ("sign/web/more", {}, WrongPath, "has no such path"),
    ("cert/00:11", {}, Absent, "absent: there is no cert/00:11"),
    ("roles/web", {}, Malformed, "there is no certificate at pki/roles/web"),
    ("certs", {}, Malformed, "status 405"),
    ("ca/pem", {}, Malformed, "write pki/cert/ca#certificate"),
    ("ca_chain", {}, Malformed, "write pki/cert/ca_chain#certificate"),
    ("cert/ca", {"life": "1h"}, Malformed, "life= is for a certificate that is made"),
)


@pytest.mark.parametrize(("path", "options", "error", "words"), SAYS, ids=[f"{one[0]}-{one[3]}" for one in SAYS])
def test_what_is_refused_is_told_in_words(
    pki: Space, path: str, options: Mapping[str, str], error: type[SourceError], words: str
) -> None:
    assert words in str(refused(error, lambda: fetch(pki, f"pki/{path}", **options)))


def test_a_policy_that_does_not_give_it(pki: Space) -> None:
    policy = 'path "pki/cert/nothing" {\n  capabilities = ["read"]\n}\n'
    token = pki.make_token([pki.policy("other", policy)])
    told = str(refused(PolicyDenied, lambda: fetch(pki, "pki/sign/web", token, common_name="localhost")))
    assert 'path "pki/sign/web" { capabilities = ["update"] }' in told


def test_a_mount_without_a_ca(space: Space) -> None:
    space.do("POST", "sys/mounts/pki", {"type": "pki"})
    space.do("POST", "pki/roles/web", {**ROLE, "key_type": "ec"})
    told = refused(Unreachable, lambda: fetch(space, "pki/sign/web", common_name="localhost"))
    assert "the mount pki/ fails (500)" in str(told)


def _answering(tls: ServerTLS) -> tuple[int, threading.Thread]:
    """A server that takes one connection, greets it and ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(30)

    def serve() -> None:
        raw, _ = listening.accept()
        with listening, raw, tls.context().wrap_socket(raw, server_side=True) as connection:
            connection.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    port: int = listening.getsockname()[1]
    return port, thread


def test_a_server_shows_a_certificate_that_one_request_gave(pki: Space, tmp_path: Path) -> None:
    class Web(Settings):
        tls: ServerTLS

    file = tmp_path / "Config.toml"
    file.write_text(
        "[tls.key]\n"
        'certFile = "${vault:int/sign/web?common_name=localhost&life=1h#fullchain}"\n'
        'keyFile = "${vault:int/sign/web?common_name=localhost&life=1h#private_key}"\n',
        "utf-8",
    )
    config = load(Web, files=[file], environ=pki.environ(), redact=False)
    try:
        made = pki.do("LIST", "int/certs")["data"]["keys"]
        port, thread = _answering(config.tls)
        ca: str = values_of(fetch(pki, "pki/cert/ca"))["certificate"]
        trusting = ssl.create_default_context(cadata=ca)  # the root: the server must send its issuer
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as raw,
            trusting.wrap_socket(raw, server_hostname="localhost") as connection,
        ):
            assert connection.recv(16) == b"hello"
            shown = connection.getpeercert()
        thread.join()
        assert shown is not None
        assert [int(one.replace(":", ""), 16) for one in made] == [int(str(shown["serialNumber"]), 16)]
    finally:
        close(config)
