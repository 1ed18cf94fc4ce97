"""Files that cannot be used: each is an error at the start that names the file, the cause and the fix; or a warning.

Facts §5, "loading material". The messages of OpenSSL are the same for eight of these mistakes.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.tls.bad import der_of, live, odd_names, pem, server, shake, stock_client, told
from tests.tls.pki import CA, CASES, DAY, Files, Leaf, chain_of, pem_of, signed_with_sha1
from wellkept.errors import BundleError, UsageError
from wellkept.events import Topic
from wellkept.secret import Secret
from wellkept.tls import CertKey, ClientTLS, MutualTLS, ServerTLS

PASSWORD = "right-CANARY"


class Site:
    """A folder with a good pair and its CA, in which a test breaks one thing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = CA()
        self.leaf = self.ca.issue("localhost")
        self.files = self.leaf.write(folder, "server")
        self.trust = self.ca.write(folder)

    def write(self, leaf: Leaf) -> Files:
        return leaf.write(self.folder, "server")

    def cert(self, data: bytes) -> None:
        self.files.cert_file.write_bytes(data)

    def key(self, data: bytes) -> None:
        self.files.key_file.write_bytes(data)

    def start(self, side: str = "server", password: str | None = None) -> None:
        """Make a context as a server or a client does at its start."""
        secret = None if password is None else Secret(password)
        pair = CertKey(self.files.cert_file, self.files.key_file, secret)
        if side == "server":
            ServerTLS(key=pair).context()
        else:
            ClientTLS(trust=self.trust, key=pair).context()

    def refusal(self, side: str = "server", password: str | None = None) -> BundleError:
        """What a start says that must fail; its first word is one of the files of the folder."""
        with pytest.raises(BundleError) as caught:
            self.start(side, password)
        fault = caught.value
        assert fault.message.startswith(str(self.folder)), fault.message
        assert fault.hint, fault.message
        assert "\n" not in fault.message + fault.hint
        assert "CANARY" not in str(fault)
        assert "PEM lib" not in str(fault)
        return fault


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def truncated_second(site: Site) -> None:
    site.cert(site.leaf.pem + site.ca.pem[:200])


def damaged_second(site: Site) -> None:
    site.cert(site.leaf.pem + site.ca.pem.replace(site.ca.pem[100:300], b"AAAA\n"))


def other_key(site: Site) -> None:
    site.key(CA().issue("localhost").key_pem)


def root_first(site: Site) -> None:
    site.cert(site.ca.pem + site.leaf.pem)


def swapped(site: Site) -> None:
    site.cert(site.leaf.key_pem)
    site.key(site.leaf.pem)


def old_version(site: Site) -> None:
    """A certificate of a version that does not exist."""
    site.cert(pem(der_of(site.leaf).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05")))


def damaged_extension(site: Site) -> None:
    """Basic constraints that hold a set, not a sequence."""
    der = der_of(site.leaf)
    at = der.index(bytes.fromhex("0603551d130101ff04023000")) + 10
    site.cert(pem(der[:at] + b"\x31" + der[at + 1 :]))


def unknown_curve(site: Site) -> None:
    site.cert(pem(der_of(site.leaf).replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030166"))))


def unknown_signature(site: Site) -> None:
    site.cert(pem(der_of(site.leaf).replace(bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040377"))))


def unreadable_names(site: Site) -> None:
    site.write(odd_names(site.ca, bytes([0x30, 4, 0x82, 2, 0xFF, 0xFE])))


def dsa_key(site: Site) -> None:
    made = dsa.generate_private_key(2048)
    site.key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def x25519_key(site: Site) -> None:
    made = x25519.X25519PrivateKey.generate()
    site.key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


# The mistake, the file that is named, and words that must stand in the text.
MISTAKES: dict[str, tuple[Callable[[Site], object], str, tuple[str, ...]]] = {
    "expired": (
        lambda site: site.write(site.ca.issue("localhost", not_after=-DAY)),
        "server.crt",
        ("has expired", "renew"),
    ),
    "not yet valid": (
        lambda site: site.write(site.ca.issue("localhost", not_before=DAY)),
        "server.crt",
        ("not yet valid", "clock"),
    ),
    "another key": (other_key, "server.crt", ("private key", "server.key", "does not match")),
    "root first": (root_first, "server.crt", ("wrong order", "number 2", "first")),
    "encrypted, no password": (
        lambda site: site.key(site.leaf.key_pem_as("pkcs8", PASSWORD)),
        "server.key",
        ("encrypted", "private key", "no password", "keyPassword"),
    ),
    "encrypted in the old way": (
        lambda site: site.key(site.leaf.key_pem_as("sec1", PASSWORD)),
        "server.key",
        ("encrypted", "private key", "no password"),
    ),
    "truncated certificate": (lambda site: site.cert(site.leaf.pem[:200]), "server.crt:1", ("cut off", "copy")),
    "truncated key": (lambda site: site.key(site.leaf.key_pem[:100]), "server.key:1", ("private key is cut off",)),
    "truncated second certificate": (truncated_second, "server.crt:", ("cut off",)),
    "damaged second certificate": (damaged_second, "server.crt:", ("damaged",)),
    "empty certificate": (lambda site: site.cert(b""), "server.crt", ("is empty", "BEGIN CERTIFICATE")),
    "blank certificate": (lambda site: site.cert(b" \n\n"), "server.crt", ("is empty",)),
    "empty key": (lambda site: site.key(b""), "server.key", ("no private key", "is empty")),
    "swapped": (swapped, "server.crt", ("holds a private key", "swapped")),
    "key twice the certificate": (
        lambda site: site.key(site.leaf.pem),
        "server.key",
        ("no private key", "holds a certificate", "swapped"),
    ),
    "DER certificate": (lambda site: site.cert(der_of(site.leaf)), "server.crt", ("DER", "tls convert")),
    "DER key": (lambda site: site.key(site.leaf.key_pem_as("der")), "server.key", ("private key", "DER")),
    "missing certificate": (
        lambda site: site.files.cert_file.unlink(),
        "server.crt",
        ("does not exist", "ca.crt, server.key"),
    ),
    "missing key": (lambda site: site.files.key_file.unlink(), "server.key", ("does not exist", "server.crt")),
    "two keys": (lambda site: site.key(site.leaf.key_pem * 2), "server.key", ("more than one private key",)),
    "garbage": (lambda site: site.cert(b"\x00\xff" * 50), "server.crt", ("holds something else",)),
    "a signing request": (
        lambda site: site.cert(pem(b"x", "CERTIFICATE REQUEST")),
        "server.crt",
        ("certificate signing request",),
    ),
    "a key of OpenSSH": (
        lambda site: site.key(pem(b"x", "OPENSSH PRIVATE KEY")),
        "server.key",
        ("OpenSSH", "ssh-keygen"),
    ),
    "a keystore as certificate": (
        lambda site: site.cert(site.leaf.p12("store-CANARY")),
        "server.crt",
        ("PKCS#12", "password"),
    ),
    "a keystore as key": (lambda site: site.key(b"\xfe\xed\xfe\xed1234"), "server.key", ("Java keystore",)),
    "a key of DSA": (dsa_key, "server.key", ("of a kind that TLS does not use",)),
    "a key of X25519": (x25519_key, "server.key", ("of a kind that TLS does not use",)),
    "weak key": (
        lambda site: site.write(site.ca.issue("localhost", key="rsa1024")),
        "server.crt",
        ("weak", "1024 bits"),
    ),
    "a version that does not exist": (old_version, "server.crt", ()),
    "a damaged extension": (damaged_extension, "server.crt", ()),
    "an unknown curve": (unknown_curve, "server.crt", ()),
    "an unknown signature": (unknown_signature, "server.crt", ()),
    "names that cannot be read": (unreadable_names, "server.crt", ()),
}


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_an_error_at_the_start_that_names_file_cause_and_fix(site: Site, mistake: str, side: str) -> None:
    break_it, named, words = MISTAKES[mistake]
    break_it(site)
    fault = site.refusal(side)
    assert fault.message.startswith(f"{site.folder}/{named}")
    for word in words:
        assert word in str(fault)


ALIKE = {"encrypted in the old way", "blank certificate", "a key of X25519"}


def test_no_two_mistakes_have_the_same_message(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    for number, (mistake, (break_it, _, words)) in enumerate(MISTAKES.items()):
        if words and mistake not in ALIKE:
            site = Site(tmp_path / str(number))
            break_it(site)
            said[mistake] = str(site.refusal()).replace(str(site.folder), "")
    assert len(set(said.values())) == len(said)


def test_the_second_certificate_is_named_by_its_line(site: Site) -> None:
    truncated_second(site)
    line = site.leaf.pem.count(b"\n") + 1
    assert f"server.crt:{line}: a certificate is cut off" in site.refusal().message


def test_a_certificate_whose_end_was_overwritten_is_named_by_its_line(site: Site) -> None:
    site.cert(b"text\nmore text\n" + b"".join(site.leaf.pem.splitlines(keepends=True)[:3]) + site.ca.pem)
    assert "server.crt:3: a certificate is cut off" in site.refusal().message


@pytest.mark.parametrize("kind", ["pkcs8", "sec1"])
def test_a_wrong_password_is_told_from_none(site: Site, kind: str) -> None:
    site.key(site.leaf.key_pem_as(kind, PASSWORD))
    assert "the password is wrong" in site.refusal(password="wrong-CANARY").message
    site.start(password=PASSWORD)


def test_a_password_for_a_key_that_has_none_does_no_harm(site: Site) -> None:
    site.start(password=PASSWORD)


def test_an_empty_password_is_refused_before_a_file_is_read() -> None:
    with pytest.raises(UsageError, match="must not be empty"):
        Secret("")


@pytest.mark.parametrize("kind", ["pkcs8", "sec1"])
def test_nobody_is_asked_for_a_password_at_a_terminal(site: Site, kind: str) -> None:
    site.key(site.leaf.key_pem_as(kind, PASSWORD))
    shown, code = at_a_terminal(
        "from wellkept.tls import CertKey, ServerTLS\n"
        "from wellkept.errors import BundleError\n"
        f"tls = ServerTLS(key=CertKey({str(site.files.cert_file)!r}, {str(site.files.key_file)!r}))\n"
        "try:\n    tls.context()\nexcept BundleError as error:\n    raise SystemExit(7)\n"
    )
    assert (shown, code) == ("", 7)


def at_a_terminal(program: str) -> tuple[str, int]:
    """Run a program whose stdin and controlling terminal are a terminal; what it showed there, and its code."""
    master, slave = os.openpty()
    own = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    child = subprocess.Popen(
        [sys.executable, "-c", own + program], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    try:
        code = child.wait(timeout=50)  # a prompt would wait for ever
    except subprocess.TimeoutExpired:
        child.kill()
        code = child.wait()
    os.set_blocking(master, False)
    try:
        shown = os.read(master, 4096).decode()
    except OSError:  # EIO: nothing was shown, and nobody is left
        shown = ""
    os.close(master)
    return shown, code


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "text before it": lambda data: b"Bag Attributes\n    friendlyName: x\nsubject=CN = x\n\n" + data,
    "text behind it": lambda data: data + b"\nthe end\n",
    "no final newline": lambda data: data.rstrip(b"\n"),
    "blanks behind the lines": lambda data: data.replace(b"-----\n", b"----- \t\n"),
    "all of it": lambda data: b"\xef\xbb\xbftext\r\n" + data.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_an_editor_does_to_a_file_does_no_harm(site: Site, form: str) -> None:
    site.cert(FORMS[form](site.leaf.cert_pem))
    site.key(FORMS[form](site.leaf.key_pem))
    site.trust.write_bytes(FORMS[form](site.ca.pem))
    site.start()
    site.start("client")


@pytest.mark.parametrize("kind", ["pkcs8", "pkcs1", "sec1"])
@pytest.mark.parametrize("key", ["p256", "p384", "rsa2048", "ed25519"])
def test_every_form_of_key_is_taken(site: Site, key: str, kind: str) -> None:
    if key == "ed25519" and kind != "pkcs8":
        kind = "pkcs8"  # it has no other form
    leaf = site.ca.issue("localhost", key=key)
    site.write(leaf)
    site.key(leaf.key_pem_as(kind))
    site.start()


def test_the_parameters_that_openssl_writes_before_a_key_do_no_harm(site: Site) -> None:
    site.key(pem(bytes.fromhex("06082a8648ce3d030107"), "EC PARAMETERS") + site.leaf.key_pem_as("sec1"))
    site.start()


def test_a_signature_by_sha_1_is_refused(site: Site, missing: Callable[[str], NoReturn]) -> None:
    try:
        leaf = signed_with_sha1(site.ca, site.folder / "sha1")
    except (OSError, subprocess.CalledProcessError):
        missing("the openssl program makes no signature with SHA-1")
    site.write(leaf)
    assert "weak: SHA1" in site.refusal().message


def special(site: Site, kind: str) -> str:
    path = site.folder / "odd"
    match kind:
        case "FIFO":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "device":
            return "/dev/zero"
        case "circle":
            path.symlink_to(path)
        case "dangling link":
            path.symlink_to(site.folder / "nothing")
        case _:
            path.touch()
            os.truncate(path, 1 << 30)
    return str(path)


SPECIAL = {
    "FIFO": "is a FIFO, not a file",
    "directory": "is a directory, not a file",
    "device": "is a device, not a file",
    "circle": "circle of symbolic links",
    "dangling link": "does not exist",
    "sparse file of a gigabyte": "is larger than",
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("part", ["certificate", "key", "trust"])
def test_what_is_no_file_is_refused_at_once(site: Site, kind: str, part: str) -> None:
    path, began = special(site, kind), time.monotonic()
    made: dict[str, ServerTLS | ClientTLS] = {
        "certificate": ServerTLS(key=CertKey(path, site.files.key_file)),
        "key": ServerTLS(key=CertKey(site.files.cert_file, path)),
        "trust": ClientTLS(trust=path),
    }
    with pytest.raises(BundleError) as caught:
        made[part].context()
    assert caught.value.message.startswith(f"{path}: ")
    assert SPECIAL[kind] in caught.value.message
    assert time.monotonic() - began < 30  # a pipe and a terminal would hold us up for ever


def test_a_file_of_another_user_says_that_it_may_not_be_read(site: Site) -> None:
    site.files.key_file.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(BundleError) as caught:
            ServerTLS(key=CertKey(site.files.cert_file, site.files.key_file)).context()
    finally:
        if is_root:
            os.seteuid(0)
    assert "may not be read by this user" in caught.value.message
    assert caught.value.hint == "give this user read access"


def test_a_link_to_a_file_elsewhere_is_followed(site: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for file in (site.files.cert_file, site.files.key_file):
        file.rename(elsewhere / file.name)
        file.symlink_to(elsewhere / file.name)
    site.start()


def test_a_pair_in_one_file_is_taken_and_its_certificate_may_stand_behind_the_key(site: Site) -> None:
    site.key(site.leaf.key_pem + site.leaf.cert_pem)
    ServerTLS(key=CertKey(site.files.key_file)).context()


WARNINGS: dict[str, tuple[Callable[[Site], object], str, str, tuple[str, ...]]] = {
    "readable key": (
        lambda site: site.files.key_file.chmod(0o644),
        "TLS010",
        "server.key",
        ("private key", "other users"),
    ),
    "CA as leaf": (
        lambda site: site.write(site.ca.issue("localhost", ca=True)),
        "TLS008",
        "server.crt",
        ("CA certificate",),
    ),
    "unrelated certificate": (
        lambda site: site.cert(site.leaf.pem + CA("Other").pem),
        "TLS013",
        "server.crt",
        ("Other", "nothing to do"),
    ),
    "misordered chain": (
        lambda site: site.write(_misordered()),
        "TLS012",
        "server.crt",
        ("wrong order",),
    ),
    "expired intermediate": (
        lambda site: site.write(_with_expired_intermediate()),
        "TLS014",
        "server.crt",
        ("intermediate", "has expired"),
    ),
    "ends soon": (
        lambda site: site.write(site.ca.issue("localhost", not_before=-9 * DAY, not_after=DAY)),
        "TLS005",
        "server.crt",
        ("ends soon",),
    ),
}


def _misordered() -> Leaf:
    _, first, second = chain_of("Root", "First", "Second")
    return second.issue("localhost").with_chain(first.certificate, second.certificate)


def _with_expired_intermediate() -> Leaf:
    root = CA("Root")
    return CA("Old", parent=root, not_after=-DAY).issue("localhost")


@pytest.mark.parametrize("name", WARNINGS)
def test_a_doubtful_file_is_told_of_and_used(site: Site, name: str) -> None:
    change, code, named, words = WARNINGS[name]
    change(site)
    with told() as heard:
        site.start()
    event = next(one for one in heard.events if one.topic is Topic.WARNING and one.detail.startswith(code))
    assert event.subject.endswith(named)
    for word in words:
        assert word in event.detail


def test_a_good_pair_is_told_of_by_nothing(site: Site) -> None:
    with told() as heard:
        site.start()
        site.start("client")
    assert heard.events == []


def test_a_certificate_for_clients_only_is_told_of_on_a_server_and_the_other_way_round(site: Site) -> None:
    site.write(site.ca.issue("localhost", server=False))
    with told() as heard:
        site.start("client")
        assert heard.events == []
        site.start("server")
    assert "TLS009" in heard.of(Topic.WARNING)[0]
    assert "serverAuth" in heard.of(Topic.WARNING)[0]


def test_a_certificate_without_names_is_told_of_on_a_server(site: Site) -> None:
    site.write(site.ca.issue(cn="localhost"))
    with told() as heard:
        site.start("client")
        assert heard.events == []
        site.start("server")
    assert "no subject alternative name" in heard.of(Topic.WARNING)[0]


def test_a_leaf_given_as_ca_is_told_of(site: Site) -> None:
    with told() as heard:
        ClientTLS(trust=site.files.cert_file).context()
    assert ["TLS020" in one and "is no CA certificate" in one for one in heard.of(Topic.WARNING)] == [True]


TRUSTS: dict[str, tuple[Callable[[Site], bytes], tuple[str, ...]]] = {
    "empty": (lambda _: b"", ("is empty",)),
    "garbage": (lambda _: b"garbage", ("no certificate",)),
    "a private key": (lambda site: site.leaf.key_pem, ("holds a private key",)),
    "a private key beside it": (lambda site: site.ca.pem + site.leaf.key_pem, ("holds a private key",)),
    "DER": (lambda site: der_of(Leaf(site.ca.certificate, site.ca.key)), ("DER", "tls convert")),
    "a keystore": (lambda site: site.leaf.p12("store-CANARY"), ("keystore", "password")),
    "an expired CA": (lambda _: CA(not_after=-DAY).pem, ("CA", "has expired")),
    "a CA not yet valid": (lambda _: CA(not_before=DAY).pem, ("CA", "not yet valid")),
    "cut off": (lambda site: site.ca.pem[:100], ("cut off",)),
    "a revocation list": (lambda site: site.ca.crl(), ("revocation list",)),
    "a version that does not exist": (
        lambda site: pem(der_of(site.leaf).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05")),
        (),
    ),
}


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("name", TRUSTS)
def test_a_trust_that_is_none_is_an_error_at_the_start(site: Site, name: str, side: str) -> None:
    make, words = TRUSTS[name]
    site.trust.write_bytes(make(site))
    pair = CertKey(site.files.cert_file, site.files.key_file)
    serving = ServerTLS(key=pair, mutual=MutualTLS(trust=site.trust))
    tls = serving if side == "server" else ClientTLS(trust=site.trust)
    with pytest.raises(BundleError) as caught:
        tls.context()
    assert caught.value.message.startswith(str(site.trust))
    assert caught.value.hint
    for word in words:
        assert word in str(caught.value)


def test_an_expired_ca_beside_a_good_one_is_told_of(site: Site) -> None:
    site.trust.write_bytes(site.ca.pem + CA("Old CA", not_after=-DAY).pem)
    with told() as heard:
        ClientTLS(trust=site.trust).context()
    assert ["TLS021" in one and "Old CA" in one for one in heard.of(Topic.WARNING)] == [True]


STRICT = {
    "no-ski": "no subject key identifier",
    "bc-not-critical": "basic constraints are not critical",
    "openssl-recipe": "no key usage extension",
}


@pytest.mark.parametrize("name", STRICT)
def test_a_ca_that_python_3_13_refuses_is_told_of_on_every_python(site: Site, name: str) -> None:
    site.trust.write_bytes(CASES[name]().trust)
    with told() as heard:
        ClientTLS(trust=site.trust).context()
    (text,) = heard.of(Topic.WARNING)
    assert "TLS022" in text
    assert STRICT[name] in text


def test_a_leaf_without_authority_key_identifier_is_told_of_because_strict_clients_refuse_it(site: Site) -> None:
    site.write(CASES["no-aki"]().leaf)
    with told() as heard:
        site.start()
    assert [one for one in heard.of(Topic.WARNING) if "authority key identifier" in one]


def test_a_weak_intermediate_is_refused_in_words(site: Site) -> None:
    site.write(CA("Below", parent=CA("Root"), key="rsa1024").issue("localhost"))
    assert "weak" in site.refusal().message.removeprefix(str(site.folder))  # the folder has the name of this test


def test_a_weak_ca_is_told_of_because_openssl_refuses_its_certificates(site: Site) -> None:
    site.trust.write_bytes(CA("Old", key="rsa1024").pem)
    with told() as heard:
        ClientTLS(trust=site.trust).context()
    assert ["weak" in one for one in heard.of(Topic.WARNING)] == [True]


def test_a_mount_of_kubernetes_is_read_as_it_is(tmp_path: Path) -> None:
    ca = CA()
    mount = tmp_path / "mount"
    leaves = [publish(mount, ca, version) for version in ("..1", "..2")]
    keeper = live(server(Files(mount / "server.crt", mount / "server.key")))
    assert keeper.bundle.identity is not None
    assert keeper.bundle.identity.certificate == leaves[1].certificate


def publish(mount: Path, ca: CA, version: str) -> Leaf:
    """Swap a new pair into a mount as kubelet does."""
    leaf = ca.issue("localhost")
    leaf.write(mount / version, "server")
    (mount / "..new").symlink_to(version)
    (mount / "..new").rename(mount / "..data")
    for name in ("server.crt", "server.key"):
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")
    return leaf


def test_the_pem_of_a_reference_is_named_by_its_setting_not_by_what_it_holds(site: Site) -> None:
    with pytest.raises(BundleError) as caught:
        ServerTLS(key=CertKey(Secret("-----BEGIN CERTIFICATE-----\nCANARY"), site.files.key_file)).context()
    assert "the certificate (" in caught.value.message
    assert "CANARY" not in str(caught.value)


def test_the_chain_is_sent_as_it_stands(site: Site) -> None:
    root, below = chain_of("Root", "Intermediate")
    site.write(below.issue("localhost"))
    (site.folder / "root.crt").write_bytes(pem_of(root.certificate))
    context = server(site.files)
    assert isinstance(shake(context.context(), stock_client(site.folder / "root.crt")).served.public_key(), object)
    assert x509.load_pem_x509_certificates(site.files.cert_file.read_bytes())[1] == below.certificate
