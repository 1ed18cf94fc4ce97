"""A context follows its files: when it looks, what it swaps, what it says, and what it leaves alone."""

import os
import signal
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.tls.pki import CA, Leaf
from wellkept import Secret
from wellkept.errors import BundleError, UsageError
from wellkept.events import BUS, Event, Topic
from wellkept.testing import ManualClock
from wellkept.tls import (
    CallableSource,
    CertKey,
    CertValidation,
    ClientTLS,
    Live,
    MutualTLS,
    Parts,
    Policy,
    ServerTLS,
    Versions,
    read_parts,
    reload_all,
    reload_on_signal,
)
from wellkept.tls.source import FilesSource


@pytest.fixture
def events() -> Iterator[list[Event]]:
    heard: list[Event] = []
    unsubscribe = BUS.subscribe(heard.append)
    yield heard
    unsubscribe()


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA()


def write(folder: Path, leaf: Leaf) -> Leaf:
    leaf.write(folder, "server")
    return leaf


def key(folder: Path) -> CertKey:
    return CertKey(folder / "server.crt", folder / "server.key")


def live_of(folder: Path, clock: ManualClock, policy: Policy = Policy(is_server=True)) -> Live:  # noqa: B008 it is frozen
    return Live(FilesSource(key(folder), ()), policy, clock=clock)


def clock_now() -> ManualClock:
    return ManualClock(datetime.now(UTC))


def serial(context: ssl.SSLContext) -> int:
    """The serial number of the certificate that a context shows."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    client = nobody.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    der = client.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def test_new_files_are_served_at_the_first_use_after_the_interval(ca: CA, tmp_path: Path) -> None:
    clock = clock_now()
    old = write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock)
    new = write(tmp_path, ca.issue("localhost"))
    assert serial(live.context) == old.certificate.serial_number
    clock.advance(1)
    assert serial(live.context) == new.certificate.serial_number
    assert live.bundle.generation == 2


def test_files_that_are_only_touched_are_no_news(ca: CA, tmp_path: Path, events: list[Event]) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock)
    os.utime(tmp_path / "server.crt")
    clock.advance(1)
    assert live.bundle.generation == 1
    assert [one for one in events if one.topic is Topic.BUNDLE_SWAPPED] == []


def test_reload_looks_at_once_and_says_whether_there_is_news(ca: CA, tmp_path: Path) -> None:
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock_now())
    assert not live.reload()
    write(tmp_path, ca.issue("localhost"))
    assert live.reload()


def test_a_broken_file_changes_nothing_and_is_told_once(ca: CA, tmp_path: Path, events: list[Event]) -> None:
    clock = clock_now()
    old = write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock)
    (tmp_path / "server.crt").write_bytes(b"")
    for _ in range(5):
        clock.advance(1)
        assert serial(live.context) == old.certificate.serial_number
    told = [one.detail for one in events if one.topic is Topic.RELOAD_FAILED]
    assert len(told) == 1
    assert "server.crt: holds no certificate in PEM: it is empty" in told[0]


def test_a_file_that_is_mended_is_served_and_the_next_fault_is_told_anew(
    ca: CA, tmp_path: Path, events: list[Event]
) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock)
    for _ in range(2):
        (tmp_path / "server.crt").write_bytes(b"")
        clock.advance(1)
        assert live.bundle.generation
        good = write(tmp_path, ca.issue("localhost"))
        clock.advance(1)
        assert serial(live.context) == good.certificate.serial_number
    assert sum(one.topic is Topic.RELOAD_FAILED for one in events) == 2


def test_a_pair_that_is_half_written_is_looked_at_twice_before_it_is_told(
    ca: CA, tmp_path: Path, events: list[Event]
) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock)
    new = ca.issue("localhost")
    (tmp_path / "server.crt").write_bytes(new.cert_pem)
    clock.advance(1)
    assert live.bundle.generation == 1
    assert [one for one in events if one.topic is Topic.RELOAD_FAILED] == []
    clock.advance(1)
    assert live.bundle.generation == 1
    assert sum(one.topic is Topic.RELOAD_FAILED for one in events) == 1
    (tmp_path / "server.key").write_bytes(new.key_pem)
    clock.advance(1)
    assert live.bundle.generation == 2


def test_a_failed_reload_raises_and_names_the_file(ca: CA, tmp_path: Path) -> None:
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock_now())
    (tmp_path / "server.key").unlink()
    with pytest.raises(BundleError, match=r"server\.key: does not exist"):
        live.reload()
    assert live.bundle.generation == 1


def test_new_ticket_keys_come_when_the_session_timeout_is_over(ca: CA, tmp_path: Path) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock, Policy(is_server=True, session_timeout_s=30))
    first = live._current_inner()
    clock.advance(29)
    assert live._current_inner() is first
    clock.advance(2)
    assert live._current_inner() is not first
    assert live.bundle.generation == 1


def test_an_end_that_comes_near_is_told_once_for_each_stage(ca: CA, tmp_path: Path, events: list[Event]) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost", not_before=-timedelta(hours=1), not_after=timedelta(hours=9)))
    live = live_of(tmp_path, clock)
    for _ in range(10 * 6):
        clock.advance(600)
        assert live.bundle.generation == 1
    told = [(one.topic, one.detail.rpartition(": ")[2]) for one in events if one.subject.endswith("server.crt")]
    assert [topic for topic, _ in told] == [Topic.EXPIRES_SOON, Topic.EXPIRES_SOON, Topic.EXPIRED]
    assert [detail for _, detail in told][:2] == ["less than a third is left", "less than a tenth is left"]


def test_a_list_that_comes_to_its_end_is_told_before_it_fails(ca: CA, tmp_path: Path, events: list[Event]) -> None:
    clock = clock_now()
    write(tmp_path, ca.issue("localhost"))
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    (tmp_path / "ca.crl").write_bytes(ca.crl(next_update=timedelta(hours=1)))
    validation = CertValidation(crl=(tmp_path / "ca.crl",))
    tls = ServerTLS(key=key(tmp_path), mutual=MutualTLS(trust=tmp_path / "ca.pem"), cert_validation=validation)
    live = Live(FilesSource(tls.key, (tmp_path / "ca.pem",), validation), tls.policy(), clock=clock)
    clock.advance(3500)
    assert live.bundle.generation == 1
    soon = [one for one in events if one.topic is Topic.EXPIRES_SOON and "ca.crl" in one.subject]
    clock.advance(200)
    assert live.bundle.generation == 1
    over = [one for one in events if one.topic is Topic.EXPIRED and "ca.crl" in one.subject]
    assert (len(soon), len(over)) == (1, 1)


def test_a_callable_that_answers_another_bundle_is_followed(ca: CA) -> None:
    clock = clock_now()
    answers = [parts(ca, "one.test")]
    live = Live(CallableSource(lambda: answers[-1]), Policy(is_server=True), clock=clock)
    first = serial(live.context)
    clock.advance(1)
    assert live.bundle.generation == 1
    answers.append(parts(ca, "two.test"))
    clock.advance(1)
    assert serial(live.context) != first
    assert live.bundle.generation == 2


def test_a_callable_that_fails_changes_nothing(ca: CA, events: list[Event]) -> None:
    clock = clock_now()
    held = parts(ca, "one.test")
    fails = False

    def answer() -> Parts:
        if fails:
            raise LookupError("password-CANARY")
        return held

    live = Live(CallableSource(answer), Policy(is_server=True), clock=clock)
    fails = True
    clock.advance(1)
    assert live.bundle.generation == 1
    assert [one.detail for one in events if one.topic is Topic.RELOAD_FAILED] == [
        "bundle: its source raised LookupError; the last good bundle is served on"
    ]


def parts(ca: CA, name: str) -> Parts:
    leaf = ca.issue(name)
    return read_parts(certificate=leaf.cert_pem, key=leaf.key_pem)


def test_pem_in_a_secret_is_served_without_a_file(ca: CA) -> None:
    leaf = ca.issue("localhost")
    tls = ServerTLS(key=CertKey(Secret(leaf.cert_pem.decode()), Secret(leaf.key_pem.decode())))
    assert serial(tls.context()) == leaf.certificate.serial_number


def test_pem_that_was_given_as_plain_text_does_not_show(ca: CA) -> None:
    leaf = ca.issue("localhost")
    tls = ServerTLS(key=CertKey(leaf.cert_pem.decode(), leaf.key_pem.decode()))
    assert "PRIVATE KEY" not in repr(tls)
    assert serial(tls.context()) == leaf.certificate.serial_number


def test_the_look_at_all_comes_with_a_signal(ca: CA, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGHUP)
    heard: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _frame: heard.append(number))
    write(tmp_path, ca.issue("localhost"))
    live = Live(FilesSource(key(tmp_path), ()), Policy(is_server=True), check_interval_s=3600)
    write(tmp_path, ca.issue("localhost"))
    try:
        reload_on_signal()
        os.kill(os.getpid(), signal.SIGHUP)
        assert live.bundle.generation == 2
        assert heard == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_reload_all_reaches_every_context(ca: CA, tmp_path: Path) -> None:
    write(tmp_path, ca.issue("localhost"))
    lives = [Live(FilesSource(key(tmp_path), ()), Policy(is_server=True), check_interval_s=3600) for _ in range(3)]
    write(tmp_path, ca.issue("localhost"))
    reload_all()
    assert [one.bundle.generation for one in lives] == [2, 2, 2]


def test_a_forked_child_can_reload_whatever_the_parent_was_doing(ca: CA, tmp_path: Path) -> None:
    write(tmp_path, ca.issue("localhost"))
    live = live_of(tmp_path, clock_now())
    with live._lock:
        child = os.fork()
        if child == 0:
            write(tmp_path, ca.issue("localhost"))
            os._exit(0 if live.reload() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_many_threads_see_one_swap_and_no_error(ca: CA, tmp_path: Path) -> None:
    write(tmp_path, ca.issue("localhost"))
    live = Live(FilesSource(key(tmp_path), ()), Policy(is_server=True), check_interval_s=0)
    ends, faults = threading.Event(), []

    def connect() -> None:
        while not ends.is_set():
            try:
                serial(live.context)
            except Exception as error:  # noqa: BLE001 whatever it is, the test tells of it
                faults.append(error)

    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    leaf = ca.issue("localhost")
    for _ in range(50):
        leaf = ca.issue("localhost")
        for name, data in (("server.crt", leaf.cert_pem), ("server.key", leaf.key_pem)):
            (tmp_path / f"{name}.new").write_bytes(data)
            (tmp_path / f"{name}.new").chmod(0o600)
            (tmp_path / f"{name}.new").rename(tmp_path / name)
    live.reload()
    ends.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert serial(live.context) == leaf.certificate.serial_number


def test_what_a_status_page_shows_has_nothing_private(ca: CA, tmp_path: Path) -> None:
    leaf = write(tmp_path, ca.issue("localhost"))
    shown = live_of(tmp_path, clock_now()).describe()
    assert "PRIVATE" not in repr(shown)
    assert shown["generation"] == 1
    own = shown["certificate"]
    assert isinstance(own, dict)
    assert own["name"] == "localhost"
    assert own["serial"] == f"{leaf.certificate.serial_number:x}"


def test_without_a_file_in_memory_the_key_goes_to_a_disk_encrypted_only(
    ca: CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    unlink = os.unlink

    def read_and_unlink(path: str) -> None:
        seen.append(Path(path).read_bytes())
        unlink(path)

    monkeypatch.delattr(os, "memfd_create")
    leaf = ca.issue("localhost")
    # No audit hook: it stays for the life of the process, and lets threads in where CPython 3.11 sets a trace function.
    monkeypatch.setattr(os, "unlink", read_and_unlink)
    tls = ServerTLS(key=CertKey(Secret(leaf.cert_pem.decode()), Secret(leaf.key_pem.decode())))
    assert serial(tls.context()) == leaf.certificate.serial_number
    assert seen
    assert all(b"BEGIN ENCRYPTED PRIVATE KEY" in one and b"BEGIN PRIVATE KEY" not in one for one in seen)


@pytest.mark.parametrize(
    ("tls", "fact"),
    [
        (lambda one: ServerTLS(key=one, enable=False), "enable: must be true"),
        (lambda one: ServerTLS(key=one, allow=("dns:a.test",)), "allow: lists clients, and mutualSsl does not ask"),
        (lambda one: ServerTLS(key=one, mutual=MutualTLS()), "trust: names no CA"),
        (lambda one: ServerTLS(key=one, ciphers=("TLS_RSA_WITH_AES_128_CBC_SHA",)), "ciphers: names a suite"),
        (lambda one: ServerTLS(key=one, protocol=Versions(versions=("TLSv1.1",))), "versions: names a version"),
        (lambda one: ServerTLS(key=one, protocol=Versions(name="SSL")), "name: must be TLS"),
        (lambda _one: ClientTLS(verify_host_name=False), "verify_host_name: must be true"),
        (lambda _one: ClientTLS(system=False), "system: is false, and no other CA is trusted"),
        (lambda _one: ClientTLS(allow=("billing",)), "allow: pattern 1 begins with none of"),
        (lambda _one: ClientTLS(handshake_timeout=0), "handshake_timeout: expected more than 0 s"),
        (lambda _one: ClientTLS(cert_validation=CertValidation(type="OCSP_STAPLING")), "type: cannot be"),
        (lambda _one: ClientTLS(cert_validation=CertValidation()), "crl: names no revocation list"),
    ],
)
def test_settings_in_code_that_cannot_be_are_refused_before_any_file_is_read(tls: object, fact: str) -> None:
    assert callable(tls)
    with pytest.raises(UsageError, match=fact):
        tls(CertKey("missing.crt", "missing.key")).context()


def test_a_callable_is_asked_once_at_each_look(ca: CA) -> None:
    clock = clock_now()
    held = parts(ca, "one.test")
    asked: list[int] = []

    def answer() -> Parts:
        asked.append(1)
        return held

    live = Live(CallableSource(answer), Policy(is_server=True), clock=clock)
    held = parts(ca, "two.test")
    clock.advance(1)
    assert live.bundle.generation == 2
    assert len(asked) == 2
