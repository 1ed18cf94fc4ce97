"""Keystores that the real keytool and OpenSSL made, and what is said of those that cannot be used."""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.tls.keytool import KEY_PASSWORD, OTHER_PASSWORD, PASSWORD, keytool, stores
from wellkept import Secret
from wellkept.errors import BundleError
from wellkept.tls.certificates import public_bytes
from wellkept.tls.enrol import KEYS, self_signed
from wellkept.tls.keystore import KeyEntry, is_keystore, read_identity, read_stored, read_trust
from wellkept.tls.keystore_write import as_pkcs12, as_truststore, certificates_as_pem, key_as_pem

__all__ = ["stores"]  # a fixture

STORE = Secret(PASSWORD)
WRONG = Secret(OTHER_PASSWORD)


def identity(
    folder: Path,
    name: str,
    password: Secret[str] | None = STORE,
    *,
    alias: str | None = None,
    key_password: Secret[str] | None = None,
) -> KeyEntry:
    data = (folder / name).read_bytes()
    return read_identity(data, password, place=name, alias=alias, key_password=key_password)


def trust(folder: Path, name: str, password: Secret[str] | None = STORE) -> tuple[x509.Certificate, ...]:
    return read_trust((folder / name).read_bytes(), password, place=name)


def public(entry: KeyEntry) -> bytes:
    return entry.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("name", ["key.p12", "legacy.p12"])
def test_the_one_key_of_a_keystore_is_read_with_its_certificate(stores: Path, name: str) -> None:
    entry = identity(stores, name)
    assert entry.alias == "server"
    assert public(entry) == public_bytes(entry.certificate)
    assert entry.chain == ()
    assert isinstance(entry.key, rsa.RSAPrivateKey if name == "key.p12" else ec.EllipticCurvePrivateKey)


@pytest.mark.parametrize("name", ["two.p12", "two.jks"])
@pytest.mark.parametrize("alias", ["server", "client", "CLIENT"])
def test_an_alias_chooses_among_several_keys_without_its_case(stores: Path, name: str, alias: str) -> None:
    entry = identity(stores, name, alias=alias)
    assert entry.alias == alias.lower()
    assert entry.certificate.subject.rfc4514_string() == f"CN={alias.lower()}.example.com"
    assert public(entry) == public_bytes(entry.certificate)


def test_a_key_with_its_own_password_is_read_with_both(stores: Path) -> None:
    entry = identity(stores, "own.jks", key_password=Secret(KEY_PASSWORD))
    assert public(entry) == public_bytes(entry.certificate)


@pytest.mark.parametrize("name", ["trust.p12", "trust.jks", "two.p12", "two.jks"])
def test_a_truststore_gives_its_trusted_certificates_only(stores: Path, name: str) -> None:
    assert trust(stores, name) == (x509.load_pem_x509_certificate((stores / "ca.crt").read_bytes()),)


def test_a_truststore_without_a_password_needs_none(stores: Path) -> None:
    assert len(trust(stores, "open.p12", None)) == 1


@pytest.mark.parametrize(
    ("name", "alias", "fact", "hint"),
    [
        ("two.p12", None, "holds 2 private keys: server, client", "name one of them as alias"),
        ("two.jks", None, "holds 2 private keys: ", "name one of them as alias"),
        ("two.p12", "web", "holds no private key web; it holds server, client", "name one of them as alias"),
        ("two.p12", "ca", "holds ca as a trusted certificate, without a private key; its keys are server, client", ""),
        ("trust.p12", None, "holds certificates and no private key: it is a truststore", "name the keystore with"),
        ("trust.jks", None, "holds certificates and no private key: it is a truststore", "name the keystore with"),
        ("own.jks", None, "holds the key server, which this password does not open: it has one of its own", "keyPass"),
        ("ca.crt", None, "is PEM, not a keystore: it holds a certificate", "certFile"),
        (
            "old.jceks",
            None,
            "is a keystore of the kind JCEKS, which only Java reads",
            "keytool -importkeystore -srckeystore old.jceks -destkeystore old.jceks.p12 -deststoretype PKCS12",
        ),
    ],
)
def test_what_is_no_identity_is_told_with_the_fix(
    stores: Path, name: str, alias: str | None, fact: str, hint: str
) -> None:
    with pytest.raises(BundleError) as caught:
        identity(stores, name, alias=alias)
    assert caught.value.message.startswith(f"{name}: {fact}")
    assert hint in (caught.value.hint or "")


def test_a_dsa_key_is_refused(stores: Path) -> None:
    with pytest.raises(BundleError) as caught:
        identity(stores, "dsa.p12")
    # Java 17 writes a NULL into the certificate that does not belong there, Java 25 does not.
    facts = ("a key server of a kind that TLS does not use", "a certificate server that cannot be read")
    assert caught.value.message in {f"dsa.p12: holds {fact}" for fact in facts}


@pytest.mark.parametrize("name", ["key.p12", "legacy.p12", "two.jks", "trust.jks"])
def test_a_wrong_password_is_told_and_a_missing_one_too(stores: Path, name: str) -> None:
    data = (stores / name).read_bytes()
    with pytest.raises(BundleError, match="cannot be opened: the password is wrong, or the file was changed"):
        read_stored(data, WRONG, place=name)
    with pytest.raises(BundleError, match="is protected by a password, and none was given"):
        read_stored(data, None, place=name)


@pytest.mark.parametrize("name", ["key.p12", "two.jks"])
def test_a_keystore_of_keys_is_no_truststore_unless_something_in_it_is_trusted(stores: Path, name: str) -> None:
    if name == "key.p12":
        with pytest.raises(BundleError, match="holds a private key and no trusted certificate: it is no truststore"):
            trust(stores, name)
    else:
        assert len(trust(stores, name)) == 1


def test_what_is_no_keystore_is_told() -> None:
    for data, fact in ((b"", "is empty"), (b"\x00\x01", "is neither a PKCS#12 nor a JKS keystore")):
        with pytest.raises(BundleError, match=fact):
            read_identity(data, STORE, place="x")
        assert not is_keystore(data)
    with pytest.raises(BundleError, match="is larger than 4 MiB"):
        read_identity(b"\xfe\xed\xfe\xed" + bytes(5 << 20), STORE, place="x")


def test_pem_of_a_key_is_told_apart_from_a_keystore() -> None:
    with pytest.raises(BundleError, match="is PEM, not a keystore: it holds a private key"):
        read_identity(key_as_pem(KEYS["p256"](), None), STORE, place="x")


@pytest.mark.parametrize("name", ["key.p12", "two.p12", "open.p12", "legacy.p12", "two.jks", "trust.jks", "old.jceks"])
def test_a_keystore_that_is_cut_off_anywhere_is_told_as_such(stores: Path, name: str) -> None:
    data = (stores / name).read_bytes()
    facts: set[str] = set()
    for end in range(50, len(data), 50):
        for read in (read_identity, read_trust):
            with pytest.raises(BundleError) as caught:
                read(data[:end], STORE, place=name)
            facts.add(caught.value.message)
    expected = "is a keystore of the kind JCEKS, which only Java reads" if "jceks" in name else "is damaged or cut off"
    assert facts == {f"{name}: {expected}"}


@pytest.mark.parametrize("name", ["two.p12", "open.p12", "two.jks"])
def test_a_changed_byte_gives_an_error_of_ours_or_the_same_answer(stores: Path, name: str) -> None:
    data = (stores / name).read_bytes()
    password = None if name == "open.p12" else STORE
    for at in range(0, len(data), 17):
        changed = bytearray(data)
        changed[at] ^= 0x41
        with suppress(BundleError):  # any other error fails the test
            read_stored(bytes(changed), password, place=name)


@given(
    st.sampled_from([b"", b"\xfe\xed\xfe\xed\0\0\0\2", b"0\x82\x01\0\x02\x01\x030", b"0\x80\x02\x01\x030"]), st.binary()
)
def test_any_bytes_give_an_error_of_ours_only(head: bytes, tail: bytes) -> None:
    for password in (STORE, None):
        with pytest.raises(BundleError):
            read_identity(head + tail, password, place="x")
        with pytest.raises(BundleError):
            read_trust(head + tail, password, place="x")


def test_an_error_holds_no_frame_that_knows_the_password(stores: Path) -> None:
    with pytest.raises(BundleError) as caught:
        identity(stores, "key.p12", WRONG)
    frame = caught.value.__traceback__
    while frame is not None:
        if "wellkept" in Path(frame.tb_frame.f_code.co_filename).parts:
            assert "CANARY" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_a_key_entry_does_not_show_its_key(stores: Path) -> None:
    assert "key=" not in repr(identity(stores, "key.p12"))


@pytest.mark.parametrize("kind", KEYS)
def test_what_is_written_is_read_again_and_by_keytool(stores: Path, tmp_path: Path, kind: str) -> None:
    del stores  # it skips where there is no keytool
    entry = fresh(kind)
    folder = secrets_of(tmp_path)
    (folder / "new.p12").write_bytes(as_pkcs12(entry, STORE))
    shown = keytool("-list", "-v", "-keystore", "new.p12", "-storepass:env", "STORE", folder=folder)
    assert "Entry type: PrivateKeyEntry" in shown
    assert "Alias name: server" in shown
    again = identity(folder, "new.p12")
    assert (again.certificate, public(again)) == (entry.certificate, public(entry))


def test_keytool_takes_over_what_is_written_into_a_store_of_its_own(stores: Path, tmp_path: Path) -> None:
    del stores
    folder = secrets_of(tmp_path)
    (folder / "new.p12").write_bytes(as_pkcs12(fresh("p256"), STORE))
    into = (
        "-destkeystore",
        "copy.jks",
        "-deststoretype",
        "JKS",
        "-deststorepass:env",
        "NEW",
        "-destkeypass:env",
        "NEW",
    )
    keytool("-importkeystore", "-srckeystore", "new.p12", "-srcstorepass:env", "OLD", *into, folder=folder)
    assert identity(folder, "copy.jks", WRONG).certificate == identity(folder, "new.p12").certificate


def test_a_truststore_that_is_written_is_trusted_by_keytool(stores: Path, tmp_path: Path) -> None:
    del stores
    folder, first, second = secrets_of(tmp_path), fresh("p256").certificate, fresh("p384").certificate
    (folder / "trust.p12").write_bytes(as_truststore([("one", first), ("two", second)], STORE))
    shown = keytool("-list", "-keystore", "trust.p12", "-storepass:env", "STORE", folder=folder)
    assert shown.count("trustedCertEntry") == 2
    assert set(trust(folder, "trust.p12")) == {first, second}


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"),
        ("-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC", "-macalg", "sha512"),
        ("-legacy",),
        ("-nomac",),
        ("-keypbe", "NONE", "-certpbe", "NONE"),
    ],
    ids=["usual", "3des", "sha512", "rc2", "no mac", "plain"],
)
@pytest.mark.parametrize("password", ["CANARY-\u00fc\u20ac\U0001d11e", "CANARY-plain", ""])
def test_what_openssl_makes_is_read(
    missing: Callable[[str], NoReturn], tmp_path: Path, words: tuple[str, ...], password: str
) -> None:
    folder, entry = secrets_of(tmp_path), fresh("p256")
    openssl(missing, folder, entry, *words, password=password)
    read = identity(folder, "made.p12", Secret(password) if password else None)
    assert (read.alias, read.certificate, public(read)) == ("1", entry.certificate, public(entry))


def test_a_key_without_a_certificate_is_told(missing: Callable[[str], NoReturn], tmp_path: Path) -> None:
    folder = secrets_of(tmp_path)
    openssl(missing, folder, fresh("p256"), "-nocerts", password=PASSWORD)
    with pytest.raises(BundleError, match="holds the key 1 without a certificate"):
        identity(folder, "made.p12")
    with pytest.raises(BundleError, match="holds a private key and no trusted certificate"):
        trust(folder, "made.p12")


def test_certificates_that_openssl_packed_without_a_key_are_a_truststore(
    missing: Callable[[str], NoReturn], tmp_path: Path
) -> None:
    folder, entry = secrets_of(tmp_path), fresh("p256")
    openssl(missing, folder, entry, "-nokeys", password=PASSWORD)
    assert trust(folder, "made.p12") == (entry.certificate,)


def fresh(kind: str) -> KeyEntry:
    return self_signed(
        "server", KEYS[kind](), "a.example.com", ["a.example.com", "10.0.0.1"], now=datetime.now(UTC), days=9
    )


def secrets_of(tmp_path: Path) -> Path:
    """A folder that no canary is searched in."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def openssl(missing: Callable[[str], NoReturn], folder: Path, entry: KeyEntry, *words: str, password: str) -> None:
    """Pack a key and its certificate as made.p12."""
    program = shutil.which("openssl")
    if program is None:
        missing("no openssl")
    (folder / "key.pem").write_bytes(key_as_pem(entry.key, None))
    (folder / "cert.pem").write_bytes(certificates_as_pem([entry.certificate]))
    given = ("-inkey", "key.pem", "-in", "cert.pem", "-out", "made.p12", "-passout", "env:STORE")
    done = subprocess.run(
        [program, "pkcs12", "-export", *given, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "STORE": password},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
