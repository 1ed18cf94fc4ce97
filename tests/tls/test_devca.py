"""The development CA: what it signs, for how long, for whom; and that strict peers accept it."""

import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.tls.pki import CA, Leaf
from wellkept._files import FileFault
from wellkept.errors import BundleError, UsageError
from wellkept.tls.certificates import extension, names_of
from wellkept.tls.devca import Authority, Purpose, Subject, is_development, is_local, new_authority, parse_subject
from wellkept.tls.devca_files import (
    Folder,
    make_authority,
    open_authority,
    read_authority,
    renew_authority,
    write_issued,
)

NOW = datetime.now(UTC).replace(microsecond=0)
SPIFFE = "spiffe://prod/ns/pay/sa/orders"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "config" / "wellkept" / "dev-ca"))


def server(*names: str) -> Subject:
    return parse_subject(names or ("localhost",), None, Purpose.SERVER)


def forced(authority: Authority, name: str) -> x509.Certificate:
    """What a stolen key could sign: a name that the CA itself refuses."""
    stolen = CA(key=authority.own.key)
    stolen.certificate = authority.certificate
    return stolen.issue(name).certificate


def verified(folder: Path, ca: x509.Certificate, leaf: bytes) -> tuple[str, int]:
    (folder / "ca.pem").write_bytes(Leaf(ca, CA().key).pem)
    (folder / "leaf.pem").write_bytes(leaf)
    words = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "leaf.pem"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode


def test_the_ca_is_valid_for_a_year_and_signs_nothing_but_leaves_with_local_names() -> None:
    certificate = new_authority(now=NOW, is_local=True).certificate
    assert certificate.not_valid_after_utc - NOW == timedelta(days=365)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    names = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical
    assert [str(one.value) for one in names.value.permitted_subtrees or ()] == [
        *("localhost", "test", "internal", "127.0.0.0/8", "::1/128")
    ]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert extension(certificate, x509.SubjectKeyIdentifier) is not None


def test_two_cas_have_two_names() -> None:
    first, second = (new_authority(now=NOW, is_local=True).certificate for _ in range(2))
    assert first.subject != second.subject


@pytest.mark.parametrize(
    ("purpose", "usage"),
    [(Purpose.SERVER, ExtendedKeyUsageOID.SERVER_AUTH), (Purpose.CLIENT, ExtendedKeyUsageOID.CLIENT_AUTH)],
)
def test_a_leaf_is_for_seven_days_and_one_purpose(purpose: Purpose, usage: x509.ObjectIdentifier) -> None:
    subject = parse_subject(["API.test", "127.0.0.1", "::1", "api.test"], SPIFFE, purpose)
    leaf = new_authority(now=NOW, is_local=True).issue(subject, now=NOW).certificate
    assert leaf.not_valid_after_utc - NOW == timedelta(days=7)
    names = names_of(leaf)
    assert (names.dns, names.ips) == (("api.test",), (ip_address("127.0.0.1"), ip_address("::1")))
    assert (names.spiffe_id, names.common_name) == (SPIFFE, "api.test")
    usages = extension(leaf, x509.ExtendedKeyUsage)
    assert usages is not None
    assert list(usages) == [usage]


def test_a_leaf_does_not_outlive_its_ca() -> None:
    authority = new_authority(now=NOW - timedelta(days=362), is_local=True)
    leaf = authority.issue(server(), now=NOW).certificate
    assert leaf.not_valid_after_utc == authority.certificate.not_valid_after_utc


@pytest.mark.parametrize("names", [("localhost",), ("127.0.0.1", "::1"), ("*.api.test", "a.localhost", "b.internal")])
def test_openssl_accepts_it_by_its_strict_rules(
    tmp_path: Path, missing: Callable[[str], NoReturn], names: tuple[str, ...]
) -> None:
    if shutil.which("openssl") is None:
        missing("no openssl program")
    authority = new_authority(now=NOW, is_local=True)
    for subject in (server(*names), parse_subject(names, SPIFFE, Purpose.CLIENT)):
        assert verified(tmp_path, authority.certificate, authority.issue(subject, now=NOW).cert_pem)[1] == 0
    spiffe = authority.issue(parse_subject([], "spiffe://prod/sa/orders.v1", Purpose.CLIENT), now=NOW)
    assert verified(tmp_path, authority.certificate, spiffe.cert_pem)[1] == 0
    long = authority.issue(server(f"{'a' * 60}.{'b' * 60}.test"), now=NOW)
    assert long.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME) == []
    assert verified(tmp_path, authority.certificate, long.cert_pem)[1] == 0


@pytest.mark.parametrize("name", ["example.com", "mytest", "localhost.example.com"])
def test_a_stolen_key_is_good_for_local_names_only(
    tmp_path: Path, missing: Callable[[str], NoReturn], name: str
) -> None:
    if shutil.which("openssl") is None:
        missing("no openssl program")
    authority = new_authority(now=NOW, is_local=True)
    said, code = verified(tmp_path, authority.certificate, Leaf(forced(authority, name), CA().key).pem)
    assert "permitted subtree violation" in said
    assert code != 0


@pytest.mark.parametrize("name", ["example.com", "mytest", "localhost.example.com", "10.0.0.1", "::2", "orders"])
def test_a_name_that_is_not_local_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: is no local name, and this CA signs for no other") as caught:
        new_authority(now=NOW, is_local=True).issue(server(name), now=NOW)
    assert caught.value.hint == "use localhost, a name below .localhost, .test or .internal, or a loopback address"


def test_a_ca_that_lives_in_memory_signs_for_any_name() -> None:
    leaf = new_authority(now=NOW, is_local=False).issue(server("example.com", "10.0.0.1"), now=NOW).certificate
    assert names_of(leaf).dns == ("example.com",)


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "a.b.test", "test", "db.internal"])
def test_these_names_are_local(name: str) -> None:
    assert is_local(name)


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("", "is neither a host name nor an address"),
        ("a b", "is neither"),
        ("a..test", "is neither"),
        ("-a.test", "is neither"),
        ("https://a.test", "is neither"),
        ("a.test:443", "is neither"),
        ("127.0.0.256", "is neither"),
        ("::1%lo", "is neither"),
        ("../a.test", "is neither"),
        ("a.test\n", "is neither"),
        (f"{'a' * 64}.test", "is neither"),
        (f"{'a.' * 130}test", "is neither"),
        ("ü.test", "is no host name in ASCII"),
        ("*.test", "no client accepts a \\* right below a top-level name"),
        ("a.*.test", "is neither"),
    ],
)
def test_what_is_no_name_is_refused(name: str, fact: str) -> None:
    with pytest.raises(UsageError, match=fact) as caught:
        server(name)
    assert caught.value.message.isprintable()
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *("", "orders", "spiffe://", "spiffe://prod", "spiffe://Prod/a", "spiffe://prod/a//b", "spiffe://prod/../b"),
        *("spiffe://prod/a/", "spiffe://prod/a?b", "https://prod/a", f"spiffe://prod/{'a' * 2048}", "spiffe://prod/ä"),
    ],
)
def test_what_is_no_spiffe_id_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no SPIFFE id"):
        parse_subject([], text, Purpose.CLIENT)


def test_a_certificate_for_nobody_is_refused() -> None:
    with pytest.raises(UsageError, match="is for no name"):
        parse_subject([], None, Purpose.SERVER)


@pytest.mark.parametrize(
    ("subject", "stem"),
    [
        (server("api.test", "localhost"), "api.test"),
        (server("*.api.test"), "_wildcard.api.test"),
        (server("::1"), "__1"),
        (parse_subject([], SPIFFE, Purpose.CLIENT), "orders"),
    ],
)
def test_files_are_called_as_the_first_name(subject: Subject, stem: str) -> None:
    assert subject.stem == stem


def test_no_repr_shows_a_key() -> None:
    authority = new_authority(now=NOW, is_local=True)
    shown = repr(authority) + repr(authority.issue(server(), now=NOW))
    assert "key" not in shown.lower()


def test_making_it_twice_changes_nothing(folder: Folder) -> None:
    before = os.umask(0)
    try:
        assert make_authority(folder, NOW)
    finally:
        os.umask(before)
    held = Path(folder.key_file).read_bytes() + Path(folder.ca_file).read_bytes()
    assert not make_authority(folder, NOW)
    assert Path(folder.key_file).read_bytes() + Path(folder.ca_file).read_bytes() == held
    assert stat.S_IMODE(Path(folder.key_file).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(folder.path).stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(folder.path).parent.stat().st_mode) == 0o700
    assert Path(folder.path, ".gitignore").read_text() == "*\n"


def test_a_named_folder_that_was_there_is_not_hidden_from_git(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name, is_hidden in (("mine", False), ("new", True)):
        make_authority(Folder(str(tmp_path / name), is_named=True), NOW)
        assert (tmp_path / name / ".gitignore").exists() is is_hidden


def test_what_it_wrote_is_read_again(folder: Folder) -> None:
    make_authority(folder, NOW)
    authority = open_authority(folder, NOW)
    assert authority.is_local
    assert authority.certificate == read_authority(folder)


def test_a_renewed_ca_has_a_new_key(folder: Folder) -> None:
    make_authority(folder, NOW)
    old = open_authority(folder, NOW)
    renew_authority(folder, NOW)
    new = open_authority(folder, NOW)
    assert new.certificate.subject != old.certificate.subject
    assert new.own.key.public_key() != old.own.key.public_key()


def test_a_ca_that_is_not_there_is_named_with_the_command_that_makes_it(folder: Folder) -> None:
    with pytest.raises(BundleError, match="there is no development CA") as caught:
        open_authority(folder, NOW)
    assert caught.value.hint == "wellkept tls dev-ca init"
    named = Folder("/no where", is_named=True)
    with pytest.raises(BundleError) as caught:
        open_authority(named, NOW)
    assert caught.value.hint == "wellkept tls dev-ca init --folder '/no where'"


def test_a_key_without_its_certificate_asks_for_a_renewal(folder: Folder) -> None:
    make_authority(folder, NOW)
    Path(folder.ca_file).unlink()
    assert not make_authority(folder, NOW)
    with pytest.raises(BundleError, match="is missing, although its key is there") as caught:
        open_authority(folder, NOW)
    assert caught.value.hint == "wellkept tls dev-ca init --renew"


@pytest.mark.parametrize(("days", "fact"), [(366, "expired on"), (-1, "is not valid before")])
def test_a_ca_out_of_its_time_signs_nothing(folder: Folder, days: int, fact: str) -> None:
    make_authority(folder, NOW)
    with pytest.raises(BundleError, match=f"ca.crt: {fact}") as caught:
        open_authority(folder, NOW + timedelta(days=days))
    assert caught.value.hint == "wellkept tls dev-ca init --renew"


def test_a_key_that_is_not_its_own_is_refused(folder: Folder) -> None:
    make_authority(folder, NOW)
    Path(folder.key_file).write_bytes(CA().issue("a.test").key_pem)
    with pytest.raises(BundleError, match=r"ca\.key: is not the key of .*ca\.crt"):
        open_authority(folder, NOW)


def test_a_key_that_others_can_read_is_refused(folder: Folder) -> None:
    make_authority(folder, NOW)
    Path(folder.key_file).chmod(0o644)
    with pytest.raises(FileFault, match="can be read by others"):
        open_authority(folder, NOW)


def test_only_what_a_development_ca_issued_is_replaced(tmp_path: Path) -> None:
    authority = new_authority(now=NOW, is_local=True)
    first = write_issued(authority.issue(server(), now=NOW), tmp_path, "localhost")
    held = first.cert_file.read_bytes()
    assert write_issued(authority.issue(server(), now=NOW), tmp_path, "localhost") == first
    assert first.cert_file.read_bytes() != held
    assert stat.S_IMODE(first.key_file.stat().st_mode) == 0o600
    real = CA().issue("localhost").write(tmp_path, "localhost")
    held = real.cert_file.read_bytes() + real.key_file.read_bytes()
    with pytest.raises(UsageError, match=r"localhost\.crt: exists already, and is not of a development CA"):
        write_issued(authority.issue(server(), now=NOW), tmp_path, "localhost")
    real.cert_file.rename(tmp_path / "renamed.crt")
    with pytest.raises(UsageError, match=r"localhost\.key: exists already"):
        write_issued(authority.issue(server(), now=NOW), tmp_path, "localhost")
    assert (tmp_path / "renamed.crt").read_bytes() + real.key_file.read_bytes() == held


def test_what_it_issued_is_known_again() -> None:
    assert is_development(new_authority(now=NOW, is_local=True).issue(server(), now=NOW).certificate)
    assert not is_development(CA().issue("a.test").certificate)


def test_a_revocation_list_bites(tmp_path: Path) -> None:
    authority = new_authority(now=NOW, is_local=True)
    leaf = authority.issue(server(), now=NOW).certificate
    listed = x509.load_pem_x509_crl(authority.revocations([leaf], now=NOW, number=7))
    assert listed.is_signature_valid(authority.own.key.public_key())
    assert [one.serial_number for one in listed] == [leaf.serial_number]
    (tmp_path / "ca.crl").write_bytes(authority.revocations([], now=NOW, number=8))
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(tmp_path / "ca.crl")
