"""What is broken while a service runs: the last good bundle is served on, one event says why, nobody notices."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.tls.bad import (
    CLIENTS,
    SERVERS,
    SetClock,
    der_of,
    live,
    odd_names,
    pem,
    server,
    shake,
    stock_client,
    told,
)
from tests.tls.pki import CA, DAY, Files, Leaf
from wellkept.errors import BundleError
from wellkept.events import Topic
from wellkept.secret import Secret
from wellkept.tls import CertKey, ClientTLS, MutualTLS, ServerTLS
from wellkept.tls.live import Live

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
PASSWORD = "right-CANARY"


class Running:
    """A service that runs with good files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = CA()
        self.leaf = self.ca.issue("localhost")
        self.files = self.leaf.write(folder, "server")
        self.trust = self.ca.write(folder)
        self.clock = SetClock()
        self.keeper = live(self.tls, self.clock)

    @property
    def tls(self) -> ServerTLS:
        return ServerTLS(key=CertKey(self.files.cert_file, self.files.key_file), mutual=MutualTLS(trust=self.trust))

    def write(self, leaf: Leaf) -> Leaf:
        leaf.write(self.folder, "server")
        return leaf

    def serial(self, version: ssl.TLSVersion = V13) -> int:
        """The certificate that a client of the service sees."""
        files = self.ca.issue("orders.test").write(self.folder / "client", "client")
        client = stock_client(self.trust, files, version)
        return shake(self.keeper.context, client).served.serial_number

    @property
    def own(self) -> int:
        return self.leaf.certificate.serial_number


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path)


def break_version(running: Running) -> None:
    der = der_of(running.leaf)
    running.files.cert_file.write_bytes(pem(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05")))


def break_extension(running: Running) -> None:
    der = der_of(running.leaf)
    at = der.index(bytes.fromhex("0603551d130101ff04023000")) + 10
    running.files.cert_file.write_bytes(pem(der[:at] + b"\x31" + der[at + 1 :]))


def swap(running: Running) -> None:
    running.files.cert_file.write_bytes(running.leaf.key_pem)
    running.files.key_file.write_bytes(running.leaf.cert_pem)


BREAKS: dict[str, tuple[Callable[[Running], object], str]] = {
    "expired": (lambda one: one.write(one.ca.issue("localhost", not_after=-DAY)), "has expired"),
    "not yet valid": (lambda one: one.write(one.ca.issue("localhost", not_before=DAY)), "not yet valid"),
    "another key": (
        lambda one: one.files.key_file.write_bytes(CA().issue("localhost").key_pem),
        "does not match",
    ),
    "encrypted": (
        lambda one: one.files.key_file.write_bytes(one.leaf.key_pem_as("pkcs8", PASSWORD)),
        "encrypted private key",
    ),
    "truncated": (lambda one: one.files.cert_file.write_bytes(one.leaf.pem[:99]), "cut off"),
    "truncated key": (lambda one: one.files.key_file.write_bytes(one.leaf.key_pem[:99]), "cut off"),
    "truncated chain": (lambda one: one.files.cert_file.write_bytes(one.leaf.pem + one.ca.pem[:99]), "cut off"),
    "empty": (lambda one: one.files.cert_file.write_bytes(b""), "is empty"),
    "missing": (lambda one: one.files.cert_file.unlink(), "does not exist"),
    "missing key": (lambda one: one.files.key_file.unlink(), "does not exist"),
    "swapped": (swap, "holds a private key"),
    "DER": (lambda one: one.files.cert_file.write_bytes(der_of(one.leaf)), "DER"),
    "missing trust": (lambda one: one.trust.unlink(), "does not exist"),
    "empty trust": (lambda one: one.trust.write_bytes(b""), "is empty"),
    "a private key as trust": (lambda one: one.trust.write_bytes(one.leaf.key_pem), "private key"),
    "expired trust": (lambda one: one.trust.write_bytes(CA(not_after=-DAY).pem), "has expired"),
    "weak": (lambda one: one.write(one.ca.issue("localhost", key="rsa1024")), "weak"),
    "a version that does not exist": (break_version, "server.crt"),
    "a damaged extension": (break_extension, "server.crt"),
    "names that cannot be read": (
        lambda one: one.write(odd_names(one.ca, bytes([0x30, 4, 0x82, 2, 0xFF, 0xFE]))),
        "server.crt",
    ),
}


def served_as_trusted(running: Running) -> int:
    """As `serial`, where the file of the CA may be the one that is broken."""
    good = running.ca.write(running.folder / "good")
    files = running.ca.issue("orders.test").write(running.folder / "client", "client")
    return shake(running.keeper.context, stock_client(good, files)).served.serial_number


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_file_leaves_the_service_as_it_is_and_is_told_of_once(running: Running, name: str) -> None:
    break_it, words = BREAKS[name]
    break_it(running)
    with told() as heard:
        for _ in range(6):
            assert served_as_trusted(running) == running.own
            running.clock.advance(timedelta(seconds=2))
    (failed,) = heard.of(Topic.RELOAD_FAILED)
    assert words in failed
    assert "the last good bundle is served on" in failed
    assert len(heard.events) == 1
    assert "CANARY" not in failed


@pytest.mark.parametrize("name", BREAKS)
def test_reload_raises_what_is_wrong_and_tells_of_it_once(running: Running, name: str) -> None:
    break_it, words = BREAKS[name]
    break_it(running)
    with told() as heard:
        for _ in range(3):
            with pytest.raises(BundleError) as caught:
                running.keeper.reload()
            assert words in caught.value.message
        assert served_as_trusted(running) == running.own
    assert len(heard.of(Topic.RELOAD_FAILED)) == 1
    assert len(heard.events) == 1


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_mended_is_served_again(running: Running, name: str) -> None:
    break_it, _ = BREAKS[name]
    break_it(running)
    served_as_trusted(running)
    running.ca.write(running.folder)
    new = running.write(running.ca.issue("localhost"))
    with told() as heard:
        assert running.serial() == new.certificate.serial_number
    assert len(heard.of(Topic.BUNDLE_SWAPPED)) == 1


def test_another_fault_is_another_event(running: Running) -> None:
    with told() as heard:
        for data in (b"", running.leaf.pem[:99], b""):
            running.files.cert_file.write_bytes(data)
            for _ in range(3):
                served_as_trusted(running)
    said = heard.of(Topic.RELOAD_FAILED)
    assert ["is empty" in one for one in said] == [True, False, True]


def test_a_wrong_password_leaves_the_service_as_it_is(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    files, trust = leaf.write(tmp_path), ca.write(tmp_path)
    files.key_file.write_bytes(leaf.key_pem_as("pkcs8", PASSWORD))
    keeper = live(ServerTLS(key=CertKey(files.cert_file, files.key_file, Secret(PASSWORD))))
    new = ca.issue("localhost")
    new.write(tmp_path)
    files.key_file.write_bytes(new.key_pem_as("pkcs8", "other-CANARY"))
    with told() as heard:
        for _ in range(3):
            served = shake(keeper.context, stock_client(trust)).served
            assert served.serial_number == leaf.certificate.serial_number
    (failed,) = heard.of(Topic.RELOAD_FAILED)
    assert "the password is wrong" in failed
    assert "CANARY" not in failed


@pytest.mark.parametrize("kind", SERVERS)
def test_a_broken_file_costs_no_connection_on_a_real_server(tmp_path: Path, kind: str) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    files, trust = leaf.write(tmp_path), ca.write(tmp_path)
    keeper = live(server(files))
    client = stock_client(trust)
    with told() as heard, SERVERS[kind](keeper.context) as port:
        for data in (leaf.pem, b"", leaf.pem[:50], der_of(leaf), CA().issue("localhost").pem):
            files.cert_file.write_bytes(data)
            for _ in range(3):
                assert CLIENTS["blocking"](port, client, "localhost") == b"hello"
    assert heard.refused == []
    assert len(heard.of(Topic.RELOAD_FAILED)) == 4


@pytest.mark.parametrize("first", ["certificate", "key"])
def test_a_pair_that_is_half_written_is_never_served(running: Running, first: str) -> None:
    old = running.own
    with told() as heard:
        for _ in range(10):
            new = running.ca.issue("localhost")
            parts = [
                lambda new=new: running.files.cert_file.write_bytes(new.cert_pem),
                lambda new=new: running.files.key_file.write_bytes(new.key_pem),
            ]
            write_first, write_second = parts if first == "certificate" else reversed(parts)
            write_first()
            assert running.serial() == old  # one look at the half of it
            write_second()
            old = new.certificate.serial_number
            assert running.serial() == old
    assert len(heard.of(Topic.BUNDLE_SWAPPED)) == 10
    assert heard.of(Topic.RELOAD_FAILED) == []  # the second half came before the second look


def test_every_step_of_writing_a_pair_in_place_serves_a_good_bundle(running: Running) -> None:
    new = running.ca.issue("localhost")
    serials = {running.own, new.certificate.serial_number}
    for file, data in ((running.files.cert_file, new.cert_pem), (running.files.key_file, new.key_pem)):
        with file.open("wb", buffering=0) as opened:
            for start in range(0, len(data), 97):
                opened.write(data[start : start + 97])
                assert running.serial() in serials
    assert running.serial() == new.certificate.serial_number


def test_a_file_that_is_deleted_and_created_again_is_followed(running: Running) -> None:
    for _ in range(3):
        running.files.cert_file.unlink()
        running.files.key_file.unlink()
        running.serial()
        new = running.write(running.ca.issue("localhost"))
        assert running.serial() == new.certificate.serial_number


def test_the_whole_folder_may_go_and_come_back(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    folder = tmp_path / "certs"
    trust = ca.write(tmp_path)
    keeper = live(server(leaf.write(folder)))
    folder.rename(tmp_path / "gone")
    with told() as heard:
        shake(keeper.context, stock_client(trust))
        new = ca.issue("localhost")
        new.write(folder)
        assert shake(keeper.context, stock_client(trust)).served == new.certificate
    assert "does not exist" in heard.of(Topic.RELOAD_FAILED)[0]


@pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
def test_the_kind_of_key_may_change_both_ways(running: Running, version: ssl.TLSVersion) -> None:
    for kind, public in (
        ("rsa2048", rsa.RSAPublicKey),
        ("p256", ec.EllipticCurvePublicKey),
        ("rsa2048", rsa.RSAPublicKey),
    ):
        new = running.write(running.ca.issue("localhost", key=kind))
        assert isinstance(new.certificate.public_key(), public)
        assert running.serial(version) == new.certificate.serial_number


def test_a_mount_of_kubernetes_is_swapped_as_a_whole(tmp_path: Path) -> None:
    ca = CA()
    trust, mount = ca.write(tmp_path), tmp_path / "mount"
    publish(mount, ca.issue("localhost"), "..1")
    keeper = live(server(Files(mount / "server.crt", mount / "server.key")))
    with told() as heard:
        for number in range(2, 12):
            new = ca.issue("localhost")
            publish(mount, new, f"..{number}")
            assert shake(keeper.context, stock_client(trust)).served == new.certificate
    assert [one.topic for one in heard.events] == [Topic.BUNDLE_SWAPPED] * 10


def publish(mount: Path, leaf: Leaf, version: str) -> None:
    """Swap a new pair into a mount as kubelet does."""
    leaf.write(mount / version, "server")
    (mount / "..new").symlink_to(version)
    (mount / "..new").rename(mount / "..data")
    for name in ("server.crt", "server.key"):
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")


def test_a_link_that_is_set_to_another_pair_is_followed(tmp_path: Path) -> None:
    ca = CA()
    trust = ca.write(tmp_path)
    leaves = [ca.issue("localhost") for _ in range(2)]
    for number, one in enumerate(leaves):
        one.write(tmp_path / str(number))
    current = tmp_path / "current"
    current.symlink_to("0")
    keeper = live(server(Files(current / "server.crt", current / "server.key")))
    (tmp_path / "next").symlink_to("1")
    (tmp_path / "next").rename(current)
    assert shake(keeper.context, stock_client(trust)).served == leaves[1].certificate


def test_our_own_certificate_that_expires_while_it_is_served_is_told_of_and_served_on(running: Running) -> None:
    with told() as heard:
        running.clock.advance(timedelta(days=22))
        running.serial()
        assert "less than a third" in heard.of(Topic.EXPIRES_SOON)[0]
        running.clock.advance(timedelta(days=7))
        running.serial()
        assert "less than a tenth" in heard.of(Topic.EXPIRES_SOON)[1]
        running.clock.advance(timedelta(days=7))
        assert running.serial() == running.own
        assert "has expired" in heard.of(Topic.EXPIRED)[0]
        running.serial()
    assert len(heard.events) == 3


def test_sessions_that_end_do_not_take_an_expired_certificate_out_of_service(tmp_path: Path) -> None:
    ca = CA()
    leaf = ca.issue("localhost")
    files, trust = leaf.write(tmp_path), ca.write(tmp_path)
    clock = SetClock()
    keeper = live(ServerTLS(key=CertKey(files.cert_file, files.key_file), session_timeout=60), clock)
    clock.advance(timedelta(days=31))
    for _ in range(3):
        assert shake(keeper.context, stock_client(trust)).served == leaf.certificate
        clock.advance(timedelta(seconds=2))


def test_a_file_that_is_only_touched_is_no_news(running: Running) -> None:
    running.files.cert_file.touch()
    with told() as heard:
        running.serial()
        assert not running.keeper.reload()
    assert heard.events == []


def test_a_key_that_becomes_readable_is_told_of(running: Running) -> None:
    running.files.key_file.chmod(0o644)
    with told() as heard:
        running.serial()
    assert [one for one in heard.of(Topic.WARNING) if one.startswith("TLS010")]


def test_what_is_wrong_with_a_client_is_kept_from_it_too(tmp_path: Path) -> None:
    ca = CA()
    leaf, own = ca.issue("localhost"), ca.issue("orders.test")
    trust, files = ca.write(tmp_path), own.write(tmp_path, "client")
    keeper: Live = live(ClientTLS(trust=trust, key=CertKey(files.cert_file, files.key_file)))
    service = server(leaf.write(tmp_path)).context()
    files.key_file.write_bytes(b"")
    trust.write_bytes(b"")
    with told() as heard:
        for _ in range(3):
            assert shake(service, keeper.context).served == leaf.certificate
    assert len(heard.of(Topic.RELOAD_FAILED)) == 1
