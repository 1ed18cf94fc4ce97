"""`wellkept tls convert`: PEM and PKCS#12 both ways, and JKS into both."""

import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from tests.cli.shelf import CommandLine, Done
from tests.cli.terminal import Terminal
from tests.tls.keytool import KEY_PASSWORD, OTHER_PASSWORD, PASSWORD, keytool, stores
from wellkept import Secret
from wellkept.tls.keystore import read_identity, read_trust

__all__ = ["stores"]  # a fixture

WARNING = "holds the private key without encryption; only its mode 0600 protects it"


@pytest.fixture
def convert(stores: Path, wellkept: CommandLine) -> Callable[..., Done]:
    """`wellkept tls convert …` in secrets/, with the keystores of keytool there and the password on stdin."""
    folder = wellkept.folder / "secrets"
    shutil.copytree(stores, folder)
    for name, text in (("pw", PASSWORD), ("key", KEY_PASSWORD), ("new", OTHER_PASSWORD)):
        (folder / name).write_text(text + "\n", encoding="utf-8")
        (folder / name).chmod(0o600)

    def run(source: str, target: str, *words: str, given: bytes = f"{PASSWORD}\n".encode()) -> Done:
        return wellkept("tls", "convert", f"secrets/{source}", f"secrets/{target}", *words, given=given)

    return run


def files(wellkept: CommandLine) -> Path:
    return wellkept.folder / "secrets"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("key.p12", ()),
        ("legacy.p12", ()),
        ("two.p12", ("--alias", "client")),
        ("two.jks", ("--alias", "client")),
        ("own.jks", ("--key-password-file", "secrets/key")),
    ],
)
def test_a_keystore_becomes_pem_and_pkcs12_again(
    wellkept: CommandLine, convert: Callable[..., Done], name: str, words: Sequence[str]
) -> None:
    done = convert(name, "all.pem", "--password-stdin", *words)
    assert done.code == 0
    assert done.err.splitlines() == [
        "secrets/all.pem: holds the key and 1 certificate",
        f"warning: secrets/all.pem: {WARNING}",
    ]
    assert stat.S_IMODE((files(wellkept) / "all.pem").stat().st_mode) == 0o600
    back = convert("all.pem", "back.p12", "--target-password-file", "secrets/new")
    assert (back.code, back.err) == (0, "secrets/back.p12: holds the key server and 1 certificate\n")
    shown = keytool("-list", "-keystore", "back.p12", "-storepass:env", "NEW", folder=files(wellkept))
    assert "server" in shown
    assert "PrivateKeyEntry" in shown


@pytest.mark.parametrize("name", ["own.jks", "two.jks"])
def test_a_jks_keystore_becomes_pkcs12_with_the_same_password(
    wellkept: CommandLine, convert: Callable[..., Done], name: str
) -> None:
    words = ("--alias", "SERVER", "--key-password-file", "secrets/" + ("key" if name == "own.jks" else "pw"))
    assert convert(name, "k.p12", "--same-password", "--password-stdin", *words).code == 0
    entry = read_identity((files(wellkept) / "k.p12").read_bytes(), Secret(PASSWORD), place="k.p12")
    assert entry.alias == "server"


@pytest.mark.parametrize("name", ["trust.p12", "trust.jks"])
def test_a_truststore_becomes_pem_and_back(wellkept: CommandLine, convert: Callable[..., Done], name: str) -> None:
    done = convert(name, "ca.pem", "--password-file", "secrets/pw")
    assert (done.code, done.err) == (0, "secrets/ca.pem: holds 1 certificate\n")
    back = convert("ca.pem", "back.p12", "--target-password-file", "secrets/new")
    assert (back.code, back.err) == (0, "secrets/back.p12: trusts 1 certificate\n")
    read = read_trust((files(wellkept) / "back.p12").read_bytes(), Secret(OTHER_PASSWORD), place="back.p12")
    assert read == tuple(x509.load_pem_x509_certificates((files(wellkept) / "ca.crt").read_bytes()))


def test_the_key_may_stand_in_a_file_of_its_own_encrypted(wellkept: CommandLine, convert: Callable[..., Done]) -> None:
    words = ("--key", "secrets/server.key", "--password-stdin", "--target-password-file", "secrets/new")
    done = convert("key.p12", "server.crt", *words)
    assert (done.code, done.err) == (0, "secrets/server.crt: holds 1 certificate\n")
    key = (files(wellkept) / "server.key").read_bytes()
    assert key.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert isinstance(load_pem_private_key(key, OTHER_PASSWORD.encode()), rsa.RSAPrivateKey)
    assert b"PRIVATE" not in (files(wellkept) / "server.crt").read_bytes()
    into = ("--key", "secrets/server.key", "--alias", "web", "--target-password-file", "secrets/pw")
    back = convert("server.crt", "back.p12", *into, "--key-password-file", "secrets/new")
    assert (back.code, back.err) == (0, "secrets/back.p12: holds the key web and 1 certificate\n")
    wrong = convert("server.crt", "wrong.p12", *into, "--key-password-file", "secrets/key")
    assert wrong.code == 1
    assert "the password is wrong" in wrong.err
    assert not (files(wellkept) / "wrong.p12").exists()


def test_a_key_without_its_certificate_is_refused(convert: Callable[..., Done]) -> None:
    assert convert("key.p12", "one.pem", "--password-stdin").code == 0
    assert convert("legacy.p12", "two.crt", "--key", "secrets/two.key", "--password-stdin").code == 0
    done = convert("one.pem", "x.p12", "--key", "secrets/two.key", "--target-password-file", "secrets/new")
    assert done.code == 1
    assert done.err.startswith("error: secrets/one.pem: holds no certificate for the key of secrets/two.key")


def test_a_certificate_in_der_becomes_pem(wellkept: CommandLine, convert: Callable[..., Done]) -> None:
    certificate = x509.load_pem_x509_certificate((files(wellkept) / "ca.crt").read_bytes())
    (files(wellkept) / "ca.der").write_bytes(certificate.public_bytes(Encoding.DER))
    assert convert("ca.der", "ca.pem").code == 0
    assert x509.load_pem_x509_certificate((files(wellkept) / "ca.pem").read_bytes()) == certificate


@pytest.mark.parametrize(
    ("words", "fact", "code"),
    [
        (("key.p12", "key.jks"), "secrets/key.jks: JKS is read, never written", 2),
        (("key.p12", "key"), "secrets/key: its ending names no format", 2),
        (("key.p12", "ca.crt"), "secrets/ca.crt: exists already", 2),
        (("key.p12", "new.crt", "--key", "secrets/ca.crt"), "secrets/ca.crt: exists already", 2),
        (("two.p12", "new.pem"), "secrets/two.p12: holds 2 private keys: server, client", 1),
        (("ca.crt", "new.p12", "--key", "secrets/ca.crt"), "convert: SOURCE, TARGET and --key", 2),
        (("key.p12", "new.pem", "--key", "secrets/new.pem", "--force"), "convert: SOURCE, TARGET and --key", 2),
        (("key.p12", "new.p12"), "the password: stdin is no terminal", 2),
    ],
)
def test_what_cannot_be_converted_is_told(
    convert: Callable[..., Done], words: Sequence[str], fact: str, code: int
) -> None:
    done = convert(*words, "--password-stdin")
    assert done.err.startswith(f"error: {fact}")
    assert done.code == code


def test_a_format_may_be_named_and_a_target_replaced(convert: Callable[..., Done]) -> None:
    assert convert("key.p12", "made", "--to", "pem", "--password-stdin").code == 0
    assert convert("two.p12", "made", "--to", "pem", "--password-stdin", "--alias", "client", "--force").code == 0


def test_a_person_is_asked_for_the_password_of_the_key(wellkept: CommandLine, convert: Callable[..., Done]) -> None:
    del convert
    words = ("secrets/key.p12", "secrets/key.pem", "--encrypt-key", "--password-file", "secrets/pw")
    terminal = Terminal(wellkept, "tls", "convert", *words)
    terminal.type(f"{OTHER_PASSWORD}\n", after="new password of secrets/key.pem: ")
    terminal.type(f"{OTHER_PASSWORD}\n", after="the same again: ")
    assert terminal.end() == 0
    assert "CANARY" not in terminal.shown
    key = (files(wellkept) / "key.pem").read_bytes()
    assert isinstance(load_pem_private_key(key, OTHER_PASSWORD.encode()), rsa.RSAPrivateKey)
