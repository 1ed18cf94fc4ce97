"""`wellkept tls keystore`: the way of the page's keytool commands, from the first key to the signed certificate."""

import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.cli.shelf import CommandLine, Done
from tests.cli.terminal import Terminal
from tests.tls.keytool import PASSWORD, keytool, stores
from wellkept import Secret
from wellkept.tls.keystore import read_identity, read_trust

__all__ = ["stores"]  # a fixture

STORE = Secret(PASSWORD)


@pytest.fixture
def keystore(wellkept: CommandLine) -> Callable[..., Done]:
    """`wellkept tls keystore …` with the password on stdin."""

    def run(*words: str, password: str = PASSWORD) -> Done:
        return wellkept("tls", "keystore", *words, "--password-stdin", given=f"{password}\n".encode())

    return run


@pytest.fixture
def new(keystore: Callable[..., Done]) -> Done:
    """A new keystore.p12."""
    return keystore("new", "keystore.p12", "--cn", "integration.example.com")


class Authority:
    """A CA that signs what it is sent, with one CA between."""

    def __init__(self) -> None:
        self.root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate("root CA", "root CA", self.root_key.public_key(), self.root_key)
        self.between = self._certificate("CA", "root CA", self.key.public_key(), self.root_key)

    def sign(self, request: x509.CertificateSigningRequest, *, days: int = 9) -> x509.Certificate:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            self._builder(request.subject, named("CA"), request.public_key(), days)
            .add_extension(names, critical=False)
            .sign(self.key, SHA256())
        )

    def _certificate(
        self, subject: str, issuer: str, public: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        return (
            self._builder(named(subject), named(issuer), public, 99)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, SHA256())
        )

    @staticmethod
    def _builder(subject: x509.Name, issuer: x509.Name, public: object, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            issuer,
            subject,
            public,  # type: ignore[arg-type] # a key of a request is of any kind
            x509.random_serial_number(),
            now - timedelta(days=10),
            now + timedelta(days=days),
        )


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def put(folder: Path, name: str, *certificates: x509.Certificate) -> None:
    (folder / name).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_new_keystore_is_a_private_key_entry_of_keytool(stores: Path, wellkept: CommandLine, new: Done) -> None:
    del stores
    assert (new.code, new.out) == (0, "")
    assert new.err.startswith("keystore.p12: holds the new key server, until ")
    assert mode(wellkept.folder / "keystore.p12") == 0o600
    shown = keytool("-list", "-v", "-keystore", "keystore.p12", "-storepass:env", "STORE", folder=wellkept.folder)
    assert "Entry type: PrivateKeyEntry" in shown
    assert "Owner: CN=integration.example.com" in shown
    into = ("-destkeystore", "copy.p12", "-deststoretype", "PKCS12", "-deststorepass:env", "NEW")
    source = ("-srckeystore", "keystore.p12", "-srcstorepass:env", "OLD")
    keytool("-importkeystore", *source, *into, folder=wellkept.folder)


def test_a_new_certificate_says_what_it_is_for(wellkept: CommandLine, keystore: Callable[..., Done]) -> None:
    words = ("--dns", "a.test", "--dns", "10.0.0.1", "--alias", "Web", "--days", "3", "--key", "rsa2048")
    assert keystore("new", "k.p12", "--cn", "billing", *words).code == 0
    entry = read_identity((wellkept.folder / "k.p12").read_bytes(), STORE, place="k.p12")
    names = entry.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert entry.alias == "web"
    assert names.get_values_for_type(x509.DNSName) == ["a.test"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert entry.certificate.not_valid_after_utc - datetime.now(UTC) < timedelta(days=3)


def test_a_certificate_for_no_host_is_warned_about(keystore: Callable[..., Done]) -> None:
    assert "is for no host name" in keystore("new", "k.p12", "--cn", "billing").err


def test_a_keystore_that_is_there_is_replaced_only_by_force(
    wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    before = (wellkept.folder / "keystore.p12").read_bytes()
    again = keystore("new", "keystore.p12", "--cn", "x.test")
    assert (again.code, again.err.splitlines()[0]) == (2, "error: keystore.p12: exists already")
    assert (wellkept.folder / "keystore.p12").read_bytes() == before
    assert keystore("new", "keystore.p12", "--cn", "x.test", "--force").code == 0
    assert (wellkept.folder / "keystore.p12").read_bytes() != before


def test_a_password_on_the_command_line_is_refused_and_not_shown(wellkept: CommandLine) -> None:
    for words in (("--password", "x-CANARY"), ("--password=x-CANARY",)):
        done = wellkept("tls", "keystore", "new", "k.p12", "--cn", "a.test", *words)
        assert done.code == 2
        assert "takes no password on the command line" in done.err
        assert "CANARY" not in done.err + done.out
        assert not (wellkept.folder / "k.p12").exists()


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        (b"CANAR\n", "the password: has fewer than 6 characters"),
        (b"\n", "stdin: holds no password"),
        (b"CANARY\xff", "stdin: holds no UTF-8 text"),
        (b"CANARY" * 1000, "stdin: holds more than 4096 bytes"),
    ],
)
def test_what_is_no_password_is_refused(wellkept: CommandLine, given: bytes, fact: str) -> None:
    done = wellkept("tls", "keystore", "new", "k.p12", "--cn", "a.test", "--password-stdin", given=given)
    assert done.code == 2
    assert done.err.startswith(f"error: {fact}")
    assert "CANARY" not in done.err


def test_a_password_file_that_others_read_is_warned_about(wellkept: CommandLine) -> None:
    file = wellkept.folder / "pw.secret"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    file.chmod(0o644)
    done = wellkept("tls", "keystore", "new", "k.p12", "--cn", "a.test", "--password-file", "pw.secret")
    assert done.code == 0
    assert "warning: pw.secret: can be read by other users" in done.err
    both = wellkept("tls", "keystore", "list", "k.p12", "--password-file", "pw.secret", "--password-stdin")
    assert both.code == 2


def test_without_a_terminal_nobody_is_asked(wellkept: CommandLine) -> None:
    done = wellkept("tls", "keystore", "new", "k.p12", "--cn", "a.test")
    assert done.code == 2
    assert "stdin is no terminal, so nobody can be asked" in done.err
    assert "--password-file" in done.err


def test_a_person_is_asked_twice_for_a_new_password(wellkept: CommandLine) -> None:
    terminal = Terminal(wellkept, "tls", "keystore", "new", "k.p12", "--cn", "a.test")
    terminal.type(f"{PASSWORD}\n", after="new password of k.p12: ")
    terminal.type(f"{PASSWORD}\n", after="the same again: ")
    assert terminal.end() == 0
    assert "CANARY" not in terminal.shown
    terminal = Terminal(wellkept, "tls", "keystore", "list", "k.p12")
    terminal.type(f"{PASSWORD}\n", after="password of k.p12: ")
    assert terminal.end() == 0
    terminal = Terminal(wellkept, "tls", "keystore", "new", "l.p12", "--cn", "a.test")
    terminal.type(f"{PASSWORD}\n", after="new password of l.p12: ")
    terminal.type("other-CANARY\n", after="the same again: ")
    assert terminal.end() == 2
    assert "was typed differently" in terminal.shown


def signed(wellkept: CommandLine, keystore: Callable[..., Done], authority: Authority, **more: int) -> x509.Certificate:
    request = x509.load_pem_x509_csr(keystore("csr", "keystore.p12").out.encode())
    certificate = authority.sign(request, **more)
    put(wellkept.folder, "signed.crt", certificate)
    put(wellkept.folder, "chain.crt", authority.root, authority.between)
    return certificate


def test_a_signed_certificate_and_its_chain_are_imported_in_any_order(
    stores: Path, wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del stores, new
    authority = Authority()
    certificate = signed(wellkept, keystore, authority)
    done = keystore("import", "keystore.p12", "chain.crt", "signed.crt")
    assert (done.code, done.err) == (
        0,
        "keystore.p12: server has the certificate of integration.example.com, with 2 above it\n",
    )
    entry = read_identity((wellkept.folder / "keystore.p12").read_bytes(), STORE, place="keystore.p12")
    assert (entry.certificate, entry.chain) == (certificate, (authority.between, authority.root))
    shown = keytool("-list", "-v", "-keystore", "keystore.p12", "-storepass:env", "STORE", folder=wellkept.folder)
    assert "Certificate chain length: 3" in shown
    listed = keystore("list", "keystore.p12", "--json").document
    assert len(listed["entries"][0]["chain"]) == 2  # type: ignore[index] # a JSON document


def test_the_request_of_a_key_is_good_to_openssl(
    missing: Callable[[str], NoReturn], wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    program = shutil.which("openssl")
    if program is None:
        missing("no openssl")
    assert keystore("csr", "keystore.p12", "-o", "request.csr").err == "written to request.csr\n"
    words = ("req", "-in", "request.csr", "-noout", "-verify", "-text")
    shown = subprocess.run([program, *words], cwd=wellkept.folder, capture_output=True, text=True, check=True)
    assert "DNS:integration.example.com" in shown.stdout
    assert keystore("csr", "keystore.p12", "-o", "request.csr").code == 2


def test_a_certificate_of_another_key_is_not_imported(
    wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    before = (wellkept.folder / "keystore.p12").read_bytes()
    put(wellkept.folder, "ca.crt", Authority().root)
    done = keystore("import", "keystore.p12", "ca.crt")
    assert done.code == 1
    assert done.err.startswith("error: ca.crt: holds no certificate for the key server of keystore.p12")
    assert (wellkept.folder / "keystore.p12").read_bytes() == before


def test_a_certificate_that_is_not_above_it_is_not_imported(
    wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    signed(wellkept, keystore, Authority())
    put(wellkept.folder, "stranger.crt", Authority().root)
    done = keystore("import", "keystore.p12", "signed.crt", "stranger.crt")
    assert done.code == 1
    assert "error: stranger.crt: root CA is not above the certificate of integration.example.com" in done.err


def test_an_expired_certificate_and_one_without_its_chain_are_warned_about(
    wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    signed(wellkept, keystore, Authority(), days=-1)
    done = keystore("import", "keystore.p12", "signed.crt")
    assert done.code == 0
    assert "warning: signed.crt: has expired" in done.err
    assert "warning: keystore.p12: holds no certificate above its own" in done.err


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (
            ("two.p12", "--alias", "server"),
            "holds 2 keys and 1 certificate, and is changed only where",
        ),
        (("two.jks", "--alias", "server"), "is JKS, which is only read"),
        (("trust.p12",), "holds certificates and no private key: it is a truststore"),
    ],
)
def test_a_keystore_of_which_something_would_be_lost_is_not_changed(
    stores: Path, wellkept: CommandLine, keystore: Callable[..., Done], words: Sequence[str], fact: str
) -> None:
    name, *more = words
    shutil.copy(stores / name, wellkept.folder)
    put(wellkept.folder, "ca.crt", Authority().root)
    done = keystore("import", name, "ca.crt", *more)
    assert done.code == 1
    assert done.err.startswith(f"error: {name}: {fact}")


def test_certificates_are_exported_and_never_a_key(new: Done, keystore: Callable[..., Done]) -> None:
    del new
    done = keystore("export", "keystore.p12", "--chain")
    assert done.out.count("-----BEGIN CERTIFICATE-----") == 1
    assert "PRIVATE" not in done.out
    assert keystore("export", "keystore.p12", "--force").code == 2


@pytest.mark.parametrize("name", ["two.p12", "two.jks"])
def test_what_keytool_made_is_listed(
    stores: Path, wellkept: CommandLine, keystore: Callable[..., Done], name: str
) -> None:
    shutil.copy(stores / name, wellkept.folder)
    done = keystore("list", name, "--json")
    assert isinstance(done.document, dict)
    kinds = {one["alias"]: one["kind"] for one in done.document["entries"]}
    assert kinds == {"server": "key", "client": "key", "ca": "trusted"}
    assert {one["key"] for one in done.document["entries"]} == {"EC secp256r1", "RSA 2048"}
    rows = keystore("list", name).out.splitlines()
    assert rows[0].split() == ["alias", "kind", "name", "issuer", "expires", "fingerprint"]
    assert len(rows) == 4
    wrong = keystore("list", name, password="wrong-CANARY")
    assert (wrong.code, wrong.out) == (1, "")
    assert "the password is wrong" in wrong.err


def test_a_file_of_certificates_is_listed_without_a_password(wellkept: CommandLine) -> None:
    authority = Authority()
    put(wellkept.folder, "ca.crt", authority.root, authority.between)
    (wellkept.folder / "ca.der").write_bytes(authority.root.public_bytes(Encoding.DER))
    assert len(wellkept("tls", "keystore", "list", "ca.crt").out.splitlines()) == 3
    assert len(wellkept("tls", "keystore", "list", "ca.der").out.splitlines()) == 2
    (wellkept.folder / "odd.der").write_bytes(b"CANARY")
    assert "holds no certificate in PEM" in wellkept("tls", "keystore", "list", "odd.der").err
    (wellkept.folder / "odd.der").unlink()


def test_a_truststore_gets_one_ca_after_another(
    stores: Path, wellkept: CommandLine, keystore: Callable[..., Done]
) -> None:
    del stores
    authority = Authority()
    put(wellkept.folder, "ca.crt", authority.root)
    put(wellkept.folder, "more.crt", authority.root, authority.between)
    assert (
        keystore("trust", "trust.p12", "ca.crt", "--alias", "ca").err
        == "trust.p12: trusts 1 certificate, 1 of them new\n"
    )
    assert mode(wellkept.folder / "trust.p12") == 0o600
    assert keystore("trust", "trust.p12", "more.crt").err == "trust.p12: trusts 2 certificates, 1 of them new\n"
    again = keystore("trust", "trust.p12", "more.crt", "--alias", "CA")
    assert again.err == "trust.p12: trusts 2 certificates, 0 of them new\n"
    assert keystore("trust", "trust.p12", "more.crt", password="wrong-CANARY").code == 1
    shown = keytool("-list", "-keystore", "trust.p12", "-storepass:env", "STORE", folder=wellkept.folder)
    assert shown.count("trustedCertEntry") == 2
    read = read_trust((wellkept.folder / "trust.p12").read_bytes(), STORE, place="trust.p12")
    assert set(read) == {authority.root, authority.between}


def test_another_certificate_under_an_alias_that_is_taken_is_refused(
    wellkept: CommandLine, keystore: Callable[..., Done]
) -> None:
    put(wellkept.folder, "one.crt", Authority().root)
    put(wellkept.folder, "two.crt", Authority().root)
    assert keystore("trust", "trust.p12", "one.crt", "--alias", "ca").code == 0
    done = keystore("trust", "trust.p12", "two.crt", "--alias", "CA")
    assert (done.code, done.err.splitlines()[0]) == (1, "error: trust.p12: holds another certificate as ca")
    assert keystore("trust", "trust.p12", "two.crt", "one.crt").err.startswith("trust.p12: trusts 2")
    listed = keystore("list", "trust.p12", "--json").document
    assert [one["alias"] for one in listed["entries"]] == ["ca", "root ca"]  # type: ignore[index] # a JSON document


def test_a_trust_in_pem_needs_no_password_and_a_leaf_in_it_is_warned_about(
    wellkept: CommandLine, new: Done, keystore: Callable[..., Done]
) -> None:
    del new
    authority = Authority()
    signed(wellkept, keystore, authority)
    put(wellkept.folder, "ca.pem", authority.root)
    done = wellkept("tls", "keystore", "trust", "ca.pem", "signed.crt")
    assert done.err.splitlines() == [
        "warning: ca.pem: integration.example.com is no CA: it makes nobody trusted but itself",
        "ca.pem: trusts 2 certificates, 1 of them new",
    ]


@pytest.mark.parametrize(
    ("name", "fact"), [("key.p12", "holds a private key: it is a keystore"), ("trust.jks", "is JKS")]
)
def test_what_is_no_truststore_of_ours_gets_no_ca(
    stores: Path, wellkept: CommandLine, keystore: Callable[..., Done], name: str, fact: str
) -> None:
    shutil.copy(stores / name, wellkept.folder)
    put(wellkept.folder, "ca.crt", Authority().root)
    done = keystore("trust", name, "ca.crt")
    assert done.code == 1
    assert done.err.startswith(f"error: {name}: {fact}")


@pytest.mark.parametrize("name", ["x" * 65, ""])
def test_a_name_that_no_certificate_may_have_is_refused(keystore: Callable[..., Done], name: str) -> None:
    assert keystore("new", "k.p12", "--cn", name).err.startswith("error: the common name: must have 1 to 64 characters")
    assert "write it in ASCII, as xn--" in keystore("new", "k.p12", "--cn", "a", "--dns", "ü.test").err


def test_a_folder_that_is_not_there_is_told(keystore: Callable[..., Done]) -> None:
    done = keystore("new", "nowhere/k.p12", "--cn", "a.test")
    assert done.code == 1
    assert done.err.startswith("error: nowhere/k.p12: stands in a directory that does not exist")
